/** Connecting, reconnecting and the ends of connections (W5, W11–W12, W54–W59, S1–S4, S13–S16). */
import { describe, expect, test } from 'vitest'
import { Prng } from '../../../src/core/base/prng.ts'
import { makeZxid, toServerId, toSessionId } from '../../../src/core/base/zxid.ts'
import { connectRequestRecord } from '../../../src/core/jute/connect-records.ts'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { frame } from '../../../src/core/jute/framing.ts'
import { OpCode, SpecialXid } from '../../../src/core/jute/op-code.ts'
import * as proto from '../../../src/core/jute/proto-records.ts'
import { encode } from '../../../src/core/jute/record.ts'
import { SESSION_BASE_SPAN } from '../../../src/core/server/observer-table.ts'
import { checkPassword, SessionIds, sessionPassword } from '../../../src/core/server/session-ids.ts'
import { FakeEnsemble } from './fake-ensemble.ts'
import { createRequest } from './test-client.ts'

const CONNECT = {
  protocolVersion: 0,
  lastZxidSeen: 0n,
  timeOut: 10_000,
  sessionId: 0n,
  passwd: null,
  readOnly: undefined,
}

describe('connect', () => {
  test.each([
    [1, 4000],
    [4000, 4000],
    [10_000, 10_000],
    [40_000, 40_000],
    [1_000_000, 40_000],
    [-5, 4000],
  ])('S4: asks for %d ms, gets %d ms', (timeOut, negotiated) => {
    const client = new FakeEnsemble().client().connect({ timeOut })
    expect(client.connected).toMatchObject({ protocolVersion: 0, timeOut: negotiated })
    expect(client.connected?.passwd).toHaveLength(16)
  })

  test('S4: what is set counts, not the ticks', () => {
    const ensemble = new FakeEnsemble({ minSessionTimeoutMs: 500, maxSessionTimeoutMs: 90_000 })
    const negotiated = [1, 700, 100_000].map((timeOut) => {
      return ensemble.client().connect({ timeOut }).connected?.timeOut
    })
    expect(negotiated).toEqual([500, 700, 90_000])
  })

  test('S3: id 0 asks for a new session, whatever the password; it has none of its own', () => {
    const key = new Uint8Array(16).fill(7)
    const passwd = sessionPassword(key, toSessionId(0n))
    const client = new FakeEnsemble().client().connect({ sessionId: 0n, passwd })
    expect(client.connected?.sessionId).not.toBe(0n)
    expect(client.connected?.timeOut).toBe(10_000)
    expect(checkPassword(key, toSessionId(0n), passwd)).toBe(false)
  })

  test('W12: readOnly comes back only when it was sent', () => {
    const ensemble = new FakeEnsemble()
    expect(ensemble.client().connect({ readOnly: undefined }).connected?.readOnly).toBe(undefined)
    expect(ensemble.client().connect({ readOnly: true }).connected?.readOnly).toBe(false)
  })

  test('W54: a client that has seen more than this server is closed without a word', () => {
    const ensemble = new FakeEnsemble()
    const client = ensemble.client().connect({ lastZxidSeen: makeZxid(1, 1) })
    expect(client.closedBecause).toBe('client_zxid_ahead')
    expect(client.connected).toBe(null)
    ensemble.session()
    expect(ensemble.client().connect({ lastZxidSeen: makeZxid(1, 1) }).connected).not.toBe(null)
  })

  test.each([
    ['an unknown session', 0x123n, 'right'],
    ['a wrong password', null, 'wrong'],
    ['no password', null, 'none'],
  ])('W55: %s gets a session of no time', (_name, id, password) => {
    const ensemble = new FakeEnsemble()
    const owner = ensemble.session()
    const sessionId = id ?? owner.session
    const right = sessionPassword(new Uint8Array(16).fill(7), toSessionId(sessionId))
    const passwords = { right, wrong: new Uint8Array(16), none: null }
    const passwd = passwords[password as 'right' | 'wrong' | 'none']
    const client = ensemble.client().connect({ sessionId, passwd })
    expect(client.connected).toEqual({
      protocolVersion: 0,
      timeOut: 0,
      sessionId: 0n,
      passwd: new Uint8Array(16),
      readOnly: false,
    })
    expect(client.closedBecause).toBe('invalid_session')
    expect(owner.closedBecause).toBe(null)
  })

  test('S16: coming back closes the old connection and keeps session and ephemerals', () => {
    const ensemble = new FakeEnsemble()
    const first = ensemble.session()
    first.create('/e', '', 1)
    const second = ensemble.client().resume(first, { timeOut: 20_000 })
    expect(first.closedBecause).toBe('client_reconnect')
    expect(second.connected).toMatchObject({ sessionId: first.session, timeOut: 20_000 })
    expect(second.exists('/e')).toMatchObject({ ephemeralOwner: first.session })
    first.close()
    expect(second.create('/f')).toBe('/f')
  })

  test.each([
    ['too short for a ConnectRequest', frame(new Uint8Array(5))],
    ['no whole frame', new Uint8Array([0, 0, 0, 9, 1])],
    ['a negative length', new Uint8Array([255, 255, 255, 255])],
    ['longer than jute.maxbuffer', new Uint8Array([0x7f, 0, 0, 0, 1, 2, 3])],
    ['a four-letter word', new Uint8Array([0x72, 0x75, 0x6f, 0x6b])],
  ])('a first message that is %s closes', (_name, bytes) => {
    const client = new FakeEnsemble().client()
    client.raw(bytes)
    expect(client.closedBecause).toBe('io_exception')
    expect(client.connected).toBe(null)
  })

  test('W57: requests right behind the ConnectRequest, in the same message', () => {
    const ensemble = new FakeEnsemble()
    const client = ensemble.client()
    const create = client.frame(OpCode.create, proto.createRequestRecord, createRequest('/a'))
    client.raw(new Uint8Array([...frame(encode(connectRequestRecord, CONNECT)), ...frame(create)]))
    expect(client.reply(1).err).toBe(ErrorCode.OK)
  })

  test('W56: nothing is read while the session is being created', () => {
    const ensemble = new FakeEnsemble()
    ensemble.autoCommit = false
    const client = ensemble.client().connect()
    client.send(OpCode.ping, null, undefined, SpecialXid.ping)
    expect(client.connected).toBe(null)
    expect(client.received).toEqual([])
    ensemble.commit()
    expect(client.connected?.sessionId).not.toBe(0n)
    expect(client.replies).toMatchObject([{ xid: SpecialXid.ping, err: 0 }])
  })

  test('S13: a connection without a session is closed after 10 s', () => {
    const ensemble = new FakeEnsemble()
    const client = ensemble.client()
    ensemble.pass(9900)
    expect(client.closedBecause).toBe(null)
    ensemble.pass(1000)
    expect(client.closedBecause).toBe('sessionless_timeout')
  })

  test('no service closes at once, its end closes all connections (Q54)', () => {
    const ensemble = new FakeEnsemble()
    const client = ensemble.session()
    ensemble.stop()
    expect(client.closedBecause).toBe('server_shutdown')
    expect(ensemble.client().closedBecause).toBe('not_serving')
    expect(ensemble.leader.tree.watches.size).toBe(0)
  })

  test('connections are bounded', () => {
    const ensemble = new FakeEnsemble({ maxClientConnections: 2 })
    ensemble.session()
    ensemble.session()
    expect(ensemble.client().closedBecause).toBe('client_cnx_limit')
  })
})

