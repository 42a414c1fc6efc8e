/** Writes through client frames: the order of checks and what each one answers (D6–D39). */
import { describe, expect, test } from 'vitest'
import type { Acl } from '../../../src/core/jute/data-records.ts'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { OPEN_ACL_UNSAFE, Perms } from '../../../src/core/jute/perms.ts'
import * as proto from '../../../src/core/jute/proto-records.ts'
import { reconfigRequestRecord } from '../../../src/core/jute/session-records.ts'
import { decodeTxn } from '../../../src/core/jute/txn.ts'
import { FakeEnsemble } from './fake-ensemble.ts'
import { createRequest, type TestClient } from './test-client.ts'

const EPHEMERAL = 1
const SEQUENTIAL = 2
const CONTAINER = 4
const TTL = 5

const only = (perms: number): Acl[] => [{ perms, id: { scheme: 'world', id: 'anyone' } }]

function start(): { ensemble: FakeEnsemble; client: TestClient } {
  const ensemble = new FakeEnsemble()
  return { ensemble, client: ensemble.session() }
}

function ttlCreate(client: TestClient, flags: number, ttl: bigint): number {
  const request = { ...createRequest('/t', '', flags), ttl }
  return client.call(OpCode.createTTL, proto.createTTLRequestRecord, request).err
}

describe('create, first failure wins', () => {
  test.each([
    ['D6 unknown flags', 'x', 9, OPEN_ACL_UNSAFE, ErrorCode.BADARGUMENTS],
    ['D7 TTL before the path', 'x', TTL, OPEN_ACL_UNSAFE, ErrorCode.UNIMPLEMENTED],
    ['D10 no slash before the ACL', 'x', 0, [], ErrorCode.BADARGUMENTS],
    ['D10 NUL before the ACL', '/a\0', 0, [], ErrorCode.BADARGUMENTS],
    ['D11 ACL before the parent', '/no/x', 0, [], ErrorCode.INVALIDACL],
    ['D12 parent before the syntax', '/no/x/', 0, OPEN_ACL_UNSAFE, ErrorCode.NONODE],
    ['D13 permission before the syntax', '/locked/..', 0, OPEN_ACL_UNSAFE, ErrorCode.NOAUTH],
    ['D13 permission before existence', '/locked/in', 0, OPEN_ACL_UNSAFE, ErrorCode.NOAUTH],
    ['D15 syntax', '/open/..', 0, OPEN_ACL_UNSAFE, ErrorCode.BADARGUMENTS],
    ['D15 empty name', '/open/', 0, OPEN_ACL_UNSAFE, ErrorCode.BADARGUMENTS],
    ['D16 exists', '/open', 0, OPEN_ACL_UNSAFE, ErrorCode.NODEEXISTS],
    ['D17 below an ephemeral', '/eph/x', 0, OPEN_ACL_UNSAFE, ErrorCode.NOCHILDRENFOREPHEMERALS],
    ['the root', '/', 0, OPEN_ACL_UNSAFE, ErrorCode.NODEEXISTS],
  ])('%s', (_name, path, flags, acl, err) => {
    const { client } = start()
    client.create('/open')
    client.create('/locked', '')
    client.create('/locked/in', '')
    client.setAcl('/locked', only(Perms.READ))
    client.create('/eph', '', EPHEMERAL)
    expect(client.create(path, '', flags, acl)).toBe(err)
  })

  test('D7, D8: TTL nodes are off, a TTL where none belongs is a bad argument', () => {
    const { client } = start()
    expect(ttlCreate(client, TTL, 1000n)).toBe(ErrorCode.UNIMPLEMENTED)
    expect(ttlCreate(client, TTL, 0n)).toBe(ErrorCode.UNIMPLEMENTED)
    expect(ttlCreate(client, 0, 1000n)).toBe(ErrorCode.BADARGUMENTS)
    expect(client.exists('/t')).toBe(ErrorCode.NONODE)
  })

  test('D14, D15: the suffix is the number of creates ever, of any kind', () => {
    const { client } = start()
    client.create('/p')
    expect(client.create('/p/a-', '', SEQUENTIAL)).toBe('/p/a-0000000000')
    client.create('/p/plain')
    client.delete('/p/plain')
    expect(client.create('/p/a-', '', SEQUENTIAL)).toBe('/p/a-0000000002')
    expect(client.create('/p/', '', SEQUENTIAL | EPHEMERAL)).toBe('/p/0000000003')
    expect(client.create('/p/', '', 9)).toBe(ErrorCode.BADARGUMENTS)
  })

  test('D16 after D14: a sequential name that is taken', () => {
    const { client } = start()
    client.create('/p')
    client.create('/p/a0000000001')
    expect(client.create('/p/a', '', SEQUENTIAL)).toBe(ErrorCode.NODEEXISTS)
  })

  test('create2 and createContainer answer path and Stat; a container has no owner to see', () => {
    const { ensemble, client } = start()
    expect(client.create2('/a', 'xy')).toMatchObject({ path: '/a', stat: { dataLength: 2 } })
    const made = client.create2('/c', '', CONTAINER, OpCode.createContainer)
    expect(made).toMatchObject({ path: '/c', stat: { ephemeralOwner: 0n } })
    expect(ensemble.leader.tree.store.ephemerals.containers.has('/c')).toBe(true)
    expect(client.create('/c/child')).toBe('/c/child')
    const owned = client.create2('/e', '', EPHEMERAL)
    expect(owned).toMatchObject({ stat: { ephemeralOwner: client.session } })
  })

  test('D19, D20: what a create changes in its parent', () => {
    const { client } = start()
    client.create('/p')
    const before = client.exists('/p')
    client.create('/p/a')
    const made = client.exists('/p/a')
    const after = client.exists('/p')
    if (typeof before === 'number' || typeof made === 'number' || typeof after === 'number') {
      throw new Error('missing')
    }
    expect(after).toEqual({ ...before, cversion: 1, numChildren: 1, pzxid: made.czxid })
    client.delete('/p/a')
    expect(client.exists('/p')).toMatchObject({ cversion: 2, numChildren: 0 })
  })

  test('D46: null and empty data stay apart', () => {
    const { client } = start()
    client.create('/null', null)
    client.create('/empty', '')
    expect(client.getData('/null')).toMatchObject({ data: null })
    expect(client.getData('/empty')).toMatchObject({ data: '' })
  })
})

