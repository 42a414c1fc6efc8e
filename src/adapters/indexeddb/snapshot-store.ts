/** The `snap` store inside a transaction. A snapshot exists when the manifest lists it. */
import { crc32 } from '../../core/base/crc32.ts'
import type { Zxid } from '../../core/base/zxid.ts'
import type { SnapshotChunkEffect } from '../../ports/storage.ts'
import {
  type AnyTransaction,
  type ManifestEntry,
  outcomeIsTxDone,
  type WriteTransaction,
  zxidKey,
  zxidOfKey,
} from './schema.ts'

/** A snapshot of which chunks are being staged. */
export interface StagedSnapshot {
  /** The database's own number of it. */
  readonly snapshot: number
  readonly chunks: number
  readonly sizeBytes: number
  readonly crc: number
}

export interface ReadSnapshot {
  readonly zxid: Zxid
  readonly chunks: readonly Uint8Array[]
}

export function stageNothing(snapshot: number): StagedSnapshot {
  return { snapshot, chunks: 0, sizeBytes: 0, crc: 0 }
}

export function stageChunk(
  tx: WriteTransaction,
  staged: StagedSnapshot,
  chunk: Pick<SnapshotChunkEffect, 'index' | 'bytes'>,
): StagedSnapshot {
  const { bytes, index } = chunk
  // Structured clone stores the whole buffer under a view.
  const exact = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()
  tx.objectStore('snap').put(exact, [staged.snapshot, index]).catch(outcomeIsTxDone)
  return {
    snapshot: staged.snapshot,
    chunks: staged.chunks + 1,
    sizeBytes: staged.sizeBytes + bytes.length,
    crc: crc32(bytes, staged.crc),
  }
}

export function manifestEntry(staged: StagedSnapshot, zxid: Zxid): ManifestEntry {
  return { ...staged, zxid: zxidKey(zxid) }
}

/** null when a chunk is missing or damaged. */
export async function readSnapshot(
  tx: AnyTransaction,
  entry: ManifestEntry,
): Promise<ReadSnapshot | null> {
  const chunks = await tx.objectStore('snap').getAll(chunksOf(entry.snapshot))
  let sizeBytes = 0
  let crc = 0
  for (const chunk of chunks) {
    sizeBytes += chunk.length
    crc = crc32(chunk, crc)
  }
  const intact =
    chunks.length === entry.chunks && sizeBytes === entry.sizeBytes && crc === entry.crc
  return intact ? { zxid: zxidOfKey(entry.zxid), chunks } : null
}

/** Numbers of all snapshots of which a chunk is stored, rising. */
export async function storedSnapshots(tx: AnyTransaction): Promise<number[]> {
  const numbers: number[] = []
  const store = tx.objectStore('snap')
  let range: IDBKeyRange | null = null
  for (;;) {
    const [key]: (readonly [number, number])[] = await store.getAllKeys(range, 1)
    if (key === undefined) return numbers
    numbers.push(key[0])
    range = IDBKeyRange.lowerBound([key[0], []], true)
  }
}

export function dropSnapshot(tx: WriteTransaction, snapshot: number): void {
  tx.objectStore('snap').delete(chunksOf(snapshot)).catch(outcomeIsTxDone)
}

/** All keys [snapshot, index]: an array sorts after every number. */
function chunksOf(snapshot: number): IDBKeyRange {
  return IDBKeyRange.bound([snapshot], [snapshot, []])
}
