import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { holdLiveness, watchLiveness } from '../../../src/adapters/tabs/liveness-lock.ts'
import { FakeLocks } from './fake-locks.ts'
import { eventually } from '../../eventually.ts'

const NEVER = new AbortController().signal

beforeEach(() => {
  vi.stubGlobal('navigator', { locks: new FakeLocks().manager })
})

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('liveness locks', () => {
  it('tell every watcher once, when the member is gone and not before', async () => {
    const lock = await holdLiveness('member')
    const gone = [vi.fn(), vi.fn()]
    for (const one of gone) expect(await watchLiveness('member', one, NEVER)).toBe(true)
    expect(gone[0]).not.toHaveBeenCalled()
    await lock.release()
    await eventually(() => {
      for (const one of gone) expect(one).toHaveBeenCalledTimes(1)
    })
  })

  it('say nothing about a member that does not live in this browser', async () => {
    const gone = vi.fn()
    expect(await watchLiveness('elsewhere', gone, NEVER)).toBe(false)
    expect(gone).not.toHaveBeenCalled()
  })

  it('let the next life in at once', async () => {
    const first = await holdLiveness('member')
    await watchLiveness('member', () => undefined, NEVER)
    await first.release()
    expect(await holdLiveness('member')).not.toBeNull()
  })

  it('are had at once, also from a watcher of the life before that is frozen', async () => {
    const first = await holdLiveness('member')
    // Granted when that life ends, and never given back.
    const frozen = navigator.locks.request('zabra/alive/member', { mode: 'shared' }, () => {
      return new Promise(() => {})
    })
    frozen.catch(() => undefined)
    await first.release()
    const next = holdLiveness('member').then(() => 'alive')
    const late = new Promise((resolve) => setTimeout(resolve, 1000, 'still waiting'))
    expect(await Promise.race([next, late])).toBe('alive')
  })

  it('are not watched any more after the signal', async () => {
    const lock = await holdLiveness('member')
    const stop = new AbortController()
    const gone = vi.fn()
    await watchLiveness('member', gone, stop.signal)
    stop.abort()
    await lock.release()
    await holdLiveness('member')
    expect(gone).not.toHaveBeenCalled()
  })
})
