import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { schedulePurge } from '../../src/edge/purge-schedule.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function storage(): { purge: (retained: number) => Promise<void>; asked: number[] } {
  const asked: number[] = []
  return {
    asked,
    purge: (retained) => {
      asked.push(retained)
      return asked.length === 2 ? Promise.reject(new Error('no space')) : Promise.resolve()
    },
  }
}

test('purges at once and at each interval, after a failure too, until its end (P18)', async () => {
  const files = storage()
  const end = schedulePurge(files, { purgeIntervalMs: 3_600_000, snapshotsRetained: 4 })
  expect(files.asked).toEqual([4])
  await vi.advanceTimersByTimeAsync(3_600_000 * 2)
  expect(files.asked).toEqual([4, 4, 4])
  end()
  await vi.advanceTimersByTimeAsync(3_600_000 * 2)
  expect(files.asked).toHaveLength(3)
})

test('an interval of 0 purges nothing', async () => {
  const files = storage()
  schedulePurge(files, { purgeIntervalMs: 0, snapshotsRetained: 3 })
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(files.asked).toEqual([])
})

test('intervals beyond what a timer can wait do not become none', async () => {
  const files = storage()
  const end = schedulePurge(files, { purgeIntervalMs: 1e12, snapshotsRetained: 3 })
  await vi.advanceTimersByTimeAsync(60_000)
  end()
  expect(files.asked).toHaveLength(1)
})
