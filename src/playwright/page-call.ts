import type { Page } from 'playwright/test'
import type { PageKit } from './page/page-kit.ts'

/**
 * Runs a function beside the kit's part of the page. It is sent as text, so it sees its arguments
 * only; they and the result are copied.
 */
export async function inKit<A, R>(
  page: Page,
  work: (kit: PageKit, argument: A) => R | Promise<R>,
  argument: A,
): Promise<R> {
  const kit = await page.evaluateHandle(() => {
    const found = (window as unknown as Record<symbol, PageKit | undefined>)[
      Symbol.for('zabra.kit')
    ]
    if (found === undefined) throw new Error('this page was not opened by the kit')
    return found
  })
  try {
    // The compiler does not see that a handle's argument arrives as what it stands for.
    const run = work as (kit: unknown, argument: unknown) => R | Promise<R>
    return await kit.evaluate(run, argument)
  } finally {
    // Gone with the page, if it is.
    void kit.dispose().catch(() => {})
  }
}
