/**
 * Snapshots to the local disk while serving (P16): by number and size of transactions, at a random
 * point of the second half of either, so that members do not snapshot together; a slice per tick,
 * so that nobody waits for one.
 *
 * Only while serving: then the tree holds committed transactions only, and no TRUNC will ever have
 * to go below the snapshot (contract 4).
 */
import type { Prng } from '../base/prng.ts'
import { formatZxid } from '../base/zxid.ts'
import { SNAPSHOT_CHUNK_BYTES, type Moment, type ZabEffect } from '../zab/effect.ts'
import type { SnapshotSource } from '../zab/replica.ts'

/** Bytes serialised per tick: about 2 ms of work, half of what design §5 allows. */
const SLICE_BYTES = 2 * SNAPSHOT_CHUNK_BYTES

export interface SnapshotTarget {
  push(effect: ZabEffect): void
  newSnapshotId(at: Moment): number
}

export interface SnapshotThresholds {
  readonly snapCount: number
  readonly snapSizeBytes: number
}

interface Running {
  readonly id: number
  readonly source: SnapshotSource
  chunks: number
  bytes: number
}

export class LocalSnapshots {
  readonly #target: SnapshotTarget
  readonly #thresholds: SnapshotThresholds
  readonly #prng: Prng
  #countLimit = 0
  #sizeLimit = 0
  #count = 0
  #bytes = 0
  #running: Running | null = null

  constructor(target: SnapshotTarget, thresholds: SnapshotThresholds, prng: Prng) {
    this.#target = target
    this.#thresholds = thresholds
    this.#prng = prng
    this.#drawLimits()
  }

  /** A transaction went into the log after the newest snapshot. */
  count(entryBytes: number): void {
    this.#count++
    this.#bytes += entryBytes
  }

  /** The state was replaced by what is on disk: a snapshot and this log. */
  restored(log: readonly { readonly entry: Uint8Array }[]): void {
    this.abandon()
    this.#count = log.length
    this.#bytes = log.reduce((sum, { entry }) => sum + entry.length, 0)
  }

  /** One slice of the running snapshot, or the start of one that is due. Only while serving. */
  tick(begin: () => SnapshotSource, at: Moment): void {
    if (this.#running === null) {
      const isDue = this.#count >= this.#countLimit || this.#bytes >= this.#sizeLimit
      // Nothing new, nothing to save: thresholds of 0 would snapshot for ever.
      if (!isDue || this.#count === 0) return
      this.#running = {
        id: this.#target.newSnapshotId(at),
        source: begin(),
        chunks: 0,
        bytes: 0,
      }
      this.#count = 0
      this.#bytes = 0
      this.#drawLimits()
    }
    this.#slice(this.#running)
  }

  /** Serving ended, or the state is replaced: the chunks so far are worth nothing. */
  abandon(): void {
    if (this.#running === null) return
    this.#running.source.cancel()
    this.#target.push({ kind: 'snapshot-abandon', id: this.#running.id })
    this.#running = null
  }

  #slice(running: Running): void {
    const { id, source } = running
    for (let left = SLICE_BYTES; left > 0; left -= SNAPSHOT_CHUNK_BYTES) {
      const bytes = source.next(SNAPSHOT_CHUNK_BYTES)
      if (bytes === null) {
        this.#finish(running)
        return
      }
      this.#target.push({ kind: 'snapshot-chunk', id, index: running.chunks, bytes })
      running.chunks++
      running.bytes += bytes.length
    }
  }

  #finish({ id, source, chunks, bytes }: Running): void {
    const { zxid } = source
    this.#target.push({ kind: 'snapshot-commit', id, zxid, chunks, install: false })
    this.#target.push({ kind: 'trace', event: { type: 'snapshot', zxid: formatZxid(zxid), bytes } })
    this.#running = null
  }

  #drawLimits(): void {
    const { snapCount, snapSizeBytes } = this.#thresholds
    this.#countLimit = randomHalf(this.#prng, snapCount)
    this.#sizeLimit = randomHalf(this.#prng, snapSizeBytes)
  }
}

/** From half of `limit` to all of it. */
function randomHalf(prng: Prng, limit: number): number {
  return Math.floor(limit / 2 + prng.next() * (limit / 2))
}
