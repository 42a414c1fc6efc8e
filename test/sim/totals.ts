/** What all runs did together. */
import type { RunResult } from './run-seed.ts'

const MS_PER_HOUR = 3_600_000
const HOURS_PER_YEAR = 8766
const HOURS_PER_NIGHT = 8

export class Totals {
  passed = 0
  failed = 0
  simulatedMs = 0
  faults = 0
  operations = 0
  checks = 0
  events = 0
  readonly #cpu: NodeJS.CpuUsage = process.cpuUsage()
  readonly #startedMs: number = performance.now()

  add(result: RunResult, isPassed: boolean): void {
    if (isPassed) this.passed++
    else this.failed++
    this.simulatedMs += result.simulatedMs
    this.faults += result.faults
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
    const { simulatedMs, faults, operations, checks, events, seeds } = this
    const { user, system } = process.cpuUsage(this.#cpu)
    const cpuMs = (user + system) / 1000
    const hours = (simulatedMs / MS_PER_HOUR).toFixed(2)
    const each = `${(cpuMs / seeds).toFixed(0)} ms per seed`
    const factor = simulatedMs / cpuMs
    const years = ((factor * HOURS_PER_NIGHT) / HOURS_PER_YEAR).toFixed(3)
    return [
      `${seeds} seeds: ${hours} h simulated, ${events} events`,
      `${faults} faults injected, ${operations} operations and ${checks} checks made`,
      `${(this.elapsedMs / 1000).toFixed(1)} s wall, ${(cpuMs / 1000).toFixed(1)} s CPU, ${each}`,
      `${factor.toFixed(0)} times real time: ${years} years in a night of one core`,
    ]
  }
}
