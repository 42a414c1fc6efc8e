import { describe, expect, it } from 'vitest'
import { concat } from '../../../src/core/base/bytes.ts'
import { Prng } from '../../../src/core/base/prng.ts'
import { makeZxid } from '../../../src/core/base/zxid.ts'
import { JuteError } from '../../../src/core/jute/jute-error.ts'
import { JuteReader } from '../../../src/core/jute/reader.ts'
import { OPEN_ACL_UNSAFE, READ_ACL_UNSAFE } from '../../../src/core/jute/perms.ts'
import { DataTree } from '../../../src/core/tree/data-tree.ts'
import { OBSERVERS_MAX } from '../../../src/core/tree/node-store.ts'
import { restoreTree, TreeSnapshot } from '../../../src/core/tree/snapshot.ts'
import { step } from './random-history.ts'
import { describeTree, treeFaults, TreeDriver } from './tree-driver.ts'

function readAll(snapshot: TreeSnapshot, maxBytes = 60_000): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let c = snapshot.next(maxBytes); c !== null; c = snapshot.next(maxBytes)) chunks.push(c)
  return chunks
}

function snapshotOf(tree: DataTree, maxBytes?: number): Uint8Array[] {
  return readAll(new TreeSnapshot(tree), maxBytes)
}

function grown(seed: string, steps: number): TreeDriver {
  const driver = new TreeDriver()
  const rng = new Prng(seed)
  for (let i = 0; i < steps; i++) step(driver, rng)
  return driver
}

/** What must come back. */
function state(tree: DataTree): unknown {
  return {
    nodes: describeTree(tree),
    sessions: [...tree.sessions],
    digest: tree.digest,
    zxid: tree.lastProcessed,
    size: tree.store.approximateDataSize,
    acls: tree.store.acls.entries().map(({ index, list, uses }) => ({ index, list, uses })),
  }
}

describe('a snapshot of a tree at rest', () => {
  it('comes back whole, in chunks of any size', () => {
    const { tree } = grown('rest', 800)
    for (const maxBytes of [1, 7, 100, 4_096, 60_000]) {
      const restored = restoreTree(snapshotOf(tree, maxBytes))
      expect(state(restored)).toEqual(state(tree))
      expect(treeFaults(restored)).toEqual([])
    }
  })

  it('hands out chunks of exactly the size asked for, then the rest, then null', () => {
    const driver = grown('sizes', 300)
    driver.create('/big', { data: new Uint8Array(300_000).fill(1) })
    const snapshot = new TreeSnapshot(driver.tree)
    const sizes = readAll(snapshot, 1_000).map((chunk) => chunk.length)
    expect(sizes.slice(0, -1).every((size) => size === 1_000)).toBe(true)
    expect(sizes.at(-1)).toBeLessThanOrEqual(1_000)
    expect(snapshot.next(1_000)).toBeNull()
  })

  it('the bytes do not depend on how they are cut', () => {
    const { tree } = grown('cut', 300)
    expect(concat(snapshotOf(tree, 13))).toEqual(concat(snapshotOf(tree, 50_000)))
  })

  it('a fresh tree comes back, special nodes and all', () => {
    const restored = restoreTree(snapshotOf(new DataTree()))
    expect(state(restored)).toEqual(state(new DataTree()))
  })

  it('goes on as the original does', () => {
    const driver = grown('on', 300)
    const restored = restoreTree(snapshotOf(driver.tree))
    const from = driver.applied.length
    const rng = new Prng('further')
    for (let i = 0; i < 300; i++) step(driver, rng)
    for (const { header, txn } of driver.applied.slice(from)) restored.applyTxn(header, txn, null)
    expect(restored.digest).toBe(driver.tree.digest)
    expect(describeTree(restored)).toEqual(describeTree(driver.tree))
  })

  it('does not keep its chunks alive', () => {
    const driver = new TreeDriver()
    driver.create('/a', { data: new Uint8Array(10) })
    const restored = restoreTree(snapshotOf(driver.tree))
    expect(restored.node('/a')?.data?.buffer.byteLength).toBe(10)
  })
})

