/**
 * The layout of a member's database. One database per identity; format 1:
 *
 * | store | key                  | value                                                          |
 * |-------|----------------------|----------------------------------------------------------------|
 * | meta  | one of MetaValues    | see MetaValues                                                 |
 * | log   | [epoch, counter]     | packed entries from that zxid on, checksummed (log-codec.ts)   |
 * | snap  | [snapshot, index]    | one chunk; valid only when `manifest` lists the snapshot       |
 *
 * A bigint is no valid key, hence [epoch, counter]. Snapshot numbers are the database's own and
 * never used twice, whatever ids the core picks after a restart.
 */
import type { DBSchema, IDBPDatabase, IDBPTransaction } from 'idb'
import { counterOf, epochOf, makeZxid, type Zxid } from '../../core/base/zxid.ts'
import { StorageError } from '../../ports/storage.ts'

/** Version of values. Newer code reads the one before; older code refuses (design §5). */
export const FORMAT_VERSION = 1
/** Version of stores and indexes, as IndexedDB counts it. */
export const DATABASE_VERSION = 1

export type ZxidKey = [epoch: number, counter: number]
export type ChunkKey = [snapshot: number, index: number]

export interface ManifestEntry {
  /** First half of the keys of its chunks. */
  readonly snapshot: number
  readonly zxid: ZxidKey
  readonly chunks: number
  readonly sizeBytes: number
  /** CRC-32 over all chunks in order. */
  readonly crc: number
}

export interface KeyPair {
  readonly privateKey: CryptoKey
  /** Raw public key (65 bytes, uncompressed point). */
  readonly publicKey: Uint8Array
}

export interface MetaValues {
  format: number
  identity: KeyPair
  /** Token of the newest start. Every write transaction compares it with its own. */
  owner: string
  lives: number
  startChain: readonly string[]
  /** Pairs of incarnation and token, newest last. */
  peerTokens: readonly (readonly [string, string])[]
  acceptedEpoch: number
  currentEpoch: number
  /** See Recovered.droppedTail. Absent = 0. */
  droppedTail: number
  founding: Uint8Array
  /** Committed snapshots, oldest first. */
  manifest: readonly ManifestEntry[]
}

export type MetaKey = keyof MetaValues
export type StoreName = 'meta' | 'log' | 'snap'

export interface MemberSchema extends DBSchema {
  meta: { key: MetaKey; value: MetaValues[MetaKey] }
  log: { key: ZxidKey; value: Uint8Array }
  snap: { key: ChunkKey; value: Uint8Array }
}

export type MemberDatabase = IDBPDatabase<MemberSchema>
export type WriteTransaction = IDBPTransaction<MemberSchema, StoreName[], 'readwrite'>
export type AnyTransaction = IDBPTransaction<
  MemberSchema,
  StoreName[],
  'readonly' | 'readwrite' | 'versionchange'
>

export async function readMeta<K extends MetaKey>(
  tx: AnyTransaction,
  key: K,
): Promise<MetaValues[K] | undefined> {
  // Sound because writeMeta is the only writer and takes key and value of one K.
  return (await tx.objectStore('meta').get(key)) as MetaValues[K] | undefined
}

/** Rejections come out of `tx.done`, the only truth about a write. */
export function writeMeta<K extends MetaKey>(
  tx: IDBPTransaction<MemberSchema, StoreName[], 'readwrite' | 'versionchange'>,
  key: K,
  value: MetaValues[K],
): void {
  tx.objectStore('meta').put(value, key).catch(outcomeIsTxDone)
}

/** A request of a transaction fails together with it, and `tx.done` says so. */
export function outcomeIsTxDone(): void {}

export function zxidKey(zxid: Zxid): ZxidKey {
  return [epochOf(zxid), counterOf(zxid)]
}

export function zxidOfKey(key: ZxidKey): Zxid {
  return makeZxid(key[0], key[1])
}

const NAME_PREFIX = 'zabra'

/** `zabra/ROOM/INCARNATION`: an incarnation is hex, so the room is whatever stands before it. */
export function databaseName(room: string, incarnation: string): string {
  return `${NAME_PREFIX}/${room}/${incarnation}`
}

/** null when `name` is no database of this room. */
export function incarnationOfName(room: string, name: string): string | null {
  const prefix = `${NAME_PREFIX}/${room}/`
  if (!name.startsWith(prefix)) return null
  const rest = name.slice(prefix.length)
  return /^[0-9a-f]+$/.test(rest) ? rest : null
}

export function assertKnownFormat(format: number | undefined): void {
  if (format === FORMAT_VERSION) return
  if (format === undefined) throw new StorageError('corrupt', 'the storage states no format')
  throw newerFormat(`format ${format}, this code knows ${FORMAT_VERSION}`)
}

export function newerFormat(detail: string, cause?: unknown): StorageError {
  return new StorageError(
    'newer-format',
    `this machine's storage was written by a newer version of zabra (${detail}); ` +
      'reload the page to get that version',
    { cause },
  )
}
