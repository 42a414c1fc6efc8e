/**
 * Reading a snapshot file in pieces, whatever its size, and telling whether it is whole (P11, P14):
 * its last seal is the Adler-32 of every byte before it and the string "/".
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { adler32 } from '../../core/base/adler32.ts'
import { readBytes } from './durable-file.ts'
import { packingOf, type SnapshotPacking } from './file-names.ts'
import { unpackSnappy } from './snappy.ts'

/** The string "/": all that ZooKeeper looks at before it reads (P14). */
const END = [0, 0, 0, 1, 0x2f]
const SEAL_BYTES = 8 + END.length
const MAGIC = 0x5a4b_534e
/** Memory that one read takes, ours: far fewer calls than chunks, far less than a file. */
const CHUNK_BYTES = 16 * 1024 * 1024

/** null: it is not whole, as a crash or a bad disk leaves it. */
export function readSnapshot(path: string): readonly Uint8Array[] | null {
  const packing = packingOf(path)
  const isPlain = packing === 'plain'
  const chunks = !isPlain ? unpacked(path, packing) : hasSeal(path) ? readChunks(path) : null
  return chunks !== null && isSealed(chunks) ? chunks : null
}

/** Without reading it all; what is packed shows its end to nobody who does not. */
export function hasSeal(path: string): boolean {
  if (packingOf(path) !== 'plain') return true
  const fd = openSync(path, 'r')
  try {
    const { size } = fstatSync(fd)
    if (size < END.length) return false
    const end = new Uint8Array(END.length)
    readSync(fd, end, 0, end.length, size - end.length)
    return END.every((byte, index) => end[index] === byte)
  } finally {
    closeSync(fd)
  }
}

function readChunks(path: string): Uint8Array[] {
  const fd = openSync(path, 'r')
  try {
    const chunks: Uint8Array[] = []
    for (;;) {
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, fstatSync(fd).size))
      const count = readSync(fd, chunk, 0, chunk.length, null)
      if (count === 0) return chunks
      chunks.push(count === chunk.length ? chunk : chunk.slice(0, count))
    }
  } finally {
    closeSync(fd)
  }
}

function unpacked(path: string, packing: SnapshotPacking): readonly Uint8Array[] | null {
  const bytes = readBytes(path)
  if (packing === 'snappy') return unpackSnappy(bytes)
  try {
    return [new Uint8Array(gunzipSync(bytes))]
  } catch {
    return null
  }
}

/** What does not begin as a snapshot is for the tree to refuse. */
function isSealed(chunks: readonly Uint8Array[]): boolean {
  const [first, last] = [chunks[0], chunks.at(-1)]
  if (first === undefined || last === undefined || first.length < END.length) return false
  if (new DataView(first.buffer, first.byteOffset).getInt32(0) !== MAGIC) return true
  const whole = chunks.reduce((sum, { length }) => sum + length, 0)
  let sum = 1
  let done = 0
  for (const chunk of chunks) {
    sum = adler32(chunk.subarray(0, Math.max(0, whole - SEAL_BYTES - done)), sum)
    done += chunk.length
  }
  const tail = chunks.length === 1 ? last : joined(chunks.slice(-2))
  const seal = tail.subarray(-SEAL_BYTES)
  const view = new DataView(seal.buffer, seal.byteOffset)
  return view.getUint32(0) === 0 && view.getUint32(4) === sum
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks))
}
