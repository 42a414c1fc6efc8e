import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { makeZxid } from '../../../src/core/base/zxid.ts'
import type { Stat } from '../../../src/core/jute/data-records.ts'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { OPEN_ACL_UNSAFE, READ_ACL_UNSAFE } from '../../../src/core/jute/perms.ts'
import { DataTree, isSpecialPath } from '../../../src/core/tree/data-tree.ts'
import { CONTAINER_OWNER, ttlOwner, visibleStat } from '../../../src/core/tree/stat.ts'
import { exists } from '../../../src/core/tree/tree-reader.ts'
import { treeFaults, TreeDriver } from './tree-driver.ts'

const SESSION = 0x1083cee35470003n

function stat(driver: TreeDriver, path: string): Stat {
  const node = driver.tree.node(path)
  if (node === undefined) throw new Error(`no ${path}`)
  return visibleStat(node)
}

describe('the fresh tree', () => {
  it('D1 holds the special nodes, and the root under two names', () => {
    const { tree } = new TreeDriver()
    expect([...(tree.node('/')?.children ?? [])]).toEqual(['zookeeper'])
    expect([...(tree.node('/zookeeper')?.children ?? [])].sort()).toEqual(['config', 'quota'])
    expect(tree.node('')).toBe(tree.node('/'))
    expect(treeFaults(tree)).toEqual([])
  })

  it('D1 has the figures of a fresh ZooKeeper', () => {
    const { store } = new TreeDriver().tree
    expect([store.nodeCount, store.approximateDataSize, store.ephemerals.count]).toEqual([5, 44, 0])
  })

  it('D2 names what nobody may delete', () => {
    const names = ['', '/quota', '/config', '/observers']
    const special = ['/', ...names.map((name) => `/zookeeper${name}`)]
    expect(special.map(isSpecialPath)).toEqual([true, true, true, true, true])
    expect(['/a', '/zookeeper/x', '/zookeeper2'].some(isSpecialPath)).toBe(false)
  })

  it('D2 does not lose them to a transaction either', () => {
    const driver = new TreeDriver()
    for (const path of ['/', '', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
      expect(driver.delete(path).err).toBe(ErrorCode.BADARGUMENTS)
    }
    expect(driver.tree.store.nodeCount).toBe(5)
  })

  it('D3 lets everyone read the configuration and nobody write it', () => {
    const { tree } = new TreeDriver()
    expect(tree.node('/zookeeper/config')?.acl.list).toEqual(READ_ACL_UNSAFE)
    expect(tree.node('/zookeeper/config')?.aversion).toBe(-1)
  })

  it('D3 reconfig writes it with version −1', () => {
    const driver = new TreeDriver()
    const data = encodeUtf8('server.1=…')
    driver.apply(
      { kind: 'setData', path: '/zookeeper/config', data, version: -1 },
      { type: OpCode.reconfig },
    )
    expect(stat(driver, '/zookeeper/config').version).toBe(-1)
    expect(driver.bytes('/zookeeper/config')).toEqual(data)
  })

  it('D4 costs no zxid', () => {
    const { tree } = new TreeDriver()
    expect(tree.lastProcessed).toBe(0n)
    const root = visibleStat(tree.node('/')!)
    expect([root.czxid, root.cversion, root.numChildren]).toEqual([0n, -1, 1])
  })
})

describe('create', () => {
  it('D19 stamps the child and counts at the parent', () => {
    const driver = new TreeDriver()
    driver.create('/p')
    const before = stat(driver, '/p')
    driver.create('/p/c', { data: encodeUtf8('abc') })
    const { zxid, timeMs } = driver
    expect(stat(driver, '/p/c')).toEqual({
      czxid: zxid,
      mzxid: zxid,
      pzxid: zxid,
      ctime: timeMs,
      mtime: timeMs,
      version: 0,
      cversion: 0,
      aversion: 0,
      ephemeralOwner: 0n,
      dataLength: 3,
      numChildren: 0,
    })
    expect(stat(driver, '/p')).toEqual({ ...before, cversion: 1, numChildren: 1, pzxid: zxid })
  })

  it('answers the path, and the Stat only where the operation asks for it (W19, W32)', () => {
    const driver = new TreeDriver()
    expect(driver.create('/a')).toMatchObject({ err: 0, path: '/a', stat: null, multi: null })
    const result = driver.create('/b', { type: OpCode.create2 })
    expect(result).toMatchObject({ type: OpCode.create2, path: '/b', stat: stat(driver, '/b') })
  })

  it('D14 sequence numbers count every create ever and never go back', () => {
    const driver = new TreeDriver()
    driver.create('/p')
    driver.create('/p/x')
    driver.delete('/p/x')
    expect(driver.sequential('/p/n-')).toBe('/p/n-0000000001')
    driver.create('/p/eph', { owner: SESSION })
    expect(driver.sequential('/p/n-', { owner: SESSION })).toBe('/p/n-0000000003')
  })

  it('D14 the counter goes on past the largest int', () => {
    const driver = new TreeDriver()
    driver.create('/p')
    driver.tree.node('/p')!.cversion = 2_147_483_646
    const names = [1, 2, 3].map(() => driver.sequential('/p/'))
    expect(names).toEqual(['/p/2147483646', '/p/2147483647', '/p/-2147483648'])
    expect(driver.tree.node('/p')?.cversion).toBe(-2_147_483_647)
  })

  it('the parent is there, or NONODE', () => {
    const driver = new TreeDriver()
    expect(driver.create('/no/c').err).toBe(ErrorCode.NONODE)
    expect(driver.tree.node('/no/c')).toBeUndefined()
  })

  it('D44 container and TTL nodes keep their mark, D21 which clients do not see', () => {
    const driver = new TreeDriver()
    const base = { data: null, acl: OPEN_ACL_UNSAFE }
    driver.apply({ kind: 'createContainer', path: '/box', ...base, parentCVersion: 1 })
    driver.apply({ kind: 'createTTL', path: '/ttl', ...base, parentCVersion: 2, ttl: 5_000n })
    const { tree } = driver
    expect(tree.node('/box')?.ephemeralOwner).toBe(CONTAINER_OWNER)
    expect(tree.node('/ttl')?.ephemeralOwner).toBe(ttlOwner(5_000))
    expect([stat(driver, '/box').ephemeralOwner, stat(driver, '/ttl').ephemeralOwner]).toEqual([
      0n,
      0n,
    ])
    const { ephemerals } = tree.store
    expect([[...ephemerals.containers], [...ephemerals.ttls]]).toEqual([['/box'], ['/ttl']])
    expect(ephemerals.count).toBe(0)
    driver.apply({ kind: 'delete', path: '/box' }, { type: OpCode.deleteContainer })
    driver.delete('/ttl')
    expect([ephemerals.containers.size, ephemerals.ttls.size]).toEqual([0, 0])
  })

  it('D44 an impossible TTL is refused', () => {
    const driver = new TreeDriver()
    const txn = { kind: 'createTTL', path: '/t', data: null, acl: [], parentCVersion: 1 } as const
    expect(driver.apply({ ...txn, ttl: 0n }).err).toBe(ErrorCode.BADARGUMENTS)
    expect(driver.apply({ ...txn, ttl: 2n ** 40n }).err).toBe(ErrorCode.BADARGUMENTS)
    expect(driver.tree.node('/t')).toBeUndefined()
  })

  it('D46 null and empty data differ, D22 both have length 0', () => {
    const driver = new TreeDriver()
    driver.create('/null', { data: null })
    driver.create('/empty', { data: new Uint8Array(0) })
    expect(driver.bytes('/null')).toBeNull()
    expect(driver.bytes('/empty')).toEqual(new Uint8Array(0))
    expect([stat(driver, '/null').dataLength, stat(driver, '/empty').dataLength]).toEqual([0, 0])
  })

  it('does not keep a whole frame alive for a small node', () => {
    const frame = new Uint8Array(10_000).fill(7)
    const driver = new TreeDriver()
    driver.create('/small', { data: frame.subarray(100, 110) })
    driver.create('/large', { data: frame.subarray(0, 9_000) })
    expect(driver.bytes('/small')?.buffer.byteLength).toBe(10)
    expect(driver.bytes('/large')?.buffer).toBe(frame.buffer)
  })
})

describe('setData, setACL, delete, check', () => {
  it('D24 setData moves version, mzxid and mtime only', () => {
    const driver = new TreeDriver()
    driver.create('/a')
    driver.create('/a/c')
    const [before, parent] = [stat(driver, '/a'), stat(driver, '/')]
    const result = driver.set('/a', 'xy')
    const { zxid, timeMs } = driver
    const after = { ...before, version: 1, mzxid: zxid, mtime: timeMs, dataLength: 2 }
    expect(stat(driver, '/a')).toEqual(after)
    expect(result.stat).toEqual(after)
    expect(stat(driver, '/')).toEqual(parent)
  })

  it('D26 setData may store null', () => {
    const driver = new TreeDriver()
    driver.create('/a', { data: encodeUtf8('x') })
    driver.set('/a', null)
    expect(driver.bytes('/a')).toBeNull()
  })

  it('D27 setACL moves aversion only', () => {
    const driver = new TreeDriver()
    driver.create('/a')
    const before = stat(driver, '/a')
    const result = driver.setAcl('/a', READ_ACL_UNSAFE)
    expect(result.stat).toEqual({ ...before, aversion: 1 })
    expect(stat(driver, '/a')).toEqual({ ...before, aversion: 1 })
    expect(driver.tree.node('/a')?.acl.list).toEqual(READ_ACL_UNSAFE)
  })

  it('D29 delete moves the pzxid of the parent, and its visible cversion', () => {
    const driver = new TreeDriver()
    driver.create('/p')
    driver.create('/p/c')
    const stored = driver.tree.node('/p')?.cversion
    const before = stat(driver, '/p')
    expect(driver.delete('/p/c')).toMatchObject({ err: 0, path: '/p/c' })
    expect(stat(driver, '/p')).toEqual({
      ...before,
      cversion: before.cversion + 1,
      numChildren: 0,
      pzxid: driver.zxid,
    })
    expect(driver.tree.node('/p')?.cversion).toBe(stored)
  })

  it('a delete leaves no orphans, whatever it meets (T46)', () => {
    const driver = new TreeDriver()
    for (const path of ['/p', '/p/c', '/p/c/g', '/p/e']) driver.create(path, { owner: 0n })
    expect(driver.delete('/p').err).toBe(ErrorCode.OK)
    expect(driver.tree.store.nodeCount).toBe(5)
    expect(treeFaults(driver.tree)).toEqual([])
  })

  it.each(['setData', 'setACL'] as const)('%s of a missing node is NONODE', (kind) => {
    const driver = new TreeDriver()
    const path = '/none'
    const result = driver.apply(
      kind === 'setData'
        ? { kind, path, data: null, version: 1 }
        : { kind, path, acl: [], version: 1 },
    )
    expect(result).toMatchObject({ err: ErrorCode.NONODE, stat: null })
  })

  it('sizes follow data and paths', () => {
    const driver = new TreeDriver()
    const { store } = driver.tree
    driver.create('/ab', { data: new Uint8Array(10) })
    expect(store.approximateDataSize).toBe(44 + 13)
    driver.set('/ab', 'xyz')
    expect(store.approximateDataSize).toBe(44 + 6)
    driver.delete('/ab')
    expect(store.approximateDataSize).toBe(44)
  })

  it('A14 lists that no node uses are forgotten', () => {
    const driver = new TreeDriver()
    const size = driver.tree.store.acls.size
    driver.create('/a', { acl: [{ perms: 3, id: { scheme: 'ip', id: '1.2.3.4' } }] })
    driver.create('/b', { acl: [{ perms: 3, id: { scheme: 'ip', id: '1.2.3.4' } }] })
    expect(driver.tree.store.acls.size).toBe(size + 1)
    driver.setAcl('/a', OPEN_ACL_UNSAFE)
    driver.delete('/b')
    expect(driver.tree.store.acls.size).toBe(size + 1)
    driver.delete('/a')
    expect(driver.tree.store.acls.size).toBe(size)
  })
})

describe('sessions', () => {
  it('S6 are replicated state', () => {
    const driver = new TreeDriver()
    driver.open(SESSION, 6_000)
    driver.open(2n, 4_000)
    driver.open(2n, 8_000)
    expect([...driver.tree.sessions]).toEqual([
      [SESSION, 6_000],
      [2n, 8_000],
    ])
    driver.close(SESSION)
    expect([...driver.tree.sessions]).toEqual([[2n, 8_000]])
  })

  it('D45 one closeSession deletes what it lists and what else the session owns, in order', () => {
    const driver = new TreeDriver()
    driver.open(SESSION)
    for (const name of ['c', 'a', 'b']) driver.create(`/${name}`, { owner: SESSION })
    driver.create('/other', { owner: 2n })
    driver.create('/keep')
    driver.tree.watches.add('/', 1, 1)
    driver.close(SESSION, ['/b', '/missing'])
    expect(driver.events.take()).toEqual([
      '1 NodeDeleted /b',
      '1 NodeDeleted /c',
      '1 NodeDeleted /a',
    ])
    expect([...driver.tree.store.ephemerals.owners()]).toEqual([2n])
    expect(stat(driver, '/').pzxid).toBe(driver.zxid)
    expect(treeFaults(driver.tree)).toEqual([])
  })

  it('D45 an old log without the list deletes the same', () => {
    const driver = new TreeDriver()
    driver.open(SESSION)
    driver.create('/a', { owner: SESSION })
    driver.close(SESSION, null)
    expect(driver.tree.node('/a')).toBeUndefined()
  })
})

describe('multi', () => {
  it('D36 one zxid for all, D37 each sees the one before', () => {
    const driver = new TreeDriver()
    const create = driver.createTxn('/a')
    const result = driver.apply({
      kind: 'multi',
      txns: [
        create,
        { ...create, path: '/a/b', parentCVersion: 1, type: OpCode.create2 },
        { kind: 'setData', path: '/a', data: encodeUtf8('x'), version: 1 },
        { kind: 'check', path: '/a', version: 1 },
        { kind: 'delete', path: '/a/b' },
      ],
    })
    expect(result.err).toBe(0)
    expect(result.multi?.map(({ type, err, path }) => [type, err, path])).toEqual([
      [OpCode.create, 0, '/a'],
      [OpCode.create2, 0, '/a/b'],
      [OpCode.setData, 0, '/a'],
      [OpCode.check, 0, '/a'],
      [OpCode.delete, 0, '/a/b'],
    ])
    expect(result.multi?.map((sub) => sub.stat !== null)).toEqual([false, true, true, false, false])
    expect(stat(driver, '/a')).toMatchObject({ czxid: driver.zxid, mzxid: driver.zxid, version: 1 })
  })

  it('D39 an empty one is legal', () => {
    expect(new TreeDriver().apply({ kind: 'multi', txns: [] })).toMatchObject({ err: 0, multi: [] })
  })

  it('W49 a failed one changes nothing and answers 0, the code, −2', () => {
    const driver = new TreeDriver()
    const result = driver.apply({
      kind: 'multi',
      txns: [driver.createTxn('/a'), { kind: 'error', err: -103 }, driver.createTxn('/b')],
    })
    expect(result.err).toBe(-103)
    expect(result.multi?.map(({ type, err }) => [type, err])).toEqual([
      [OpCode.error, 0],
      [OpCode.error, -103],
      [OpCode.error, -2],
    ])
    expect(driver.tree.store.nodeCount).toBe(5)
    expect(driver.tree.lastProcessed).toBe(driver.zxid)
  })

  it('W49 a failed one that is logged as errors answers the same', () => {
    const txns = [0, -110, -2].map((err) => ({ kind: 'error', err }) as const)
    const result = new TreeDriver().apply({ kind: 'multi', txns })
    expect(result.multi?.map(({ err }) => err)).toEqual([0, -110, -2])
    expect(result.err).toBe(-110)
  })
})

describe('position', () => {
  it('D31 an error takes its zxid and changes nothing else', () => {
    const driver = new TreeDriver()
    const result = driver.apply({ kind: 'error', err: ErrorCode.NONODE })
    expect(result).toMatchObject({ err: ErrorCode.NONODE, zxid: driver.zxid })
    expect(driver.tree.lastProcessed).toBe(driver.zxid)
    expect(driver.tree.store.nodeCount).toBe(5)
  })

  it('P13 moves after the whole multi, never back', () => {
    const driver = new TreeDriver()
    driver.create('/a')
    const seen: bigint[] = []
    driver.tree.watches.add('/', 1, 1)
    const sink = { event: () => seen.push(driver.tree.lastProcessed) }
    const header = { clientId: 0n, cxid: 1, zxid: makeZxid(1, 9), time: 1, type: OpCode.multi }
    const txns = [driver.createTxn('/b'), driver.createTxn('/c')]
    driver.tree.applyTxn(header, { kind: 'multi', txns }, sink)
    expect(seen).toEqual([makeZxid(1, 1), makeZxid(1, 1)])
    expect(driver.tree.lastProcessed).toBe(makeZxid(1, 9))
    driver.set('/a', 'x')
    expect(driver.tree.lastProcessed).toBe(makeZxid(1, 9))
  })

  it('a new epoch moves it without a transaction', () => {
    const { tree } = new TreeDriver()
    tree.advanceTo(makeZxid(2, 0))
    tree.advanceTo(makeZxid(1, 7))
    expect(tree.lastProcessed).toBe(makeZxid(2, 0))
  })
})

describe("the seeds' transcript (reference section 0)", () => {
  it('cversion 8, 11, 12 and pzxid 0x15a, 0x15b, 0x15e', () => {
    const at = (counter: number) => makeZxid(0, counter)
    const tree = new DataTree()
    const apply = (counter: number, type: number, txn: Parameters<DataTree['applyTxn']>[1]) =>
      tree.applyTxn({ clientId: 7n, cxid: 0, zxid: at(counter), time: 1, type }, txn, null)
    const create = (counter: number, path: string, ephemeral = false) =>
      apply(counter, OpCode.create, {
        kind: 'create',
        path,
        data: null,
        acl: OPEN_ACL_UNSAFE,
        ephemeral,
        parentCVersion: (tree.node('/china')?.cversion ?? 0) + 1,
      })
    create(0x150, '/china')
    for (const [i, name] of ['a', 'b', 'c', 'd', 'e', 'f', 'g'].entries()) {
      create(0x153 + i, `/china/${name}`, i > 3)
    }
    const seen = () => exists(tree, '/china', []) as Stat
    apply(0x15a, OpCode.delete, { kind: 'delete', path: '/china/a' })
    expect(seen()).toMatchObject({ cversion: 8, numChildren: 6, pzxid: at(0x15a) })
    apply(0x15b, OpCode.closeSession, {
      kind: 'closeSession',
      paths: ['/china/e', '/china/f', '/china/g'],
    })
    expect(seen()).toMatchObject({ cversion: 11, numChildren: 3, pzxid: at(0x15b) })
    const data = encodeUtf8('x')
    apply(0x15c, OpCode.setACL, { kind: 'setACL', path: '/china', acl: [], version: 1 })
    expect(seen()).toMatchObject({ aversion: 1, mzxid: at(0x150) })
    apply(0x15d, OpCode.setData, { kind: 'setData', path: '/china', data, version: 1 })
    expect(seen()).toMatchObject({ mzxid: at(0x15d), pzxid: at(0x15b) })
    apply(0x15e, OpCode.delete, { kind: 'delete', path: '/china/b' })
    expect(seen()).toMatchObject({ cversion: 12, numChildren: 2, pzxid: at(0x15e) })
  })
})
