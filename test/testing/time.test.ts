// Virtual time: it passes when somebody waits, never by itself for ever, and every wait ends.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { CreateMode } from '../../src/client.ts'
import { platformTicker } from '../../src/client/ticker.ts'
import { testEnsemble } from '../../src/testing.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe('time', () => {
  test('passes by as much as is asked for, and not while the test works', async () => {
    await using ensemble = await testEnsemble()
    const sinceMs = ensemble.nowMs
    await ensemble.settle()
    expect(ensemble.nowMs).toBe(sinceMs)
    await ensemble.advance(1234)
    expect(ensemble.nowMs).toBeCloseTo(sinceMs + 1234, 6)
    const order: string[] = []
    const { clock } = ensemble
    clock.setTimeout((word: string) => order.push(word), 30, 'late')
    clock.setTimeout(() => order.push('early'), 10)
    const never = clock.setTimeout(() => order.push('never'), 20)
    const beats = clock.setInterval(() => order.push('beat'), 12)
    clock.clearTimeout(never)
    await clock.sleep(31)
    clock.clearInterval(beats)
    await clock.sleep(100)
    expect(order).toEqual(['early', 'beat', 'beat', 'late'])
  })

  test('by hand stands still until it is moved', async () => {
    await using ensemble = await testEnsemble({ time: 'manual' })
    const connecting = ensemble.client()
    const client = await connecting
    let isDone = false
    const creating = client.create('/a').then(() => (isDone = true))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(isDone).toBe(false)
    await ensemble.advance(500)
    expect(isDone).toBe(true)
    await creating
  })

  test('stands still while it is held', async () => {
    await using ensemble = await testEnsemble()
    const client = await ensemble.client()
    const creating = client.create('/a')
    {
      using _hold = ensemble.hold()
      const sinceMs = ensemble.nowMs
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(ensemble.nowMs).toBe(sinceMs)
    }
    expect(await creating).toBe('/a')
  })

  test('can be that of the whole program', async () => {
    await using ensemble = await testEnsemble({ startAt: new Date('2030-01-01') })
    const real = [setTimeout, Date, performance.now()] as const
    {
      using _timers = ensemble.clock.install()
      const startedMs = performance.now()
      expect(new Date().getFullYear()).toBe(2030)
      await new Promise((resolve) => setTimeout(resolve, 60_000).unref())
      expect(performance.now() - startedMs).toBeCloseTo(60_000, 6)
      expect(Date.now() - Date.UTC(2030, 0, 1)).toBeGreaterThanOrEqual(60_000)
      expect(platformTicker.now()).toBe(ensemble.clock.now())
      await using other = await testEnsemble()
      expect(() => other.clock.install()).toThrow('another ensemble')
    }
    expect([setTimeout, Date]).toEqual([real[0], real[1]])
    expect(performance.now() - real[2]).toBeLessThan(50_000)
  })

  test('drives the fake timers of the runner', async () => {
    vi.useFakeTimers()
    await using ensemble = await testEnsemble({ onTime: (ms) => vi.advanceTimersByTime(ms) })
    const client = await ensemble.client()
    await new Promise((resolve) => setTimeout(resolve, 5000))
    expect(ensemble.nowMs).toBeGreaterThan(5000)
    await client.create('/after')
  })
})

describe('waits', () => {
  test('until: a condition that asks, one that does not, and one that never holds', async () => {
    await using ensemble = await testEnsemble()
    const client = await ensemble.client()
    ensemble.clock.setTimeout(() => void client.create('/a'), 700)
    await ensemble.until(async () => (await client.exists('/a')) !== null)
    expect(ensemble.nowMs).toBeGreaterThan(700)
    await ensemble.until(() => ensemble.nowMs > 2000)
    const waiting = ensemble.until(() => false, { timeoutMs: 3000, what: 'pigs fly' })
    await expect(waiting).rejects.toThrow(/not within 3000 ms .*: pigs fly[^]*ZABRA_SEED=1/)
  })

  test('end by their signals', async () => {
    await using ensemble = await testEnsemble()
    const { signal, abort } = new Proxy(new AbortController(), {
      get: (target, name) => (name === 'abort' ? () => target.abort('enough') : target.signal),
    })
    const waits = [
      ensemble.until(() => false, { signal }),
      ensemble.advance(10_000_000, { signal }),
      ensemble.clock.sleep(10_000_000, { signal }),
    ]
    ensemble.clock.setTimeout(abort, 100)
    for (const outcome of await Promise.allSettled(waits)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'enough' } })
    }
  })

  test('end when the ensemble is closed, calls of all handles too', async () => {
    const ensemble = await testEnsemble()
    const client = await ensemble.client()
    await client.create('/e', null, { mode: CreateMode.EPHEMERAL })
    const frozen = await ensemble.client()
    await ensemble.freeze(frozen)
    const stream = client.watch('/e', { kind: 'data' })
    await stream.armed
    const waits = [
      ensemble.until(() => false),
      ensemble.advance(5000),
      ensemble.clock.sleep(5000),
      client.create('/x'),
      frozen.getData('/e'),
      stream.next(),
      ensemble.client(),
    ]
    const outcomes = Promise.allSettled(waits)
    await ensemble.close()
    await ensemble.close()
    const kinds = (await outcomes).map(({ status }) => status)
    expect(kinds).toEqual(waits.map(() => 'rejected'))
    expect(() => void ensemble.kill(1).catch(() => {})).not.toThrow()
    await expect(ensemble.kill(1)).rejects.toThrow('was closed')
  })
})
