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
  const entries: PlacedEntry[] = []
  let damaged = 0
  let damagedAt = -1
  let end = LOG_HEADER_BYTES
  let offset = LOG_HEADER_BYTES
  for (;;) {
    const length = payloadLength(file, offset)
    if (length === null) break
    const next = offset + ENTRY_HEAD_BYTES + length + 1
    const entry = file.subarray(offset + ENTRY_HEAD_BYTES, next - 1)
    if (!isWhole(file, offset, entry, next)) {
      if (damaged === 0) damagedAt = offset
      damaged++
    } else {
      if (damaged > 0) return { entries, end, damaged: 0, corruptAt: damagedAt }
      entries.push({ zxid: zxidOf(entry), entry, offset })
      end = next
    }
    offset = next
  }
  return { entries, end, damaged, corruptAt: null }
}

/** null: no entry begins here, or it stops short. */
function payloadLength(file: Uint8Array, offset: number): number | null {
  if (file.length - offset < ENTRY_HEAD_BYTES) return null
  const length = new DataView(file.buffer, file.byteOffset + offset).getInt32(8)
  if (length < TXN_HEADER_BYTES) return null
  return length + 1 <= file.length - offset - ENTRY_HEAD_BYTES ? length : null
}

function isWhole(file: Uint8Array, offset: number, entry: Uint8Array, next: number): boolean {
  const view = new DataView(file.buffer, file.byteOffset + offset)
  return view.getUint32(4) === adler32(entry) && file[next - 1] === ENTRY_END
}

function zxidOf(entry: Uint8Array): Zxid {
  return toZxid(new DataView(entry.buffer, entry.byteOffset).getBigInt64(ZXID_OFFSET))
}
