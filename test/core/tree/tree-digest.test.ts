import { describe, expect, it } from 'vitest'
import { crc32 } from '../../../src/core/base/crc32.ts'
import { Prng } from '../../../src/core/base/prng.ts'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { makeZxid } from '../../../src/core/base/zxid.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { READ_ACL_UNSAFE } from '../../../src/core/jute/perms.ts'
import { OPEN_ACL_ENTRY } from '../../../src/core/tree/acl-cache.ts'
import { DataNode } from '../../../src/core/tree/data-node.ts'
import { DataTree } from '../../../src/core/tree/data-tree.ts'
import { DIGEST_VERSION, nodeDigest, TreeDigest } from '../../../src/core/tree/tree-digest.ts'
import { step } from './random-history.ts'
import { TreeDriver } from './tree-driver.ts'

/** The definition, without any incremental step (P20). */
function fromScratch(tree: DataTree): bigint {
  let sum = 0n
  for (const node of tree.store.nodes()) {
    if (!node.path.startsWith('/zookeeper/')) sum += BigInt(nodeDigest(node))
  }
  return BigInt.asIntN(64, sum)
}

describe('tree digest (P20)', () => {
  it('a node counts with path, data and 60 bytes of stat, in this order', () => {
    const node = new DataNode(
      '/ü',
      3,
      encodeUtf8('data'),
      OPEN_ACL_ENTRY,
      -2n,
      5n,
      1_700_000_000_000,
    )
    node.mzxid = 6n
    node.pzxid = 7n
    node.mtime = -1
    node.version = 8
    node.cversion = -9
    node.aversion = 10
    const hex =
      '2fc3bc' + // path
      '64617461' + // data
      '0000000000000005' + // czxid
      '0000000000000006' + // mzxid
      '0000000000000007' + // pzxid
      '0000018bcfe56800' + // ctime
      'ffffffffffffffff' + // mtime
      '00000008' + // version
      'fffffff7' + // cversion
      '0000000a' + // aversion
      'fffffffffffffffe' // ephemeralOwner
    expect(nodeDigest(node)).toBe(crc32(Uint8Array.from(Buffer.from(hex, 'hex'))))
  })

  it('the root counts as the empty path, and null data as none', () => {
    const node = (path: string, data: Uint8Array | null) =>
      nodeDigest(new DataNode(path, 0, data, OPEN_ACL_ENTRY, 0n, 0n, 0))
    expect(node('/', null)).toBe(crc32(new Uint8Array(60)))
    expect(node('/', new Uint8Array(0))).toBe(node('/', null))
  })

  it('a path that is longer than any before counts whole', () => {
    for (const length of [100, 1000, 5000]) {
      const path = `/${'p'.repeat(length)}`
      const node = new DataNode(path, 0, null, OPEN_ACL_ENTRY, 0n, 0n, 0)
      const bytes = new Uint8Array([...encodeUtf8(path), ...new Uint8Array(60)])
      expect(nodeDigest(node)).toBe(crc32(bytes))
    }
  })

  it('leaves out what lies below /zookeeper, but not /zookeeper itself', () => {
    const driver = new TreeDriver()
    const fresh = driver.tree.digest
    driver.set('/zookeeper/quota', 'x')
    expect(driver.tree.digest).toBe(fresh)
    driver.set('/zookeeper', 'x')
    expect(driver.tree.digest).not.toBe(fresh)
    expect(driver.tree.digest).toBe(fromScratch(driver.tree))
  })

  it('does not depend on ACLs, only on aversion', () => {
    const driver = new TreeDriver()
    driver.create('/a')
    const before = driver.tree.digest
    driver.apply({ kind: 'setACL', path: '/a', acl: READ_ACL_UNSAFE, version: 0 })
    expect(driver.tree.digest).toBe(before)
  })

  it.each(Array.from({ length: 10 }, (_, i) => i))(
    'stays the sum over all nodes, however rarely it is asked for (seed %i)',
    (seed) => {
      const rng = new Prng(`digest/${seed}`)
      const driver = new TreeDriver()
      for (let i = 0; i < 1_500; i++) {
        step(driver, rng)
        if (rng.bool(0.02)) expect(driver.tree.digest).toBe(fromScratch(driver.tree))
      }
      expect(driver.tree.digest).toBe(fromScratch(driver.tree))
    },
  )

  it('carries into the high half and back', () => {
    const digest = new TreeDigest()
    const nodes = Array.from(
      { length: 3_000 },
      (_, i) => new DataNode(`/${i}`, i, null, OPEN_ACL_ENTRY, 0n, BigInt(i), i),
    )
    for (const node of nodes) digest.changed(node)
    expect(digest.value).toBe(nodes.reduce((sum, node) => sum + BigInt(nodeDigest(node)), 0n))
    expect(digest.value > 0xffff_ffffn).toBe(true)
    for (const node of nodes) digest.removed(node)
    expect(digest.value).toBe(0n)
  })

  it('can be left out', () => {
    const driver = new TreeDriver(new DataTree({ digest: false }))
    driver.create('/a')
    expect(driver.tree.digest).toBeNull()
    expect([...driver.tree.digestLog]).toEqual([])
    expect(driver.tree.checkDigest({ version: DIGEST_VERSION, treeDigest: 1n })).toBe(true)
  })
})

describe('expected digests (P21) and the digest log (P22)', () => {
  it('counts a mismatch, and ignores another version', () => {
    const { tree } = new TreeDriver()
    expect(tree.checkDigest({ version: DIGEST_VERSION, treeDigest: tree.digest! })).toBe(true)
    expect(tree.checkDigest({ version: 1, treeDigest: 0n })).toBe(true)
    expect(tree.digestMismatches).toBe(0)
    expect(tree.checkDigest({ version: DIGEST_VERSION, treeDigest: 0n })).toBe(false)
    expect(tree.digestMismatches).toBe(1)
  })

  it('keeps every 128th, 1024 of them', () => {
    const tree = new DataTree()
    const txn = { kind: 'error', err: -101 } as const
    const last = 128 * 1_030
    for (let i = 1; i <= last; i++) {
      const zxid = makeZxid(3, i)
      tree.applyTxn({ clientId: 0n, cxid: 0, zxid, time: 0, type: OpCode.error }, txn, null)
    }
    const log = [...tree.digestLog]
    expect(log).toHaveLength(1_024)
    expect(log[0]?.zxid).toBe(makeZxid(3, 128 * 7))
    expect(log.at(-1)).toEqual({ zxid: makeZxid(3, last), digest: tree.digest })
  })
})
