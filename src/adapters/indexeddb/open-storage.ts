/** Opening a member's database: check what it is, then take ownership of it, strictly. */
import { assert } from '../../core/base/assert.ts'
import { toHex } from '../../core/base/bytes.ts'
import { type MemberMeta, START_CHAIN_MAX, StorageError } from '../../ports/storage.ts'
import { Connection, type ConnectionLimits } from './connection.ts'
import { readMemberMeta } from './member-meta.ts'
import { assertKnownFormat, databaseName, type KeyPair, readMeta, writeMeta } from './schema.ts'
import { IndexedDbStorage } from './storage.ts'

/** Random part of a start token. Two starts of one life may never be mistaken for each other. */
const TOKEN_BYTES = 8

export interface OpenStorageOptions {
  readonly room: string
  readonly incarnation: string
  /** The key of an identity that is made now; null = the database must exist. */
  readonly create: KeyPair | null
  readonly limits?: ConnectionLimits
}

export interface OpenedStorage {
  readonly storage: IndexedDbStorage
  readonly keys: KeyPair
  /** As of this start, its own token included. */
  readonly meta: MemberMeta
}

export async function openStorage(options: OpenStorageOptions): Promise<OpenedStorage> {
  const { room, incarnation, create, limits } = options
  const name = databaseName(room, incarnation)
  const connection = await Connection.open(name, create, limits)
  try {
    let keys: KeyPair | undefined
    const token = startToken()
    await connection.claim(token, async (tx) => {
      const [format, identity, lives, chain] = await Promise.all([
        readMeta(tx, 'format'),
        readMeta(tx, 'identity'),
        readMeta(tx, 'lives'),
        readMeta(tx, 'startChain'),
      ])
      assertKnownFormat(format)
      if (identity === undefined || lives === undefined || chain === undefined) {
        throw new StorageError('corrupt', 'the storage has lost its identity')
      }
      keys = identity
      const life = lives + 1
      writeMeta(tx, 'owner', token)
      writeMeta(tx, 'lives', life)
      writeMeta(tx, 'startChain', [...chain, `${life}.${token}`].slice(-START_CHAIN_MAX))
    })
    assert(keys !== undefined, 'claimed without an identity')
    const meta = await readMemberMeta(connection.db)
    return { storage: new IndexedDbStorage(connection), keys, meta }
  } catch (error) {
    connection.close()
    throw error
  }
}

/** What a database holds, without taking it over: the caller must hold the lock of its name. */
export async function peekMeta(
  room: string,
  incarnation: string,
  limits?: ConnectionLimits,
): Promise<MemberMeta> {
  const connection = await Connection.open(databaseName(room, incarnation), null, limits)
  try {
    return await readMemberMeta(connection.db)
  } finally {
    connection.close()
  }
}

function startToken(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)))
}
