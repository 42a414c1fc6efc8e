/** Delays between attempts: doubling, capped, jittered so that a room does not retry in step. */

export interface BackoffLimits {
  readonly firstMs: number
  readonly capMs: number
}

export class Backoff {
  readonly #limits: BackoffLimits
  readonly #random: () => number
  #failures = 0

  /** `random` gives numbers in [0, 1). */
  constructor(limits: BackoffLimits, random: () => number) {
    this.#limits = limits
    this.#random = random
  }

  get failures(): number {
    return this.#failures
  }

  /** Counts a failure. Between half of the full delay and all of it. */
  nextMs(): number {
    const full = Math.min(this.#limits.capMs, this.#limits.firstMs * 2 ** this.#failures)
    // Bounded: the delay is at its cap long before.
    this.#failures = Math.min(this.#failures + 1, 32)
    return Math.round(full * (0.5 + this.#random() / 2))
  }

  /** The longest delay at once, for a refusal that trying again soon cannot change. */
  longestMs(): number {
    this.#failures = 32
    return this.nextMs()
  }

  reset(): void {
    this.#failures = 0
  }
}
