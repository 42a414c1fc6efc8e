/**
 * The identities of one room that are stored in this origin. The list of databases is the registry:
 * a database exists exactly when its key was committed, so there is nothing that could disagree.
 */
import type { MemberMeta, Storage } from '../../ports/storage.ts'
import { StorageError } from '../../ports/storage.ts'
import { type ConnectionLimits, DEFAULT_LIMITS } from './connection.ts'
import { beginFreshLog } from './fresh-log.ts'
import { generateKeys, incarnationOfKey, signWith } from './identity.ts'
import { openStorage, peekMeta } from './open-storage.ts'
import { incarnationOfName, type KeyPair } from './schema.ts'
import { nameOf, withTimeLimit } from './storage-failure.ts'

/** Ours: five seconds, longer than a killed browser takes to let go of its files. */
const LIST_ATTEMPTS = 11
const LIST_PAUSE_MS = 500

export interface StoredIdentity {
  readonly incarnation: string
  /** Raw public key, 65 bytes. */
  readonly publicKey: Uint8Array
  readonly sign: (bytes: Uint8Array) => Promise<Uint8Array>
  readonly storage: Storage
  /** As of this start, its own token included. */
  readonly meta: MemberMeta
}

/** A key that is not stored yet: nobody may hear of it. */
export interface NewIdentity {
  readonly incarnation: string
  readonly keys: KeyPair
}

export class IndexedDbIdentities {
  readonly #room: string
  readonly #limits: ConnectionLimits

  constructor(room: string, limits: ConnectionLimits = DEFAULT_LIMITS) {
    this.#room = room
    this.#limits = limits
  }

  /** Incarnations in a fixed order. */
  async list(): Promise<string[]> {
    const databases = await allDatabases(this.#limits.openLimitMs)
    const incarnations = databases.map(({ name = '' }) => incarnationOfName(this.#room, name))
    return incarnations.filter((incarnation) => incarnation !== null).sort()
  }

  /** Read only. The caller must hold the identity's lock. */
  async peek(incarnation: string): Promise<MemberMeta> {
    return peekMeta(this.#room, incarnation, this.#limits)
  }

  async open(incarnation: string): Promise<StoredIdentity> {
    return this.#open(incarnation, null)
  }

  async generate(): Promise<NewIdentity> {
    const keys = await generateKeys()
    return { incarnation: incarnationOfKey(keys.publicKey), keys }
  }

  /** Resolves when key and storage are on disk; only then may the public key be published. */
  async create(identity: NewIdentity): Promise<StoredIdentity> {
    return this.#open(identity.incarnation, identity.keys)
  }

  async #open(incarnation: string, create: KeyPair | null): Promise<StoredIdentity> {
    // Before anything is written to what may be damaged at its end.
    beginFreshLog()
    const options = { room: this.#room, incarnation, create, limits: this.#limits }
    const { storage, keys, meta } = await openStorage(options)
    if (incarnationOfKey(keys.publicKey) !== incarnation) {
      await storage.close()
      throw new StorageError('corrupt', 'the stored key is not the one that named this storage')
    }
    return {
      incarnation,
      publicKey: keys.publicKey,
      sign: (bytes) => signWith(keys.privateKey, bytes),
      storage,
      meta,
    }
  }
}

/** Chromium's words for "the files are not mine yet": another process may still hold them. */
const PASSING_ERRORS: readonly string[] = ['UnknownError', 'AbortError']

/**
 * A browser that is started again right after it was killed can meet its own files still held by
 * the process that is going. Asked again in a moment it has them; a private window never has.
 */
async function allDatabases(limitMs: number): Promise<IDBDatabaseInfo[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await withTimeLimit(indexedDB.databases(), limitMs, () => {
        return new StorageError('blocked', `IndexedDB gave no answer in ${limitMs} ms`)
      })
    } catch (cause) {
      if (cause instanceof StorageError) throw cause
      const passes = PASSING_ERRORS.includes(nameOf(cause))
      if (attempt === LIST_ATTEMPTS || !passes) throw noAccess(cause)
      await new Promise((resolve) => setTimeout(resolve, LIST_PAUSE_MS))
    }
  }
}

function noAccess(cause: unknown): StorageError {
  // Firefox (153) says UnknownError where the site has no byte left to list its databases.
  const why = 'private window, blocked site data, or a full disk'
  const text = `this browser gives no access to IndexedDB (${why})`
  return new StorageError('unavailable', `${text}: ${String(cause)}`, { cause })
}
