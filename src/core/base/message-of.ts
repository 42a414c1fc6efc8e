/** What was thrown, in words for people: an error's message without its kind. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
