/** What all runs did together. */
import { FAULT_KINDS } from './draw.ts'
import { FaultTally } from './faults/fault-tally.ts'
import { ROOM_FAULT_KINDS } from './room/room-fault-kinds.ts'
import type { RunResult } from './run-seed.ts'

const MS_PER_HOUR = 3_600_000
const HOURS_PER_YEAR = 8766
const HOURS_PER_NIGHT = 8
/** The rarest kind happens some 20 times in so many. */
const SEEDS_OF_EVERY_FAULT = 400
const KINDS_PER_LINE = 4
const ALL_KINDS: readonly string[] = [...FAULT_KINDS, ...ROOM_FAULT_KINDS]

export class Totals {
  passed = 0
  failed = 0
  simulatedMs = 0
  readonly faults: FaultTally = new FaultTally()
  operations = 0
  checks = 0
  events = 0
  readonly #cpu: NodeJS.CpuUsage = process.cpuUsage()
  readonly #startedMs: number = performance.now()

  add(result: RunResult, isPassed: boolean): void {
    if (isPassed) this.passed++
    else this.failed++
    this.simulatedMs += result.simulatedMs
    this.faults.add(result.faults)
    this.operations += result.operations
    this.checks += result.checks
    this.events += result.events
  }

  get seeds(): number {
    return this.passed + this.failed
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedMs
  }

  get lines(): readonly string[] {
    const { simulatedMs, operations, checks, events, seeds } = this
    const faults = this.faults.happened
    const { user, system } = process.cpuUsage(this.#cpu)
    const cpuMs = (user + system) / 1000
    const hours = (simulatedMs / MS_PER_HOUR).toFixed(2)
    const each = `${(cpuMs / seeds).toFixed(0)} ms per seed`
    const factor = simulatedMs / cpuMs
    const years = ((factor * HOURS_PER_NIGHT) / HOURS_PER_YEAR).toFixed(3)
    return [
      `${seeds} seeds: ${hours} h simulated, ${events} events`,
      `${faults} faults happened, ${operations} operations and ${checks} checks made`,
      `${(this.elapsedMs / 1000).toFixed(1)} s wall, ${(cpuMs / 1000).toFixed(1)} s CPU, ${each}`,
      `${factor.toFixed(0)} times real time: ${years} years in a night of one core`,
      ...this.#faultLines,
    ]
  }

  /** So many that one that never happens is broken, not rare. */
  get neverHappened(): readonly string[] {
    if (this.seeds < SEEDS_OF_EVERY_FAULT) return []
    const { counts } = this.faults
    return ALL_KINDS.filter((kind) => (counts.get(kind)?.happened ?? 0) === 0)
  }

  /** Some kinds a line. */
  get #faultLines(): readonly string[] {
    const words = [...this.faults.counts]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([kind, { drawn, happened }]) => `${kind} ${happened}/${drawn}`)
    const lines = ['happened of drawn:']
    while (words.length > 0) lines.push(`  ${words.splice(0, KINDS_PER_LINE).join(', ')}`)
    return lines
  }
}
