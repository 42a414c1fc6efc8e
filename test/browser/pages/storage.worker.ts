/// <reference lib="webworker" />
/** What the storage tests can ask a real browser to do. */
import * as Comlink from 'comlink'
import { openDB, type IDBPDatabase } from 'idb'
import {
  type ConnectionLimits,
  DEFAULT_LIMITS,
} from '../../../src/adapters/indexeddb/connection.ts'
import { IndexedDbIdentities } from '../../../src/adapters/indexeddb/identity-store.ts'
import { generateKeys, incarnationOfKey, verify } from '../../../src/adapters/indexeddb/identity.ts'
import { openStorage } from '../../../src/adapters/indexeddb/open-storage.ts'
import { databaseName } from '../../../src/adapters/indexeddb/schema.ts'
import { type OpenedIdentity, openIdentity } from '../../../src/adapters/tabs/identity-lock.ts'
import { holdLiveness, watchLiveness } from '../../../src/adapters/tabs/liveness-lock.ts'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { counterOf, makeZxid } from '../../../src/core/base/zxid.ts'
import type { AppendEffect, PersistEffect } from '../../../src/core/zab/effect.ts'
import type { Storage } from '../../../src/ports/storage.ts'
import { STORAGE_CONTRACT } from '../../contracts/storage-contract.ts'
import type { StorageHarness } from '../../contracts/storage-samples.ts'
import { measureWrites, type WriteFigures } from './storage-bench.ts'

export interface IdentityReport {
  readonly incarnation: string
  readonly lives: number
  readonly chain: readonly string[]
  readonly founded: boolean
  readonly damaged: readonly string[]
}

export interface RecoveredReport {
  /** Counters of epoch 1 in order. */
  readonly first: number
  readonly last: number
  readonly count: number
  readonly droppedTail: number
  readonly currentEpoch: number
}

export class StorageLab {
  #identity: OpenedIdentity | null = null
  #limits: ConnectionLimits = DEFAULT_LIMITS
  #next = 1
  #acked = 0
  #failure: string | null = null
  #gone: string[] = []
  /** A connection that nobody holds is closed when memory is tidied up. */
  readonly #squatted: IDBPDatabase[] = []

  /** One line per case: null = passed. */
  async contract(): Promise<{ name: string; error: string | null }[]> {
    const results: { name: string; error: string | null }[] = []
    for (const { name, run } of STORAGE_CONTRACT) {
      try {
        await run(await databaseHarness())
        results.push({ name, error: null })
      } catch (error) {
        results.push({ name, error: String(error) })
      }
    }
    return results
  }

  /** For tests that wait for the end of its patience. */
  hurry(limits: Partial<ConnectionLimits>): void {
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
  }