describe('a snapshot while transactions go on', () => {
  it.each(Array.from({ length: 40 }, (_, i) => i))('is exact (seed %i)', (seed) => {
    const rng = new Prng(`slices/${seed}`)
    const driver = grown(`start/${seed}`, 50 + rng.int(300))
    const expected = state(restoreTree(snapshotOf(driver.tree)))
    const snapshot = new TreeSnapshot(driver.tree)
    const chunks: Uint8Array[] = []
    for (;;) {
      const chunk = snapshot.next(1 + rng.int(400))
      if (chunk === null) break
      chunks.push(chunk)
      for (let i = rng.int(6); i > 0; i--) step(driver, rng)
    }
    const restored = restoreTree(chunks)
    const actual = state(restored) as { acls: { index: number }[] }
    actual.acls.sort((a, b) => a.index - b.index)
    expect(actual).toEqual(expected)
    expect(restored.digestMismatches).toBe(0)
    expect(driver.tree.store.observerCount).toBe(0)
  })

  it('several at once each show their own moment', () => {
    const driver = grown('several', 200)
    const rng = new Prng('several/on')
    const open: { snapshot: TreeSnapshot; digest: bigint | null; chunks: Uint8Array[] }[] = []
    for (let i = 0; i < OBSERVERS_MAX; i++) {
      const { tree } = driver
      open.push({ snapshot: new TreeSnapshot(tree), digest: tree.digest, chunks: [] })
      for (let k = 0; k < 20; k++) step(driver, rng)
      for (const { snapshot, chunks } of open) chunks.push(snapshot.next(50)!)
    }
    expect(() => new TreeSnapshot(driver.tree)).toThrow(/snapshots at once/)
    for (const { snapshot, digest, chunks } of open) {
      const restored = restoreTree([...chunks, ...readAll(snapshot)])
      expect([restored.lastProcessed, restored.digest]).toEqual([snapshot.zxid, digest])
    }
  })

  it('a whole subtree that is removed behind its back comes parents first', () => {
    const driver = new TreeDriver()
    const paths = ['/a', '/a/b', '/a/b/c', '/a/b/c/d']
    for (const path of paths) driver.create(path)
    const snapshot = new TreeSnapshot(driver.tree)
    for (const path of paths.toReversed()) driver.delete(path)
    driver.create('/a', { acl: READ_ACL_UNSAFE })
    const restored = restoreTree(readAll(snapshot))
    expect(treeFaults(restored)).toEqual([])
    expect(restored.node('/a/b/c/d')).toBeDefined()
    expect(restored.node('/a')?.acl.list).not.toEqual(READ_ACL_UNSAFE)
  })

  it('a replayed create that sets another list is not seen', () => {
    const driver = new TreeDriver()
    driver.create('/a')
    const snapshot = new TreeSnapshot(driver.tree)
    driver.create('/a', { acl: READ_ACL_UNSAFE })
    expect(driver.tree.node('/a')?.acl.list).toEqual(READ_ACL_UNSAFE)
    expect(restoreTree(readAll(snapshot)).node('/a')?.acl.list).toEqual(OPEN_ACL_UNSAFE)
  })

  it('cancelled, it costs nothing more and says nothing more', () => {
    const driver = grown('cancel', 100)
    const snapshot = new TreeSnapshot(driver.tree)
    snapshot.next(100)
    snapshot.cancel()
    snapshot.cancel()
    expect(snapshot.next(100)).toBeNull()
    expect(driver.tree.store.observerCount).toBe(0)
  })
})

