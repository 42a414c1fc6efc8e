/** Life of sessions: expiry, touches, movement, owners (S5–S21, T10, T47). */
import { describe, expect, test } from 'vitest'
import { formatSessionId, toServerId, toSessionId } from '../../../src/core/base/zxid.ts'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { OpCode, SpecialXid } from '../../../src/core/jute/op-code.ts'
import * as proto from '../../../src/core/jute/proto-records.ts'
import { decodePing } from '../../../src/core/server/digest-claim.ts'
import { EXPIRY_GAP_MAX_MS, SessionTracker } from '../../../src/core/server/session-tracker.ts'
import { FakeEnsemble, TICK_TIME_MS } from './fake-ensemble.ts'
import { createRequest, type TestClient } from './test-client.ts'

const TIMEOUT_MS = 10_000

function ping(client: TestClient): void {
  client.send(OpCode.ping, null, undefined, SpecialXid.ping)
}

describe('expiry', () => {
  test('S7, S12, D51: between the timeout and a tick more after the last touch', () => {
    const ensemble = new FakeEnsemble()
    const client = ensemble.session(0, TIMEOUT_MS)
    client.create('/e', '', 1)
    client.close()
    ensemble.pass(TIMEOUT_MS)
    expect(ensemble.leader.tree.node('/e')).not.toBe(undefined)
    ensemble.pass(TICK_TIME_MS)
    expect(ensemble.leader.tree.node('/e')).toBe(undefined)
    expect(ensemble.leader.tree.sessions.size).toBe(0)
  })

  test('S8: pings keep it alive, on the leader and on a follower (S10)', () => {
    const ensemble = new FakeEnsemble({ followers: 1 })
    const clients = [ensemble.session(0, 4000), ensemble.session(1, 4000)]
    for (let i = 0; i < 12; i++) {
      ensemble.pass(2000)
      for (const client of clients) ping(client)
    }
    expect(clients.map(({ closedBecause }) => closedBecause)).toEqual([null, null])
    expect(ensemble.leader.tree.sessions.size).toBe(2)
  })

  test('S9, S13: the server closes the connection of a silent client, on a follower too', () => {
    const ensemble = new FakeEnsemble({ followers: 1 })
    const clients = [ensemble.session(0, 4000), ensemble.session(1, 4000)]
    ensemble.pass(8000)
    for (const client of clients) {
      expect(['session_closed', 'connection_expired']).toContain(client.closedBecause)
    }
    expect(ensemble.leader.tree.sessions.size).toBe(0)
    expect(ensemble.others.filter((e) => e.kind === 'trace')).toContainEqual({
      kind: 'trace',
      event: { type: 'session-expired', session: formatSessionId(clients[0]?.session ?? 0n) },
    })
  })

  test('S8: requests of a closing session are dropped without a reply', () => {
    const ensemble = new FakeEnsemble()
    const client = ensemble.session()
    ensemble.autoCommit = false
    const close = client.send(OpCode.closeSession, null)
    const late = client.send(OpCode.exists, proto.existsRequestRecord, { path: '/', watch: false })
    ensemble.commit()
    expect(client.replies.map(({ xid }) => xid)).toEqual([close])
    expect(client.hasReply(late)).toBe(false)
    expect(client.closedBecause).toBe('client_closed_session')
  })

  test('S9: what a session sent after it expired fails with SESSIONEXPIRED', () => {
    const ensemble = new FakeEnsemble({ followers: 1 })
    const client = ensemble.session(1, 4000)
    ensemble.autoCommit = false
    // The follower's touches do not arrive any more.
    for (let ms = 0; ms < 6000; ms += 50) {
      ensemble.jump(50)
      ensemble.leader.tick(ensemble.at)
    }
    const xid = client.send(OpCode.create, proto.createRequestRecord, createRequest('/a'))
    ensemble.commit()
    expect(client.closedBecause).toBe('session_closed')
    expect(client.hasReply(xid)).toBe(false)
    expect(ensemble.leader.tree.node('/a')).toBe(undefined)
  })

  test('S11: a new leader gives every session its full timeout again', () => {
    const ensemble = new FakeEnsemble()
    const client = ensemble.session(0, TIMEOUT_MS)
    ensemble.pass(TIMEOUT_MS - 500)
    ensemble.stop()
    ensemble.serve()
    ensemble.pass(TIMEOUT_MS)
    expect(ensemble.leader.tree.sessions.has(client.session)).toBe(true)
    ensemble.pass(TICK_TIME_MS)
    expect(ensemble.leader.tree.sessions.has(client.session)).toBe(false)
  })

  test('Q85: neither a sleep nor a wall clock that jumps expires anything', () => {
    const ensemble = new FakeEnsemble()
    const client = ensemble.session(0, 4000)
    ensemble.jump(0, 1e10)
    ensemble.pass(100)
    ensemble.jump(3_600_000)
    ensemble.leader.tick(ensemble.at)
    expect(ensemble.leader.tree.sessions.has(client.session)).toBe(true)
    ensemble.pass(4000 - 50)
    expect(ensemble.leader.tree.sessions.has(client.session)).toBe(true)
    ensemble.pass(TICK_TIME_MS + 50)
    expect(ensemble.leader.tree.sessions.has(client.session)).toBe(false)
  })
})

