/** What a test that failed leaves for its reader: the history, and what every machine had heard. */
import { writeFile } from 'node:fs/promises'
import type { Page, TestInfo } from 'playwright/test'
import { fromBase64 } from '../core/base/bytes.ts'
import { judgeHistory } from '../history/judge-history.ts'
import { recordingToText } from '../history/recording.ts'
import { historyReport } from '../history/report/history-report.ts'
import type { Ensemble } from './ensemble.ts'
import { machineLines } from './machine-lines.ts'
import { inKit } from './page-call.ts'

/** A page that does not answer, as a frozen one, has no more than this, ms. Ours. */
const ANSWER_LIMIT_MS = 5_000

export function hasFailed({ status, expectedStatus }: TestInfo): boolean {
  return status !== expectedStatus
}

/** null: no machine, or none that answers. With data: what a test wrote is no secret. */
export async function flightOf(page: Page): Promise<Uint8Array | null> {
  const base64 = await inKit(page, (kit) => kit.flight(), null)
  return base64 === null ? null : fromBase64(base64)
}

/** For `npm run replay`: what each machine heard makes the same again in Node. */
export async function attachFlights(pages: readonly Page[], testInfo: TestInfo): Promise<void> {
  for (const [index, page] of pages.entries()) {
    const limit = new Promise<null>((resolve) => setTimeout(resolve, ANSWER_LIMIT_MS, null))
    // A page that crashed or navigates has nothing to say, and that is no other failure.
    const body = await Promise.race([flightOf(page).catch(() => null), limit])
    if (body === null) continue
    await attach(testInfo, `machine-page-${index + 1}.zabra-flight`, body, 'application/gzip')
  }
}

export async function attachHistory(
  ensemble: Ensemble,
  testInfo: TestInfo,
  limitMs: number = ANSWER_LIMIT_MS,
): Promise<void> {
  // The log is read as well where the ensemble can still come to rest.
  const limit = new Promise<null>((resolve) => setTimeout(resolve, limitMs, null))
  const whole = await Promise.race([ensemble.recording(testInfo.title).catch(() => null), limit])
  const recording = whole ?? ensemble.recordingSoFar(testInfo.title)
  const lines = machineLines(recording, ensemble.members, Date.now())
  await attach(testInfo, 'machines.txt', lines, 'text/plain')
  const { violations } = judgeHistory(recording)
  await attach(testInfo, 'history.json', recordingToText(recording), 'application/json')
  const report = historyReport(recording, {
    violations,
    facts: { seed: ensemble.seed, retry: String(testInfo.retry) },
  })
  await attach(testInfo, 'history.html', report, 'text/html')
}

/** A file, since what is attached as bytes is shown by no plain reporter. */
async function attach(
  testInfo: TestInfo,
  name: string,
  body: string | Uint8Array,
  contentType: string,
): Promise<void> {
  const path = testInfo.outputPath(name)
  await writeFile(path, body)
  await testInfo.attach(name, { path, contentType })
}
