// The simulator itself: a seed is a history, and the true code passes. That every planted bug is
// found, `npm run sim -- --planted` shows, which `npm test` runs.
import { describe, expect, test, vi } from 'vitest'
import { PLANTED_BUGS } from './planted/bugs.ts'
import { runSeed } from './run-seed.ts'
import { shrink } from './shrink.ts'

// A busy machine takes its time; nothing here waits for real time.
vi.setConfig({ testTimeout: 600_000 })

const SEEDS = 12

describe('one seed', () => {
  test('is one history: the same trace twice', () => {
    const first = runSeed(5)
    expect(runSeed(5)).toEqual(first)
    expect(runSeed(6).digest).not.toBe(first.digest)
  })

  test('is the same history with a transcript', () => {
    expect(runSeed(5, { transcriptLines: 10 }).digest).toBe(runSeed(5).digest)
  })

  test('injects faults, makes calls and looks at rules', () => {
    const { faults, operations, checks, simulatedMs } = runSeed(5)
    const happened = [...faults.values()].reduce((sum, count) => sum + count.happened, 0)
    expect(happened).toBeGreaterThan(5)
    expect(operations).toBeGreaterThan(50)
    expect(checks).toBeGreaterThan(operations)
    expect(simulatedMs).toBeGreaterThan(20_000)
  })
})

test('the true code passes', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { violation, draw } = runSeed(seed)
    expect(violation, `seed ${seed}: ${draw}`).toBe(null)
  }
})

test('a failed run is made smaller, and still fails in the same way', () => {
  const planted = PLANTED_BUGS.find(({ name }) => name === 'watch-after-change')
  if (planted === undefined) throw new Error('no such bug')
  let seed = 1
  while (runSeed(seed, { planted }).violation === null) seed++
  const failed = runSeed(seed, { planted })
  const small = shrink(failed, { planted })
  expect(small.result.violation?.checker).toBe(failed.violation?.checker)
  expect(small.result.injected.length).toBeLessThanOrEqual(failed.injected.length)
  // The same again, by what it says of itself.
  expect(runSeed(seed, small.options).digest).toBe(small.result.digest)
})
