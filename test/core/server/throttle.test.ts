/** What holds clients back, and whom it sends away (O31, O33, S13, W5, W54). */
import { describe, expect, test } from 'vitest'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { OpCode, SpecialXid } from '../../../src/core/jute/op-code.ts'
import { createRequestRecord, getDataRequestRecord } from '../../../src/core/jute/proto-records.ts'
import { joinFrames } from '../../../src/core/jute/framing.ts'
import { encode } from '../../../src/core/jute/record.ts'
import { FakeEnsemble, type FakeOptions } from './fake-ensemble.ts'
import { createSingleMember } from './single-member.ts'
import { createRequest, type TestClient } from './test-client.ts'

function sendCreate(client: TestClient, path: string, data = ''): number {
  return client.send(OpCode.create, createRequestRecord, createRequest(path, data))
}

describe('throttleRequestsMax and throttledOpWaitMs (O33)', () => {
  test('hold back even who has nothing in flight; a read waits with the rest', () => {
    const ensemble = new FakeEnsemble({ throttleRequestsMax: 2 })
    const [client, other] = [ensemble.session(), ensemble.session()]
    ensemble.autoCommit = false
    sendCreate(client, '/a')
    sendCreate(client, '/b')
    const read = other.send(OpCode.getData, getDataRequestRecord, { path: '/', watch: false })
    expect(other.hasReply(read)).toBe(false)
    ensemble.commit(1)
    expect(other.reply(read).err).toBe(ErrorCode.OK)
  })

  test('answer what waited too long with THROTTLEDOP, in its turn, and do not do it', () => {
    const options = { throttleRequestsMax: 1, throttledOpWaitMs: 300 }
    const ensemble = new FakeEnsemble(options)
    const client = ensemble.session()
    ensemble.autoCommit = false
    const first = sendCreate(client, '/a')
    const late = sendCreate(client, '/late')
    const ping = client.send(OpCode.ping, null, undefined, SpecialXid.ping)
    ensemble.pass(400)
    const early = sendCreate(client, '/early')
    ensemble.commit(1)
    ensemble.commit(1)
    expect(client.replies.map(({ xid, err }) => [xid, err])).toEqual([
      [first, ErrorCode.OK],
      [late, ErrorCode.THROTTLEDOP],
      [ping, ErrorCode.OK],
      [early, ErrorCode.OK],
    ])
    expect(client.reply(late).body).toHaveLength(0)
    expect(ensemble.leader.tree.node('/late')).toBeUndefined()
  })

  test('do not count the time until there is a session', () => {
    const ensemble = new FakeEnsemble({ throttleRequestsMax: 9, throttledOpWaitMs: 100 })
    ensemble.autoCommit = false
    const client = ensemble.session()
    const xid = sendCreate(client, '/a')
    ensemble.pass(400)
    ensemble.commit(1)
    ensemble.commit(1)
    expect(client.reply(xid).err).toBe(ErrorCode.OK)
  })

  test('never hold back the close of a session for its time', () => {
    const ensemble = new FakeEnsemble({ throttleRequestsMax: 1, throttledOpWaitMs: 100 })
    const client = ensemble.session()
    ensemble.autoCommit = false
    sendCreate(client, '/a')
    const xid = client.send(OpCode.closeSession, null)
    ensemble.pass(400)
    ensemble.commit(1)
    ensemble.commit(1)
    expect(client.reply(xid).err).toBe(ErrorCode.OK)
  })
})

test('large requests have a room of their own, and who needs more is cut off (O31)', () => {
  const ensemble = new FakeEnsemble({ largeRequestBytes: 1_000, largeRequestsBytesMax: 5_000 })
  const [client, other] = [ensemble.session(), ensemble.session()]
  ensemble.autoCommit = false
  const xid = sendCreate(client, '/a', 'x'.repeat(3_000))
  for (let i = 0; i < 20; i++) sendCreate(other, `/n${i}`, 'x'.repeat(500))
  expect(other.closedBecause).toBe(null)
  sendCreate(other, '/b', 'x'.repeat(3_000))
  expect(other.closedBecause).toBe('large_request')
  ensemble.commit()
  expect(client.reply(xid).err).toBe(ErrorCode.OK)
  sendCreate(client, '/c', 'x'.repeat(3_000))
  expect(client.closedBecause).toBe(null)
})

