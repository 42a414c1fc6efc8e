/** Virtual time: nothing happens between two events, and nothing waits. */
import { EventQueue } from '../../src/testing/event-queue.ts'

export class Timeline {
  readonly #queue = new EventQueue()
  #nowMs = 0
  #events = 0

  get nowMs(): number {
    return this.#nowMs
  }

  get events(): number {
    return this.#events
  }

  at(atMs: number, run: () => void): void {
    this.#queue.push(Math.max(atMs, this.#nowMs), run)
  }

  after(delayMs: number, run: () => void): void {
    this.#queue.push(this.#nowMs + delayMs, run)
  }

  /** Runs what is due until `untilMs`, or until `isOver` says so after an event. */
  run(untilMs: number, isOver: () => boolean): void {
    for (;;) {
      if (isOver()) return
      if (this.#queue.nextMs > untilMs) break
      const next = this.#queue.pop()
      if (next === null) break
      this.#nowMs = next.atMs
      this.#events++
      next.run()
    }
    this.#nowMs = untilMs
  }
}
