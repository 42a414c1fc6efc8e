/** What every machine that still lives had heard, for whoever reads of a failed test. */
import { writeFile } from 'node:fs/promises'
import type { Page, TestInfo } from 'playwright/test'
import type {} from '../../demo/window.d.ts'

/** A page that does not answer, as a frozen one, has no more than this, ms. Ours. */
const ANSWER_LIMIT_MS = 5_000

/** null: no machine, or none that answers. With data: what a test wrote is no secret. */
export async function flightOf(page: Page, payloads = true): Promise<Uint8Array | null> {
  const base64 = await page.evaluate(async (wantsData) => {
    const file = (await window.zabra?.flightRecording(wantsData)) ?? null
    if (file === null) return null
    const url = await new Promise<string>((resolve, reject) => {
      const reader = new FileReader()
      reader.onload = () => resolve(reader.result as string)
      reader.onerror = () => reject(new Error('unreadable'))
      reader.readAsDataURL(file)
    })
    return url.slice(url.indexOf(',') + 1)
  }, payloads)
  return base64 === null ? null : new Uint8Array(Buffer.from(base64, 'base64'))
}

export async function attachFlights(
  browsers: readonly { readonly pages: readonly Page[] }[],
  testInfo: TestInfo,
): Promise<void> {
  const pages = browsers.flatMap((browser) => browser.pages)
  for (const [index, page] of pages.entries()) {
    const limit = new Promise<null>((resolve) => setTimeout(resolve, ANSWER_LIMIT_MS, null))
    // A page that crashed or navigates has nothing to say, and that is no other failure.
    const body = await Promise.race([flightOf(page).catch(() => null), limit])
    if (body === null) continue
    const contentType = 'application/gzip'
    // A file, since what is attached as bytes is shown by no plain reporter.
    const path = testInfo.outputPath(`machine-page-${index + 1}.zabra-flight`)
    await writeFile(path, body)
    await testInfo.attach(`flight recording of page ${index + 1}`, { path, contentType })
  }
}
