/** `npm run sim -- [--seed N] [--seeds COUNT] [--planted] [--bug NAME] [--trace]` */
import { parseArgs } from 'node:util'
import { PLANTED_BUGS } from './planted/bugs.ts'
import type { PlantedBug } from './planted/planted-bug.ts'
import { TraceDigest } from '../../src/testing/trace-digest.ts'
import { replayForPeople, runSeed, type RunResult } from './run-seed.ts'

/** Runs that are made twice, to see that a seed is a history. */
const REPEATED_SEEDS = 3
/** Transcript lines of `--trace`: all that fit into memory. */
const TRACE_LINES = 1_000_000
const DEFAULT_SEEDS = 100
/** Seeds between two signs of life. */
const PROGRESS_SEEDS = 100

interface Totals {
  passed: number
  failed: number
  simulatedMs: number
  faults: number
  operations: number
  checks: number
  events: number
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: String(DEFAULT_SEEDS) },
    planted: { type: 'boolean', default: false },
    bug: { type: 'string' },
    trace: { type: 'boolean', default: false },
    digests: { type: 'boolean', default: false },
  },
})
const firstSeed = Number(values.seed)
const seedCount = Number(values.seeds)

function main(): boolean {
  if (!Number.isInteger(firstSeed) || !Number.isInteger(seedCount) || seedCount < 1) {
    console.error('--seed and --seeds take whole numbers')
    return false
  }
  const bugs = PLANTED_BUGS.filter(({ name }) => name === (values.bug ?? name))
  if (bugs.length === 0) {
    console.error(`no bug ${values.bug ?? ''}; there are ${PLANTED_BUGS.map(nameOf).join(', ')}`)
    return false
  }
  if (values.trace) return trace(values.bug === undefined ? undefined : bugs[0])
  if (values.planted || values.bug !== undefined) return findPlanted(bugs)
  return runTrue()
}

function nameOf({ name }: PlantedBug): string {
  return name
}

/** One seed for people. */
function trace(planted: PlantedBug | undefined): boolean {
  const options = planted === undefined ? {} : { planted }
  const result = replayForPeople(firstSeed, { ...options, transcriptLines: TRACE_LINES })
  console.log(`seed ${result.seed}: ${result.draw}`)
  for (const line of result.transcript) console.log(line)
  console.log(`trace digest ${result.digest}`)
  return summary(result.violation === null ? 1 : 0, result.violation === null ? 0 : 1)
}

function runTrue(): boolean {
  const started = process.cpuUsage()
  const startedMs = performance.now()
  const digest = new TraceDigest()
  const totals: Totals = {
    passed: 0,
    failed: 0,
    simulatedMs: 0,
    faults: 0,
    operations: 0,
    checks: 0,
    events: 0,
  }
  for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
    const result = runSeed(seed)
    const isSame =
      seed >= firstSeed + REPEATED_SEEDS ||
      seedCount === 1 ||
      runSeed(seed).digest === result.digest
    count(totals, result, result.violation === null && isSame)
    if (values.digests) console.log(`seed ${seed} trace ${result.digest}; ${result.draw}`)
    if (!isSame) console.log(`seed ${seed}: two runs with different traces`)
    if (result.violation !== null) explain(result)
    digest.text(result.digest)
    const done = seed - firstSeed + 1
    if (done % PROGRESS_SEEDS === 0) console.log(`${done} seeds done, ${totals.failed} failed`)
  }
  const cpu = process.cpuUsage(started)
  report(totals, performance.now() - startedMs, (cpu.user + cpu.system) / 1000)
  const again = `npm run sim -- --seed ${firstSeed} --seeds ${seedCount}`
  console.log(`trace digest of all seeds ${digest.hex}; again: ${again}`)
  return summary(totals.passed, totals.failed)
}

function count(totals: Totals, result: RunResult, isPassed: boolean): void {
  if (isPassed) totals.passed++
  else totals.failed++
  totals.simulatedMs += result.simulatedMs
  totals.faults += result.faults
  totals.operations += result.operations
  totals.checks += result.checks
  totals.events += result.events
}

function explain(result: RunResult, planted?: PlantedBug): void {
  const { seed, violation } = result
  const replayed = replayForPeople(seed, planted === undefined ? {} : { planted })
  const bug = planted === undefined ? '' : ` --bug ${planted.name}`
  console.log(`\nseed ${seed} FAILED: ${result.draw}`)
  console.log(`  ${violation?.checker ?? ''} at ${violation?.atMs.toFixed(2) ?? ''} ms`)
  console.log(`  ${violation?.what ?? ''}`)
  for (const line of replayed.transcript) console.log(`  | ${line}`)
  console.log(`  trace digest ${result.digest}`)
  console.log(`  replay: npm run sim -- --seed ${seed} --seeds 1${bug} --trace\n`)
}

/** Each bug must be found; the first seed that finds it ends its turn. */
function findPlanted(bugs: readonly PlantedBug[]): boolean {
  let found = 0
  for (const planted of bugs) {
    const result = firstFailure(planted)
    if (result === null || result.violation === null) {
      console.log(`NOT FOUND ${planted.name} in ${seedCount} seeds: ${planted.what}`)
      continue
    }
    found++
    const { seed, violation } = result
    console.log(`found ${planted.name}: seed ${seed}, ${violation.checker}: ${violation.what}`)
  }
  return summary(found, bugs.length - found)
}

function firstFailure(planted: PlantedBug): RunResult | null {
  for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
    const result = runSeed(seed, { planted })
    if (result.violation !== null) return result
  }
  return null
}

function report(totals: Totals, wallMs: number, cpuMs: number): void {
  const { simulatedMs, faults, operations, checks, events } = totals
  const seeds = totals.passed + totals.failed
  const hours = (simulatedMs / 3_600_000).toFixed(2)
  console.log(`${seeds} seeds from ${firstSeed}: ${hours} h simulated, ${events} events`)
  console.log(`${faults} faults injected, ${operations} operations and ${checks} checks made`)
  const each = `${(cpuMs / seeds).toFixed(0)} ms per seed`
  console.log(`${(wallMs / 1000).toFixed(1)} s wall, ${(cpuMs / 1000).toFixed(1)} s CPU, ${each}`)
}

function summary(passed: number, failed: number): boolean {
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0
}

process.exitCode = main() ? 0 : 1
