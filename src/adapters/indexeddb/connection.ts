/**
 * One open database, and the only way to write to it: strict transactions that prove ownership.
 *
 * Invariants
 * - A transaction commits only after it read the owner token of THIS start (Web Locks are advisory:
 *   a frozen holder may wake up after another took over).
 * - After the first failure nothing succeeds any more: `failure` is set before any waiter hears of
 *   success, so a write that raced with the loss of the database is not reported durable.
 */
import { openDB } from 'idb'
import { StorageError } from '../../ports/storage.ts'
import {
  DATABASE_VERSION,
  type KeyPair,
  type MemberDatabase,
  type MemberSchema,
  newerFormat,
  outcomeIsTxDone,
  readMeta,
  type StoreName,
  type WriteTransaction,
} from './schema.ts'
import { createStores } from './create-stores.ts'
import { isChromium } from './engine.ts'
import { isProgrammersError, nameOf, toStorageError, withTimeLimit } from './storage-failure.ts'

/**
 * Opening takes 17–108 ms after a browser start (browser-facts §5); an open that waits for another
 * tab to let go never ends by itself. Ours: two orders above the slowest seen.
 */
export const OPEN_LIMIT_MS = 10_000

/**
 * A strict transaction takes 1–40 ms, an installed 10 MB snapshot some 150 ms. Past this the disk
 * is dead, and a member with a dead disk must halt (design §4). Ours.
 */
export const TRANSACTION_LIMIT_MS = 15_000

/** Reading a large log and snapshot back: 100,000 entries take 1 s (browser-facts §5). Ours. */
const READ_LIMIT_MS = 120_000

const ABORTED = 'AbortError'

/** The list of databases takes some ms. Ours: a lost storage is named within a second. */
const LIST_LIMIT_MS = 250
const LIST_ATTEMPTS = 4

export interface ConnectionLimits {
  readonly openLimitMs: number
  readonly transactionLimitMs: number
}

export const DEFAULT_LIMITS: ConnectionLimits = {
  openLimitMs: OPEN_LIMIT_MS,
  transactionLimitMs: TRANSACTION_LIMIT_MS,
}

export class Connection {
  readonly failed: Promise<StorageError>
  readonly name: string
  readonly #limits: ConnectionLimits
  #db: MemberDatabase | null = null
  #failure: StorageError | null = null
  #resolveFailed: (error: StorageError) => void = () => undefined
  /** Set once by `claim`; until then nothing can be written. */
  #owner: string | null = null

  private constructor(name: string, limits: ConnectionLimits) {
    this.name = name
    this.#limits = limits
    this.failed = new Promise((resolve) => {
      this.#resolveFailed = resolve
    })
  }

  /**
   * Opens a database that exists, or with `create` one that does not: stores and identity are
   * written in the transaction that makes the database, so there is no database without a key.
   */
  static async open(
    name: string,
    create: KeyPair | null,
    limits: ConnectionLimits = DEFAULT_LIMITS,
  ): Promise<Connection> {
    const connection = new Connection(name, limits)
    let late = false
    const opening = openDB<MemberSchema>(name, DATABASE_VERSION, {
      upgrade: (_db, oldVersion, _newVersion, tx) => {
        tx.done.catch(outcomeIsTxDone)
        if (oldVersion === 0 && create !== null) createStores(tx, create)
        else tx.abort()
      },
      blocking: (_current, version) => connection.#onVersionChange(version),
      terminated: () => void connection.#onTerminated(),
    }).then((db) => {
      if (late) db.close()
      return db
    })
    opening.catch(outcomeIsTxDone)
    try {
      connection.#db = await withTimeLimit(opening, limits.openLimitMs, () => {
        late = true
        // Behind somebody's upgrade or deletion that waits for a tab that does not let go.
        const text = `the storage did not open in ${limits.openLimitMs} ms; close other tabs`
        return new StorageError('blocked', text)
      })
    } catch (error) {
      throw openError(error, create)
    }
    return connection
  }

  get failure(): StorageError | null {
    return this.#failure
  }

  /** The database; throws the reason when it is gone. */
  get db(): MemberDatabase {
    if (this.#failure !== null) throw this.#failure
    if (this.#db === null) throw new StorageError('closed', 'the storage was closed')
    return this.#db
  }

  /** Takes ownership: `body` writes the token; from here on it is compared in every write. */
  async claim(token: string, body: (tx: WriteTransaction) => Promise<void>): Promise<void> {
    await this.#run(['meta'], token, body, false)
    this.#owner = token
  }

  /**
   * One strict transaction. `body` queues its requests (and may read); rejected requests need no
   * handling, the outcome is this promise. A programmer's error inside aborts and surfaces as is.
   */
  async write(
    stores: StoreName[],
    body: (tx: WriteTransaction) => Promise<void> | void,
  ): Promise<void> {
    if (this.#owner === null) throw new StorageError('closed', 'the storage is not claimed')
    await this.#run(stores, this.#owner, body, true)
  }

  /** A failed read of one's own storage is as fatal as a failed write. */
  async guard<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await withTimeLimit(read(), READ_LIMIT_MS, () => {
        return new StorageError('timeout', `reading the storage took more than ${READ_LIMIT_MS} ms`)
      })
    } catch (error) {
      throw await this.#lose(error)
    }
  }

  /** Not an error: what the holder does at the end of its life. */
  close(): void {
    this.#failure ??= new StorageError('closed', 'the storage was closed')
    this.#db?.close()
    this.#db = null
  }

  /** The first reason wins. */
  fail(error: StorageError): void {
    if (this.#failure !== null) return
    this.#failure = error
    this.#resolveFailed(error)
    this.#db?.close()
    this.#db = null
  }

  async #run(
    stores: StoreName[],
    owner: string,
    body: (tx: WriteTransaction) => Promise<void> | void,
    verify: boolean,
  ): Promise<void> {
    const limitMs = this.#limits.transactionLimitMs
    try {
      // Throws by itself when the connection was lost a moment ago.
      const tx = this.db.transaction(stores, 'readwrite', { durability: 'strict' })
      await withTimeLimit(perform(tx, owner, body, verify), limitMs, () => {
        abort(tx)
        return new StorageError('timeout', `a storage transaction took more than ${limitMs} ms`)
      })
    } catch (error) {
      throw await this.#lose(error)
    }
    if (this.#failure !== null) throw this.#failure
  }

  /** What to throw for `error`; the storage has failed by then, unless nothing is wrong with it. */
  async #lose(error: unknown): Promise<unknown> {
    if (isProgrammersError(error)) return error
    const reason = await this.#reasonOf(error)
    if (reason.code !== 'already-founded') this.fail(reason)
    return reason
  }

  /** A lost connection shows first as an aborted transaction; its cause comes as an event. */
  async #reasonOf(error: unknown): Promise<StorageError> {
    const reason = toStorageError(error)
    if (this.#failure !== null) return this.#failure
    if (reason.code === 'closed' && (await isDeleted(this.name))) return wiped()
    return this.#failure ?? reason
  }

  #onVersionChange(version: number | null): void {
    this.fail(version === null ? wiped() : newerFormat(`database version ${version}`))
  }

  async #onTerminated(): Promise<void> {
    const gone = await isDeleted(this.name)
    this.fail(gone ? wiped() : new StorageError('closed', 'the browser closed the storage'))
  }
}