test('connections take tokens, which come back with time (O31, W54)', () => {
  const limits = { connectionTokensMax: 2, connectionTokenFillMs: 100 }
  const ensemble = new FakeEnsemble(limits)
  expect(ensemble.session().connected).not.toBe(null)
  expect(ensemble.session().connected).not.toBe(null)
  expect(ensemble.session().closedBecause).toBe('client_rate_limit')
  ensemble.pass(150)
  expect(ensemble.session().connected).not.toBe(null)
  expect(ensemble.session().closedBecause).toBe('client_rate_limit')
})

describe('connectionFreezeTime (O31)', () => {
  /** How many of a hundred connections are let in, one every 10 ms, a token each 20 ms. */
  function admitted(options: FakeOptions): number {
    const bucket = { connectionTokensMax: 1, connectionTokenFillMs: 19 }
    const ensemble = new FakeEnsemble({ ...bucket, ...options })
    let count = 0
    for (let i = 0; i < 100; i++) {
      const client = ensemble.session()
      if (client.connected !== null) count++
      ensemble.pass(50)
    }
    return count
  }
  const blue = { freezeMs: 30, dropIncrease: 0.5, dropDecrease: 0.5, decreaseRatio: 0 }

  test('refuses nobody by chance while there are tokens enough', () => {
    expect(admitted({})).toBe(100)
    expect(admitted({ connectionBlue: blue })).toBe(100)
  })

  test('refuses more and more by chance while there are none, and fewer again after that', () => {
    const ensemble = new FakeEnsemble({
      connectionTokensMax: 1,
      connectionTokenFillMs: 100,
      connectionBlue: blue,
    })
    for (let i = 0; i < 20; i++) {
      ensemble.session()
      ensemble.pass(50)
    }
    const isLetIn = (): boolean => ensemble.session().connected !== null
    // Half of the tokens that come back go to nobody.
    ensemble.pass(150)
    const early = Array.from({ length: 20 }, isLetIn)
    expect(early.filter((is) => is).length).toBeLessThan(2)
    const late: boolean[] = []
    for (let i = 0; i < 10; i++) {
      ensemble.pass(1_000)
      late.push(isLetIn())
    }
    expect(late.slice(-5)).toEqual([true, true, true, true, true])
  })

  test('a connection weighs as much as its kind of session, if that is asked for', () => {
    const connectionWeights = { global: 3, local: 1, renewed: 2 }
    const bucket = { connectionTokensMax: 4, connectionTokenFillMs: 1_000, connectionWeights }
    const count = (options: FakeOptions): number => {
      const ensemble = new FakeEnsemble({ ...bucket, ...options })
      const clients = Array.from({ length: 5 }, () => ensemble.session())
      return clients.filter(({ connected }) => connected !== null).length
    }
    expect(count({})).toBe(1)
    expect(count({ followers: 1, localSessionsEnabled: true })).toBe(4)
  })
})

test('requestStaleLatencyCheck: what waited beyond its session is cut off, not done (O33)', () => {
  const result = (dropsStaleRequests: boolean): string | null => {
    const ensemble = new FakeEnsemble({ throttleRequestsMax: 1, dropsStaleRequests })
    const [busy, late] = [ensemble.session(0, 40_000), ensemble.session(0, 4_000)]
    ensemble.autoCommit = false
    sendCreate(busy, '/a')
    sendCreate(late, '/late')
    for (let i = 0; i < 5; i++) {
      ensemble.pass(1_000)
      late.send(OpCode.ping, null, undefined, SpecialXid.ping)
    }
    ensemble.commit(1)
    ensemble.commit()
    return ensemble.leader.tree.node('/late') === undefined ? late.closedBecause : 'was done'
  }
  expect(result(true)).toBe('stale_request')
  expect(result(false)).toBe('was done')
})

