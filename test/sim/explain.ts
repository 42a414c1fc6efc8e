/** A failed run for people: made smaller, in words, and as a page. */
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { historyReport } from '../../src/history/report/history-report.ts'
import { runSeed, type RunOptions, type RunResult } from './run-seed.ts'
import { shrink } from './shrink.ts'

/** Lines of transcript that a failure shows, and that its page holds. */
const SHOWN_LINES = 60
const PAGE_LINES = 5_000

export function explain(failed: RunResult, options: RunOptions): void {
  const { seed, violation, draw } = failed
  console.log(`\nseed ${seed} FAILED: ${draw}`)
  tell(violation)
  console.log(`  trace digest ${failed.digest}`)
  console.log(`  replay: ${commandOf(seed, options)}`)
  const { result, options: small, attempts } = shrink(failed, options)
  const kept = `${result.injected.length} of ${failed.injected.length} faults`
  const who = `${result.clients} clients, ${result.readers} readers`
  console.log(`  made smaller in ${attempts} runs: ${kept}, ${who}`)
  const left = result.injected.map(({ id, kind }) => `${id} ${kind}`)
  if (left.length > 0) console.log(`  left: ${left.join(', ')}`)
  const command = commandOf(seed, small)
  console.log(`  replay: ${command}`)
  tell(result.violation)
  const told = runSeed(seed, { ...small, transcriptLines: PAGE_LINES, records: true })
  for (const line of told.transcript.slice(-SHOWN_LINES)) console.log(`  | ${line}`)
  const file = join(tmpdir(), `zabra-sim-seed-${seed}.html`)
  writeReport(file, told, command)
  console.log(`  as a page: ${file}\n`)
}

/** The command line that makes this run again. */
export function commandOf(seed: number, options: RunOptions): string {
  const { planted, isQuiet = false, onlyFaults, drawn = {} } = options
  const flags = [
    planted === undefined ? '' : ` --bug ${planted.name}`,
    isQuiet ? ' --quiet' : '',
    onlyFaults === undefined ? '' : ` --faults ${[...onlyFaults].join(',') || 'none'}`,
    ...Object.entries(drawn).map(([name, value]) => ` --${name} ${JSON.stringify(value)}`),
  ].join('')
  return `npm run sim -- --seed ${seed}${flags} --trace`
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
