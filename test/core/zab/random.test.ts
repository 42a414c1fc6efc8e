import { describe, expect, test } from 'vitest'
import { ZAB_RULES, type ZabRules } from '../../../src/core/zab/rules.ts'
import { RandomRun } from './random-ensemble.ts'

/** The full simulator is test/sim; this keeps the sharpest edges near the code. */
const SEEDS = 8
const FAULTY_MS = 15_000
const TIMEOUT_MS = 120_000

describe('random faults', () => {
  test.each([3, 5])(
    'an ensemble of %i loses nothing',
    (size) => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const run = new RandomRun({ seed: seed * 100 + size, size })
        try {
          run.run(FAULTY_MS)
        } catch (error) {
          throw new Error(`seed ${seed * 100 + size}`, { cause: error })
        }
        expect(run.committed.length).toBeGreaterThan(0)
      }
    },
    TIMEOUT_MS,
  )

  const followers = { size: 3, observers: 2, tuning: { observerMaster: {} } }

  test(
    'observers that learn from followers hear of what is committed, all of it, and nothing else',
    () => {
      for (let seed = 1; seed <= SEEDS; seed++) new RandomRun({ seed, ...followers }).run(FAULTY_MS)
      const tooEarly: ZabRules = { ...ZAB_RULES, informsAt: 'proposal' }
      const findsIt = (seed: number): boolean => {
        try {
          new RandomRun({ seed, ...followers, rules: tooEarly }).run(FAULTY_MS)
          return false
        } catch {
          return true
        }
      }
      expect([1, 2, 3, 4].some(findsIt)).toBe(true)
    },
    TIMEOUT_MS,
  )
})
