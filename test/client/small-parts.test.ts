import { describe, expect, test } from 'vitest'
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import { znodePathProblem } from '../../src/core/base/znode-path.ts'
import { Prng } from '../../src/core/base/prng.ts'
import { Chroot } from '../../src/client/chroot.ts'
import { isOutcomeUnknown, isZooKeeperError, ZooKeeperError } from '../../src/client/errors.ts'
import { HostRotation } from '../../src/client/host-rotation.ts'
import { retry } from '../../src/client/retry.ts'
import { SessionTimes } from '../../src/client/session-times.ts'
import { ManualTicker } from './manual-ticker.ts'
import { host } from './session-bench.ts'

describe('a changed list of servers (S30)', () => {
  const CLIENTS = 4_000
  const idsOf = (count: number, from = 1): string[] => {
    return Array.from({ length: count }, (_, i) => String(from + i))
  }

  /** How many clients are where, when each was by chance at one of `before`. */
  function spread(before: readonly string[], after: readonly string[]): Map<string, number> {
    const chance = new Prng(1)
    const counts = new Map<string, number>()
    for (let i = 0; i < CLIENTS; i++) {
      let list = before
      const rotation = new HostRotation(
        () => list.map((id) => host(id)),
        () => chance.next(),
      )
      const first = rotation.next()?.id ?? ''
      list = after
      const at = rotation.rebalance() ? (rotation.next()?.id ?? '') : first
      counts.set(at, (counts.get(at) ?? 0) + 1)
    }
    return counts
  }

  test.each([
    ['grows', idsOf(3), idsOf(5)],
    ['shrinks', idsOf(5), idsOf(3)],
    ['is another one', idsOf(3), idsOf(3, 4)],
    ['is partly another one', idsOf(4), idsOf(3, 3)],
    ['grows and loses some', idsOf(3), idsOf(4, 3)],
  ])('that %s leaves the load even', (_what, before, after) => {
    const counts = spread(before, after)
    expect([...counts.keys()].sort()).toEqual([...after].sort())
    const share = CLIENTS / after.length
    for (const count of counts.values()) expect(Math.abs(count - share)).toBeLessThan(share / 8)
  })

  test('that is the same moves nobody, and one that shrinks only those who must', () => {
    let list = idsOf(3)
    const rotation = new HostRotation(
      () => list.map((id) => host(id)),
      () => 0.3,
    )
    expect(rotation.rebalance()).toBe(false)
    const own = rotation.next()?.id ?? ''
    expect(rotation.rebalance()).toBe(false)
    list = [own]
    expect(rotation.rebalance()).toBe(false)
    expect(rotation.next()?.id).toBe(own)
  })
})

describe('paths (D40)', () => {
  test.each(['/', '/a', '/a/b', '/.a', '/a.', '/...', '/a..b/c', '/ü', '/ ', '/a-0000000001'])(
    '%j is good',
    (path) => expect(znodePathProblem(path)).toBeNull(),
  )

  test.each([
    ['', 'Path length must be > 0'],
    ['a', 'Path must start with / character'],
    ['/a/', 'Path must not end with / character'],
    ['/a//b', 'Invalid path string "/a//b" caused by empty node name specified @3'],
    ['/./a', 'Invalid path string "/./a" caused by relative paths not allowed @1'],
    ['/a/..', 'Invalid path string "/a/.." caused by relative paths not allowed @4'],
    ['/a\0', 'Invalid path string "/a\0" caused by null character not allowed @2'],
    ['/a\u001f', 'Invalid path string "/a\u001f" caused by invalid character @2'],
    ['/\u007f', 'Invalid path string "/\u007f" caused by invalid character @1'],
    ['/\u{1f981}', 'Invalid path string "/\u{1f981}" caused by invalid character @1'],
    ['/\uf8ff', 'Invalid path string "/\uf8ff" caused by invalid character @1'],
    ['/\ufff0', 'Invalid path string "/\ufff0" caused by invalid character @1'],
  ])('%j is bad', (path, problem) => expect(znodePathProblem(path)).toBe(problem))
})

describe('chroot (W61)', () => {
  test('is put before and taken off', () => {
    const chroot = new Chroot('/app/a')
    expect(chroot.toServer('/')).toBe('/app/a')
    expect(chroot.toServer('/x')).toBe('/app/a/x')
    expect(chroot.toClient('/app/a')).toBe('/')
    expect(chroot.toClient('/app/a/x')).toBe('/x')
    expect(chroot.contains('/app/ab')).toBe(false)
    expect(new Chroot('/').toServer('/x')).toBe('/x')
    expect(() => new Chroot('app')).toThrow('Path must start with / character')
  })
})

