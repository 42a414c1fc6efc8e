/** What a soak did so far, in words. */
import type { Load } from './load.ts'

export interface PartTold {
  readonly part: number
  /** Faults by kind. */
  readonly counts: ReadonlyMap<string, number>
  readonly operations: number
  readonly checks: number
  /** From the last fault until every member served and heard every other one. */
  readonly backAfterMs: number
  readonly load: Pick<Load, 'answered' | 'refused' | 'unanswered' | 'sessions' | 'strange'>
}

export class Totals {
  readonly counts: Map<string, number> = new Map()
  parts = 0
  operations = 0
  checks = 0
  sessions = 0
  slowestBackMs = 0

  add({ counts, operations, checks, backAfterMs, load }: PartTold): void {
    for (const [kind, count] of counts) this.counts.set(kind, (this.counts.get(kind) ?? 0) + count)
    this.parts++
    this.operations += operations
    this.checks += checks
    this.sessions += load.sessions
    this.slowestBackMs = Math.max(this.slowestBackMs, backAfterMs)
  }

  get words(): string {
    return [
      `${this.parts} parts`,
      `${this.operations} calls of ${this.sessions} sessions`,
      `${this.checks} checks`,
      `back after ${seconds(this.slowestBackMs)} at most`,
      faultWords(this.counts),
    ].join(', ')
  }
}

export function partWords({
  part,
  counts,
  operations,
  checks,
  backAfterMs,
  load,
}: PartTold): string {
  const { answered, refused, unanswered, sessions, strange } = load
  const calls = `${operations} calls of ${sessions} sessions`
  const came = `${answered} done, ${refused} refused, ${unanswered} unknown`
  const back = `back after ${seconds(backAfterMs)}`
  const line = `part ${part}: ${calls} (${came}), ${checks} checks, ${back}, ${faultWords(counts)}`
  return [line, ...strange.map((text) => `  heard: ${text}`)].join('\n')
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function faultWords(counts: ReadonlyMap<string, number>): string {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  const kinds = [...counts].toSorted(([, a], [, b]) => b - a).map(([kind, n]) => `${kind} ${n}`)
  return `${total} faults: ${kinds.join(', ')}`
}
