/**
 * The Storage port on IndexedDB.
 *
 * One `write` is one strict transaction over `meta` and `log`. Snapshot chunks go before it in a
 * transaction of their own: they are invisible until their commit, so the split keeps the batch
 * atomic, and appends never share a scope with `snap` except in the final switch of an installed
 * snapshot.
 *
 * Invariant: `#last` and `#manifest` describe the disk after every write that was called; a write
 * that fails ends the instance, so they never have to go back.
 */
import { assert, unreachable } from '../../core/base/assert.ts'
import { equal } from '../../core/base/bytes.ts'
import { formatZxid, ZXID_NONE, type Zxid } from '../../core/base/zxid.ts'
import type {
  LogEntry,
  LogRange,
  LogWanted,
  PersistEffect,
  SnapshotAbandonEffect,
  SnapshotChunkEffect,
  SnapshotCommitEffect,
} from '../../ports/storage.ts'
import {
  type MemberMeta,
  PEER_TOKENS_MAX,
  type Recovered,
  SNAPSHOTS_RETAINED,
  type Storage,
  StorageError,
} from '../../ports/storage.ts'
import type { Connection } from './connection.ts'
import { appendEntries, purgeableRange, readLogRange, truncateLog } from './log-store.ts'
import { readMemberMeta } from './member-meta.ts'
import { recoverDatabase } from './recovery.ts'
import {
  type ManifestEntry,
  outcomeIsTxDone,
  readMeta,
  type StoreName,
  type WriteTransaction,
  writeMeta,
  zxidOfKey,
} from './schema.ts'
import {
  dropSnapshot,
  manifestEntry,
  stageChunk,
  type StagedSnapshot,
  stageNothing,
} from './snapshot-store.ts'

type StagingEffect = SnapshotChunkEffect | SnapshotAbandonEffect
type LogEffect = Exclude<PersistEffect, StagingEffect>

/** What one transaction changes in memory once it is durable. */
interface Draft {
  last: Zxid
  manifest: readonly ManifestEntry[]
  /** Entries not yet handed to the transaction. They follow `before`. */
  run: LogEntry[]
  before: Zxid
}

export class IndexedDbStorage implements Storage {
  readonly failed: Promise<StorageError>
  readonly #connection: Connection
  readonly #staged = new Map<number, StagedSnapshot>()
  #last: Zxid = ZXID_NONE
  #manifest: readonly ManifestEntry[] = []
  #nextSnapshot = 1
  #recovered = false
  #droppedTail = 0
  /** What runs last; null when nothing does, so that a write on an idle storage starts at once. */
  #tail: Promise<void> | null = null
  #purge: Promise<void> = Promise.resolve()

  /** The connection must be claimed. */
  constructor(connection: Connection) {
    this.#connection = connection
    this.failed = connection.failed
  }

  async recover(): Promise<Recovered> {
    return this.#inTurn(() => this.#recover())
  }

  async write(batch: readonly PersistEffect[]): Promise<void> {
    return this.#inTurn(() => this.#write(batch))
  }

  async readLog(wanted: LogWanted): Promise<LogRange | null> {
    const tx = this.#connection.db.transaction(['log'], 'readonly')
    tx.done.catch(outcomeIsTxDone)
    return readLogRange(tx, wanted)
  }

  async meta(): Promise<MemberMeta> {
    return this.#connection.guard(() => readMemberMeta(this.#connection.db))
  }

  async pinFounding(record: Uint8Array, emptySnapshot: Uint8Array | null): Promise<void> {
    return this.#inTurn(() => this.#pinFounding(record, emptySnapshot))
  }

