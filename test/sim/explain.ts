/** A failed run for people: in words, and as a page. */
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { historyReport } from '../../src/history/report/history-report.ts'
import { runSeed, type RunOptions, type RunResult } from './run-seed.ts'

/** Lines of transcript that a failure shows, and that its page holds. */
const SHOWN_LINES = 60
const PAGE_LINES = 5_000

export function explain(failed: RunResult, options: RunOptions): void {
  const { seed, violation, draw } = failed
  console.log(`\nseed ${seed} FAILED: ${draw}`)
  tell(violation)
  const named = options.planted === undefined ? '' : ` --bug ${options.planted.name}`
  const drawn = Object.entries(options.drawn ?? {}).map(
    ([name, value]) => ` --${name} ${JSON.stringify(value)}`,
  )
  const bug = `${named}${options.isQuiet === true ? ' --quiet' : ''}${drawn.join('')}`
  console.log(`  trace digest ${failed.digest}`)
  const command = `npm run sim -- --seed ${seed} --seeds 1${bug} --trace`
  console.log(`  replay: ${command}`)
  const told = runSeed(seed, { ...options, transcriptLines: PAGE_LINES, records: true })
  for (const line of told.transcript.slice(-SHOWN_LINES)) console.log(`  | ${line}`)
  const file = join(tmpdir(), `zabra-sim-seed-${seed}.html`)
  writeReport(file, told, command)
  console.log(`  as a page: ${file}\n`)
}

function tell(violation: RunResult['violation']): void {
  if (violation === null) return
  console.log(`  ${violation.checker} at ${violation.atMs.toFixed(2)} ms`)
  console.log(`  ${violation.what}`)
}

/** Of a run that kept a recording. */
export function writeReport(file: string, result: RunResult, command: string): void {
  const { recording, violation, seed, draw, digest, transcript } = result
  if (recording === null) throw new Error('this run was not recorded')
  const page = historyReport(recording, {
    violations: violation === null ? [] : [violation],
    facts: { seed: String(seed), drawn: draw, 'run again': command, 'trace digest': digest },
    transcript,
  })
  writeFileSync(file, page)
}
