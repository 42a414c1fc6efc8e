/** What an ensemble promises, judged over the whole history of a test. */
import { judgeHistory, type Promised } from '../history/judge-history.ts'
import type { Violation } from '../history/history-events.ts'
import type { Recording } from '../history/recording.ts'

/** Violations that a message names. Ours: the first ones say it all. */
const VIOLATIONS_SHOWN = 8

const TITLES: Readonly<Record<Promised, string>> = {
  linearizable: 'the history is not linearizable',
  noLostWrites: 'an acknowledged write is lost',
  watchesInOrder: 'watches did not arrive, or not in order',
  oneLeader: 'an epoch has two leaders',
  sessionsEnd: 'a session did not end as it should',
  callsInOrder: 'calls were not answered, or not in order',
  fresh: 'an answer is too old',
}

/** What a history should have been and was not. */
export class PromiseBroken extends Error {
  readonly promised: Promised
  readonly violations: readonly Violation[]

  constructor(promised: Promised, violations: readonly Violation[]) {
    const lines = violations.slice(0, VIOLATIONS_SHOWN).map(({ checker, what, atMs }) => {
      return `  ${atMs.toFixed(1)} ms, ${checker}: ${what}`
    })
    const more = violations.length - lines.length
    if (more > 0) lines.push(`  and ${more} more`)
    super([`${TITLES[promised]}:`, ...lines].join('\n'))
    this.name = 'PromiseBroken'
    this.promised = promised
    this.violations = violations
  }
}

/** null where the promise was kept. */
export function brokenPromise(recording: Recording, promised: Promised): PromiseBroken | null {
  const violations = judgeHistory(recording).against(promised)
  return violations.length === 0 ? null : new PromiseBroken(promised, violations)
}