describe('delete (D28)', () => {
  test.each([
    ['no slash', 'x', -1, ErrorCode.BADARGUMENTS],
    ['root', '/', -1, ErrorCode.BADARGUMENTS],
    ['special', '/zookeeper/quota', -1, ErrorCode.BADARGUMENTS],
    ['no parent', '/no/x', -1, ErrorCode.NONODE],
    ['permission on the parent before the node', '/locked/no', -1, ErrorCode.NOAUTH],
    ['no node', '/no', -1, ErrorCode.NONODE],
    ['version before children', '/full', 7, ErrorCode.BADVERSION],
    ['children', '/full', 0, ErrorCode.NOTEMPTY],
    ['the right version', '/full/x', 0, ErrorCode.OK],
  ])('%s', (_name, path, version, err) => {
    const { client } = start()
    client.create('/full')
    client.create('/full/x')
    client.create('/locked')
    client.setAcl('/locked', only(Perms.ALL & ~Perms.DELETE))
    expect(client.delete(path, version)).toBe(err)
  })
})

describe('setData, setACL', () => {
  test.each([
    ['syntax', '/a/', -1, ErrorCode.BADARGUMENTS],
    ['no node', '/no', -1, ErrorCode.NONODE],
    ['permission before version', '/locked', 9, ErrorCode.NOAUTH],
    ['version', '/a', 9, ErrorCode.BADVERSION],
  ])('D24: %s', (_name, path, version, err) => {
    const { client } = start()
    client.create('/a')
    client.create('/locked')
    client.setAcl('/locked', only(Perms.READ))
    expect(client.setData(path, 'x', version)).toBe(err)
  })

  test('D24: only the node changes; D26: null replaces', () => {
    const { ensemble, client } = start()
    client.create('/a', 'one')
    const before = client.exists('/a')
    if (typeof before === 'number') throw new Error('missing')
    ensemble.jump(5)
    const after = client.setData('/a', null, 0)
    expect(after).toEqual({
      ...before,
      version: 1,
      dataLength: 0,
      mtime: before.mtime + 5,
      mzxid: ensemble.leader.lastProcessed(),
    })
    expect(client.getData('/a')).toMatchObject({ data: null })
  })

  test('D25: the version goes on past the largest, and leaves −1 out, which means any', () => {
    const { ensemble, client } = start()
    client.create('/a')
    const versions = [2_147_483_647, -3, -2].map((version) => {
      ensemble.leader.tree.node('/a')!.version = version
      const stat = client.setData('/a', 'x', version)
      return typeof stat === 'number' ? 'refused' : stat.version
    })
    expect(versions).toEqual([-2_147_483_648, -2, 0])
  })

  test.each([
    ['syntax before the ACL', '/a/', [], -1, ErrorCode.BADARGUMENTS],
    ['the ACL before the node', '/no', [], -1, ErrorCode.INVALIDACL],
    ['no node', '/no', OPEN_ACL_UNSAFE, -1, ErrorCode.NONODE],
    ['permission before version', '/locked', OPEN_ACL_UNSAFE, 9, ErrorCode.NOAUTH],
    ['version against aversion', '/a', OPEN_ACL_UNSAFE, 1, ErrorCode.BADVERSION],
  ])('D27: %s', (_name, path, acl, version, err) => {
    const { client } = start()
    client.create('/a')
    client.setData('/a', 'x')
    client.create('/locked')
    client.setAcl('/locked', only(Perms.ALL & ~Perms.ADMIN))
    expect(client.setAcl(path, acl, version)).toBe(err)
  })

  test('D27: setACL raises aversion and nothing else', () => {
    const { client } = start()
    client.create('/a')
    const before = client.exists('/a')
    if (typeof before === 'number') throw new Error('missing')
    expect(client.setAcl('/a', only(Perms.ALL), 0)).toEqual({ ...before, aversion: 1 })
  })
})

