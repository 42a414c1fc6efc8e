/**
 * A copy of one member's state for a new ensemble (design §4, lost majority): the tree as this
 * member has it, committed or only logged, without what belonged to the old ensemble's people:
 * sessions with their ephemerals, and the places of observers.
 *
 * They go by transactions of the copy's own, one zxid each, so parents' cversions and pzxids tell
 * of it as of any other deletion. Nobody but the new ensemble ever sees these zxids.
 */
import { EMPTY_BYTES } from '../base/bytes.ts'
import { counterOf, epochOf, formatZxid, makeZxid, type Zxid, ZXID_NONE } from '../base/zxid.ts'
import { OpCode } from '../jute/op-code.ts'
import type { Txn } from '../jute/txn.ts'
import { OBSERVERS_PATH, type DataTree } from '../tree/data-tree.ts'
import { restoreTree, TreeSnapshot } from '../tree/snapshot.ts'
import { nextVersion } from '../tree/stat.ts'
import { SNAPSHOT_CHUNK_BYTES } from '../zab/effect.ts'

/** What people are told before they begin anew from it. Plain data. */
export interface CopyFacts {
  /** Last transaction of the old ensemble that this member has, in hex. */
  readonly lastZxid: string
  /** When a node was last changed, ms since 1970; 0: never. */
  readonly lastChangeMs: number
  /** Without the ephemeral ones. */
  readonly znodes: number
  /** Left behind. */
  readonly sessions: number
  readonly ephemerals: number
}

export interface EnsembleCopy {
  readonly chunks: readonly Uint8Array[]
  /** Of the copy; also where the new ensemble's history begins. */
  readonly zxid: Zxid
  /** Not below the epoch of `zxid`: what the new founder has accepted and entered. */
  readonly epoch: number
}

export function copyFacts(tree: DataTree): CopyFacts {
  const { nodeCount, ephemerals } = tree.store
  return {
    lastZxid: formatZxid(tree.lastProcessed),
    lastChangeMs: lastChange(tree),
    znodes: nodeCount - ephemerals.count,
    sessions: tree.sessions.size,
    ephemerals: ephemerals.count,
  }
}

const COUNTER_MAX = 0xffff_ffff

export function copyForNewEnsemble(tree: DataTree, epoch: number): EnsembleCopy {
  const copy = restoreTree(chunksOf(tree), { digest: tree.digest !== null })
  const time = lastChange(copy)
  let zxid = copy.lastProcessed
  const apply = (clientId: bigint, type: number, txn: Txn): void => {
    zxid = zxidAfter(zxid)
    copy.applyTxn({ clientId, cxid: 0, zxid, time, type }, txn, null)
  }
  const owners = new Set([...copy.sessions.keys(), ...copy.store.ephemerals.owners()])
  for (const session of owners) {
    const paths = [...copy.store.ephemerals.of(session)]
    apply(session, OpCode.closeSession, { kind: 'closeSession', paths })
  }
  const places = copy.node(OBSERVERS_PATH)
  if (places !== undefined) {
    const version = nextVersion(places.version)
    const txn: Txn = { kind: 'setData', path: OBSERVERS_PATH, data: EMPTY_BYTES, version }
    apply(0n, OpCode.setData, txn)
  }
  // An origin is never nothing: a copy of an empty ensemble is still a copy.
  if (zxid === ZXID_NONE) copy.advanceTo((zxid = makeZxid(1, 0)))
  return { chunks: chunksOf(copy), zxid, epoch: Math.max(epoch, epochOf(zxid)) }
}

function zxidAfter(zxid: Zxid): Zxid {
  const [epoch, counter] = [epochOf(zxid), counterOf(zxid)]
  return counter === COUNTER_MAX ? makeZxid(epoch + 1, 1) : makeZxid(epoch, counter + 1)
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