describe('errors', () => {
  test('are told apart by code, and an unknown code still has a name', () => {
    const error = new ZooKeeperError(ErrorCode.NOTEMPTY, { path: '/a' })
    expect([error.name, error.message]).toEqual([
      'NotEmpty',
      'KeeperErrorCode = Directory not empty for /a',
    ])
    expect(isZooKeeperError(error, ErrorCode.NOTEMPTY)).toBe(true)
    expect(isZooKeeperError(error, ErrorCode.NONODE)).toBe(false)
    expect(isOutcomeUnknown(error)).toBe(false)
    expect(isOutcomeUnknown(new Error('x'))).toBe(false)
    expect(new ZooKeeperError(-77).name).toBe('KeeperError-77')
  })
})

describe('times (S26–S28)', () => {
  test('all follow from the session time-out', () => {
    const times = new SessionTimes(30_000)
    expect([times.readTimeoutMs, times.expirationMs]).toEqual([20_000, 40_000])
    expect([times.connectTimeoutMs(3), times.connectTimeoutMs(0)]).toEqual([10_000, 30_000])
    expect(times.untilPingMs(900)).toBe(9100)
    expect(times.untilPingMs(8999)).toBe(1)
    expect(times.untilPingMs(9000)).toBe(0)
    // Long sessions ping at least every ten seconds.
    expect(new SessionTimes(300_000).untilPingMs(10_001)).toBe(0)
  })
})

describe('host rotation (S29)', () => {
  test('others come in an order that chance draws once', () => {
    const hosts = [1, 2, 3, 4, 5].map((n) => host(String(n)))
    const orders = new Set<string>()
    for (let seed = 0; seed < 20; seed++) {
      let state = seed + 1
      const random = (): number => (state = (state * 48_271) % 0x7fff_ffff) / 0x7fff_ffff
      const rotation = new HostRotation(() => hosts, random)
      const round = hosts.map(() => rotation.next()?.id)
      expect(new Set(round).size).toBe(5)
      expect(rotation.isRoundOver).toBe(true)
      expect(hosts.map(() => rotation.next()?.id)).toEqual(round)
      orders.add(round.join())
    }
    expect(orders.size).toBeGreaterThan(5)
  })

  test('goes on with the next one when the host tried last has left', () => {
    let hosts = ['1', '2', '3'].map((id) => host(id, true))
    const rotation = new HostRotation(
      () => hosts,
      () => 0,
    )
    expect([rotation.next()?.id, rotation.next()?.id]).toEqual(['1', '2'])
    hosts = hosts.filter(({ id }) => id !== '2')
    expect([rotation.next()?.id, rotation.next()?.id]).toEqual(['3', '1'])
    hosts = []
    expect(rotation.next()).toBeNull()
    hosts = [host('9')]
    expect(rotation.next()?.id).toBe('9')
  })
})

describe('retry', () => {
  const lost = (outcomeUnknown: boolean): ZooKeeperError =>
    new ZooKeeperError(ErrorCode.CONNECTIONLOSS, { outcomeUnknown })

  async function attempts(error: Error, options: { isIdempotent?: boolean } = {}): Promise<number> {
    const ticker = new ManualTicker()
    let count = 0
    const call = async (): Promise<never> => {
      count++
      throw error
    }
    const result = retry(call, { ticker, random: () => 0, ...options }).catch((e: unknown) => e)
    await ticker.advance(60_000)
    expect(await result).toBe(error)
    return count
  }

  test('repeats a few times what surely did not happen, and passing errors only', async () => {
    expect(await attempts(lost(false))).toBe(5)
    expect(await attempts(lost(true))).toBe(1)
    expect(await attempts(lost(true), { isIdempotent: true })).toBe(5)
    expect(await attempts(new ZooKeeperError(ErrorCode.NONODE))).toBe(1)
    expect(await attempts(new Error('mine'))).toBe(1)
  })

  test('pauses grow, and the signal ends them', async () => {
    const ticker = new ManualTicker()
    const calls: number[] = []
    const controller = new AbortController()
    const result = retry(
      async () => {
        calls.push(ticker.now())
        throw lost(false)
      },
      { ticker, random: () => 0, signal: controller.signal },
    ).catch((error: unknown) => error)
    await ticker.advance(300)
    expect(calls).toEqual([0, 100, 300])
    controller.abort(new Error('enough'))
    expect(await result).toMatchObject({ message: 'enough' })
    await ticker.advance(60_000)
    expect(calls).toHaveLength(3)
  })
})
