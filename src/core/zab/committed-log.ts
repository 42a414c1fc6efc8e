/**
 * The newest committed entries, kept to bring a learner up to date by DIFF (Q32).
 *
 * Invariant: `entries` are all entries of the history after `base`, in order and without a gap;
 * `base` itself is a point of the history (an evicted entry, or the snapshot that was loaded).
 */
import { Deque } from '../base/deque.ts'
import type { Zxid } from '../base/zxid.ts'
import { COMMIT_LOG_BYTES, COMMIT_LOG_BYTES_MAX, COMMIT_LOG_COUNT } from './constants.ts'
import type { LogEntry } from './effect.ts'

export class CommittedLog {
  readonly #countMax: number
  readonly #bytesMax: number
  readonly #entries: Deque<LogEntry> = new Deque<LogEntry>()
  #base: Zxid
  #last: Zxid
  #bytes = 0

  /** `countMax`: commitLogCount. Bytes go with it, as far as a learner takes them. */
  constructor(base: Zxid, entries: readonly LogEntry[] = [], countMax: number = COMMIT_LOG_COUNT) {
    this.#countMax = countMax
    const share = Math.max(1, countMax / COMMIT_LOG_COUNT)
    this.#bytesMax = Math.min(COMMIT_LOG_BYTES * share, COMMIT_LOG_BYTES_MAX)
    this.#base = base
    this.#last = base
    for (const entry of entries) this.add(entry)
  }

  get base(): Zxid {
    return this.#base
  }

  /** Newest committed zxid, `base` when nothing is kept. */
  get last(): Zxid {
    return this.#last
  }

  get count(): number {
    return this.#entries.length
  }

  add(entry: LogEntry): void {
    this.#entries.pushBack(entry)
    this.#last = entry.zxid
    this.#bytes += entry.entry.length
    while (this.#entries.length > this.#countMax || this.#bytes > this.#bytesMax) this.#evict()
  }

  /** Newest point of this history that is not after `zxid`, or null when that is below `base`. */
  newestUpTo(zxid: Zxid): Zxid | null {
    if (zxid < this.#base) return null
    let newest = this.#base
    for (const entry of this.#entries) {
      if (entry.zxid > zxid) break
      newest = entry.zxid
    }
    return newest
  }

  after(zxid: Zxid): LogEntry[] {
    return [...this.#entries].filter((entry) => entry.zxid > zxid)
  }

  #evict(): void {
    const oldest = this.#entries.popFront()
    if (oldest === undefined) return
    this.#base = oldest.zxid
    this.#bytes -= oldest.entry.length
  }
}
