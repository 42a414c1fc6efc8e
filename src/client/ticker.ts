/** Time for the client: a monotonic clock and timers, so that tests can stand in for them. */

export interface Ticker {
  /** Monotonic, in ms. */
  now(): number
  /** Calls once, not before `ms` passed. The result cancels it. */
  after(ms: number, call: () => void): () => void
}

/** The platform's timers. Hidden pages run them once a second or less (ClientConnection.onTick). */
export const platformTicker: Ticker = {
  now: () => performance.now(),
  after(ms: number, call: () => void): () => void {
    const timer = setTimeout(call, ms)
    return () => clearTimeout(timer)
  },
}
