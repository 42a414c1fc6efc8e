/** Clocks of walls count from 1970; who reads wants to know how long after the beginning. */
import type { Violation } from '../history-events.ts'
import type { RecordedEvent, Recording } from '../recording.ts'

/** Below it no wall clock stands: virtual ones begin at 0 by themselves. */
const WALL_CLOCK_MS = 1e11

export interface Told {
  readonly recording: Recording
  readonly violations: readonly Violation[]
  /** ms since 1970; null: the history has a clock of its own. */
  readonly begunMs: number | null
}

/** The same with all times counted from its first call, connection or fault. */
export function fromZero(recording: Recording, violations: readonly Violation[]): Told {
  const { events, faults, roles } = recording
  const times = [...events, ...faults, ...(events.length === 0 ? roles : [])]
  const begunMs = times.reduce((least, { atMs }) => Math.min(least, atMs), Infinity)
  if (!Number.isFinite(begunMs) || begunMs < WALL_CLOCK_MS) {
    return { recording, violations, begunMs: null }
  }
  const later = <T extends { readonly atMs: number }>(one: T): T => ({
    ...one,
    atMs: Math.max(0, one.atMs - begunMs),
  })
  return {
    begunMs,
    violations: violations.map(later),
    recording: {
      ...recording,
      events: events.map((event): RecordedEvent => later(event)),
      roles: roles.map(later),
      faults: faults.map((fault) => {
        const { untilMs } = fault
        return { ...later(fault), ...(untilMs === undefined ? {} : { untilMs: untilMs - begunMs }) }
      }),
    },
  }
}
