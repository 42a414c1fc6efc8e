/**
 * Snappy, as Java's SnappyOutputStream frames it: a header, then blocks behind their lengths, each
 * a raw block of the format (its length, then literals and copies of what came before).
 */
import { concat } from '../../core/base/bytes.ts'

/** 0x82 "SNAPPY" 0, version 1, readable since version 1. */
export const SNAPPY_HEADER: Uint8Array = new Uint8Array([
  ...[0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00],
  ...[0, 0, 0, 1, 0, 0, 0, 1],
])
const LENGTH_BYTES = 4
/** Bytes that a block is made of: so that offsets of two bytes reach everywhere. */
const BLOCK_BYTES = 32 * 1024
/** No block unpacks to more times its length: a copy of 64 bytes takes 3. */
const GROWTH_MAX = 32
const COPY_MIN = 4
const COPY_MAX = 64
const HASH_BITS = 14

/** The blocks of some bytes, each behind its length; the header goes before the first ones. */
export function packSnappy(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = compressBlock(bytes.subarray(at, at + BLOCK_BYTES))
    const length = new Uint8Array(LENGTH_BYTES)
    new DataView(length.buffer).setUint32(0, block.length)
    parts.push(length, block)
  }
  return parts
}

/** null: it is not whole, or no such file. */
export function unpackSnappy(bytes: Uint8Array): readonly Uint8Array[] | null {
  const header = bytes.subarray(0, SNAPPY_HEADER.length)
  const isOurs = SNAPPY_HEADER.every((byte, at) => header[at] === byte)
  if (!isOurs) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const blocks: Uint8Array[] = []
  for (let at = SNAPPY_HEADER.length; at < bytes.length;) {
    if (at + LENGTH_BYTES > bytes.length) return null
    const length = view.getUint32(at)
    at += LENGTH_BYTES
    if (at + length > bytes.length) return null
    const block = decompressBlock(bytes.subarray(at, at + length))
    if (block === null) return null
    blocks.push(block)
    at += length
  }
  return blocks.length === 0 ? null : [concat(blocks)]
}

function compressBlock(bytes: Uint8Array): Uint8Array {
  const out: number[] = []
  writeVarint(out, bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  /** Where four bytes of that hash were last, plus one. */
  const seen = new Uint16Array(1 << HASH_BITS)
  let literalFrom = 0
  let at = 0
  while (at + COPY_MIN <= bytes.length) {
    const word = view.getUint32(at, true)
    const slot = Math.imul(word, 0x1e35_a7bd) >>> (32 - HASH_BITS)
    const before = (seen[slot] ?? 0) - 1
    seen[slot] = at + 1
    if (before < 0 || view.getUint32(before, true) !== word) {
      at++
      continue
    }
    writeLiteral(out, bytes.subarray(literalFrom, at))
    let length = COPY_MIN
    while (length < COPY_MAX && at + length < bytes.length) {
      if (bytes[before + length] !== bytes[at + length]) break
      length++
    }
    const offset = at - before
    out.push(((length - 1) << 2) | 2, offset & 0xff, offset >> 8)
    at += length
    literalFrom = at
  }
  writeLiteral(out, bytes.subarray(literalFrom))
  return Uint8Array.from(out)
}

function writeVarint(out: number[], value: number): void {
  let left = value
  for (; left > 0x7f; left >>>= 7) out.push((left & 0x7f) | 0x80)
  out.push(left)
}

function writeLiteral(out: number[], bytes: Uint8Array): void {
  const last = bytes.length - 1
  if (last < 0) return
  if (last < 60) out.push(last << 2)
  else if (last < 0x100) out.push(60 << 2, last)
  else out.push(61 << 2, last & 0xff, last >> 8)
  for (const byte of bytes) out.push(byte)
}

/** null: it is no block, or damaged. */
function decompressBlock(bytes: Uint8Array): Uint8Array | null {
  let at = 0
  let size = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]
    if (byte === undefined || shift > 28) return null
    size += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  if (size > bytes.length * GROWTH_MAX) return null
  const out = new Uint8Array(size)
  let done = 0
  while (at < bytes.length) {
    const tag = bytes[at++] ?? 0
    const kind = tag & 3
    /** Little-endian, of so many bytes behind the tag. */
    const extra = (count: number): number => {
      let value = 0
      for (let i = 0; i < count; i++) value += (bytes[at++] ?? 0) * 2 ** (8 * i)
      return value
    }
    if (kind === 0) {
      const short = tag >> 2
      const length = (short < 60 ? short : extra(short - 59)) + 1
      if (at + length > bytes.length || done + length > size) return null
      out.set(bytes.subarray(at, at + length), done)
      at += length
      done += length
      continue
    }
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
    const offset = kind === 1 ? ((tag >> 5) << 8) + extra(1) : extra(kind === 2 ? 2 : 4)
    if (offset === 0 || offset > done || done + length > size) return null
    // Byte by byte: a copy may run into what it writes.
    for (let i = 0; i < length; i++, done++) out[done] = out[done - offset] ?? 0
  }
  return done === size ? out : null
}