  async rememberPeerToken(incarnation: string, token: string): Promise<void> {
    await this.#connection.write(['meta'], async (tx) => {
      const tokens = (await readMeta(tx, 'peerTokens')) ?? []
      const others = tokens.filter(([peer]) => peer !== incarnation)
      const newest = [...others, [incarnation, token] as const].slice(-PEER_TOKENS_MAX)
      writeMeta(tx, 'peerTokens', newest)
    })
  }

  async close(): Promise<void> {
    await this.#tail
    await this.#purge
    this.#connection.close()
  }

  async #recover(): Promise<Recovered> {
    const staging = new Set([...this.#staged.values()].map((staged) => staged.snapshot))
    const found = await this.#connection.guard(() => recoverDatabase(this.#connection, staging))
    this.#last = found.last
    this.#manifest = found.manifest
    this.#nextSnapshot = Math.max(this.#nextSnapshot, found.nextSnapshot)
    this.#droppedTail = found.recovered.droppedTail
    this.#recovered = true
    return found.recovered
  }

  async #write(batch: readonly PersistEffect[]): Promise<void> {
    assert(this.#recovered, 'write before recover')
    const staging: StagingEffect[] = []
    const others: LogEffect[] = []
    for (const effect of batch) {
      if (effect.kind === 'snapshot-chunk' || effect.kind === 'snapshot-abandon') {
        staging.push(effect)
      } else others.push(effect)
    }
    const staged = staging.length > 0 ? this.#stage(staging) : null
    // A commit must find its chunks on disk; anything else need not wait for them.
    if (others.some((effect) => effect.kind === 'snapshot-commit')) await staged
    await Promise.all([staged, others.length > 0 ? this.#commit(others) : null])
  }

  async #pinFounding(record: Uint8Array, emptySnapshot: Uint8Array | null): Promise<void> {
    assert(this.#recovered, 'founding before recover')
    let manifest: readonly ManifestEntry[] | null = null
    await this.#connection.write(['meta', 'log', 'snap'], async (tx) => {
      const pinned = await readMeta(tx, 'founding')
      if (pinned !== undefined) {
        if (equal(pinned, record)) return
        throw new StorageError('already-founded', 'another founding record is pinned')
      }
      const isUsed = this.#manifest.length > 0
      assert(isUsed === (emptySnapshot === null), 'founding a used storage')
      writeMeta(tx, 'founding', record.slice())
      if (emptySnapshot === null) return
      const staged = stageChunk(tx, stageNothing(this.#takeSnapshotNumber()), {
        index: 0,
        bytes: emptySnapshot,
      })
      manifest = [manifestEntry(staged, ZXID_NONE)]
      writeMeta(tx, 'manifest', manifest)
      writeMeta(tx, 'acceptedEpoch', 0)
      writeMeta(tx, 'currentEpoch', 0)
    })
    if (manifest !== null) this.#manifest = manifest
  }

  async #stage(effects: readonly StagingEffect[]): Promise<void> {
    await this.#connection.write(['meta', 'snap'], (tx) => {
      for (const effect of effects) {
        const staged = this.#staged.get(effect.id)
        if (effect.kind === 'snapshot-abandon' || effect.index === 0) {
          if (staged !== undefined) dropSnapshot(tx, staged.snapshot)
          this.#staged.delete(effect.id)
        }
        if (effect.kind === 'snapshot-abandon') continue
        const onto = this.#staged.get(effect.id) ?? stageNothing(this.#takeSnapshotNumber())
        assert(onto.chunks === effect.index, `chunk ${effect.index} after ${onto.chunks}`)
        this.#staged.set(effect.id, stageChunk(tx, onto, effect))
      }
    })
  }

  async #commit(effects: readonly LogEffect[]): Promise<void> {
    const draft: Draft = { last: this.#last, manifest: this.#manifest, run: [], before: this.#last }
    await this.#connection.write(scopeOf(effects), async (tx) => {
      for (const effect of effects) await this.#perform(tx, draft, effect)
      flush(tx, draft)
    })
    this.#last = draft.last
    const purge = draft.manifest !== this.#manifest
    const dropped = this.#manifest.filter((entry) => !draft.manifest.includes(entry))
    this.#manifest = draft.manifest
    if (purge) this.#purgeLater(dropped)
  }

  async #perform(tx: WriteTransaction, draft: Draft, effect: LogEffect): Promise<void> {
    switch (effect.kind) {
      case 'append': {
        const what = `append of ${formatZxid(effect.zxid)} after ${formatZxid(draft.last)}`
        assert(effect.zxid > draft.last, what)
        draft.run.push(effect)
        draft.last = effect.zxid
        return
      }
      case 'accepted-epoch':
        writeMeta(tx, 'acceptedEpoch', effect.epoch)
        return
      case 'current-epoch':
        writeMeta(tx, 'currentEpoch', effect.epoch)
        this.#forgetDroppedTail(tx)
        return
      case 'truncate': {
        flush(tx, draft)
        const floor = newestZxid(draft.manifest)
        assert(effect.to >= floor, `truncate to ${formatZxid(effect.to)}, below a snapshot`)
        draft.last = await truncateLog(tx, effect.to, floor)
        draft.before = draft.last
        return
      }
      case 'snapshot-commit':
        flush(tx, draft)
        this.#commitSnapshot(tx, draft, effect)
        return
      default:
        unreachable(effect)
    }
  }

  #commitSnapshot(tx: WriteTransaction, draft: Draft, effect: SnapshotCommitEffect): void {
    const staged = this.#staged.get(effect.id)
    const count = staged?.chunks ?? 0
    assert(staged !== undefined && count === effect.chunks, `${count} of ${effect.chunks} chunks`)
    this.#staged.delete(effect.id)
    const entry = manifestEntry(staged, effect.zxid)
    if (effect.install) {
      tx.objectStore('log').clear().catch(outcomeIsTxDone)
      for (const older of draft.manifest) dropSnapshot(tx, older.snapshot)
      draft.manifest = [entry]
      draft.last = effect.zxid
      draft.before = effect.zxid
      this.#forgetDroppedTail(tx)
    } else {
      assert(effect.zxid >= newestZxid(draft.manifest), 'an older snapshot committed')
      draft.manifest = [...draft.manifest, entry].slice(-SNAPSHOTS_RETAINED)
    }
    writeMeta(tx, 'manifest', draft.manifest)
    if (effect.currentEpoch !== undefined) writeMeta(tx, 'currentEpoch', effect.currentEpoch)
  }

  /** A leader has synchronised this member: what a torn tail lost is there again, or never was. */
  #forgetDroppedTail(tx: WriteTransaction): void {
    if (this.#droppedTail > 0) writeMeta(tx, 'droppedTail', 0)
    this.#droppedTail = 0
  }

  /** In slices behind the writes; what a crash leaves is found at the next start or purge. */
  #purgeLater(dropped: readonly ManifestEntry[]): void {
    const oldest = this.#manifest[0]
    if (oldest === undefined) return
    this.#purge = this.#purge
      .then(() => this.#purgeNow(zxidOfKey(oldest.zxid), dropped))
      // The connection has failed by then and says so to everyone.
      .catch(outcomeIsTxDone)
  }

  async #purgeNow(oldest: Zxid, dropped: readonly ManifestEntry[]): Promise<void> {
    for (const entry of dropped) {
      await this.#connection.write(['meta', 'snap'], (tx) => dropSnapshot(tx, entry.snapshot))
    }
    for (;;) {
      let more = false
      await this.#connection.write(['meta', 'log'], async (tx) => {
        const range = await purgeableRange(tx, oldest)
        more = range !== null
        if (range !== null) tx.objectStore('log').delete(range).catch(outcomeIsTxDone)
      })
      if (!more) return
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail === null ? work() : this.#tail.then(work)
    const tail = result.then(outcomeIsTxDone, outcomeIsTxDone).then(() => {
      if (this.#tail === tail) this.#tail = null
    })
    this.#tail = tail
    return result
  }

  #takeSnapshotNumber(): number {
    return this.#nextSnapshot++
  }
}

function scopeOf(effects: readonly LogEffect[]): StoreName[] {
  const installs = effects.some((e) => e.kind === 'snapshot-commit' && e.install)
  if (installs) return ['meta', 'log', 'snap']
  const logs = effects.some((e) => e.kind === 'append' || e.kind === 'truncate')
  return logs ? ['meta', 'log'] : ['meta']
}

function flush(tx: WriteTransaction, draft: Draft): void {
  if (draft.run.length === 0) return
  appendEntries(tx, draft.run, draft.before)
  draft.run = []
  draft.before = draft.last
}

function newestZxid(manifest: readonly ManifestEntry[]): Zxid {
  const newest = manifest.at(-1)
  return newest === undefined ? ZXID_NONE : zxidOfKey(newest.zxid)
}