  async open(room: string, previousIncarnation?: string): Promise<IdentityReport> {
    const source = new IndexedDbIdentities(room, this.#limits)
    this.#identity = await openIdentity({ room, source, previousIncarnation })
    const { incarnation, meta, damaged, storage } = this.#identity
    void storage.failed.then((error) => {
      this.#failure = error.code
    })
    return {
      incarnation,
      lives: meta.lives,
      chain: meta.startChain,
      founded: meta.founding !== null,
      damaged,
    }
  }

  /** The error code of an open that must fail. */
  async openFails(room: string): Promise<string> {
    return codeOf(this.open(room))
  }

  async release(): Promise<void> {
    await this.#identity?.release()
    this.#identity = null
  }

  async found(): Promise<void> {
    await this.#storage.recover()
    await this.#storage.pinFounding(encodeUtf8('record'), encodeUtf8('empty'))
  }

  async recover(): Promise<RecoveredReport> {
    const { log, droppedTail, currentEpoch } = await this.#storage.recover()
    const counters = log.map((entry) => counterOf(entry.zxid))
    this.#next = (counters.at(-1) ?? 0) + 1
    const whole = counters.every((counter, index) => counter === counters[0]! + index)
    if (!whole) throw new Error('a hole in the log')
    return {
      first: counters[0] ?? 0,
      last: counters.at(-1) ?? 0,
      count: counters.length,
      ...{ droppedTail, currentEpoch },
    }
  }

  /** Writes one batch, and an epoch that begins after it where one is given; 'ok' or the code. */
  async write(count: number, bytes: number, epoch?: number): Promise<string> {
    const batch: PersistEffect[] = this.#batch(count, bytes)
    if (epoch !== undefined) {
      batch.push({ kind: 'accepted-epoch', epoch }, { kind: 'current-epoch', epoch })
    }
    try {
      await this.#storage.write(batch)
      this.#acked = this.#next - 1
      return 'ok'
    } catch (error) {
      return String((error as { code?: unknown }).code)
    }
  }

  /** Writes batch after batch until something fails; `report` hears of what is durable. */
  async writeForEver(report: (acked: number) => void): Promise<void> {
    for (let size = 1; (await this.write(1 + (size % 40), 300)) === 'ok'; size++) {
      report(this.#acked)
    }
  }

  failure(): string | null {
    return this.#failure
  }

  async signsAndVerifies(): Promise<boolean[]> {
    const { publicKey, sign } = this.#opened
    const bytes = encodeUtf8('a message')
    const signature = await sign(bytes)
    const other = await generateKeys()
    const notOnCurve = new Uint8Array(65).fill(4)
    return [
      await verify(publicKey, bytes, signature),
      await verify(publicKey, encodeUtf8('another'), signature),
      await verify(other.publicKey, bytes, signature),
      await verify(
        publicKey,
        bytes,
        signature.map((byte) => byte ^ 1),
      ),
      await verify(notOnCurve, bytes, signature),
    ]
  }

  async privateKeyExtractable(room: string): Promise<boolean> {
    const db = await openDB(databaseName(room, this.#opened.incarnation))
    const keys = (await db.get('meta', 'identity')) as { privateKey: CryptoKey }
    db.close()
    return keys.privateKey.extractable
  }

  async holdLiveness(incarnation: string): Promise<void> {
    await holdLiveness(incarnation)
  }

  async watchLiveness(incarnation: string): Promise<boolean> {
    const never = new AbortController().signal
    return watchLiveness(incarnation, () => this.#gone.push(incarnation), never)
  }

  gone(): string[] {
    return this.#gone
  }

  async databases(): Promise<string[]> {
    return (await indexedDB.databases()).map(({ name }) => name ?? '')
  }

  /** A tab that keeps a connection and ignores that others want it to let go. */
  async squat(room: string, incarnation: string): Promise<void> {
    this.#squatted.push(await openDB(databaseName(room, incarnation)))
  }

  /** Takes and commits a snapshot of everything written so far. */
  async snapshot(id: number): Promise<void> {
    const zxid = makeZxid(1, this.#next - 1)
    const bytes = encodeUtf8(`snapshot ${id}`)
    await this.#storage.write([{ kind: 'snapshot-chunk', id, index: 0, bytes }])
    await this.#storage.write([{ kind: 'snapshot-commit', id, zxid, chunks: 1, install: false }])
  }

  async snapshotText(): Promise<string> {
    const { snapshot } = await this.#storage.recover()
    return new TextDecoder().decode(snapshot?.chunks[0])
  }

  /** First counters of the log values, and numbers of the snapshots, as they lie on disk. */
  async onDisk(room: string): Promise<{ log: number[]; snapshots: number[] }> {
    const db = await openDB(databaseName(room, this.#opened.incarnation))
    const log = (await db.getAllKeys('log')) as [number, number][]
    const snap = (await db.getAllKeys('snap')) as [number, number][]
    db.close()
    return { log: log.map((key) => key[1]), snapshots: snap.map((key) => key[0]) }
  }

  async damageNewestSnapshot(room: string): Promise<void> {
    const db = await openDB(databaseName(room, this.#opened.incarnation))
    const key = (await db.getAllKeys('snap')).at(-1)!
    await db.put('snap', encodeUtf8('something else'), key)
    db.close()
  }

  /** Keeps a write transaction on the log open for ever, as a stuck tab might. */
  async clog(room: string, incarnation: string): Promise<void> {
    const db = await openDB(databaseName(room, incarnation))
    const store = db.transaction('log', 'readwrite').store
    await store.count()
    void (async () => {
      for (;;) await store.count()
    })()
  }

  /** Does not wait: a squatter may block it for ever. */
  deleteDatabase(room: string, incarnation: string): void {
    indexedDB.deleteDatabase(databaseName(room, incarnation))
  }

  async putMeta(room: string, incarnation: string, key: string, value: unknown): Promise<void> {
    const db = await openDB(databaseName(room, incarnation))
    await db.put('meta', value, key)
    db.close()
  }

  async raiseVersion(room: string, incarnation: string): Promise<void> {
    const db = await openDB(databaseName(room, incarnation), 2)
    db.close()
  }

  async measure(): Promise<WriteFigures> {
    return measureWrites()
  }

  get #opened(): OpenedIdentity {
    if (this.#identity === null) throw new Error('no identity is open')
    return this.#identity
  }

  get #storage(): Storage {
    return this.#opened.storage
  }

  #batch(count: number, bytes: number): AppendEffect[] {
    return Array.from({ length: count }, () => {
      const zxid = makeZxid(1, this.#next++)
      return { kind: 'append', zxid, entry: noise(bytes) }
    })
  }
}

/** Of one call (Web Cryptography API). */
const RANDOM_BYTES_MAX = 65_536

/** Firefox compresses what it stores: nothing else fills its disk. */
function noise(bytes: number): Uint8Array {
  const all = new Uint8Array(bytes)
  for (let at = 0; at < bytes; at += RANDOM_BYTES_MAX) {
    crypto.getRandomValues(all.subarray(at, at + RANDOM_BYTES_MAX))
  }
  return all
}

let contractRooms = 0

async function databaseHarness(): Promise<StorageHarness> {
  const room = `contract ${++contractRooms} ${crypto.randomUUID()}`
  const keys = await generateKeys()
  const incarnation = incarnationOfKey(keys.publicKey)
  let created = false
  const raw = async (act: (db: IDBPDatabase, keys: IDBValidKey[]) => Promise<void>) => {
    const db = await openDB(databaseName(room, incarnation))
    await act(db, await db.getAllKeys('log'))
    db.close()
  }
  return {
    async open() {
      const create = created ? null : keys
      created = true
      return (await openStorage({ room, incarnation, create })).storage
    },
    async crash() {
      // The next start opens the same database while the old connection is still there.
    },
    tearTail: () =>
      raw(async (db, log) => {
        const key = log.at(-1)!
        const bytes = (await db.get('log', key)) as Uint8Array
        await db.put('log', bytes.slice(0, bytes.length - 7), key)
      }),
    corruptLog: () =>
      raw(async (db, log) => {
        const key = log[0]!
        const bytes = (await db.get('log', key)) as Uint8Array
        bytes[20]! ^= 1
        await db.put('log', bytes, key)
      }),
  }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'ok'
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error)
  }
}

Comlink.expose(new StorageLab())
