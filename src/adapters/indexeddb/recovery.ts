/**
 * Reading a database back: the newest snapshot that is whole, and every log entry after it (P23).
 *
 * What a crash may leave behind is repaired here: a torn newest log value, chunks of a snapshot
 * that was never committed, a snapshot dropped from the manifest but not yet deleted.
 */
import { ZXID_NONE, type Zxid } from '../../core/base/zxid.ts'
import { type Recovered, StorageError } from '../../ports/storage.ts'
import type { Connection } from './connection.ts'
import { readLog } from './log-store.ts'
import {
  type AnyTransaction,
  type ManifestEntry,
  outcomeIsTxDone,
  readMeta,
  writeMeta,
  type ZxidKey,
} from './schema.ts'
import { dropSnapshot, type ReadSnapshot, readSnapshot, storedSnapshots } from './snapshot-store.ts'

export interface RecoveredDatabase {
  readonly recovered: Recovered
  readonly manifest: readonly ManifestEntry[]
  /** Newest zxid on disk, of log and snapshot together. */
  readonly last: Zxid
  /** First number that no stored snapshot has. */
  readonly nextSnapshot: number
}

interface Repairs {
  readonly tornKey: ZxidKey | null
  readonly droppedTail: number
  readonly leftovers: readonly number[]
  readonly manifest: readonly ManifestEntry[] | null
}

/** `staging` = snapshots being staged by this very instance, which are no leftovers. */
export async function recoverDatabase(
  connection: Connection,
  staging: ReadonlySet<number>,
): Promise<RecoveredDatabase> {
  const tx = connection.db.transaction(['meta', 'log', 'snap'], 'readonly')
  tx.done.catch(outcomeIsTxDone)
  const [acceptedEpoch, currentEpoch, listed, droppedBefore, stored] = await Promise.all([
    readMeta(tx, 'acceptedEpoch'),
    readMeta(tx, 'currentEpoch'),
    readMeta(tx, 'manifest'),
    readMeta(tx, 'droppedTail'),
    storedSnapshots(tx),
  ])
  if (acceptedEpoch === undefined || currentEpoch === undefined || listed === undefined) {
    throw new StorageError('corrupt', 'the storage has lost its epochs')
  }
  const { snapshot, manifest } = await newestWhole(tx, listed)
  const log = await readLog(tx, snapshot?.zxid ?? ZXID_NONE)
  if (snapshot === null && log.entries.length > 0) {
    throw new StorageError('corrupt', 'a log without any snapshot (P15)')
  }
  const committed = new Set(manifest.map((entry) => entry.snapshot))
  const leftovers = stored.filter((number) => !committed.has(number) && !staging.has(number))
  const droppedTail = (droppedBefore ?? 0) + (log.torn?.count ?? 0)
  await repair(connection, {
    droppedTail,
    tornKey: log.torn?.key ?? null,
    leftovers,
    manifest: manifest.length < listed.length ? manifest : null,
  })
  return {
    recovered: { acceptedEpoch, currentEpoch, snapshot, log: log.entries, droppedTail },
    manifest,
    last: log.last,
    nextSnapshot: Math.max(0, ...stored, ...staging) + 1,
  }
}

/** Falls back to an older retained snapshot, for which the log is still there (P14, P18). */
async function newestWhole(
  tx: AnyTransaction,
  listed: readonly ManifestEntry[],
): Promise<{ snapshot: ReadSnapshot | null; manifest: readonly ManifestEntry[] }> {
  for (let count = listed.length; count > 0; count--) {
    const entry = listed[count - 1]
    const snapshot = entry === undefined ? null : await readSnapshot(tx, entry)
    if (snapshot !== null) return { snapshot, manifest: listed.slice(0, count) }
  }
  if (listed.length > 0) throw new StorageError('corrupt', 'every stored snapshot is damaged')
  return { snapshot: null, manifest: [] }
}

async function repair(connection: Connection, repairs: Repairs): Promise<void> {
  const { tornKey, droppedTail, leftovers, manifest } = repairs
  if (tornKey === null && leftovers.length === 0 && manifest === null) return
  await connection.write(['meta', 'log', 'snap'], (tx) => {
    if (tornKey !== null) {
      tx.objectStore('log').delete(tornKey).catch(outcomeIsTxDone)
      writeMeta(tx, 'droppedTail', droppedTail)
    }
    for (const snapshot of leftovers) dropSnapshot(tx, snapshot)
    if (manifest !== null) writeMeta(tx, 'manifest', manifest)
  })
}
