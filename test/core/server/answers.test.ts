/** What answers look like, whatever they answer, and what costs a zxid (W13, W62, D31–D34, D42). */
import { describe, expect, test } from 'vitest'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { AddWatchMode } from '../../../src/core/jute/event-type.ts'
import { OpCode, SpecialXid } from '../../../src/core/jute/op-code.ts'
import { OPEN_ACL_UNSAFE, Perms } from '../../../src/core/jute/perms.ts'
import * as proto from '../../../src/core/jute/proto-records.ts'
import * as records from '../../../src/core/jute/session-records.ts'
import { decodeTxn } from '../../../src/core/jute/txn.ts'
import { FakeEnsemble } from './fake-ensemble.ts'

const SET_WATCHES = { relativeZxid: 0n, dataWatches: [], existWatches: [], childWatches: [] }

function start(): { ensemble: FakeEnsemble; client: ReturnType<FakeEnsemble['session']> } {
  const ensemble = new FakeEnsemble({ followers: 1 })
  return { ensemble, client: ensemble.session(1) }
}

describe('bodies', () => {
  test('an error has none (W13)', () => {
    const { client } = start()
    client.create('/')
    client.create2('/')
    client.delete('/none')
    client.setData('/none', 'x')
    client.setAcl('/none', OPEN_ACL_UNSAFE)
    client.getData('/none')
    client.exists('/none')
    client.getChildren('/none')
    client.getAcl('/none')
    client.send(OpCode.reconfig, null)
    client.send(OpCode.removeWatches, records.checkWatchesRequestRecord, { path: '/', type: 3 })
    expect(client.replies.map(({ err, body }) => [err < 0, body.length])).toEqual(
      Array(11).fill([true, 0]),
    )
  })

  test('ping, delete, setWatches, closeSession: the header alone (W20, W28, W41)', () => {
    const { client } = start()
    client.create('/a')
    client.send(OpCode.delete, proto.deleteRequestRecord, { path: '/a', version: 0 })
    client.send(OpCode.ping, null, undefined, SpecialXid.ping)
    const { setWatchesRecord } = records
    client.send(OpCode.setWatches, setWatchesRecord, SET_WATCHES, SpecialXid.setWatches)
    client.send(OpCode.closeSession, null)
    expect(client.replies.slice(1).map(({ xid, err, body }) => [xid, err, body.length])).toEqual([
      [2, 0, 0],
      [SpecialXid.ping, 0, 0],
      [SpecialXid.setWatches, 0, 0],
      [3, 0, 0],
    ])
  })
})

test('another protocolVersion is served all the same, and answered with 0 (W62)', () => {
  const client = new FakeEnsemble().client().connect({ protocolVersion: 77 })
  expect(client.connected?.protocolVersion).toBe(0)
  expect(client.create('/a')).toBe('/a')
})

describe('what costs a zxid', () => {
  test('the begin and the end of a session do (D31, S6)', () => {
    const { ensemble, client } = start()
    client.call(OpCode.closeSession, null)
    const [first, last] = ensemble.log.map(({ entry }) => decodeTxn(entry))
    expect(first).toMatchObject({ header: { clientId: client.session }, txn: { timeOut: 10_000 } })
    expect(last).toMatchObject({ header: { clientId: client.session }, txn: { paths: [] } })
    expect(ensemble.log).toHaveLength(2)
  })

  test('reads, watches, sync, auth and pings do not (D32)', () => {
    const { ensemble, client } = start()
    client.create('/a')
    const [count, zxid] = [ensemble.log.length, ensemble.leader.lastProcessed()]
    client.getData('/a', true)
    client.exists('/none', true)
    client.getChildren('/a', true)
    client.getAcl('/a')
    client.addAuth('digest', 'u:p')
    client.call(OpCode.sync, proto.syncRequestRecord, { path: '/a' })
    client.call(OpCode.whoAmI, null)
    client.send(OpCode.ping, null, undefined, SpecialXid.ping)
    const watch = { path: '/a', mode: AddWatchMode.PERSISTENT }
    client.call(OpCode.addWatch, records.addWatchRequestRecord, watch)
    expect(client.replies).toHaveLength(10)
    expect([ensemble.log.length, ensemble.leader.lastProcessed()]).toEqual([count, zxid])
  })
})

