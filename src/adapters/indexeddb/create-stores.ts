/** Format 1 of a new database, inside the transaction that makes it. */
import type { IDBPTransaction } from 'idb'
import {
  FORMAT_VERSION,
  type KeyPair,
  type MemberSchema,
  type StoreName,
  writeMeta,
} from './schema.ts'

export function createStores(
  tx: IDBPTransaction<MemberSchema, StoreName[], 'versionchange'>,
  identity: KeyPair,
): void {
  for (const store of ['meta', 'log', 'snap'] as const) tx.db.createObjectStore(store)
  writeMeta(tx, 'format', FORMAT_VERSION)
  writeMeta(tx, 'identity', identity)
  writeMeta(tx, 'lives', 0)
  writeMeta(tx, 'startChain', [])
  writeMeta(tx, 'peerTokens', [])
  writeMeta(tx, 'acceptedEpoch', 0)
  writeMeta(tx, 'currentEpoch', 0)
  writeMeta(tx, 'manifest', [])
}
