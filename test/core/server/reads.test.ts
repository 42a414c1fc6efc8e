/** Reads and watch operations through client frames (D5, D59–D63, N1–N29, W34, W35, W43). */
import { describe, expect, test } from 'vitest'
import type { Acl } from '../../../src/core/jute/data-records.ts'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { AddWatchMode, EventType, WatcherType } from '../../../src/core/jute/event-type.ts'
import { OpCode, SpecialXid } from '../../../src/core/jute/op-code.ts'
import { OPEN_ACL_UNSAFE, Perms } from '../../../src/core/jute/perms.ts'
import * as proto from '../../../src/core/jute/proto-records.ts'
import { decode } from '../../../src/core/jute/record.ts'
import * as records from '../../../src/core/jute/session-records.ts'
import { digestId } from '../../../src/core/tree/acl.ts'
import { FakeEnsemble } from './fake-ensemble.ts'
import type { TestClient } from './test-client.ts'

const only = (perms: number): Acl[] => [{ perms, id: { scheme: 'world', id: 'anyone' } }]
const BOB: Acl = { perms: Perms.ALL, id: { scheme: 'digest', id: digestId('bob:secret') } }

function start(): { ensemble: FakeEnsemble; client: TestClient; other: TestClient } {
  const ensemble = new FakeEnsemble({ followers: 1 })
  return { ensemble, client: ensemble.session(), other: ensemble.session(1) }
}

function events(client: TestClient): string[] {
  return client.events.map(({ type, path }) => `${type} ${path}`)
}

function watchCall(client: TestClient, op: number, path: string, type: number): number {
  return client.call(op, records.checkWatchesRequestRecord, { path, type }).err
}

describe('reads', () => {
  test('D59, D60: NONODE before NOAUTH, exists checks a node that is there', () => {
    const { client } = start()
    client.create('/locked')
    client.setAcl('/locked', only(Perms.WRITE))
    expect(client.getData('/no')).toBe(ErrorCode.NONODE)
    expect(client.getChildren('/no')).toBe(ErrorCode.NONODE)
    expect(client.exists('/no')).toBe(ErrorCode.NONODE)
    expect(client.getData('/locked')).toBe(ErrorCode.NOAUTH)
    expect(client.getChildren('/locked')).toBe(ErrorCode.NOAUTH)
    expect(client.exists('/locked')).toBe(ErrorCode.NOAUTH)
    expect(client.exists('/a\0')).toBe(ErrorCode.BADARGUMENTS)
  })

  test('getChildren2 answers names and Stat of one moment (D23)', () => {
    const { client } = start()
    client.create('/a')
    const reply = client.call(OpCode.getChildren2, proto.getChildrenRequestRecord, {
      path: '/',
      watch: false,
    })
    expect(decode(proto.getChildren2ResponseRecord, reply.body)).toMatchObject({
      children: ['zookeeper', 'a'],
      stat: { numChildren: 2 },
    })
  })

  test('D61: READ or ADMIN opens the ACL, hashes are masked without ADMIN', () => {
    const { client } = start()
    client.create('/a')
    client.setAcl('/a', [BOB, ...only(Perms.READ)])
    const masked = { perms: Perms.ALL, id: { scheme: 'digest', id: 'bob:x' } }
    expect(client.getAcl('/a')).toEqual([masked, ...only(Perms.READ)])
    client.addAuth('digest', 'bob:secret')
    expect(client.getAcl('/a')).toEqual([BOB, ...only(Perms.READ)])
    client.create('/hidden')
    client.setAcl('/hidden', only(Perms.WRITE | Perms.ADMIN))
    expect(client.getAcl('/hidden')).toEqual(only(Perms.WRITE | Perms.ADMIN))
    client.setAcl('/hidden', only(Perms.WRITE))
    expect(client.getAcl('/hidden')).toBe(ErrorCode.NOAUTH)
  })

  test('A15: the ids of a follower’s client count at the leader', () => {
    const { client, other } = start()
    client.create('/a', 'x', 0, [BOB])
    expect(other.setData('/a', 'y')).toBe(ErrorCode.NOAUTH)
    other.addAuth('digest', 'bob:secret')
    expect(other.setData('/a', 'y')).toMatchObject({ version: 1 })
  })

  test('A6: the super user passes every check', () => {
    const ensemble = new FakeEnsemble({ superDigest: digestId('super:word') })
    const client = ensemble.session()
    client.create('/a', '', 0, [BOB])
    expect(client.getData('/a')).toBe(ErrorCode.NOAUTH)
    client.addAuth('digest', 'super:word')
    expect(client.getData('/a')).toMatchObject({ data: '' })
  })

  test.each([
    [null, ['/e', '/p/e']],
    ['', ['/e', '/p/e']],
    ['/', ['/e', '/p/e']],
    ['/p', ['/p/e']],
    ['/e', ['/e']],
    ['/x', []],
  ])('D59: getEphemerals %j is a plain prefix over the own session', (prefixPath, paths) => {
    const { client, other } = start()
    client.create('/p')
    client.create('/e', '', 1)
    client.create('/p/e', '', 1)
    other.create('/other', '', 1)
    const reply = client.call(OpCode.getEphemerals, records.getEphemeralsRequestRecord, {
      prefixPath,
    })
    expect(decode(records.getEphemeralsResponseRecord, reply.body).ephemerals).toEqual(paths)
  })

  test('D5: getAllChildrenNumber', () => {
    const { client } = start()
    client.create('/a')
    client.create('/a/b')
    const count = (path: string): number => {
      const reply = client.call(OpCode.getAllChildrenNumber, proto.syncRequestRecord, { path })
      return reply.err === 0
        ? decode(records.getAllChildrenNumberResponseRecord, reply.body).totalNumber
        : reply.err
    }
    expect([count('/'), count('/a'), count('/no')]).toEqual([5, 1, ErrorCode.NONODE])
  })

  test('D63: whoAmI shows user parts, the address too', () => {
    const ensemble = new FakeEnsemble()
    const client = ensemble.client(0, '10.0.0.7').connect()
    client.addAuth('digest', 'bob:secret')
    client.addAuth('digest', 'bob:secret')
    const reply = client.call(OpCode.whoAmI, null)
    expect(decode(records.whoAmIResponseRecord, reply.body).clientInfo).toEqual([
      { authScheme: 'ip', user: '10.0.0.7' },
      { authScheme: 'digest', user: 'bob' },
    ])
  })

  test('sasl: there is none, the token of the answer is null', () => {
    const { client } = start()
    const reply = client.call(OpCode.sasl, records.getSASLRequestRecord, { token: null })
    expect(decode(records.setSASLResponseRecord, reply.body)).toEqual({ token: null })
  })
})

