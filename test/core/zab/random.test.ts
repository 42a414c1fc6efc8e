import { describe, expect, test } from 'vitest'
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
})
