/** The `log` store inside a transaction: append, cut, read back, purge. */
import { assert } from '../../core/base/assert.ts'
import { formatZxid, type Zxid } from '../../core/base/zxid.ts'
import type { LogEntry, LogRange, LogWanted } from '../../ports/storage.ts'
import { StorageError } from '../../ports/storage.ts'
import { claimedCount, packEntries, unpackEntries, type UnpackedValue } from './log-codec.ts'
import {
  type AnyTransaction,
  outcomeIsTxDone,
  type WriteTransaction,
  type ZxidKey,
  zxidKey,
  zxidOfKey,
} from './schema.ts'

/** Values per read at recovery: about 16 MB at most in one answer. Ours. */
const READ_SLICE_VALUES = 256
/** Values per read of a part of it: about 1 MB. Ours, as LOG_READ_BYTES. */
const RANGE_SLICE_VALUES = 16
/** Values deleted per transaction of a purge, so that an append never waits long. Ours. */
const PURGE_SLICE_VALUES = 256

export interface LogRead {
  readonly entries: readonly LogEntry[]
  /** Newest zxid of log and snapshot together. */
  readonly last: Zxid
  /** A damaged newest value, to be deleted. */
  readonly torn: { readonly key: ZxidKey; readonly count: number } | null
}

/** Queues the puts of one run of entries. The run must rise from `previous` on. */
export function appendEntries(
  tx: WriteTransaction,
  entries: readonly LogEntry[],
  previous: Zxid,
): void {
  const store = tx.objectStore('log')
  for (const value of packEntries(entries, previous)) {
    store.put(value.bytes, value.key).catch(outcomeIsTxDone)
  }
}

/** Removes every entry after `to` and returns the newest one left, or `floor` when none is. */
export async function truncateLog(tx: WriteTransaction, to: Zxid, floor: Zxid): Promise<Zxid> {
  const store = tx.objectStore('log')
  const key = await straddlingKey(tx, to)
  if (key === undefined) {
    store.clear().catch(outcomeIsTxDone)
    return floor
  }
  store.delete(IDBKeyRange.lowerBound(key, true)).catch(outcomeIsTxDone)
  const value = unpackEntries((await store.get(key)) ?? new Uint8Array(0))
  if (value === null) throw damaged(key)
  const kept = value.entries.filter((entry) => entry.zxid <= to)
  if (kept.length < value.entries.length) appendEntries(tx, kept, value.previous)
  return lastOf(kept, floor)
}

/** Everything after `after`, verified: checksums, and no gap between values. */
export async function readLog(tx: AnyTransaction, after: Zxid): Promise<LogRead> {
  const store = tx.objectStore('log')
  const entries: LogEntry[] = []
  let range: IDBKeyRange | null = null
  const straddling = await straddlingKey(tx, after)
  if (straddling !== undefined) range = IDBKeyRange.lowerBound(straddling)
  let last: Zxid | null = null
  for (;;) {
    const [keys, values] = await Promise.all([
      store.getAllKeys(range, READ_SLICE_VALUES),
      store.getAll(range, READ_SLICE_VALUES),
    ])
    for (const [index, key] of keys.entries()) {
      const bytes = values[index] ?? new Uint8Array(0)
      const value = unpackEntries(bytes)
      if (value === null || value.entries[0]?.zxid !== zxidOfKey(key)) {
        const newer = await store.count(IDBKeyRange.lowerBound(key, true))
        if (newer > 0) throw damaged(key)
        return { entries, last: last ?? after, torn: { key, count: claimedCount(bytes) } }
      }
      assertNoGap(value, key, last, after)
      last = lastOf(value.entries, after)
      for (const entry of value.entries) if (entry.zxid > after) entries.push(entry)
    }
    const newest = keys.at(-1)
    if (newest === undefined || keys.length < READ_SLICE_VALUES) break
    range = IDBKeyRange.lowerBound(newest, true)
  }
  return { entries, last: last === null || last < after ? after : last, torn: null }
}

/** See Storage.readLog. Ends before a value that is damaged or does not follow the one before. */
export async function readLogRange(
  tx: AnyTransaction,
  { after, upTo, bytesMax }: LogWanted,
): Promise<LogRange | null> {
  const store = tx.objectStore('log')
  const entries: LogEntry[] = []
  let from: Zxid | null = null
  let last: Zxid | null = null
  let sizeBytes = 0
  const found = (): LogRange | null => (from === null ? null : { from, entries })
  const first = await straddlingKey(tx, after)
  if (first === undefined) return null
  let range = IDBKeyRange.bound(first, zxidKey(upTo))
  for (;;) {
    const values = await store.getAll(range, RANGE_SLICE_VALUES)
    for (const bytes of values) {
      const value = unpackEntries(bytes)
      if (value === null || (last !== null && value.previous !== last)) return found()
      for (const entry of value.entries) {
        last = entry.zxid
        if (last <= after) from = last
        else if (last <= upTo && sizeBytes < bytesMax) {
          entries.push(entry)
          sizeBytes += entry.entry.length
        }
      }
    }
    const isShort = values.length < RANGE_SLICE_VALUES
    if (isShort || last === null || last >= upTo || sizeBytes >= bytesMax) return found()
    range = IDBKeyRange.bound(zxidKey(last), zxidKey(upTo), true)
  }
}

/**
 * The next keys that hold nothing newer than `oldest`: what no retained snapshot needs. The value
 * that straddles `oldest` stays (P18).
 */
export async function purgeableRange(
  tx: AnyTransaction,
  oldest: Zxid,
): Promise<IDBKeyRange | null> {
  const straddling = await straddlingKey(tx, oldest)
  if (straddling === undefined) return null
  const below = IDBKeyRange.upperBound(straddling, true)
  const keys = await tx.objectStore('log').getAllKeys(below, PURGE_SLICE_VALUES)
  const [first, last] = [keys[0], keys.at(-1)]
  return first === undefined || last === undefined ? null : IDBKeyRange.bound(first, last)
}

/** Key of the value that holds `zxid`, or would: the greatest key not after it. */
async function straddlingKey(tx: AnyTransaction, zxid: Zxid): Promise<ZxidKey | undefined> {
  const range = IDBKeyRange.upperBound(zxidKey(zxid))
  const cursor = await tx.objectStore('log').openKeyCursor(range, 'prev')
  return cursor?.key
}

function assertNoGap(value: UnpackedValue, key: ZxidKey, last: Zxid | null, after: Zxid): void {
  if (last !== null) {
    if (value.previous === last) return
  } else if (value.previous === after || zxidOfKey(key) <= after) {
    return
  }
  const found = `${formatZxid(zxidOfKey(key))} follows ${formatZxid(last ?? after)}`
  const text = `the log has a gap: ${found}, written after ${formatZxid(value.previous)}`
  throw new StorageError('corrupt', text)
}

function lastOf(entries: readonly LogEntry[], floor: Zxid): Zxid {
  const zxid = entries.at(-1)?.zxid ?? floor
  assert(entries.length === 0 || zxid > 0n, 'a log entry without a zxid')
  return zxid
}

function damaged(key: ZxidKey): StorageError {
  const text = `the log is damaged at ${formatZxid(zxidOfKey(key))}, before its end`
  return new StorageError('corrupt', text)
}
