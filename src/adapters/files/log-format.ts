/**
 * The bytes of a transaction log (P2–P5): a header, then entries of Adler-32 (as a long), length,
 * payload and one byte 0x42; zeros behind the last entry are space kept ready.
 */
import { adler32 } from '../../core/base/adler32.ts'
import { toZxid, type Zxid } from '../../core/base/zxid.ts'
import type { LogEntry } from '../../ports/storage.ts'

const MAGIC = 0x5a4b_4c47
const VERSION = 2
const DBID = 0n
export const LOG_HEADER_BYTES = 16

const ENTRY_HEAD_BYTES = 12
const ENTRY_END = 0x42
/** Where TxnHeader has its zxid: after clientId and cxid. */
const ZXID_OFFSET = 12
const TXN_HEADER_BYTES = 32
/** No entry is longer: jute.maxbuffer has 31 MiB at most, and as much again beside it. Ours. */
const ENTRY_BYTES_MAX = 64 * 1024 * 1024
/** To compare with, many at a time. */
const ZEROS = new Uint8Array(64 * 1024)

export interface PlacedEntry extends LogEntry {
  /** Where in the file it begins. */
  readonly offset: number
}

export interface ReadLogFile {
  readonly entries: readonly PlacedEntry[]
  /** Where the next entry belongs. */
  readonly end: number
  /**
   * Damaged entries at the very end. An entry that merely stops short is none of them: its write
   * never ended, so nobody was told of it (P4).
   */
  readonly damaged: number
  /** Damage with a whole entry behind it: not a torn tail. Offset of the first, or null. */
  readonly corruptAt: number | null
}

/** What the bytes at an offset are. `next`: where an entry of this length ends. */
export type Found =
  | { readonly kind: 'whole'; readonly next: number }
  /** Its write ended, and yet it is not what was written. `next` null: its length is senseless. */
  | { readonly kind: 'damaged'; readonly next: number | null }
  | { readonly kind: 'torn' }
  | { readonly kind: 'end' }

export function logHeader(): Uint8Array {
  const bytes = new Uint8Array(LOG_HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, MAGIC)
  view.setInt32(4, VERSION)
  view.setBigInt64(8, DBID)
  return bytes
}

/** Why these are not the first bytes of a log, or null. */
export function logHeaderProblem(bytes: Uint8Array): string | null {
  if (bytes.length < LOG_HEADER_BYTES) return 'it is shorter than a header'
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  if (view.getInt32(0) !== MAGIC) return 'it does not begin with ZKLG'
  const version = view.getInt32(4)
  return version === VERSION ? null : `it is of version ${version}, known is ${VERSION}`
}

/** The process ended between making the file and having its header on the disk. */
export function isUnbegun(bytes: Uint8Array): boolean {
  const header = logHeader()
  const written = writtenEnd(bytes)
  return written < LOG_HEADER_BYTES && bytes.subarray(0, written).every((b, i) => b === header[i])
}

export function entryBytes(entry: Uint8Array): number {
  return ENTRY_HEAD_BYTES + entry.length + 1
}

/** Writes one entry at `offset` and returns where the next one goes. */
export function putEntry(target: Uint8Array, offset: number, entry: Uint8Array): number {
  const view = new DataView(target.buffer, target.byteOffset + offset)
  view.setInt32(0, 0)
  view.setUint32(4, adler32(entry))
  view.setInt32(8, entry.length)
  target.set(entry, offset + ENTRY_HEAD_BYTES)
  const end = offset + ENTRY_HEAD_BYTES + entry.length
  target[end] = ENTRY_END
  return end + 1
}

/** Reads a whole file. The entries are views of it. */
export function readLogFile(file: Uint8Array): ReadLogFile {
  const written = writtenEnd(file)
  const entries: PlacedEntry[] = []
  let damaged = 0
  let damagedAt = -1
  let end = LOG_HEADER_BYTES
  let offset = LOG_HEADER_BYTES
  for (;;) {
    const found = foundAt(file, offset, written)
    if (found.kind === 'whole') {
      if (damaged > 0) return { entries, end, damaged: 0, corruptAt: damagedAt }
      entries.push(placedEntry(file, offset, found.next))
      end = offset = found.next
      continue
    }
    if (found.kind === 'damaged') {
      if (damaged === 0) damagedAt = offset
      damaged++
    }
    if (found.kind === 'damaged' && found.next !== null) offset = found.next
    else if (found.kind === 'end') return { entries, end, damaged, corruptAt: null }
    else break
  }
  // A length that is wrong hides what is behind it.
  const hidden = nextWhole(file, offset + 1, written)
  if (hidden === null) return { entries, end, damaged, corruptAt: null }
  return { entries, end, damaged: 0, corruptAt: damaged > 0 ? damagedAt : offset }
}