test('jute.maxbuffer bounds requests without a word (W5)', () => {
  const ensemble = new FakeEnsemble({ frameBytesMax: 2_000 })
  const client = ensemble.session()
  sendCreate(client, '/a', 'x'.repeat(1_900))
  expect(client.replies).toMatchObject([{ err: 0 }])
  sendCreate(client, '/b', 'x'.repeat(2_000))
  expect(client.closedBecause).toBe('io_exception')
})

test('sessionlessTimeoutMs closes who only connects (S13)', () => {
  const ensemble = new FakeEnsemble({ sessionlessTimeoutMs: 2_000 })
  const client = ensemble.client()
  ensemble.pass(3_000)
  expect(client.closedBecause).toBe('sessionless_timeout')
})

test('leaderServes=no: the leader takes no clients, followers do (Q53)', () => {
  const ensemble = new FakeEnsemble({ followers: 1, leaderServes: false })
  expect(ensemble.client(0).closedBecause).toBe('not_serving')
  expect(ensemble.session(1).create('/a')).toBe('/a')
})

describe('what one message makes a server say', () => {
  test('is bounded step by step, whatever it asks for, and all of it is said in the end', () => {
    const member = createSingleMember()
    const client = member.session()
    const path = '/large'
    client.create(path, 'x'.repeat(1_000_000))
    const get = encode(getDataRequestRecord, { path, watch: false })
    const count = 12
    const frames = Array.from({ length: count }, (_, i) => {
      const payload = new Uint8Array(8 + get.length)
      new DataView(payload.buffer).setInt32(0, 1_000 + i)
      new DataView(payload.buffer).setInt32(4, OpCode.getData)
      payload.set(get, 8)
      return payload
    })
    const answers = (): number[] =>
      client.replies.map(({ xid }) => xid).filter((xid) => xid >= 1_000)
    client.raw(joinFrames(frames))
    // 4 MiB, and what was begun below it.
    expect(answers()).toHaveLength(5)
    member.advance(50)
    expect(answers()).toHaveLength(10)
    member.advance(50)
    expect(answers()).toEqual(Array.from({ length: count }, (_, i) => 1_000 + i))
  })
})

test('what is held back, refused and dropped is told to who counts it (O22)', () => {
  const limits = { throttleRequestsMax: 1, throttledOpWaitMs: 300, largeRequestBytes: 2_000 }
  const ensemble = new FakeEnsemble({ ...limits, largeRequestsBytesMax: 3_000 })
  const told = new Map<string, number>()
  const waits: number[] = []
  ensemble.leader.witness = {
    count: (what) => told.set(what, (told.get(what) ?? 0) + 1),
    measure: (what, value) => {
      if (what === 'request_throttle_queue_time_ms') waits.push(value)
    },
    concerning: () => undefined,
    proposed: () => undefined,
    acknowledged: () => undefined,
    committed: () => undefined,
  }
  const [client, large] = [ensemble.session(), ensemble.session()]
  ensemble.autoCommit = false
  sendCreate(client, '/a')
  sendCreate(client, '/late')
  ensemble.pass(400)
  ensemble.commit(1)
  sendCreate(large, '/large', 'x'.repeat(4_000))
  expect(large.closedBecause).toBe('large_request')
  expect(Object.fromEntries(told)).toEqual({
    request_throttle_wait_count: 1,
    throttled_ops: 1,
    large_requests_rejected: 1,
  })
  expect(waits).toEqual([0, 400])
  const gone = ensemble.session()
  ensemble.commit(1)
  sendCreate(gone, '/gone')
  gone.close()
  ensemble.commit(1)
  expect(told.get('stale_replies')).toBe(1)
})