describe("ZooKeeper's layout (P11, P14, P19)", () => {
  it('is header, sessions, ACLs, nodes, seals, digest and zxid', () => {
    const driver = new TreeDriver()
    driver.open(0x77n, 9_000)
    driver.apply({ ...driver.createTxn('/a'), acl: READ_ACL_UNSAFE, data: Uint8Array.of(5) })
    const bytes = concat(snapshotOf(driver.tree))
    const r = new JuteReader(bytes)
    expect([r.int(), r.int(), r.long()]).toEqual([0x5a4b534e, 2, -1n])
    expect([r.int(), r.long(), r.int()]).toEqual([1, 0x77n, 9_000])
    expect([r.int(), r.long(), r.int()]).toEqual([1, 1n, 1])
    expect([r.int(), r.ustring(), r.ustring()]).toEqual([1, 'world', 'anyone'])
    const nodes: [string | null, number | undefined, bigint][] = []
    for (let path = r.ustring(); path !== '/'; path = r.ustring()) {
      nodes.push([path, r.buffer()?.length, r.long()])
      r.raw(60)
    }
    expect(nodes).toEqual([
      ['', 0, -1n],
      ['/zookeeper', 0, -1n],
      ['/zookeeper/quota', 0, -1n],
      ['/zookeeper/config', 0, 1n],
      ['/a', 1, 1n],
    ])
    r.long()
    expect(r.ustring()).toBe('/')
    expect([r.long(), r.int(), r.long()]).toEqual([driver.zxid, 2, driver.tree.digest])
    r.long()
    expect(r.ustring()).toBe('/')
    expect(r.long()).toBe(driver.zxid)
    r.long()
    expect([r.ustring(), r.atEnd]).toEqual(['/', true])
    expect([...bytes.subarray(-5)]).toEqual([0, 0, 0, 1, 0x2f])
  })

  it('snapshots that end after the first or the second seal are read too', () => {
    const { tree } = grown('old', 100)
    const bytes = concat(snapshotOf(tree))
    const zxid = makeZxid(1, 2)
    expect(restoreTree([bytes.subarray(0, -21)], { zxid }).digest).toBe(tree.digest)
    expect(restoreTree([bytes.subarray(0, -54)], { zxid }).lastProcessed).toBe(zxid)
    expect(() => restoreTree([bytes.subarray(0, -54)])).toThrow(/without a zxid/)
  })

  it('the name outranks the last-zxid block (P10)', () => {
    const { tree } = grown('name', 50)
    const zxid = makeZxid(1, 3)
    expect(restoreTree(snapshotOf(tree), { zxid }).lastProcessed).toBe(zxid)
  })

  it('a digest that does not fit is counted when its zxid is reached (P21)', () => {
    const driver = grown('digest', 50)
    const [bytes] = snapshotOf(driver.tree)
    const zxid = makeZxid(1, 3)
    const behind = restoreTree([bytes!], { zxid })
    expect(behind.digestMismatches).toBe(0)
    const { header } = driver.applied.at(-1)!
    const error = { kind: 'error', err: -1 } as const
    behind.node('/')!.version++
    behind.store.afterChange(behind.node('/')!)
    behind.applyTxn({ ...header, zxid: driver.tree.lastProcessed }, error, null)
    expect(behind.digestMismatches).toBe(1)
  })

  it('without digests the block is empty', () => {
    const tree = new DataTree({ digest: false })
    tree.advanceTo(makeZxid(2, 0))
    const restored = restoreTree(snapshotOf(tree), { digest: false })
    expect([restored.digest, restored.lastProcessed]).toEqual([null, makeZxid(2, 0)])
  })
})

describe('malformed snapshots are JuteErrors', () => {
  const bytes = concat(snapshotOf(grown('bad', 40).tree))

  it('every truncation', () => {
    for (let length = 0; length < bytes.length; length++) {
      // Exactly the older, shorter layouts are whole; they lack the zxid.
      expect(() => restoreTree([bytes.subarray(0, length)]), `${length}`).toThrow(JuteError)
    }
  })

  it('every changed byte', () => {
    for (let at = 0; at < bytes.length; at++) {
      for (const change of [0x01, 0x80, 0xff]) {
        const bad = bytes.slice()
        bad[at] = bad[at]! ^ change
        expect(() => restoreTree([bad]), `byte ${at}`).toThrow(JuteError)
      }
    }
  })

  it('anything behind the end, and noise', () => {
    expect(() => restoreTree([bytes, Uint8Array.of(0)])).toThrow(JuteError)
    expect(() => restoreTree([])).toThrow(JuteError)
    const rng = new Prng('noise')
    for (let i = 0; i < 300; i++) {
      const head = bytes.subarray(0, 16 + rng.int(100))
      const noise = Uint8Array.from({ length: rng.int(200) }, () => rng.int(256))
      expect(() => restoreTree([head, noise])).toThrow(JuteError)
    }
  })
})
