import { afterEach, expect, test, vi } from 'vitest'
import type { SeedProgress } from '../../src/testing/seed-progress.ts'

afterEach(() => {
  vi.useRealTimers()
})

/** Of a module that has taken the timers of this test for the platform's. */
async function progress(said: string[]): Promise<SeedProgress> {
  vi.useFakeTimers()
  vi.resetModules()
  const module = await import('../../src/testing/seed-progress.ts')
  return new module.SeedProgress(1000, (text) => said.push(text))
}

test('who waits long hears where the seeds stand, before a runner ends the test', async () => {
  const said: string[] = []
  {
    using run = await progress(said)
    for (const seed of [7, 8, 9]) run.begins(seed)
    vi.advanceTimersByTime(3999)
    expect(said).toEqual([])
    vi.advanceTimersByTime(1)
    expect(said).toHaveLength(1)
    expect(said[0]).toMatch(
      /: seed 9 runs after 2 of 1000 were done in 4 s; .*ZABRA_SEED=9;.*limit/,
    )
    vi.advanceTimersByTime(30_000)
    expect(said[1]).toMatch(/in 34 s/)
  }
  vi.advanceTimersByTime(100_000)
  expect(said).toHaveLength(2)
})
