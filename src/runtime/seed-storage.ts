/** Puts a copy of another ensemble into a fresh storage, whose machine is to found the next one. */
import type { EnsembleCopy } from '../core/server/ensemble-copy.ts'
import type { PersistEffect } from '../core/zab/effect.ts'
import type { Storage } from '../ports/storage.ts'

/** Chunks of one transaction: some 4 MB. */
const CHUNKS_PER_WRITE = 64
const SNAPSHOT_ID = 1

/**
 * Resolves when all of it is durable. What a crash leaves before that is a storage without a state:
 * the chunks count only when the last write is through.
 */
export async function seedStorage(storage: Storage, copy: EnsembleCopy): Promise<void> {
  await storage.recover()
  const chunks = copy.chunks.map((bytes, index): PersistEffect => {
    return { kind: 'snapshot-chunk', id: SNAPSHOT_ID, index, bytes }
  })
  for (let at = 0; at < chunks.length; at += CHUNKS_PER_WRITE) {
    await storage.write(chunks.slice(at, at + CHUNKS_PER_WRITE))
  }
  const { zxid, epoch } = copy
  await storage.write([
    { kind: 'accepted-epoch', epoch },
    {
      kind: 'snapshot-commit',
      id: SNAPSHOT_ID,
      zxid,
      chunks: chunks.length,
      install: true,
      currentEpoch: epoch,
    },
  ])
}
