/**
 * Who waits for whom, and in which order a connection hears of things (Q61–Q64, N19–N21, T19, T44).
 */
import { describe, expect, test } from 'vitest'
import { EventType } from '../../../src/core/jute/event-type.ts'
import { OpCode, SpecialXid } from '../../../src/core/jute/op-code.ts'
import * as proto from '../../../src/core/jute/proto-records.ts'
import type { EventDelivery } from '../../../src/core/server/event-delivery.ts'
import { EventsFirst } from '../../../src/core/server/event-delivery.ts'
import { FakeEnsemble } from './fake-ensemble.ts'
import { createRequest, textOf, type TestClient } from './test-client.ts'

const { createRequestRecord, existsRequestRecord, getDataRequestRecord, syncRequestRecord } = proto

function sendCreate(client: TestClient, path: string): number {
  return client.send(OpCode.create, createRequestRecord, createRequest(path))
}

function sendExists(client: TestClient, path: string): number {
  return client.send(OpCode.exists, existsRequestRecord, { path, watch: false })
}

function sendSync(client: TestClient): number {
  return client.send(OpCode.sync, syncRequestRecord, { path: '/some/path' })
}

describe.each([
  ['the leader', 0],
  ['a follower', 1],
])('on %s', (_name, index) => {
  function start(): { ensemble: FakeEnsemble; client: TestClient; other: TestClient } {
    const ensemble = new FakeEnsemble({ followers: 1 })
    const client = ensemble.session(index)
    const other = ensemble.session(index)
    ensemble.autoCommit = false
    return { ensemble, client, other }
  }

  test('a read waits for the writes of its own session, another session does not (Q61)', () => {
    const { ensemble, client, other } = start()
    const write = sendCreate(client, '/a')
    const read = sendExists(client, '/a')
    const foreign = sendExists(other, '/a')
    expect(client.received).toEqual([])
    expect(other.reply(foreign).err).toBe(-101)
    ensemble.commit()
    expect(client.replies.map(({ xid, err }) => [xid, err])).toEqual([
      [write, 0],
      [read, 0],
    ])
  })

  test('a read between two writes sees the first and not the second (Q61)', () => {
    const { ensemble, client } = start()
    const xids = [
      sendCreate(client, '/a'),
      sendExists(client, '/b'),
      sendCreate(client, '/b'),
      sendExists(client, '/b'),
    ]
    client.send(OpCode.ping, null, undefined, SpecialXid.ping)
    ensemble.commit(1)
    expect(client.replies.map(({ xid, err }) => [xid, err])).toEqual([
      [xids[0], 0],
      [xids[1], -101],
    ])
    ensemble.commit()
    expect(client.replies.map(({ err }) => err)).toEqual([0, -101, 0, 0, 0])
    expect(client.replies.at(-1)?.xid).toBe(SpecialXid.ping)
  })

  test('W45 in its turn: the answers before it still come', () => {
    const { ensemble, client } = start()
    sendCreate(client, '/a')
    client.send(888, null)
    sendExists(client, '/a')
    expect(client.closedBecause).toBe(null)
    ensemble.commit()
    expect(client.replies.map(({ err }) => err)).toEqual([0, -6])
    expect(client.closedBecause).toBe('unimplemented')
  })

  test('Q64: sync answers at once when nothing is outstanding, else after what is', () => {
    const { ensemble, client, other } = start()
    const idle = client.reply(sendSync(client))
    expect(textOf(idle.body.subarray(4))).toBe('/some/path')
    sendCreate(other, '/a')
    const sync = sendSync(client)
    const read = sendExists(client, '/a')
    sendCreate(other, '/b')
    expect(client.hasReply(sync)).toBe(false)
    ensemble.commit(1)
    expect(client.reply(sync).err).toBe(0)
    expect(client.reply(read).err).toBe(0)
  })

  test('sync among own writes keeps its place', () => {
    const { ensemble, client } = start()
    const xids = [
      sendCreate(client, '/a'),
      sendSync(client),
      sendExists(client, '/a'),
      sendCreate(client, '/b'),
      sendSync(client),
      sendSync(client),
      sendExists(client, '/b'),
    ]
    ensemble.commit()
    expect(client.replies.map(({ xid, err }) => [xid, err])).toEqual(xids.map((xid) => [xid, 0]))
  })

  test('N19, N20: the event comes before every reply that shows the change', () => {
    const { ensemble, client, other } = start()
    ensemble.autoCommit = true
    client.exists('/a', true)
    other.getChildren('/', true)
    ensemble.autoCommit = false
    const before = [client.received.length, other.received.length]
    sendCreate(client, '/a')
    sendExists(client, '/a')
    sendCreate(other, '/z')
    sendExists(other, '/a')
    ensemble.commit()
    const kinds = (c: TestClient, from: number | undefined): string[] =>
      c.received
        .slice(from)
        .map((m) => (m.kind === 'event' ? `event ${m.type} ${m.path}` : 'reply'))
    expect(kinds(client, before[0])).toEqual(['event 1 /a', 'reply', 'reply'])
    expect(kinds(other, before[1])).toEqual(['event 4 /', 'reply', 'reply'])
  })

  test('W14, W16, T44: zxids of replies never go down, an event carries its own', () => {
    const { ensemble, client, other } = start()
    ensemble.autoCommit = true
    client.exists('/a', true)
    other.create('/a')
    other.create('/b')
    client.exists('/b')
    const zxid = ensemble.leader.tree.node('/a')?.czxid
    expect(client.events).toMatchObject([{ type: EventType.NodeCreated, path: '/a', zxid }])
    const zxids = client.replies.map((r) => r.zxid)
    expect(zxids.toSorted((a, b) => Number(a - b))).toEqual(zxids)
    expect(zxids.at(-1)).toBe(ensemble.leader.lastProcessed())
  })

  test('what was in flight when service stopped is forgotten (Q54)', () => {
    const { ensemble, client } = start()
    sendCreate(client, '/a')
    sendExists(client, '/a')
    ensemble.stop()
    expect(client.replies).toEqual([])
    expect(client.closedBecause).toBe('server_shutdown')
    ensemble.serve()
    ensemble.autoCommit = true
    const back = ensemble.client(index).resume(client)
    expect(back.exists('/a')).toBe(-101)
    expect(back.create('/a')).toBe('/a')
  })

  test('requests of a closed connection do not disturb its successor', () => {
    const { ensemble, client } = start()
    sendCreate(client, '/a')
    sendExists(client, '/a')
    const next = ensemble.client(index).resume(client)
    const xid = sendCreate(next, '/b')
    ensemble.commit()
    expect(client.replies).toEqual([])
    expect(next.reply(xid).err).toBe(0)
    expect(next.exists('/a')).toMatchObject({ version: 0 })
  })
})

