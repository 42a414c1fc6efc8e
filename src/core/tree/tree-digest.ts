/**
 * The digest of the whole tree, as ZooKeeper computes it (P20): the 64-bit sum, with wrap-around,
 * of one CRC-32 per node over path, data and 60 bytes of stat. The root counts as ''; everything
 * below /zookeeper is left out, since quota statistics are local; /zookeeper itself counts.
 *
 * Lazy: a changed node only joins a list, and its CRC is computed when the sum is asked for or the
 * list is full, so a parent of many creates is summed once.
 * Invariants: the sum is exactly Σ `node.digest` over the live nodes; `node.digestStale` ⟹ the node
 * is in the list. So once the list is worked off the sum is Σ of fresh CRCs.
 */

import { crc32 } from '../base/crc32.ts'
import { EMPTY_BYTES } from '../base/bytes.ts'
import { writeUtf8 } from '../base/utf8.ts'
import type { DataNode } from './data-node.ts'

/** ZooKeeper's digest version; another number means that two digests cannot be compared. */
export const DIGEST_VERSION = 2

/** Bounds of the work that waits, in nodes and in bytes of data (some 0.2 ms to work off). Ours. */
const STALE_NODES_MAX = 512
const STALE_DATA_BYTES_MAX = 65_536

const UNCOUNTED_PREFIX = '/zookeeper/'
const STAT_BYTES = 60
const TWO_32 = 0x1_0000_0000

export class TreeDigest {
  #low = 0
  #high = 0
  #stale: DataNode[] = []
  #staleDataBytes = 0

  /** A signed 64-bit number, as in TxnDigest and in snapshots. */
  get value(): bigint {
    this.#settle()
    return BigInt.asIntN(64, (BigInt(this.#high) << 32n) | BigInt(this.#low))
  }

  /** The node is new, or its data or stat changed. */
  changed(node: DataNode): void {
    if (node.data !== null) this.#staleDataBytes += node.data.length
    if (!node.digestStale) {
      if (node.path.startsWith(UNCOUNTED_PREFIX)) return
      node.digestStale = true
      this.#stale.push(node)
    }
    if (this.#stale.length >= STALE_NODES_MAX || this.#staleDataBytes >= STALE_DATA_BYTES_MAX) {
      this.#settle()
    }
  }

  removed(node: DataNode): void {
    this.#add(-node.digest)
    node.digest = 0
    node.digestStale = false
  }

  #settle(): void {
    this.#staleDataBytes = 0
    if (this.#stale.length === 0) return
    for (const node of this.#stale) {
      if (!node.digestStale) continue
      const digest = nodeDigest(node)
      this.#add(digest - node.digest)
      node.digest = digest
      node.digestStale = false
    }
    this.#stale = []
  }

  /** `difference` lies within ±2^32, so one carry is enough. */
  #add(difference: number): void {
    let low = this.#low + difference
    if (low >= TWO_32) {
      low -= TWO_32
      this.#high = (this.#high + 1) >>> 0
    } else if (low < 0) {
      low += TWO_32
      this.#high = (this.#high - 1) >>> 0
    }
    this.#low = low
  }
}

/** Unsigned 32 bits. */
export function nodeDigest(node: DataNode): number {
  const path = node.path === '/' ? '' : node.path
  const length = putPath(path)
  const crc = crc32(node.data ?? EMPTY_BYTES, crc32(pathScratch, 0, length))
  const view = statView
  view.setBigInt64(0, node.czxid)
  view.setBigInt64(8, node.mzxid)
  view.setBigInt64(16, node.pzxid)
  setLong(24, node.ctime)
  setLong(32, node.mtime)
  view.setInt32(40, node.version)
  view.setInt32(44, node.cversion)
  view.setInt32(48, node.aversion)
  view.setBigInt64(52, node.ephemeralOwner)
  return crc32(statBytes, crc)
}

// Scratch memory for one computation at a time; nothing is kept in it between calls.
const statBytes = new Uint8Array(STAT_BYTES)
const statView = new DataView(statBytes.buffer)
let pathScratch = new Uint8Array(256)

/** Returns how many bytes it has. */
function putPath(path: string): number {
  const most = 3 * path.length
  if (most > pathScratch.length) pathScratch = new Uint8Array(2 * most)
  return writeUtf8(path, pathScratch, 0)
}

function setLong(at: number, n: number): void {
  statView.setInt32(at, Math.floor(n / TWO_32))
  statView.setUint32(at + 4, n >>> 0)
}
