/**
 * A member's disk, in memory: what outlives the Storage instance that wrote it.
 *
 * Synchronous, so that the virtual-time simulator can decide itself when a batch becomes durable:
 * `apply` is atomic, and whatever was not applied before a crash never happened. Everything that is
 * handed in or out is shared, never copied: byte arrays on a disk are never changed.
 *
 * Invariants: log zxids rise; every log entry is newer than the oldest retained snapshot or shares
 * a written value with one that is; snapshot zxids never fall in list order.
 */
import { assert, unreachable } from '../../core/base/assert.ts'
import { equal } from '../../core/base/bytes.ts'
import { formatZxid, ZXID_NONE, type Zxid } from '../../core/base/zxid.ts'
import type {
  LogEntry,
  LogRange,
  LogWanted,
  PersistEffect,
  SnapshotCommitEffect,
} from '../../ports/storage.ts'
import {
  PEER_TOKENS_MAX,
  type MemberMeta,
  type Recovered,
  SNAPSHOTS_RETAINED,
  START_CHAIN_MAX,
  StorageError,
} from '../../ports/storage.ts'

interface StoredSnapshot {
  readonly zxid: Zxid
  readonly chunks: readonly Uint8Array[]
}

/** Everything on one disk. Arrays and maps are replaced or copied, their contents shared. */
interface DiskState {
  acceptedEpoch: number
  currentEpoch: number
  founding: Uint8Array | null
  owner: string
  startChain: string[]
  lives: number
  peerTokens: Map<string, string>
  log: LogEntry[]
  /** Entries of the newest written value: what a torn tail loses. */
  tailLength: number
  snapshots: StoredSnapshot[]
  staged: Map<number, Uint8Array[]>
  tornTail: boolean
  /** See Recovered.droppedTail. */
  droppedTail: number
  corrupt: boolean
}

export class MemoryDisk {
  #state: DiskState = blankState()
  #wiped = false
  /** Goes up with every crash: writes in flight before it are lost. */
  #powerCycles = 0

  get powerCycles(): number {
    return this.#powerCycles
  }

  get owner(): string {
    return this.#state.owner
  }

  /** What a start does before anything else: take ownership and append to the start chain. */
  claim(token: string): void {
    this.#assertPresent()
    const state = this.#state
    state.owner = token
    state.lives++
    state.startChain = [...state.startChain, `${state.lives}.${token}`].slice(-START_CHAIN_MAX)
  }

