/**
 * A disk as founding leaves it: record pinned, empty snapshot of zxid 0, both epochs 0 (Q18, P15).
 */
import { concat } from '../../src/core/base/bytes.ts'
import { encodeUtf8 } from '../../src/core/base/utf8.ts'
import { DataTree } from '../../src/core/tree/data-tree.ts'
import { TreeSnapshot } from '../../src/core/tree/snapshot.ts'
import { SNAPSHOT_CHUNK_BYTES } from '../../src/core/zab/effect.ts'
import { MemoryDisk } from '../../src/adapters/memory/memory-disk.ts'

export function foundedDisk(): MemoryDisk {
  const disk = new MemoryDisk()
  disk.pinFoundingSync(encodeUtf8('founding record'), emptySnapshot())
  return disk
}

function emptySnapshot(): Uint8Array {
  const source = new TreeSnapshot(new DataTree())
  const chunks: Uint8Array[] = []
  for (;;) {
    const chunk = source.next(SNAPSHOT_CHUNK_BYTES)
    if (chunk === null) return concat(chunks)
    chunks.push(chunk)
  }
}
