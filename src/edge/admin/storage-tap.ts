/** A member's storage that measures: how long the disk takes, and what goes onto it (O20). */
import type { PersistEffect, Storage } from '../../ports/storage.ts'
import { Distribution, SizeRange } from './distribution.ts'

export class StorageFigures {
  /** Of a batch, all of which is one sync. */
  readonly syncMs: Distribution = new Distribution()
  readonly batchSize: Distribution = new Distribution()
  readonly snapshotMs: Distribution = new Distribution()
  readonly restoreMs: Distribution = new Distribution()
  readonly flushMs: Distribution = new Distribution()
  /** Reading the database at a start, and transactions that its log had for it. */
  readonly initMs: Distribution = new Distribution()
  readonly startupEntries: Distribution = new Distribution()
  readonly proposals: SizeRange = new SizeRange()
  entries = 0
  slowSyncs = 0
  snapshotErrors = 0
  /** null: none in this life. */
  newestSnapshot: { readonly zxid: bigint; readonly wallMs: number } | null = null
  snapshotBytes = 0
}

export interface StorageTapOptions {
  readonly storage: Storage
  readonly figures: StorageFigures
  readonly now: () => number
  readonly wallNow: () => number
  /** fsync.warningthresholdms (P6). */
  readonly slowSyncMs: number
  readonly onSlowSync: (tookMs: number, entries: number) => void
  readonly onSnapshot: (zxid: bigint, bytes: number, tookMs: number) => void
  /** An entry that is about to be written, for those who must know what is in it. */
  readonly onEntry?: (entry: Uint8Array) => void
  /** It is on the disk. */
  readonly onStored?: (entry: Uint8Array) => void
}

export function tapStorage(options: StorageTapOptions): Storage {
  const { storage, figures, now } = options
  const snapshots = new SnapshotWatch(options)
  const write = async (batch: readonly PersistEffect[]): Promise<void> => {
    const startedMs = now()
    let entries = 0
    for (const effect of batch) {
      if (effect.kind === 'append') {
        entries++
        figures.proposals.add(effect.entry.length)
        options.onEntry?.(effect.entry)
      } else snapshots.see(effect, startedMs)
    }
    await storage.write(batch)
    const tookMs = now() - startedMs
    figures.entries += entries
    if (options.onStored !== undefined) {
      for (const effect of batch) if (effect.kind === 'append') options.onStored(effect.entry)
    }
    if (entries > 0) {
      figures.syncMs.add(tookMs)
      figures.flushMs.add(tookMs)
      figures.batchSize.add(entries)
      if (tookMs >= options.slowSyncMs) {
        figures.slowSyncs++
        options.onSlowSync(tookMs, entries)
      }
    }
    snapshots.written(batch)
  }
  return {
    failed: storage.failed,
    recover: () => storage.recover(),
    write,
    readLog: (wanted) => storage.readLog(wanted),
    meta: () => storage.meta(),
    pinFounding: (record, empty) => storage.pinFounding(record, empty),
    rememberPeerToken: (incarnation, token) => storage.rememberPeerToken(incarnation, token),
    close: () => storage.close(),
  }
}

/** From the first chunk of a snapshot to the end of the write that makes it count. */
class SnapshotWatch {
  readonly #options: StorageTapOptions
  #id = -1
  #startedMs = 0
  #bytes = 0

  constructor(options: StorageTapOptions) {
    this.#options = options
  }

  see(effect: PersistEffect, nowMs: number): void {
    if (effect.kind !== 'snapshot-chunk') return
    if (effect.id !== this.#id || effect.index === 0) {
      this.#id = effect.id
      this.#startedMs = nowMs
      this.#bytes = 0
    }
    this.#bytes += effect.bytes.length
  }

  written(batch: readonly PersistEffect[]): void {
    const { figures, now, wallNow, onSnapshot } = this.#options
    for (const effect of batch) {
      if (effect.kind !== 'snapshot-commit' || effect.id !== this.#id) continue
      const tookMs = now() - this.#startedMs
      figures.snapshotMs.add(tookMs)
      figures.snapshotBytes = this.#bytes
      figures.newestSnapshot = { zxid: effect.zxid, wallMs: wallNow() }
      onSnapshot(effect.zxid, this.#bytes, tookMs)
    }
  }
}