  /** One atomic batch. An assertion here means that the core broke its side of the port. */
  apply(batch: readonly PersistEffect[]): void {
    this.#assertPresent()
    const before = this.#lastZxid()
    let appended = 0
    for (const effect of batch) {
      if (effect.kind === 'append') appended++
      this.#applyOne(effect)
    }
    const state = this.#state
    const cut = batch.some((e) => e.kind === 'truncate' || e.kind === 'snapshot-commit')
    if (appended > 0 && this.#lastZxid() > before) state.tailLength = appended
    else if (cut) state.tailLength = 0
    state.tailLength = Math.min(state.tailLength, state.log.length)
  }

  /** Drops a torn tail and abandoned snapshot chunks, as the next start does. */
  recoverSync(): Recovered {
    this.#assertPresent()
    const state = this.#state
    if (state.corrupt) throw new StorageError('corrupt', 'a log value before the last is damaged')
    if (state.tornTail && state.tailLength > 0) {
      state.log = state.log.slice(0, -state.tailLength)
      state.droppedTail += state.tailLength
      state.tailLength = 0
    }
    state.tornTail = false
    const snapshot = state.snapshots.at(-1) ?? null
    const from = snapshot === null ? 0 : firstAfter(state.log, snapshot.zxid)
    return {
      acceptedEpoch: state.acceptedEpoch,
      currentEpoch: state.currentEpoch,
      snapshot,
      log: state.log.slice(from),
      droppedTail: state.droppedTail,
    }
  }

  readLogSync({ after, upTo, bytesMax }: LogWanted): LogRange | null {
    const { log, corrupt } = this.#state
    const start = firstAfter(log, after)
    const from = log[start - 1]?.zxid
    if (from === undefined || corrupt) return null
    const entries: LogEntry[] = []
    let bytes = 0
    for (let i = start; bytes < bytesMax; i++) {
      const entry = log[i]
      if (entry === undefined || entry.zxid > upTo) break
      entries.push(entry)
      bytes += entry.entry.length
    }
    return { from, entries }
  }

  metaSync(): MemberMeta {
    const { founding, startChain, lives, peerTokens } = this.#state
    return { founding, startChain, lives, peerTokens: Object.fromEntries(peerTokens) }
  }

  pinFoundingSync(record: Uint8Array, emptySnapshot: Uint8Array | null): void {
    this.#assertPresent()
    const state = this.#state
    if (state.founding !== null) {
      if (equal(state.founding, record)) return
      throw new StorageError('already-founded', 'another founding record is pinned')
    }
    const isUsed = state.snapshots.length > 0 || state.log.length > 0
    assert(isUsed === (emptySnapshot === null), 'founding a used storage')
    state.founding = record
    if (emptySnapshot === null) return
    state.snapshots = [{ zxid: ZXID_NONE, chunks: [emptySnapshot] }]
    state.acceptedEpoch = 0
    state.currentEpoch = 0
  }

  rememberPeerTokenSync(incarnation: string, token: string): void {
    this.#assertPresent()
    rememberNewest(this.#state.peerTokens, incarnation, token)
  }

  /** Staged chunks of snapshots that were never committed are gone after a start. */
  dropStaged(): void {
    this.#state.staged.clear()
  }

  // --- faults -----------------------------------------------------------------------------------

  /** Power loss: writes that did not complete are lost. The disk itself stays as it is. */
  crash(): void {
    this.#powerCycles++
  }

  /** The last written log value comes back damaged. */
  tearTail(): void {
    this.#state.tornTail = true
  }

  /** A value before the last comes back damaged: nothing may be read from it any more. */
  corruptLog(): void {
    this.#state.corrupt = true
  }

  /** Site data cleared: whoever opens this again finds no identity. */
  wipe(): void {
    this.#powerCycles++
    this.#state = blankState()
    this.#wiped = true
  }

  get wiped(): boolean {
    return this.#wiped
  }

  /** A copy of the disk as it is now; `restore` rolls back to it (an old profile put back). */
  clone(): MemoryDisk {
    const copy = new MemoryDisk()
    copy.#state = copyState(this.#state)
    copy.#wiped = this.#wiped
    return copy
  }

  restore(from: MemoryDisk): void {
    this.#powerCycles++
    this.#state = copyState(from.#state)
    this.#wiped = from.#wiped
  }

  // --- effects ----------------------------------------------------------------------------------

  #applyOne(effect: PersistEffect): void {
    const state = this.#state
    switch (effect.kind) {
      case 'append': {
        const last = this.#lastZxid()
        const what = `append of ${formatZxid(effect.zxid)} after ${formatZxid(last)}`
        assert(effect.zxid > last, what)
        state.log.push({ zxid: effect.zxid, entry: effect.entry })
        break
      }
      case 'accepted-epoch':
        state.acceptedEpoch = effect.epoch
        break
      case 'current-epoch':
        state.currentEpoch = effect.epoch
        state.droppedTail = 0
        break
      case 'truncate': {
        const newest = state.snapshots.at(-1)
        assert(newest === undefined || effect.to >= newest.zxid, 'truncate below a snapshot')
        state.log = state.log.slice(0, firstAfter(state.log, effect.to))
        break
      }
      case 'snapshot-chunk': {
        if (effect.index === 0) state.staged.set(effect.id, [])
        const chunks = state.staged.get(effect.id) ?? []
        assert(chunks.length === effect.index, `chunk ${effect.index} after ${chunks.length}`)
        chunks.push(effect.bytes)
        break
      }
      case 'snapshot-commit':
        this.#commitSnapshot(effect)
        break
      case 'snapshot-abandon':
        state.staged.delete(effect.id)
        break
      default:
        unreachable(effect)
    }
  }

  #commitSnapshot(effect: SnapshotCommitEffect): void {
    const state = this.#state
    const chunks = state.staged.get(effect.id) ?? []
    assert(chunks.length === effect.chunks, `${chunks.length} of ${effect.chunks} chunks staged`)
    state.staged.delete(effect.id)
    const committed = { zxid: effect.zxid, chunks }
    if (effect.install) {
      state.log = []
      state.snapshots = [committed]
      state.droppedTail = 0
    } else {
      const newest = state.snapshots.at(-1)
      assert(newest === undefined || effect.zxid >= newest.zxid, 'an older snapshot committed')
      state.snapshots = [...state.snapshots, committed].slice(-SNAPSHOTS_RETAINED)
      state.log = state.log.slice(firstAfter(state.log, state.snapshots[0]?.zxid ?? ZXID_NONE))
    }
    if (effect.currentEpoch !== undefined) state.currentEpoch = effect.currentEpoch
  }

  #lastZxid(): Zxid {
    return this.#state.log.at(-1)?.zxid ?? this.#state.snapshots.at(-1)?.zxid ?? ZXID_NONE
  }

  #assertPresent(): void {
    if (this.#wiped) throw new StorageError('wiped', 'the storage was deleted')
  }
}

/** Makes `incarnation` the newest of `tokens` and keeps at most PEER_TOKENS_MAX. */
function rememberNewest(tokens: Map<string, string>, incarnation: string, token: string): void {
  tokens.delete(incarnation)
  tokens.set(incarnation, token)
  for (const oldest of tokens.keys()) {
    if (tokens.size <= PEER_TOKENS_MAX) break
    tokens.delete(oldest)
  }
}

/** Index of the first entry newer than `zxid`, by halving. */
function firstAfter(log: readonly LogEntry[], zxid: Zxid): number {
  let low = 0
  let high = log.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((log[middle]?.zxid ?? zxid) <= zxid) low = middle + 1
    else high = middle
  }
  return low
}

function blankState(): DiskState {
  return {
    acceptedEpoch: 0,
    currentEpoch: 0,
    founding: null,
    owner: '',
    startChain: [],
    lives: 0,
    peerTokens: new Map(),
    log: [],
    tailLength: 0,
    snapshots: [],
    staged: new Map(),
    tornTail: false,
    droppedTail: 0,
    corrupt: false,
  }
}

function copyState(state: DiskState): DiskState {
  return {
    ...state,
    startChain: [...state.startChain],
    peerTokens: new Map(state.peerTokens),
    log: [...state.log],
    snapshots: [...state.snapshots],
    staged: new Map([...state.staged].map(([id, chunks]) => [id, [...chunks]])),
  }
}