describe('watches', () => {
  test('N2, N3: which reads arm a watch', () => {
    const { client, other } = start()
    client.create('/locked')
    client.setAcl('/locked', only(Perms.WRITE | Perms.DELETE))
    for (const path of ['/data', '/locked']) {
      other.getData(path, true)
      other.getChildren(path, true)
    }
    other.exists('/locked', true)
    other.exists('/exists', true)
    for (const path of ['/data', '/exists', '/locked/x']) client.create(path)
    client.setData('/locked', 'x')
    expect(events(other)).toEqual(['1 /exists'])
  })

  test('N8, N12, N14: one NodeDeleted per connection, one event per entry', () => {
    const { client, other } = start()
    client.create('/p')
    client.create('/p/c')
    other.getData('/p/c', true)
    other.exists('/p/c', true)
    other.getChildren('/p/c', true)
    other.getChildren('/p', true)
    client.delete('/p/c')
    expect(events(other)).toEqual(['2 /p/c', '4 /p'])
    client.create('/p/c')
    expect(events(other)).toHaveLength(2)
  })

  test('N17: whoever may not READ the node hears nothing of it', () => {
    const { client, other } = start()
    other.exists('/a', true)
    client.exists('/a', true)
    client.addAuth('digest', 'bob:secret')
    client.create('/a', '', 0, [BOB])
    expect(events(client)).toEqual(['1 /a'])
    expect(events(other)).toEqual([])
  })

  test('addWatch: persistent in both tables, recursive without child events (N4, N13, W43)', () => {
    const { client, other } = start()
    const reply = other.call(OpCode.addWatch, records.addWatchRequestRecord, {
      path: '/p',
      mode: AddWatchMode.PERSISTENT,
    })
    expect(decode(records.errorResponseRecord, reply.body)).toEqual({ err: 0 })
    client.call(OpCode.addWatch, records.addWatchRequestRecord, {
      path: '/',
      mode: AddWatchMode.PERSISTENT_RECURSIVE,
    })
    client.create('/p')
    client.create('/p/c')
    client.setData('/p', 'x')
    client.setData('/p', 'y')
    expect(events(other)).toEqual(['1 /p', '4 /p', '3 /p', '3 /p'])
    expect(events(client)).toEqual(['1 /p', '1 /p/c', '3 /p', '3 /p'])
  })

  test('W69: an unknown mode or type is a marshalling error', () => {
    const { client } = start()
    const addWatch = { path: '/', mode: 7 }
    expect(client.call(OpCode.addWatch, records.addWatchRequestRecord, addWatch).err).toBe(
      ErrorCode.MARSHALLINGERROR,
    )
    expect(watchCall(client, OpCode.checkWatches, '/', 9)).toBe(ErrorCode.MARSHALLINGERROR)
    expect(watchCall(client, OpCode.removeWatches, '/', 0)).toBe(ErrorCode.MARSHALLINGERROR)
  })

  test('N38, N40: checkWatches and removeWatches', () => {
    const { client, other } = start()
    client.create('/a')
    other.getData('/a', true)
    expect(watchCall(other, OpCode.checkWatches, '/a', WatcherType.Data)).toBe(ErrorCode.OK)
    expect(watchCall(other, OpCode.checkWatches, '/a', WatcherType.Children)).toBe(
      ErrorCode.NOWATCHER,
    )
    expect(watchCall(client, OpCode.removeWatches, '/a', WatcherType.Any)).toBe(ErrorCode.NOWATCHER)
    expect(watchCall(other, OpCode.removeWatches, '/a', WatcherType.Any)).toBe(ErrorCode.OK)
    client.setData('/a', 'x')
    expect(events(other)).toEqual([])
  })

  test('N6: watches go with their connection', () => {
    const { ensemble, client, other } = start()
    other.exists('/a', true)
    other.close()
    expect(ensemble.member(1).server.tree.watches.size).toBe(0)
    client.create('/a')
    expect(events(other)).toEqual([])
  })

  test('N24–N29, T2: setWatches on another server tells what was missed and arms the rest', () => {
    const { ensemble, client, other } = start()
    for (const path of ['/gone', '/changed', '/same', '/children']) client.create(path)
    const relativeZxid = client.replies.at(-1)?.zxid ?? 0n
    client.delete('/gone')
    client.setData('/changed', 'x')
    client.create('/children/x')
    client.create('/made')
    const back = ensemble.client(0).resume(other)
    const lists = {
      relativeZxid,
      dataWatches: ['/same', '/changed', '/gone'],
      existWatches: ['/missing', '/made'],
      childWatches: ['/children', '/same'],
    }
    const { setWatchesRecord } = records
    back.send(OpCode.setWatches, setWatchesRecord, lists, SpecialXid.setWatches)
    expect(events(back)).toEqual(['3 /changed', '2 /gone', '1 /made', '4 /children'])
    expect(back.events.map(({ zxid }) => zxid)).toEqual([-1n, -1n, -1n, -1n])
    expect(back.received.at(-1)).toMatchObject({ xid: SpecialXid.setWatches, err: 0 })
    client.setData('/same', 'x')
    client.create('/same/c')
    client.create('/missing')
    expect(events(back).slice(4)).toEqual(['3 /same', '4 /same', '1 /missing'])
  })

  test('N26: setWatches2 only registers persistent watches', () => {
    const { client } = start()
    client.create('/a')
    const xid = client.send(OpCode.setWatches2, records.setWatches2Record, {
      relativeZxid: 0n,
      dataWatches: [],
      existWatches: [],
      childWatches: [],
      persistentWatches: ['/a'],
      persistentRecursiveWatches: ['/zookeeper'],
    })
    expect(client.reply(xid).err).toBe(0)
    expect(events(client)).toEqual([])
    client.setData('/a', '1')
    client.setData('/a', '2')
    expect(client.events.map(({ type }) => type)).toEqual([
      EventType.NodeDataChanged,
      EventType.NodeDataChanged,
    ])
  })

  test('events of an expired session’s ephemerals (N8, D51)', () => {
    const { ensemble, client, other } = start()
    client.create('/master', 'm1', 1)
    other.exists('/master', true)
    client.close()
    for (let i = 0; i < 6; i++) {
      ensemble.pass(2000)
      other.send(OpCode.ping, null, undefined, SpecialXid.ping)
    }
    expect(events(other)).toEqual([`${EventType.NodeDeleted} /master`])
    expect(other.create('/master', 'm2', 1, OPEN_ACL_UNSAFE)).toBe('/master')
  })
})