test('times are the leader’s clock as it is, also when it goes back (D34)', () => {
  const { ensemble, client } = start()
  client.create('/a')
  ensemble.jump(10, -60_000)
  client.create('/b')
  client.setData('/a', 'x')
  const [a, b] = [client.exists('/a'), client.exists('/b')]
  if (typeof a === 'number' || typeof b === 'number') throw new Error('missing')
  expect(b.ctime).toBe(a.ctime - 60_000)
  expect(a.mtime).toBe(b.ctime)
})

test('delete and reads of a path that is none just find no node (D41)', () => {
  const { client } = start()
  client.create('/a')
  for (const path of ['/a/', '/a//b', '/a/./b', '/\u0001', 'a']) {
    expect([path, client.getData(path)]).toEqual([path, ErrorCode.NONODE])
    expect([path, client.exists(path)]).toEqual([path, ErrorCode.NONODE])
    expect([path, client.getChildren(path)]).toEqual([path, ErrorCode.NONODE])
  }
  expect(['/a//b', '/\u0001'].map((path) => client.delete(path))).toEqual([
    ErrorCode.NONODE,
    ErrorCode.NONODE,
  ])
})

test('paths and lists of children have no limit of their own (D42)', () => {
  const { client } = start()
  const names = Array.from({ length: 45 }, (_, i) => `${i}-${'x'.repeat(30_000)}`)
  for (const name of names) expect(client.create(`/${name}`)).toBe(`/${name}`)
  // The server says it all; it is the client that takes no frame beyond its jute.maxbuffer (W5).
  expect(() => client.getChildren('/')).toThrow('frame of 1350338 bytes, at most 1048575')
})

test('special nodes may be written, by whom their lists allow (D2, D3)', () => {
  const { client } = start()
  expect(client.setData('/zookeeper/quota', 'x')).toMatchObject({ version: 1 })
  expect(client.setAcl('/', OPEN_ACL_UNSAFE)).toMatchObject({ numChildren: 1 })
  expect(client.setData('/zookeeper/config', 'x')).toBe(ErrorCode.NOAUTH)
  expect(client.getData('/zookeeper/config')).toMatchObject({ stat: { version: 0 } })
})

test('sync, watches and questions about oneself need no permission (A10, N4)', () => {
  const { client } = start()
  client.create('/a')
  client.setAcl('/a', [{ perms: Perms.CREATE, id: { scheme: 'world', id: 'anyone' } }])
  expect(client.getData('/a')).toBe(ErrorCode.NOAUTH)
  const watch = { path: '/a', mode: AddWatchMode.PERSISTENT }
  const prefix = { prefixPath: '/a' }
  const type = { path: '/a', type: 3 }
  const answers = [
    client.call(OpCode.sync, proto.syncRequestRecord, { path: '/a' }),
    client.call(OpCode.addWatch, records.addWatchRequestRecord, watch),
    client.call(OpCode.setWatches, records.setWatchesRecord, {
      ...SET_WATCHES,
      relativeZxid: ensembleZxid(client),
      dataWatches: ['/a'],
    }),
    client.call(OpCode.checkWatches, records.checkWatchesRequestRecord, type),
    client.call(OpCode.removeWatches, records.checkWatchesRequestRecord, type),
    client.call(OpCode.getEphemerals, records.getEphemeralsRequestRecord, prefix),
    client.call(OpCode.whoAmI, null),
  ]
  expect(answers.map(({ err }) => err)).toEqual(Array(answers.length).fill(ErrorCode.OK))
})

function ensembleZxid(client: ReturnType<FakeEnsemble['session']>): bigint {
  return client.replies.at(-1)?.zxid ?? 0n
}