describe('moving', () => {
  test('S14: from follower to follower, with its ephemerals; S5: with the new timeout', () => {
    const ensemble = new FakeEnsemble({ followers: 2 })
    const first = ensemble.session(1, 4000)
    first.create('/e', '', 1)
    first.close()
    ensemble.pass(3000)
    const second = ensemble.client(2).resume(first, { timeOut: 8000 })
    expect(second.connected).toMatchObject({ sessionId: first.session, timeOut: 8000 })
    ensemble.pass(7500)
    expect(second.exists('/e')).toMatchObject({ ephemeralOwner: first.session })
  })

  test('S15: a write through the server that lost the session closes that connection', () => {
    const ensemble = new FakeEnsemble({ followers: 2 })
    const first = ensemble.session(1)
    const second = ensemble.client(2).resume(first)
    expect(first.exists('/')).toMatchObject({ version: 0 })
    const xid = first.send(OpCode.create, proto.createRequestRecord, createRequest('/a'))
    expect(first.hasReply(xid)).toBe(false)
    expect(first.closedBecause).toBe('session_moved')
    expect(second.create('/b')).toBe('/b')
    expect(second.getChildren('/')).toEqual(['zookeeper', 'b'])
  })

  test('S16: closeSession through the old server is not owner-checked', () => {
    const ensemble = new FakeEnsemble({ followers: 2 })
    const first = ensemble.session(1)
    const second = ensemble.client(2).resume(first)
    expect(first.call(OpCode.closeSession, null).err).toBe(ErrorCode.OK)
    expect(second.closedBecause).toBe('session_closed')
  })

  test('after a new leader the first server that speaks for a session owns it', () => {
    const ensemble = new FakeEnsemble({ followers: 2 })
    const first = ensemble.session(1)
    ensemble.stop()
    ensemble.serve()
    const second = ensemble.client(2).resume(first)
    expect(second.create('/a')).toBe('/a')
  })
})

test('followers learn from PINGs how long a silent session has left', () => {
  const ensemble = new FakeEnsemble({ followers: 2 })
  const client = ensemble.session(1, TIMEOUT_MS)
  const id = toSessionId(client.session)
  const remaining = (index: number): number | null =>
    ensemble.member(index).server.remainingMs(id, ensemble.at)
  expect(remaining(2)).toBe(null)
  client.close()
  ensemble.pass(4000)
  const exact = remaining(0)
  expect(exact).toBeGreaterThan(TIMEOUT_MS - 4000 - 50)
  expect(exact).toBeLessThanOrEqual(TIMEOUT_MS - 4000 + TICK_TIME_MS)
  expect([remaining(1), remaining(2)]).toEqual([exact, exact])
  ensemble.jump(300)
  expect(remaining(2)).toBe((exact ?? 0) - 300)
  ensemble.jump(10_000)
  expect(remaining(2)).toBe(null)
})

test('a follower reports a touched session once, until it is touched again (S10)', () => {
  const ensemble = new FakeEnsemble({ followers: 1 })
  const client = ensemble.session(1, TIMEOUT_MS)
  const take = (): number[] => {
    const bytes = ensemble.member(1).server.takeTouchedSessions()
    return decodePing(bytes).sessions.map(({ timeout }) => timeout)
  }
  ping(client)
  expect([take(), take()]).toEqual([[TIMEOUT_MS], []])
  client.exists('/')
  expect(take()).toEqual([TIMEOUT_MS])
})

describe('SessionTracker', () => {
  const ID = toSessionId(0x123n)
  const A = toServerId(1)
  const B = toServerId(2)

  test.each([
    [0, 4000],
    [1, 4001],
    [1999, 5999],
  ])('touched %d ms into a tick: a deadline at least the timeout away', (offset, minMs) => {
    const tracker = new SessionTracker(2000, 0)
    tracker.track(ID, 4000, offset)
    const remaining = tracker.remainingMs(ID, offset) ?? 0
    expect(remaining).toBeGreaterThanOrEqual(4000)
    expect(remaining).toBeLessThanOrEqual(6000)
    expect(tracker.remainingMs(ID, minMs)).toBeGreaterThan(0)
  })

  test('each expired session is reported once and is closing then', () => {
    const tracker = new SessionTracker(2000, 0)
    tracker.track(ID, 4000, 0)
    const expired: bigint[] = []
    for (let ms = 0; ms <= 20_000; ms += 1000) expired.push(...tracker.expire(ms))
    expect(expired).toEqual([ID])
    expect(tracker.touch(ID, 4000, 20_000)).toBe(false)
    expect(tracker.check(ID, A)).toBe(ErrorCode.SESSIONEXPIRED)
    expect(tracker.remainingMs(ID, 20_000)).toBe(0)
    tracker.remove(ID)
    expect(tracker.remainingMs(ID, 20_000)).toBe(null)
  })

  test('the first server claims a session without an owner', () => {
    const tracker = new SessionTracker(2000, 0)
    tracker.track(ID, 4000, 0)
    expect(tracker.check(ID, A)).toBe(ErrorCode.OK)
    expect(tracker.check(ID, B)).toBe(ErrorCode.SESSIONMOVED)
    tracker.setOwner(ID, B)
    expect(tracker.check(ID, B)).toBe(ErrorCode.OK)
    expect(tracker.check(ID, A)).toBe(ErrorCode.SESSIONMOVED)
  })

  test('a gap between checks longer than the limit gives full timeouts', () => {
    const tracker = new SessionTracker(2000, 0)
    tracker.track(ID, 4000, 0)
    expect(tracker.expire(EXPIRY_GAP_MAX_MS)).toEqual([])
    expect(tracker.expire(100_000)).toEqual([])
    expect(tracker.remainingMs(ID, 100_000)).toBeGreaterThanOrEqual(4000)
  })
})