/** `written`: `writtenEnd` of the file. */
export function foundAt(file: Uint8Array, offset: number, written: number): Found {
  if (offset >= written) return { kind: 'end' }
  // The head itself may have been on its way.
  if (written < offset + ENTRY_HEAD_BYTES) return { kind: 'torn' }
  const length = viewAt(file, offset).getInt32(8)
  const next = offset + ENTRY_HEAD_BYTES + length + 1
  // The last byte of an entry is none of the zeros that were there before it.
  if (length === 0 || length > written || next > written) {
    return isWhole(file, offset, written) ? { kind: 'damaged', next: written } : { kind: 'torn' }
  }
  if (length < TXN_HEADER_BYTES) return { kind: 'damaged', next: null }
  if (isWhole(file, offset, next)) return { kind: 'whole', next }
  return { kind: 'damaged', next: file[next - 1] === ENTRY_END ? next : null }
}

/** What begins at an offset of a block, a part of a file that has more behind it. */
export type EntryInBlock =
  | { readonly kind: 'whole'; readonly entry: PlacedEntry; readonly next: number }
  | { readonly kind: 'damaged' }
  /** Space kept ready. */
  | { readonly kind: 'end' }
  /** The block ends before the entry, which has so many bytes as far as is known. */
  | { readonly kind: 'cut'; readonly bytes: number }

export function entryAt(block: Uint8Array, offset: number): EntryInBlock {
  if (block.length < offset + ENTRY_HEAD_BYTES) return { kind: 'cut', bytes: ENTRY_HEAD_BYTES }
  const view = viewAt(block, offset)
  const length = view.getInt32(8)
  if (length === 0 && view.getBigUint64(0) === 0n) return { kind: 'end' }
  if (length < TXN_HEADER_BYTES || length > ENTRY_BYTES_MAX) return { kind: 'damaged' }
  const bytes = ENTRY_HEAD_BYTES + length + 1
  const next = offset + bytes
  if (next > block.length) return { kind: 'cut', bytes }
  if (!isWhole(block, offset, next)) return { kind: 'damaged' }
  return { kind: 'whole', entry: placedEntry(block, offset, next), next }
}

/** Where the first whole entry at or behind `from` begins, or null. */
export function nextWhole(file: Uint8Array, from: number, written: number): number | null {
  const last = written - ENTRY_HEAD_BYTES - TXN_HEADER_BYTES - 1
  for (let offset = from; offset <= last; offset++) {
    // The checksum is a long of which the upper half is always zero.
    if (file[offset] !== 0 || file[offset + 1] !== 0 || file[offset + 8] !== 0) continue
    const length = viewAt(file, offset).getInt32(8)
    const next = offset + ENTRY_HEAD_BYTES + length + 1
    if (length < TXN_HEADER_BYTES || next > written || file[next - 1] !== ENTRY_END) continue
    if (isWhole(file, offset, next)) return offset
  }
  return null
}

/** The end of what was ever written: zeros behind it are space kept ready. */
export function writtenEnd(file: Uint8Array): number {
  let end = file.length
  for (; end >= ZEROS.length; end -= ZEROS.length) {
    if (Buffer.compare(file.subarray(end - ZEROS.length, end), ZEROS) !== 0) break
  }
  while (end > 0 && file[end - 1] === 0) end--
  return end
}

export function placedEntry(file: Uint8Array, offset: number, next: number): PlacedEntry {
  const entry = file.subarray(offset + ENTRY_HEAD_BYTES, next - 1)
  return { zxid: zxidOf(entry), entry, offset }
}

function isWhole(file: Uint8Array, offset: number, next: number): boolean {
  if (next - offset <= ENTRY_HEAD_BYTES + TXN_HEADER_BYTES) return false
  if (file[next - 1] !== ENTRY_END) return false
  const entry = file.subarray(offset + ENTRY_HEAD_BYTES, next - 1)
  return viewAt(file, offset).getBigUint64(0) === BigInt(adler32(entry))
}

function viewAt(file: Uint8Array, offset: number): DataView {
  return new DataView(file.buffer, file.byteOffset + offset)
}

function zxidOf(entry: Uint8Array): Zxid {
  return toZxid(viewAt(entry, 0).getBigInt64(ZXID_OFFSET))
}
