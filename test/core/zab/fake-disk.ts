/** Storage that keeps whole batches or nothing, and says what a restart would find. */
import { assert } from '../../../src/core/base/assert.ts'
import { ZXID_NONE, type Zxid } from '../../../src/core/base/zxid.ts'
import type {
  LogEntry,
  LogRange,
  LogWanted,
  PersistEffect,
  RecoveredState,
} from '../../../src/core/zab/effect.ts'

export class FakeDisk {
  acceptedEpoch = 0
  currentEpoch = 0
  log: LogEntry[] = []
  droppedTail = 0
  snapshot: { zxid: Zxid; chunks: Uint8Array[] } | null = { zxid: ZXID_NONE, chunks: [] }
  #staged = new Map<number, Uint8Array[]>()

  get lastZxid(): Zxid {
    return this.log.at(-1)?.zxid ?? this.snapshot?.zxid ?? ZXID_NONE
  }

  write(batch: readonly PersistEffect[]): void {
    for (const effect of batch) this.#apply(effect)
  }

  /** The newest entries turn out to be damaged at the next start. */
  tear(count: number): void {
    this.log = this.log.slice(0, this.log.length - count)
    this.droppedTail += count
  }

  /** Also what a crash leaves: staged chunks are invisible. */
  recover(): RecoveredState {
    const { acceptedEpoch, currentEpoch, snapshot, droppedTail } = this
    const log = this.log.filter(({ zxid }) => zxid > (snapshot?.zxid ?? ZXID_NONE))
    return { acceptedEpoch, currentEpoch, snapshot, log, droppedTail }
  }

  /** The log goes back behind the snapshot: nothing is purged here. */
  readLog({ after, upTo, bytesMax }: LogWanted): LogRange | null {
    const from = this.log.findLast(({ zxid }) => zxid <= after)?.zxid
    if (from === undefined) return null
    const entries: LogEntry[] = []
    let bytes = 0
    for (const entry of this.log) {
      if (entry.zxid <= after || entry.zxid > upTo || bytes >= bytesMax) continue
      entries.push(entry)
      bytes += entry.entry.length
    }
    return { from, entries }
  }

  #apply(effect: PersistEffect): void {
    switch (effect.kind) {
      case 'append':
        assert(effect.zxid > this.lastZxid, 'appended out of order')
        this.log.push({ zxid: effect.zxid, entry: effect.entry })
        break
      case 'accepted-epoch':
        this.acceptedEpoch = effect.epoch
        break
      case 'current-epoch':
        this.currentEpoch = effect.epoch
        this.droppedTail = 0
        break
      case 'truncate':
        assert(effect.to >= (this.snapshot?.zxid ?? ZXID_NONE), 'truncated below the snapshot')
        this.log = this.log.filter(({ zxid }) => zxid <= effect.to)
        break
      case 'snapshot-chunk':
        if (effect.index === 0) this.#staged.set(effect.id, [])
        this.#staged.get(effect.id)?.push(effect.bytes)
        break
      case 'snapshot-commit': {
        const chunks = this.#staged.get(effect.id) ?? []
        assert(chunks.length === effect.chunks, 'chunks are missing')
        this.snapshot = { zxid: effect.zxid, chunks }
        if (effect.install) {
          this.log = []
          this.droppedTail = 0
        }
        if (effect.currentEpoch !== undefined) this.currentEpoch = effect.currentEpoch
        break
      }
      case 'snapshot-abandon':
        this.#staged.delete(effect.id)
        break
    }
  }
}