test('A3: auth stands for the ids of the connection', () => {
  const { client } = start()
  const auth: Acl[] = [{ perms: Perms.ALL, id: { scheme: 'auth', id: '' } }]
  expect(client.create('/a', '', 0, auth)).toBe(ErrorCode.INVALIDACL)
  expect(client.addAuth('digest', 'u:p')).toBe(ErrorCode.OK)
  expect(client.create('/a', '', 0, auth)).toBe('/a')
  const acl = client.getAcl('/a')
  expect(acl).toMatchObject([{ perms: Perms.ALL, id: { scheme: 'digest' } }])
})

test('D31: every write takes a zxid, a failed one becomes an error transaction', () => {
  const { ensemble, client } = start()
  const before = ensemble.log.length
  client.create('/a')
  client.create('/a')
  client.setData('/a', 'x', 9)
  const entries = ensemble.log.slice(before).map(({ entry }) => decodeTxn(entry))
  expect(entries.map(({ txn }) => txn)).toMatchObject([
    { kind: 'create', path: '/a' },
    { kind: 'error', err: ErrorCode.NODEEXISTS },
    { kind: 'error', err: ErrorCode.BADVERSION },
  ])
  expect(entries.map(({ header }) => header.time)).toEqual(Array(3).fill(ensemble.at.wallMs))
  expect(client.replies.at(-1)?.zxid).toBe(ensemble.leader.lastProcessed())
})

test('D33: writes in flight see each other', () => {
  const { ensemble, client } = start()
  ensemble.autoCommit = false
  const { createRequestRecord, deleteRequestRecord, setDataRequestRecord } = proto
  const xids = [
    client.send(OpCode.create, createRequestRecord, createRequest('/a')),
    client.send(OpCode.create, createRequestRecord, createRequest('/a/b')),
    client.send(OpCode.create, createRequestRecord, createRequest('/a')),
    client.send(OpCode.delete, deleteRequestRecord, { path: '/a', version: -1 }),
    client.send(OpCode.setData, setDataRequestRecord, { path: '/a', data: null, version: 0 }),
    client.send(OpCode.setData, setDataRequestRecord, { path: '/a', data: null, version: 0 }),
    client.send(OpCode.delete, deleteRequestRecord, { path: '/a/b', version: -1 }),
    client.send(OpCode.delete, deleteRequestRecord, { path: '/a', version: 1 }),
    client.send(OpCode.delete, deleteRequestRecord, { path: '/a', version: -1 }),
  ]
  expect(client.replies).toEqual([])
  ensemble.commit()
  expect(xids.map((xid) => client.reply(xid).err)).toEqual([
    0,
    0,
    ErrorCode.NODEEXISTS,
    ErrorCode.NOTEMPTY,
    0,
    ErrorCode.BADVERSION,
    0,
    0,
    ErrorCode.NONODE,
  ])
  expect(client.replies.map(({ xid }) => xid)).toEqual(xids)
})

