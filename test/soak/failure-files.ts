/** What a soak that failed leaves for its reader. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { recordingToText } from '../../src/history/recording.ts'
import { historyReport } from '../../src/history/report/history-report.ts'
import type { SoakFailure } from './soak.ts'

/** The history as a page and as data, and a flight of each machine; the paths, the page first. */
export async function writeFailure(
  failure: SoakFailure,
  folder: string,
  facts: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const { part, what, violations, recording, flights } = failure
  await mkdir(folder, { recursive: true })
  const page = historyReport(recording, {
    ...{ violations, facts: { ...facts, part: String(part) } },
    ...(violations.length > 0 ? {} : { failed: what }),
  })
  const files: readonly (readonly [string, string | Uint8Array])[] = [
    ['history.html', page],
    ['history.json', recordingToText(recording)],
    ...flights,
  ]
  for (const [name, content] of files) await writeFile(join(folder, name), content)
  return files.map(([name]) => join(folder, name))
}
