// The paper's properties over random faults, and proof that the predicates can fail.
import { describe, expect, test } from 'vitest'
import { ZAB_RULES, type ZabRules } from '../../src/core/zab/rules.ts'
import { RandomRun } from '../core/zab/random-ensemble.ts'
import { ZabHistory } from './zab-history.ts'

const SEEDS = 6
const FAULTY_MS = 12_000
const TIMEOUT_MS = 120_000

function historyOf(seed: number, rules: ZabRules = ZAB_RULES): ZabHistory {
  const history = new ZabHistory()
  const witness = history.witness.bind(history)
  new RandomRun({ seed, rules, witness }).run(FAULTY_MS)
  return history
}

describe('§III', () => {
  const histories: ZabHistory[] = []
  for (let seed = 1; seed <= SEEDS; seed++) {
    test(`seed ${seed} keeps all properties`, { timeout: TIMEOUT_MS }, () => {
      const history = historyOf(seed)
      histories.push(history)
      history.checkIntegrity()
      history.checkPrefixes()
      history.checkLocalPrimaryOrder()
      history.checkGlobalPrimaryOrder()
      history.checkPrimaryIntegrity()
    })
  }

  test('and the runs are no idle ones: many primaries, many deliveries', () => {
    const intervals = histories.flatMap((history) => history.intervals)
    expect(new Set(intervals.map(({ epoch }) => epoch)).size).toBeGreaterThan(5)
    const delivered = intervals.reduce((sum, one) => sum + one.delivered.length, 0)
    expect(delivered).toBeGreaterThan(500)
  })
})

describe('the predicates see', () => {
  const broken: readonly (readonly [string, Partial<ZabRules>])[] = [
    ['a missing TRUNC', { chooseSync: withoutTrunc }],
    [
      'a gap at the hand-over',
      { handOver: () => [], follows: (previous, next) => next > previous },
    ],
  ]
  test.each(broken)('%s', { timeout: TIMEOUT_MS }, (_, rules) => {
    const isFound = (seed: number): boolean => {
      try {
        const history = historyOf(seed, { ...ZAB_RULES, ...rules })
        history.checkPrefixes()
        history.checkLocalPrimaryOrder()
        return false
      } catch {
        return true
      }
    }
    expect(Array.from({ length: 12 }, (_, i) => i + 1).some(isFound)).toBe(true)
  })
})

function withoutTrunc(
  ...[log, learner]: Parameters<ZabRules['chooseSync']>
): ReturnType<ZabRules['chooseSync']> {
  const plan = ZAB_RULES.chooseSync(log, learner)
  return plan.mode === 'TRUNC' ? { mode: 'DIFF', from: plan.from } : plan
}
