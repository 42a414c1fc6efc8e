/**
 * A disk as founding leaves it: record pinned, empty snapshot of zxid 0, both epochs 0 (Q18, P15).
 */
import { concat } from '../../src/core/base/bytes.ts'
import { encodeUtf8 } from '../../src/core/base/utf8.ts'
import { DataTree } from '../../src/core/tree/data-tree.ts'
import { MemoryDisk } from '../../src/adapters/memory/memory-disk.ts'
import { chunksOf } from './recorded-tree.ts'

export const FOUNDING_RECORD: Uint8Array = encodeUtf8('founding record')

export function foundedDisk(): MemoryDisk {
  const disk = new MemoryDisk()
  disk.pinFoundingSync(FOUNDING_RECORD, concat(chunksOf(new DataTree())))
  return disk
}