describe('sessions in transactions', () => {
  test('D45: closeSession takes pending creates along and leaves pending deletes out', () => {
    const { ensemble, client } = start()
    client.create('/old', '', EPHEMERAL)
    client.create('/gone', '', EPHEMERAL)
    ensemble.autoCommit = false
    const before = ensemble.log.length
    client.send(OpCode.delete, proto.deleteRequestRecord, { path: '/gone', version: -1 })
    client.send(OpCode.create, proto.createRequestRecord, createRequest('/new', '', EPHEMERAL))
    client.send(OpCode.closeSession, null)
    client.send(OpCode.create, proto.createRequestRecord, createRequest('/late'))
    const txns = ensemble.log.slice(before).map(({ entry }) => decodeTxn(entry).txn)
    expect(txns.slice(2)).toEqual([{ kind: 'closeSession', paths: ['/old', '/new'] }])
    ensemble.commit()
    expect(client.closedBecause).toBe('client_closed_session')
    const other = ensemble.session()
    ensemble.commit()
    expect(other.getChildren('/')).toEqual(['zookeeper'])
  })

  test('a node can be deleted in the pipeline behind the close that empties it', () => {
    const { ensemble, client } = start()
    const other = ensemble.session()
    other.create('/p')
    client.create('/p/e', '', EPHEMERAL)
    ensemble.autoCommit = false
    client.send(OpCode.closeSession, null)
    const xid = other.send(OpCode.delete, proto.deleteRequestRecord, { path: '/p', version: -1 })
    ensemble.commit()
    expect(other.reply(xid).err).toBe(ErrorCode.OK)
  })
})

test('W51: a body that cannot be read is answered, and the connection stays', () => {
  const { client } = start()
  const pathRequest = proto.syncRequestRecord
  expect(client.call(OpCode.create, pathRequest, { path: '/a' }).err).toBe(
    ErrorCode.MARSHALLINGERROR,
  )
  expect(client.call(OpCode.multi, pathRequest, { path: '/a' }).err).toBe(
    ErrorCode.MARSHALLINGERROR,
  )
  expect(client.call(OpCode.getData, null).err).toBe(ErrorCode.MARSHALLINGERROR)
  expect(client.closedBecause).toBe(null)
  expect(client.create('/a')).toBe('/a')
})

test('reconfig is disabled (Q69)', () => {
  const { client } = start()
  const servers = { joiningServers: null, leavingServers: null, newMembers: null }
  const { err } = client.call(OpCode.reconfig, reconfigRequestRecord, {
    ...servers,
    curConfigId: -1n,
  })
  expect(err).toBe(ErrorCode.RECONFIGDISABLED)
  expect(client.call(OpCode.reconfig, null).err).toBe(ErrorCode.MARSHALLINGERROR)
})

describe('transactions that grow too long', () => {
  const auth = (perms: number): Acl => ({ perms, id: { scheme: 'auth', id: '' } })

  test('are refused as malformed, and nothing is left of them (W6)', () => {
    const { ensemble, client } = start()
    client.create('/p')
    for (let i = 0; i < 10; i++) client.addAuth('digest', `${'u'.repeat(2000)}${i}:p`)
    const acl = Array.from({ length: 900 }, (_, i) => auth(i))
    expect(client.create('/p/a', '', 0, acl)).toBe(ErrorCode.MARSHALLINGERROR)
    expect(client.create('/p/n-', '', SEQUENTIAL)).toBe('/p/n-0000000000')
    expect(Math.max(...ensemble.log.map(({ entry }) => entry.length))).toBeLessThan(100_000)
  })

  test('an ACL beyond all reason is invalid, at once', () => {
    const { client } = start()
    const acl = Array.from({ length: 30_000 }, (_, i) => only(i)).flat()
    expect(client.create('/a', '', 0, acl)).toBe(ErrorCode.INVALIDACL)
  })

  test('ids of a connection are bounded, in number and length', () => {
    const { ensemble, client } = start()
    expect(client.addAuth('digest', `u:${'p'.repeat(5000)}`)).toBe(ErrorCode.AUTHFAILED)
    const other = ensemble.session()
    for (let i = 0; i < 64; i++) expect(other.addAuth('digest', `u${i}:p`)).toBe(ErrorCode.OK)
    expect(other.addAuth('digest', 'one:more')).toBe(ErrorCode.AUTHFAILED)
  })

  test('a session with too many ephemerals to list is closed all the same', () => {
    const { ensemble, client } = start()
    const name = 'x'.repeat(4000)
    for (let i = 0; i < 100; i++) client.create(`/${name}`, '', SEQUENTIAL | EPHEMERAL)
    client.call(OpCode.closeSession, null)
    const last = ensemble.log.at(-1)
    expect(last && decodeTxn(last.entry).txn).toEqual({ kind: 'closeSession', paths: [] })
    expect(ensemble.leader.tree.store.ephemerals.count).toBe(0)
    expect(ensemble.leader.tree.node('/')?.children?.size).toBe(1)
  })
})
