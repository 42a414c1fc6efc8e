/** What must hold of an ensemble after whatever befell it: judged by all that its clients saw. */
import { expect as base } from 'playwright/test'
import { judgeHistory, type Promised, type Verdict } from '../history/judge-history.ts'
import type { Ensemble } from './ensemble.ts'

/** Of one promise; more of them say the same. */
const SHOWN_MAX = 10

/** Waits until nothing is under way, then judges the whole history. Throws where there is none. */
export async function judge(ensemble: Ensemble): Promise<Verdict> {
  const recording = await ensemble.recording()
  const verdict = judgeHistory(recording)
  if (recording.log === null) throw new Error('no member has the log from its beginning on')
  if (verdict.operations === 0) throw new Error('no client asked anything: nothing to judge')
  return verdict
}

/** At most one leader per epoch. */
export function oneLeader(ensemble: Ensemble): Promise<void> {
  return keeps(ensemble, 'oneLeader')
}

/** Every acknowledged write is in the log of all. */
export function noLostWrites(ensemble: Ensemble): Promise<void> {
  return keeps(ensemble, 'noLostWrites')
}

/** Writes and what they answer, and every read, as of one order that respects time. */
export function linearizable(ensemble: Ensemble): Promise<void> {
  return keeps(ensemble, 'linearizable')
}

/** No watch is missed or comes twice, and each before the reader can see its change. */
export function watchesInOrder(ensemble: Ensemble): Promise<void> {
  return keeps(ensemble, 'watchesInOrder')
}

/** All that ZooKeeper promises. */
export async function allPromises(ensemble: Ensemble): Promise<void> {
  const { violations } = await judge(ensemble)
  if (violations.length > 0) throw new BrokenPromise('its promises', violations)
}

async function keeps(ensemble: Ensemble, promised: Promised): Promise<void> {
  const violations = (await judge(ensemble)).against(promised)
  if (violations.length > 0) throw new BrokenPromise(promised, violations)
}

class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise'

  constructor(promised: string, violations: Verdict['violations']) {
    const lines = violations.slice(0, SHOWN_MAX).map(({ checker, what }) => `  ${checker}: ${what}`)
    const count = `${violations.length} violation${violations.length === 1 ? '' : 's'}`
    super(`the ensemble does not keep ${promised}, ${count}:\n${lines.join('\n')}`)
  }
}

interface MatcherResult {
  readonly pass: boolean
  readonly message: () => string
}

type Judged = 'oneLeader' | 'noLostWrites' | 'linearizable' | 'watchesInOrder' | 'allPromises'
type Matcher = (ensemble: Ensemble) => Promise<MatcherResult>

function matcher(holds: (ensemble: Ensemble) => Promise<void>): Matcher {
  return (ensemble) =>
    holds(ensemble).then(
      () => ({ pass: true, message: () => 'the ensemble keeps it' }),
      (error: unknown) => {
        // What could not be judged is neither kept nor broken: `not` must not pass on it.
        if (!(error instanceof BrokenPromise)) throw error
        return { pass: false, message: () => error.message }
      },
    )
}

const MATCHERS: Readonly<Record<Judged, Matcher>> = {
  oneLeader: matcher(oneLeader),
  noLostWrites: matcher(noLostWrites),
  linearizable: matcher(linearizable),
  watchesInOrder: matcher(watchesInOrder),
  allPromises: matcher(allPromises),
}

export type KitExpect = ReturnType<typeof base.extend<typeof MATCHERS>>

/** Playwright's, and `await expect(ensemble).linearizable()`. */
export const expect: KitExpect = base.extend(MATCHERS)