/** Resolves when everything is on disk; on any other outcome nothing is. */
async function perform(
  tx: WriteTransaction,
  owner: string,
  body: (tx: WriteTransaction) => Promise<void> | void,
  verify: boolean,
): Promise<void> {
  tx.done.catch(outcomeIsTxDone)
  let refused: unknown = null
  const onError = ({ target }: Event): void => {
    refused ??= (target as IDBRequest).error
  }
  // Before idb, which ends `done` there.
  tx.addEventListener('error', onError, true)
  try {
    // Queued before the writes and awaited after them: no round trip of its own.
    const found = verify ? readMeta(tx, 'owner') : Promise.resolve(owner)
    found.catch(outcomeIsTxDone)
    await body(tx)
    if ((await found) !== owner) {
      throw new StorageError('not-owner', 'another tab took over this machine')
    }
    // Asked before its requests are answered, which saves a round trip; only where that is known to
    // be sound. Firefox (153) then commits what is left of a transaction in which a large write was
    // refused for want of space, such as an epoch without the entries before it. By itself every
    // browser commits all or nothing.
    if (isChromium()) tx.commit()
    await tx.done
  } catch (error) {
    abort(tx)
    // When idb ends `done` for a request that was refused, the transaction does not know why yet;
    // and why requests fail whose transaction did, it knows.
    const reason = refused ?? error
    if (nameOf(reason) === ABORTED) await tx.done
    throw reason
  }
}

function abort(tx: WriteTransaction): void {
  try {
    tx.abort()
  } catch (error) {
    // Finished already: exactly what abort is for. Anything else is a surprise.
    if (nameOf(error) !== 'InvalidStateError') throw error
  }
}

function openError(error: unknown, create: KeyPair | null): StorageError {
  const name = nameOf(error)
  if (name === ABORTED && create === null) return wiped(error)
  if (name === 'VersionError') return newerFormat('a newer database version', error)
  return toStorageError(error)
}

function wiped(cause?: unknown): StorageError {
  const text = "this machine's storage was deleted; it comes back as another machine"
  return new StorageError('wiped', text, { cause })
}

/**
 * Asked the moment the connection is lost, Chromium never answers (the service of the origin is
 * being torn down), so the question is put again.
 */
async function isDeleted(name: string): Promise<boolean> {
  for (let attempt = 0; attempt < LIST_ATTEMPTS; attempt++) {
    try {
      const late = (): StorageError => new StorageError('timeout', 'no list of databases')
      const all = await withTimeLimit(indexedDB.databases(), LIST_LIMIT_MS, late)
      return !all.some((info) => info.name === name)
    } catch (error) {
      // Unreadable for another reason: unknown, and 'closed' is what is known.
      if (!(error instanceof StorageError)) return false
    }
  }
  return false
}