describe('after connecting', () => {
  test('W59: closeSession is answered, then the connection goes', () => {
    const ensemble = new FakeEnsemble()
    const client = ensemble.session()
    expect(client.call(OpCode.closeSession, null)).toMatchObject({ err: 0 })
    expect(client.closedBecause).toBe('client_closed_session')
    expect(ensemble.leader.tree.sessions.has(client.session)).toBe(false)
    expect(ensemble.client().resume(client).closedBecause).toBe('invalid_session')
  })

  test('S20: a close whose connection dropped happens all the same', () => {
    const ensemble = new FakeEnsemble()
    const client = ensemble.session()
    client.create('/e', '', 1)
    ensemble.autoCommit = false
    client.send(OpCode.closeSession, null)
    client.close()
    ensemble.commit()
    expect(ensemble.leader.tree.node('/e')).toBe(undefined)
  })

  test.each([
    ['unknown', 888],
    ['notification', OpCode.notification],
    ['check outside of a multi', OpCode.check],
    ['error', OpCode.error],
    ['deleteContainer', OpCode.deleteContainer],
    ['createSession', OpCode.createSession],
  ])('W45, W46: %s is unimplemented and ends the connection', (_name, type) => {
    const ensemble = new FakeEnsemble()
    const client = ensemble.session()
    const before = ensemble.log.length
    expect(client.call(type, null).err).toBe(ErrorCode.UNIMPLEMENTED)
    expect(client.closedBecause).toBe('unimplemented')
    expect(ensemble.log).toHaveLength(before)
  })

  test('a frame too short for a header ends the connection', () => {
    const client = new FakeEnsemble().session()
    client.raw(frame(new Uint8Array(7)))
    expect(client.closedBecause).toBe('io_exception')
  })

  test('a word behind the session is no word, but a frame that is too long (W52)', () => {
    const client = new FakeEnsemble().session()
    client.raw(new Uint8Array([0x72, 0x75, 0x6f, 0x6b]))
    expect(client.closedBecause).toBe('io_exception')
    expect(client.received).toEqual([])
  })

  test('A12: auth is answered at once; a failure is answered, then the connection goes', () => {
    const ensemble = new FakeEnsemble()
    const client = ensemble.session()
    expect(client.addAuth('digest', 'u:p')).toBe(ErrorCode.OK)
    expect(client.replies.at(-1)?.zxid).toBe(0n)
    expect(client.addAuth('kerberos', 'x')).toBe(ErrorCode.AUTHFAILED)
    expect(client.closedBecause).toBe('auth_failure')
    const other = ensemble.session()
    other.send(OpCode.auth, null, undefined, SpecialXid.auth)
    expect(other.reply(SpecialXid.auth).err).toBe(ErrorCode.AUTHFAILED)
  })
})