describe('limits', () => {
  test('beyond globalOutstandingLimit a connection is held back, others are let in (Q47)', () => {
    const ensemble = new FakeEnsemble({ globalOutstandingLimit: 3 })
    const client = ensemble.session()
    const other = ensemble.session()
    ensemble.autoCommit = false
    const xids = Array.from({ length: 10 }, (_, i) => sendCreate(client, `/n${i}`))
    expect(ensemble.proposedCount).toBe(3)
    sendCreate(other, '/other')
    expect(ensemble.proposedCount).toBe(4)
    while (ensemble.proposedCount > 0) ensemble.commit(1)
    expect(client.replies.map(({ xid, err }) => [xid, err])).toEqual(xids.map((xid) => [xid, 0]))
  })

  test('large requests count by their bytes', () => {
    const ensemble = new FakeEnsemble()
    const client = ensemble.session()
    ensemble.autoCommit = false
    const data = 'x'.repeat(1_000_000)
    for (let i = 0; i < 20; i++) {
      client.send(OpCode.create, createRequestRecord, createRequest(`/n${i}`, data))
    }
    expect(ensemble.proposedCount).toBeLessThan(20)
    while (ensemble.proposedCount > 0) ensemble.commit(1)
    expect(client.replies.map(({ err }) => err)).toEqual(Array(20).fill(0))
  })

  test('a client that ignores this beyond the backlog is cut off', () => {
    const ensemble = new FakeEnsemble({ globalOutstandingLimit: 1 })
    const client = ensemble.session()
    ensemble.autoCommit = false
    const data = 'x'.repeat(1_000_000)
    for (let i = 0; i < 20 && client.closedBecause === null; i++) {
      client.send(OpCode.create, createRequestRecord, createRequest(`/n${i}`, data))
    }
    expect(client.closedBecause).toBe('outstanding_limit')
    ensemble.commit()
    expect(ensemble.session().connected).toBe(null)
  })
})

test('the fault "event after its change" can be planted and is seen', () => {
  const ensemble = new FakeEnsemble({
    makeDelivery: (send): EventDelivery => {
      const late: (() => void)[] = []
      const rule = new EventsFirst(send)
      return {
        event: (...args) => late.push(() => rule.event(...args)),
        settled: () => {
          for (const deliver of late.splice(0)) deliver()
        },
      }
    },
  })
  const client = ensemble.session()
  client.send(OpCode.exists, existsRequestRecord, { path: '/a', watch: true })
  sendCreate(client, '/a')
  client.send(OpCode.getData, getDataRequestRecord, { path: '/a', watch: false })
  expect(client.received.slice(1).map((m) => m.kind)).toEqual(['reply', 'event', 'reply'])
})

// Found by the kit's `reorder`: both writes hung, and all that the session sent to this member.
test('requests that reach the leader the other way round end their connection', () => {
  const ensemble = new FakeEnsemble({ followers: 1 })
  const client = ensemble.session(1)
  ensemble.autoCommit = false
  ensemble.swapsNext = true
  sendCreate(client, '/a')
  sendExists(client, '/a')
  sendCreate(client, '/b')
  ensemble.commit()
  expect(client.closedBecause).toBe('io_exception')
  expect(client.replies).toEqual([])

  const again = ensemble.client(1).resume(client)
  expect(again.exists('/b')).toMatchObject({ version: 0 })
  const write = sendCreate(again, '/c')
  ensemble.commit()
  expect(again.reply(write).err).toBe(0)
  expect(ensemble.member(1).server.outstanding).toBe(0)
})
