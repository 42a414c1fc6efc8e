/**
 * A page that does not know yet who votes tries few others at a time: of a full room all but the
 * voters would refuse it in the end, and each connection costs both pages milliseconds.
 *
 * First come, first served; a turn that bears no fruit is over after TURN_MS, or sooner when it was
 * taken twice, so pages that stand still delay nobody for long.
 */
import { NEWCOMER_ATTEMPTS_MAX, TURN_CHECK_MS, TURN_MS } from './limits.ts'

export interface TurnTaker {
  onTurn(): void
}

export class Turns {
  readonly #isFree: () => boolean
  readonly #held: Set<TurnTaker> = new Set()
  readonly #waiting: Set<TurnTaker> = new Set()
  #timer: ReturnType<typeof setTimeout> | undefined

  /** `isFree`: the page knows what it is, and everybody who waits may begin. */
  constructor(isFree: () => boolean) {
    this.#isFree = isFree
  }

  /** `onTurn` follows, at once if there is a turn left, unless it leaves before. */
  take(taker: TurnTaker): void {
    this.#waiting.add(taker)
    this.#check()
  }

  /** Its attempt came to an end, or it is not wanted any more. */
  leave(taker: TurnTaker): void {
    this.#waiting.delete(taker)
    this.#held.delete(taker)
  }

  #check(): void {
    clearTimeout(this.#timer)
    for (const next of [...this.#waiting]) {
      if (!this.#isFree() && this.#held.size >= NEWCOMER_ATTEMPTS_MAX) {
        this.#timer = setTimeout(() => this.#check(), TURN_CHECK_MS)
        break
      }
      this.#waiting.delete(next)
      this.#held.add(next)
      setTimeout(() => this.#held.delete(next), TURN_MS)
      next.onTurn()
    }
  }
}
