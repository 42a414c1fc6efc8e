/**
 * A snapshot to the disk because an administrator asked for one. It is exact and of committed
 * state, as every local one (P16), in a file of ZooKeeper's name and form.
 */
import { readdirSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory } from '../../adapters/files/durable-file.ts'
import { fileName, zxidFiles, type ZxidFile } from '../../adapters/files/file-names.ts'
import { SNAPSHOT_CHUNK_BYTES } from '../../core/zab/effect.ts'
import type { SnapshotSource } from '../../core/zab/replica.ts'

/** A name that the storage clears away at its next start, and no snapshot of its own ever has. */
const DRAFT = 'staged.4294967295'

export interface WrittenSnapshot {
  readonly path: string
  readonly zxid: bigint
  readonly bytes: number
}

/** Snapshots of a directory, oldest first. */
export function zxidFilesIn(directory: string): readonly ZxidFile[] {
  try {
    return zxidFiles('snapshot', readdirSync(directory))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** One at a time. Rejects with what the operating system says; nothing is left behind then. */
export async function writeSnapshot(
  directory: string,
  source: SnapshotSource,
): Promise<WrittenSnapshot> {
  const draft = join(directory, DRAFT)
  let bytes = 0
  try {
    const file = await open(draft, 'w')
    try {
      for (let chunk = next(source); chunk !== null; chunk = next(source)) {
        await file.writeFile(chunk)
        bytes += chunk.length
      }
      await file.sync()
    } finally {
      await file.close()
    }
    const path = join(directory, fileName('snapshot', source.zxid))
    await rename(draft, path)
    syncDirectory(directory)
    return { path, zxid: source.zxid, bytes }
  } catch (error) {
    source.cancel()
    await rm(draft, { force: true })
    throw error
  }
}

function next(source: SnapshotSource): Uint8Array | null {
  return source.next(SNAPSHOT_CHUNK_BYTES)
}
