/** What a member's storage did in this life: is it alive, and is it slow? */
import type { Clock } from '../ports/clock.ts'

export interface DiskStatus {
  /** Strict transactions, each with everything that had queued up. */
  readonly batches: number
  /** ms since 1970; null before the first one. */
  readonly newestBatchAtMs: number | null
  readonly newestBatchTookMs: number | null
  readonly slowestBatchTookMs: number | null
  /** Age of the batch that is being written; null when none is. */
  readonly writingForMs: number | null
}

export class DiskFigures {
  #batches = 0
  #newestAtMs: number | null = null
  #newestTookMs: number | null = null
  #slowestTookMs: number | null = null

  written(startedMs: number, clock: Clock): void {
    const { elapsedMs, wallMs } = clock.now()
    const tookMs = elapsedMs - startedMs
    this.#batches++
    this.#newestAtMs = wallMs
    this.#newestTookMs = tookMs
    this.#slowestTookMs = Math.max(tookMs, this.#slowestTookMs ?? 0)
  }

  /** `startedMs`: when the batch that is being written was begun. */
  status(startedMs: number | null, clock: Clock): DiskStatus {
    return {
      batches: this.#batches,
      newestBatchAtMs: this.#newestAtMs,
      newestBatchTookMs: this.#newestTookMs,
      slowestBatchTookMs: this.#slowestTookMs,
      writingForMs: startedMs === null ? null : clock.now().elapsedMs - startedMs,
    }
  }
}
