/** The history of a test that failed, as a page on the disk of who runs it. */
import { messageOf } from '../core/base/message-of.ts'
import { historyReport } from '../history/report/history-report.ts'
import type { Recording } from '../history/recording.ts'
import { PromiseBroken } from './expectations.ts'

const FOLDER = 'zabra-testing'

/** What a report tells of. */
export interface Reported {
  readonly seed: number
  readonly digest: string
  readonly log: { lines(): readonly string[] }
  recording(): Recording
}

interface Files {
  mkdirSync(path: string, options: { readonly recursive: true }): unknown
  writeFileSync(path: string, text: string): void
}

interface Paths {
  dirname(path: string): string
  join(...parts: readonly string[]): string
  resolve(path: string): string
}

/** `file` undefined: one of its own; null: none. In words, for the error; null: nothing to say. */
export function whereReported(
  error: Error,
  reported: Reported,
  file: string | null | undefined,
): string | null {
  const [files, paths] = [builtin<Files>('node:fs'), builtin<Paths>('node:path')]
  if (file === null || files === null || paths === null) return null
  try {
    const path = paths.resolve(file ?? paths.join(temporaryFolder(), FOLDER, nameOf(reported)))
    files.mkdirSync(paths.dirname(path), { recursive: true })
    files.writeFileSync(path, pageOf(error, reported))
    return `the history as a page: ${path}`
  } catch (cause) {
    // What failed in the test is what counts.
    return `no page of the history: ${messageOf(cause)}`
  }
}

function pageOf(error: Error, reported: Reported): string {
  const { seed, digest, log } = reported
  return historyReport(reported.recording(), {
    violations: error instanceof PromiseBroken ? error.violations : [],
    failed: `${error.name}: ${error.message}`,
    facts: { 'the same again': `ZABRA_SEED=${seed}`, 'trace digest': digest },
    transcript: log.lines(),
  })
}

/** The same history has the same name: whoever tries again finds no more files than before. */
function nameOf({ seed, digest }: Reported): string {
  return `seed-${seed}-${digest}.html`
}

function temporaryFolder(): string {
  return builtin<{ tmpdir(): string }>('node:os')?.tmpdir() ?? '.'
}

/** Of Node, without an import that pages could not resolve; null where there is none. */
function builtin<T>(name: string): T | null {
  const process: unknown = Reflect.get(globalThis, 'process')
  if (typeof process !== 'object' || process === null) return null
  const get: unknown = Reflect.get(process, 'getBuiltinModule')
  if (typeof get !== 'function') return null
  return (Reflect.apply(get, process, [name]) as T | undefined) ?? null
}