describe('session ids (S1)', () => {
  test('server id on top, then the wall clock, then a counter', () => {
    const ids = SessionIds.byClock(toServerId(3), 0x15_2d32, new Prng(1))
    expect(ids.next()).toBe(0x300_0015_2d32_0000n)
    expect(ids.next()).toBe(0x300_0015_2d32_0001n)
  })

  test('the sentinel of container nodes is never handed out', () => {
    const ids = SessionIds.byClock(toServerId(128), 0, new Prng(1))
    expect(ids.next()).toBe(BigInt.asIntN(64, 0x8000_0000_0000_0001n))
  })

  test('a clock set back does not repeat an id that was seen', () => {
    const seen = 0x300_0000_ffff_0007n
    const nextAfter = (life: number): bigint => {
      const ids = SessionIds.byClock(toServerId(3), 1000, new Prng(life))
      ids.observe(seen)
      ids.observe(0x400_0000_ffff_0009n)
      return ids.next()
    }
    expect(nextAfter(1)).toBeGreaterThan(seen)
    expect(nextAfter(1) >> 56n).toBe(3n)
    // Two lives that saw the same id: the first one's later sessions may be forgotten already.
    expect(nextAfter(2)).not.toBe(nextAfter(1))
  })

  test('of an observer: in the range that it was granted, each life somewhere else in it', () => {
    const base = 5n * SESSION_BASE_SPAN
    const starts = [1, 2, 3, 4].map((life) => {
      return SessionIds.granted(toServerId(200), base, new Prng(life)).next()
    })
    expect(new Set(starts).size).toBe(4)
    for (const id of starts) {
      const unsigned = BigInt.asUintN(64, id)
      expect(unsigned >> 56n).toBe(200n)
      const low = BigInt.asUintN(56, unsigned)
      expect(low >= base && low < base + SESSION_BASE_SPAN).toBe(true)
    }
  })

  test('of an observer stay in its range, whatever it sees', () => {
    const base = 5n * SESSION_BASE_SPAN
    const prefix = 9n << 56n
    for (let life = 1; life <= 50; life++) {
      const ids = SessionIds.granted(toServerId(9), base, new Prng(life))
      // Its own in another life, up to the very end; and what former owners of the server id had.
      const last = base + SESSION_BASE_SPAN - 1n
      for (const low of [last - 5n, last, base - 1n, last + 1n, 0n]) ids.observe(prefix | low)
      for (let i = 0; i < 3; i++) {
        const low = BigInt.asUintN(56, ids.next())
        expect(low >= base && low <= last).toBe(true)
      }
    }
  })

  test('all members make the same password of an id', () => {
    const ensemble = new FakeEnsemble({ followers: 1 })
    const client = ensemble.session(0)
    expect(ensemble.client(1).resume(client).connected?.sessionId).toBe(client.session)
  })
})
