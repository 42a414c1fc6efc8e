/**
 * Whether a write is worth waiting for where it is asked for. A thread that waits for it instead
 * costs two wake-ups, which on a busy machine take longer than a quick disk needs for the write.
 *
 * The hazard is a disk that becomes slow: while it is waited for, nothing is heard and nobody is
 * told that this member lives. So it must have been quick for some time, and one write that was
 * stuck ends that for long. What is large is a thread's in any case, and so is everything while the
 * event loop has other work to do meanwhile. Members of an ensemble have none of it: their loops
 * hear acknowledgements meanwhile (measured: a fifth slower), and their peers wait for pulses.
 */
import { performance } from 'node:perf_hooks'

/** A write that took longer was slow, ms. Ours: far below every silence limit. */
const QUICK_MS = 1
/** A write that took longer is what the hazard is, ms. Ours. */
const STUCK_MS = 20
/** More at once is a thread's. Ours: what a quick disk takes as one piece. */
const QUICK_BYTES_MAX = 16 * 1024
/** Of the time since the last write, what the loop must have slept. Ours: half of one client's. */
const IDLE_SHARE = 0.2
/** What a disk has that was quick for some time; each quick write brings one. */
const CREDIT_MAX = 16
const CREDIT_NEEDED = 8
const SLOW_COST = 4
const STUCK_DEBT = 64

export interface PaceClocks {
  readonly nowMs: () => number
  /** How long the event loop has slept so far. */
  readonly idleMs: () => number
}

const PROCESS: PaceClocks = {
  nowMs: () => performance.now(),
  idleMs: () => performance.nodeTiming.idleTime,
}

export class DiskPace {
  readonly #clocks: PaceClocks
  #credit = 0
  #startedMs = 0
  #endedMs = 0
  #endedIdleMs = 0

  constructor(clocks: PaceClocks = PROCESS) {
    this.#clocks = clocks
  }

  /** A write of so many bytes begins. True: wait for it. */
  begin(bytes: number): boolean {
    const { nowMs, idleMs } = this.#clocks
    this.#startedMs = nowMs()
    if (this.#credit < CREDIT_NEEDED || bytes > QUICK_BYTES_MAX) return false
    const sleptMs = idleMs() - this.#endedIdleMs
    return sleptMs >= IDLE_SHARE * (this.#startedMs - this.#endedMs)
  }

  end(): void {
    const { nowMs, idleMs } = this.#clocks
    this.#endedMs = nowMs()
    this.#endedIdleMs = idleMs()
    const tookMs = this.#endedMs - this.#startedMs
    if (tookMs <= QUICK_MS) this.#credit = Math.min(CREDIT_MAX, this.#credit + 1)
    else if (tookMs <= STUCK_MS) this.#credit = Math.max(-CREDIT_MAX, this.#credit - SLOW_COST)
    else this.#credit = -STUCK_DEBT
  }
}
