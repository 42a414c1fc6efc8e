/** A programmer's error: state that no input may produce. Always on, never caught to go on. */
export class AssertionError extends Error {
  override readonly name: string = 'AssertionError'
}

export function assert(cond: unknown, message: string): asserts cond {
  if (!cond) throw new AssertionError(message)
}

/** Closes a switch over a union: a new member becomes a compile error here. */
export function unreachable(x: never): never {
  throw new AssertionError(`unreachable: ${String(x)}`)
}
