import { vi } from 'vitest'

/** Far longer than anything takes on a busy machine; Vitest's own is one second. */
const LIMIT = { timeout: 30_000, interval: 20 }

/** What `look` gives, as soon as it throws no more. */
export function eventually<T>(look: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(look, LIMIT)
}
