/** Assertions without a framework: the contract suites run in Vitest and inside a page. */
import { assert } from '../../src/core/base/assert.ts'
import { toHex } from '../../src/core/base/bytes.ts'

/** Compares plain data deeply; byte arrays by content, bigints by value, whatever the class. */
export function checkEqual(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [render(actual), render(expected)]
  assert(a === b, `${what}\n  expected ${b}\n  actual   ${a}`)
}

export async function checkRejects(work: Promise<unknown>, code: string): Promise<void> {
  let outcome = 'it resolved'
  try {
    await work
  } catch (error) {
    const found = (error as { code?: unknown }).code
    if (found === code) return
    outcome = `${String(error)} (code ${String(found)})`
  }
  assert(false, `expected a rejection with code '${code}', but ${outcome}`)
}

function render(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'bigint') return `${item}n`
    if (item instanceof Uint8Array) return `bytes:${toHex(item)}`
    if (item !== null && typeof item === 'object' && !Array.isArray(item)) {
      return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
    }
    return item
  })
}
