import type { Ticker } from '../../src/client/ticker.ts'

/** Virtual time for the client's driver. */
export class ManualTicker implements Ticker {
  #nowMs = 0
  #timers: { readonly atMs: number; readonly call: () => void }[] = []

  now(): number {
    return this.#nowMs
  }

  after(ms: number, call: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, ms), call }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Runs what is due by then, in the order of its time, and lets promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms
    for (;;) {
      await settle()
      const next = this.#timers.filter(({ atMs }) => atMs <= end).sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#timers = this.#timers.filter((other) => other !== next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.call()
    }
    this.#nowMs = end
    await settle()
  }
}

/** Until all microtasks, and those that they queue, have run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
