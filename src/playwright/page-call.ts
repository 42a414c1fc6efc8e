import type { Page } from 'playwright/test'
import type { PageKit } from './page/page-kit.ts'
import { KIT_NAME } from './page/page-news.ts'

/**
 * Runs a function beside the kit's part of the page. It is sent as text, so it sees its arguments
 * only; they and the result are copied. What the page had not told yet is told before.
 */
export async function inKit<A, R>(
  page: Page,
  work: (kit: PageKit, argument: A) => R | Promise<R>,
  argument: A,
): Promise<R> {
  // All in one, for each evaluation costs the driver some ms: it sends what this says it is.
  const text = `(argument) => {
    const kit = window[Symbol.for('${KIT_NAME}')]
    if (kit === undefined) throw new Error('this page was not opened by the kit')
    kit.flush()
    return (${String(work)})(kit, argument)
  }`
  const inPage = Object.assign((_: unknown): R | Promise<R> => unsent(), { toString: () => text })
  return page.evaluate<R, A>(inPage, argument)
}

function unsent(): never {
  throw new Error('this runs in a page only')
}
