/** A member's tree, as bytes of a snapshot and as the judges know trees. */
import type { DataTree } from '../../src/core/tree/data-tree.ts'
import { TreeSnapshot } from '../../src/core/tree/snapshot.ts'
import { SNAPSHOT_CHUNK_BYTES } from '../../src/core/zab/effect.ts'
import type { RecordedTree } from '../../src/history/recorded-tree.ts'

export function chunksOf(tree: DataTree): Uint8Array[] {
  const source = new TreeSnapshot(tree)
  const chunks: Uint8Array[] = []
  for (;;) {
    const chunk = source.next(SNAPSHOT_CHUNK_BYTES)
    if (chunk === null) return chunks
    chunks.push(chunk)
  }
}

export function recordedTree(tree: DataTree): RecordedTree {
  const nodes = [...tree.store.nodes()].map((node) => {
    const { path, data, version, czxid, mzxid, pzxid, ephemeralOwner, cversion } = node
    return { path, data, version, czxid, mzxid, pzxid, owner: ephemeralOwner, creates: cversion }
  })
  return { zxid: tree.lastProcessed, nodes, sessions: [...tree.sessions.keys()] }
}
