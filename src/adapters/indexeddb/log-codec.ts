/**
 * One value of the `log` store: a run of log entries, packed and checksummed. One value per batch
 * instead of one per entry, because a put costs the same whatever it holds.
 *
 * Big-endian, format 1:
 *
 *     0  2  magic "ZL"
 *     2  1  format
 *     3  1  0
 *     4  4  number of entries
 *     8  8  zxid of the entry before this value (0 = none): a lost value shows as a gap
 *    16     entries: epoch u32, counter u32, length u32, bytes
 *    -4  4  CRC-32 of everything before
 */
import { assert } from '../../core/base/assert.ts'
import { crc32 } from '../../core/base/crc32.ts'
import { counterOf, epochOf, makeZxid, type Zxid } from '../../core/base/zxid.ts'
import type { LogEntry } from '../../ports/storage.ts'
import { type ZxidKey, zxidKey } from './schema.ts'

/**
 * Bytes of one value, unless a single entry is larger. Chromium stores 65,536 bytes and more as a
 * file of its own: three syncs instead of one (measured, browser-facts §5); the rest is the margin
 * for what structured clone adds.
 */
export const LOG_VALUE_BYTES_MAX = 65_000

const MAGIC_AND_FORMAT = 0x5a4c_0100
const HEADER_BYTES = 16
const ENTRY_HEADER_BYTES = 12
const CRC_BYTES = 4

export interface PackedValue {
  readonly key: ZxidKey
  readonly bytes: Uint8Array
}

export interface UnpackedValue {
  readonly previous: Zxid
  readonly entries: readonly LogEntry[]
}

/** Packs a batch into as few values as the size bound allows. `previous` = last zxid before it. */
export function packEntries(entries: readonly LogEntry[], previous: Zxid): PackedValue[] {
  const values: PackedValue[] = []
  let before = previous
  let start = 0
  while (start < entries.length) {
    let sizeBytes = HEADER_BYTES + CRC_BYTES
    let end = start
    for (; end < entries.length; end++) {
      const next = sizeBytes + ENTRY_HEADER_BYTES + entryAt(entries, end).entry.length
      if (end > start && next > LOG_VALUE_BYTES_MAX) break
      sizeBytes = next
    }
    values.push(packOne(entries, start, end, before, sizeBytes))
    before = entryAt(entries, end - 1).zxid
    start = end
  }
  return values
}

/** null when the value is damaged. Entries are views of `bytes`. */
export function unpackEntries(bytes: Uint8Array): UnpackedValue | null {
  if (bytes.length < HEADER_BYTES + CRC_BYTES) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = bytes.length - CRC_BYTES
  if (view.getUint32(0) !== MAGIC_AND_FORMAT) return null
  if (view.getUint32(end) !== crc32(bytes.subarray(0, end))) return null
  const entries: LogEntry[] = []
  let at = HEADER_BYTES
  for (let left = view.getUint32(4); left > 0; left--) {
    if (at + ENTRY_HEADER_BYTES > end) return null
    const zxid = makeZxid(view.getUint32(at), view.getUint32(at + 4))
    const length = view.getUint32(at + 8)
    at += ENTRY_HEADER_BYTES
    if (length > end - at) return null
    entries.push({ zxid, entry: bytes.subarray(at, at + length) })
    at += length
  }
  if (at !== end || entries.length === 0) return null
  return { previous: makeZxid(view.getUint32(8), view.getUint32(12)), entries }
}

/** How many entries a damaged value says it held, for the report only; at least 1. */
export function claimedCount(bytes: Uint8Array): number {
  if (bytes.length < HEADER_BYTES) return 1
  const count = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4)
  const possible = Math.floor(bytes.length / ENTRY_HEADER_BYTES)
  return Math.max(1, Math.min(count, possible))
}

function packOne(
  entries: readonly LogEntry[],
  start: number,
  end: number,
  previous: Zxid,
  sizeBytes: number,
): PackedValue {
  // Exactly as long as its content: structured clone would store a longer buffer whole.
  const bytes = new Uint8Array(sizeBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC_AND_FORMAT)
  view.setUint32(4, end - start)
  view.setUint32(8, epochOf(previous))
  view.setUint32(12, counterOf(previous))
  let at = HEADER_BYTES
  for (let i = start; i < end; i++) {
    const { zxid, entry } = entryAt(entries, i)
    view.setUint32(at, epochOf(zxid))
    view.setUint32(at + 4, counterOf(zxid))
    view.setUint32(at + 8, entry.length)
    bytes.set(entry, at + ENTRY_HEADER_BYTES)
    at += ENTRY_HEADER_BYTES + entry.length
  }
  view.setUint32(at, crc32(bytes.subarray(0, at)))
  return { key: zxidKey(entryAt(entries, start).zxid), bytes }
}

function entryAt(entries: readonly LogEntry[], index: number): LogEntry {
  const entry = entries[index]
  assert(entry !== undefined, `log entry ${index} of ${entries.length}`)
  return entry
}
