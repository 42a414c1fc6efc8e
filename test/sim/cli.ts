/** `npm run sim`: seeds, planted bugs, nights, one seed in words or as a page. */
import { closeSync, openSync } from 'node:fs'
import { readOptions, USAGE, type CliOptions } from './cli-options.ts'
import { explain, writeReport } from './explain.ts'
import { TraceDigest } from '../../src/testing/trace-digest.ts'
import type { PlantedBug } from './planted/planted-bug.ts'
import { runSeed, type RunOptions, type RunResult } from './run-seed.ts'
import { Totals } from './totals.ts'

/** Runs that are made twice, to see that a seed is a history. */
const REPEATED_SEEDS = 3
/** Transcript lines of `--trace`: all that fit into memory. */
const TRACE_LINES = 1_000_000
const REPORT_LINES = 5_000
/** Seeds between two signs of life. */
const PROGRESS_SEEDS = 100
const MS_PER_HOUR = 3_600_000
/** A night does not stop at its first failure, but what is broken for good need not fill it. */
const FAILURES_MAX = 20

function main(): boolean {
  const options = readOptions(process.argv.slice(2))
  if (typeof options === 'string') {
    const isAsked = options === USAGE
    console.log(isAsked ? USAGE : `${options}\n${USAGE}`)
    return isAsked
  }
  if (options.isTrace || options.report !== null) return tellOne(options)
  if (options.isPlanted) return findPlanted(options)
  if (options.hours !== null) return runNight(options, options.hours)
  return runSeeds(options)
}

/** One seed for people. */
function tellOne({ firstSeed, run, isTrace, report }: CliOptions): boolean {
  const refusal = report === null ? null : whyNotWritable(report)
  if (refusal !== null) {
    console.log(`--report ${refusal}`)
    return false
  }
  const transcriptLines = isTrace ? TRACE_LINES : REPORT_LINES
  const result = runSeed(firstSeed, { ...run, transcriptLines, records: report !== null })
  const { violation } = result
  console.log(`seed ${result.seed}: ${result.draw}`)
  if (isTrace) for (const line of result.transcript) console.log(line)
  if (violation !== null) console.log(`${violation.checker}: ${violation.what}`)
  console.log(`trace digest ${result.digest}`)
  if (report !== null) {
    writeReport(report, result, `npm run sim -- ${process.argv.slice(2).join(' ')}`)
    console.log(`as a page: ${report}`)
  }
  return summary(violation === null ? 1 : 0, violation === null ? 0 : 1)
}

/** Before the work: null, or what the file system says of it. */
function whyNotWritable(file: string): string | null {
  try {
    closeSync(openSync(file, 'a'))
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function runSeeds({ firstSeed, seedCount, tellsDigests, run }: CliOptions): boolean {
  const digest = new TraceDigest()
  const totals = new Totals()
  for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
    const result = runSeed(seed, run)
    const isSame =
      seed >= firstSeed + REPEATED_SEEDS ||
      seedCount === 1 ||
      runSeed(seed, run).digest === result.digest
    totals.add(result, result.violation === null && isSame)
    if (tellsDigests) console.log(`seed ${seed} trace ${result.digest}; ${result.draw}`)
    if (!isSame) console.log(`seed ${seed}: two runs with different traces`)
    if (result.violation !== null) explain(result, run)
    digest.text(result.digest)
    tellProgress(totals)
  }
  const areAll = tellTotals(totals, run)
  const again = `npm run sim -- --seed ${firstSeed} --seeds ${seedCount}`
  console.log(`trace digest of all seeds ${digest.hex}; again: ${again}`)
  return summary(totals.passed, totals.failed) && areAll
}

/** Every other run is a long and quiet one, as most of an ensemble's life is. */
function runNight({ firstSeed, run }: CliOptions, hours: number): boolean {
  const totals = new Totals()
  console.log(`from seed ${firstSeed}; again: npm run sim -- --hours ${hours} --seed ${firstSeed}`)
  for (let seed = firstSeed; totals.elapsedMs < hours * MS_PER_HOUR; seed++) {
    const isQuiet = seed % 2 === 0
    const options = { ...run, isQuiet }
    const result = runSeed(seed, options)
    totals.add(result, result.violation === null)
    if (result.violation !== null) explain(result, options)
    if (totals.failed >= FAILURES_MAX) break
    tellProgress(totals)
  }
  const areAll = tellTotals(totals, run)
  return summary(totals.passed, totals.failed) && areAll
}

/** False when a kind of fault never happened, in so many seeds of which nothing was left out. */
function tellTotals(totals: Totals, { onlyFaults, drawn }: RunOptions): boolean {
  for (const line of totals.lines) console.log(line)
  const { neverHappened } = totals
  const isNarrowed = onlyFaults !== undefined || drawn !== undefined
  if (isNarrowed || neverHappened.length === 0) return true
  console.log(`never happened: ${neverHappened.join(', ')}`)
  return false
}

function tellProgress(totals: Totals): void {
  if (totals.seeds % PROGRESS_SEEDS !== 0) return
  const hours = (totals.simulatedMs / MS_PER_HOUR).toFixed(1)
  console.log(`${totals.seeds} seeds done, ${hours} h simulated, ${totals.failed} failed`)
}

/** Each bug must be found by a rule of its own; the first seed that does so ends its turn. */
function findPlanted({ bugs, firstSeed, seedCount, run }: CliOptions): boolean {
  let found = 0
  for (const planted of bugs) {
    const { seed, violation, symptoms } = findFailure(planted, firstSeed, seedCount, run)
    const others = symptoms.size === 0 ? '' : `, before that by ${[...symptoms].join(', ')}`
    if (violation === null) {
      const rules = planted.foundBy.join(' or ')
      console.log(`NOT FOUND ${planted.name} by ${rules} in ${seedCount} seeds${others}`)
      continue
    }
    found++
    const where = `seed ${seed}${others}`
    console.log(`found ${planted.name}: ${where}, ${violation.checker}: ${violation.what}`)
  }
  return summary(found, bugs.length - found)
}

/** The first that one of the bug's own rules found; `symptoms` are the rules that came before. */
function findFailure(
  planted: PlantedBug,
  firstSeed: number,
  seedCount: number,
  run: RunOptions,
): { seed: number; violation: RunResult['violation']; symptoms: ReadonlySet<string> } {
  const symptoms = new Set<string>()
  for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
    const { violation } = runSeed(seed, { ...run, planted })
    if (violation === null) continue
    if (planted.foundBy.includes(violation.checker)) return { seed, violation, symptoms }
    symptoms.add(violation.checker)
  }
  return { seed: firstSeed, violation: null, symptoms }
}

function summary(passed: number, failed: number): boolean {
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0
}

process.exitCode = main() ? 0 : 1
