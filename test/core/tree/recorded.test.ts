/**
 * Against Apache ZooKeeper itself: its recorded transaction log carries the digest that it computed
 * after each transaction, and its snapshot the state. Recorded by `npm run record:frames`.
 */
import { describe, expect, it } from 'vitest'
import { concat, toHex } from '../../../src/core/base/bytes.ts'
import { JuteReader } from '../../../src/core/jute/reader.ts'
import { decodeTxn } from '../../../src/core/jute/txn.ts'
import { DataTree } from '../../../src/core/tree/data-tree.ts'
import { restoreTree, TreeSnapshot } from '../../../src/core/tree/snapshot.ts'
import { loadRecording } from '../../interop/frame-file.ts'
import { describeTree, treeFaults } from './tree-driver.ts'

const { frames } = loadRecording('files')
const snapshot = frames.find(({ what }) => what === 'snapshot')?.bytes ?? new Uint8Array(0)
/** long checksum, then the transaction behind its length, then 'B' (P3). */
const transactions = frames
  .filter(({ what }) => what === 'log-entry')
  .map(({ bytes }) => {
    const r = new JuteReader(bytes)
    r.long()
    return decodeTxn(r.buffer()!)
  })

function replayed(): DataTree {
  const tree = new DataTree()
  for (const { header, txn } of transactions) tree.applyTxn(header, txn, null)
  return tree
}

describe("Apache ZooKeeper's log", () => {
  it('leads to the digest that ZooKeeper computed, after every transaction (P20, P21)', () => {
    const tree = new DataTree()
    let compared = 0
    for (const { header, txn, digest } of transactions) {
      tree.applyTxn(header, txn, null)
      if (digest === undefined) continue
      compared++
      expect(tree.checkDigest(digest), `zxid ${header.zxid}`).toBe(true)
      expect(tree.digest).toBe(digest.treeDigest)
    }
    expect(compared).toBeGreaterThan(20)
    expect(treeFaults(tree)).toEqual([])
  })

  it('replayed again it changes nothing that lasts (P12)', () => {
    const tree = replayed()
    const { digest } = tree
    for (const { header, txn } of transactions) tree.applyTxn(header, txn, null)
    expect(tree.digest).toBe(digest)
  })
})

describe("Apache ZooKeeper's snapshot", () => {
  it('restores to what its log makes (P11)', () => {
    const restored = restoreTree([snapshot], { zxid: replayed().lastProcessed })
    expect(treeFaults(restored)).toEqual([])
    expect(restored.digestMismatches).toBe(0)
    expect(describeTree(restored)).toEqual(describeTree(replayed()))
    expect(new Map(restored.sessions)).toEqual(new Map(replayed().sessions))
    expect(restored.digest).toBe(replayed().digest)
  })

  it('written by us it is the same bytes, and the last-zxid block that 3.8 lacked (P19)', () => {
    const restored = restoreTree([snapshot], { zxid: replayed().lastProcessed })
    const ours = concat([...chunksOf(restored)])
    expect(toHex(ours.subarray(0, -21))).toBe(toHex(snapshot))
    expect(describeTree(restoreTree([ours]))).toEqual(describeTree(restored))
  })
})

function* chunksOf(tree: DataTree): Generator<Uint8Array> {
  const source = new TreeSnapshot(tree)
  for (let c = source.next(500); c !== null; c = source.next(500)) yield c
}
