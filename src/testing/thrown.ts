/** What was thrown, as an error whose message can be made to say more. */

export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

/** The same error: a stack begins with the message as it was when the error was made. */
export function withMessage(error: Error, message: string): Error {
  const { stack } = error
  const before = error.message
  error.message = message
  if (stack?.includes(before) === true) error.stack = stack.replace(before, () => message)
  return error
}
