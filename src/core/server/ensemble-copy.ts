/**
 * A copy of one member's state for a new ensemble (design §4, lost majority): the tree as this
 * member has it, committed or only logged, without what belonged to the old ensemble's people:
 * sessions with their ephemerals, and the places of observers.
 *
 * They go by transactions of the copy's own, one zxid each, so parents' cversions and pzxids tell
 * of it as of any other deletion. Nobody but the new ensemble ever sees these zxids.
 */
import { epochOf, makeZxid, counterOf, type Zxid } from '../base/zxid.ts'
import { OpCode } from '../jute/op-code.ts'
import type { Txn } from '../jute/txn.ts'
import { OBSERVERS_PATH, type DataTree } from '../tree/data-tree.ts'
import { restoreTree, TreeSnapshot } from '../tree/snapshot.ts'
import { SNAPSHOT_CHUNK_BYTES } from '../zab/effect.ts'

export interface EnsembleCopy {
  readonly chunks: readonly Uint8Array[]
  /** Of the copy; also where the new ensemble's history begins. */
  readonly zxid: Zxid
  /** Not below the epoch of `zxid`: what the new founder has accepted and entered. */
  readonly epoch: number
  /** Last transaction of the old ensemble that this copy has. */
  readonly lastZxid: Zxid
  /** When a node was last changed, ms since 1970; 0: never. */
  readonly lastChangeMs: number
  readonly znodes: number
  /** Left behind. */
  readonly sessions: number
  readonly ephemerals: number
}

export function copyForNewEnsemble(tree: DataTree, epoch: number): EnsembleCopy {
  const copy = restoreTree(chunksOf(tree), { digest: tree.digest !== null })
  const lastZxid = copy.lastProcessed
  const lastChangeMs = lastChange(copy)
  const { size: sessions } = copy.sessions
  const ephemerals = copy.store.ephemerals.count
  let zxid = lastZxid
  const apply = (clientId: bigint, type: number, txn: Txn): void => {
    zxid = makeZxid(epochOf(zxid), counterOf(zxid) + 1)
    copy.applyTxn({ clientId, cxid: 0, zxid, time: lastChangeMs, type }, txn, null)
  }
  const owners = new Set([...copy.sessions.keys(), ...copy.store.ephemerals.owners()])
  for (const session of owners) {
    const paths = [...copy.store.ephemerals.of(session)]
    apply(session, OpCode.closeSession, { kind: 'closeSession', paths })
  }
  if (copy.node(OBSERVERS_PATH) !== undefined) {
    apply(0n, OpCode.delete, { kind: 'delete', path: OBSERVERS_PATH })
  }
  return {
    chunks: chunksOf(copy),
    zxid,
    epoch: Math.max(epoch, epochOf(zxid)),
    lastZxid,
    lastChangeMs,
    znodes: copy.store.nodeCount,
    sessions,
    ephemerals,
  }
}

function chunksOf(tree: DataTree): Uint8Array[] {
  const snapshot = new TreeSnapshot(tree)
  const chunks: Uint8Array[] = []
  for (;;) {
    const chunk = snapshot.next(SNAPSHOT_CHUNK_BYTES)
    if (chunk === null) return chunks
    chunks.push(chunk)
  }
}

function lastChange(tree: DataTree): number {
  let latestMs = 0
  for (const { ctime, mtime } of tree.store.nodes()) latestMs = Math.max(latestMs, ctime, mtime)
  return latestMs
}
