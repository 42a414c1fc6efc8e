/**
 * Virtual time that runs by itself: whenever the program has nothing left to do but wait, the next
 * thing that is due happens, and the clock stands where that was due. Nothing waits for real time.
 *
 * Between two events every microtask runs, so what an event sets off is over before the next one:
 * the order of everything follows from the seed, as long as the test itself waits for nothing but
 * promises and this clock.
 *
 * Bounds, so that a forgotten ensemble ends: it stands still when nobody has asked for anything for
 * IDLE_LIMIT_MS, and for good after LIFE_LIMIT_MS of which nobody asked.
 */
import { EventQueue } from './event-queue.ts'
import { nextTask } from './macrotask.ts'

/** Virtual ms. Ours: three of the longest sessions (20 ticks), so that whatever expires has. */
export const IDLE_LIMIT_MS = 120_000
/** Virtual ms of running by itself, a quarter of an hour. Ours: about a second of a processor. */
export const LIFE_LIMIT_MS = 900_000

interface Waiter {
  /** True when it has been settled. */
  look(): boolean
}

export class VirtualTime {
  readonly #queue = new EventQueue()
  readonly #runsByItself: boolean
  readonly #onTime: (ms: number) => void
  readonly #waiters = new Set<Waiter>()
  #nowMs = 0
  /** Up to where somebody wants it to run. */
  readonly #wishes = new Set<{ readonly untilMs: number }>()
  #idleFromMs = 0
  #lifeEndsMs = LIFE_LIMIT_MS
  #holds = 0
  #isTurning = false
  #isOver = false
  /** Called when it stands still for good although something is wanted of it. */
  onLifeEnd: () => void = () => {}

  /** `onTime` is told of each whole ms, before what is due then. */
  constructor(runsByItself: boolean, onTime: (ms: number) => void = () => {}) {
    this.#runsByItself = runsByItself
    this.#onTime = onTime
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** Runs after `delayMs`; the result cancels it. */
  after(delayMs: number, run: () => void): () => void {
    let isDue = true
    this.#queue.push(this.#nowMs + Math.max(0, delayMs), () => {
      if (isDue) run()
    })
    this.#wake()
    return () => {
      isDue = false
    }
  }

  at(atMs: number, run: () => void): void {
    this.after(atMs - this.#nowMs, run)
  }

  /** Somebody asked for something that takes so long: it may run on by itself for a while. */
  touch(ms = 0): void {
    this.#idleFromMs = Math.max(this.#idleFromMs, this.#nowMs + ms)
    this.#wake()
  }

  /** It shall run up to then, whoever waits for what; until the result is called. */
  want(untilMs: number): () => void {
    const wish = { untilMs }
    const sinceMs = this.#nowMs
    this.#wishes.add(wish)
    this.#wake()
    return () => {
      if (!this.#wishes.delete(wish)) return
      // What was asked for counts for no life of its own.
      this.#lifeEndsMs += Math.min(this.#nowMs, untilMs) - sinceMs
    }
  }

  /** Stands still until the result is called: for real waits inside a test. */
  hold(): () => void {
    this.#holds++
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.#holds--
      this.#wake()
    }
  }

  /** `look` is asked before each event, until it says that it has settled. */
  watch(look: () => boolean): void {
    if (!look()) this.#waiters.add({ look })
  }

  /** Every microtask, and what they queue, without letting time pass. */
  async drained(): Promise<void> {
    const release = this.hold()
    await new Promise<void>((resolve) => nextTask(resolve))
    release()
  }

  stop(): void {
    this.#isOver = true
    this.#waiters.clear()
  }

  #wake(): void {
    if (this.#isTurning || !this.#mayRun()) return
    this.#isTurning = true
    nextTask(() => this.#turn())
  }

  #turn(): void {
    if (!this.#mayRun()) {
      this.#isTurning = false
      if (!this.#isOver && this.#holds === 0) this.#tellIfOver()
      return
    }
    if (!this.#settleWaiters()) {
      const next = this.#queue.pop()
      if (next !== null) {
        this.#pass(next.atMs)
        callSafely(next.run)
      }
    }
    nextTask(() => this.#turn())
  }

  #pass(atMs: number): void {
    const before = Math.floor(this.#nowMs)
    this.#nowMs = Math.max(this.#nowMs, atMs)
    const ms = Math.floor(this.#nowMs) - before
    if (ms > 0) callSafely(() => this.#onTime(ms))
  }

  /** A test that waits for more than that waits for ever: it should know why. */
  #tellIfOver(): void {
    const dueMs = this.#queue.nextMs
    const isWanted = dueMs <= this.#idleFromMs + IDLE_LIMIT_MS
    if (this.#runsByItself && isWanted && dueMs > this.#lifeEndsMs) this.onLifeEnd()
  }

  /** Whoever's wait is over goes on before anything else happens. */
  #settleWaiters(): boolean {
    let hasSettled = false
    for (const waiter of this.#waiters) {
      if (!waiter.look()) continue
      this.#waiters.delete(waiter)
      hasSettled = true
    }
    return hasSettled
  }

  #mayRun(): boolean {
    if (this.#isOver || this.#holds > 0) return false
    const dueMs = this.#queue.nextMs
    if (dueMs === Number.POSITIVE_INFINITY) return false
    for (const { untilMs } of this.#wishes) if (dueMs <= untilMs) return true
    if (!this.#runsByItself || dueMs > this.#lifeEndsMs) return false
    return dueMs <= this.#idleFromMs + IDLE_LIMIT_MS
  }
}

/** As a platform's timer: an error in one is nobody else's, and not silent. */
export function callSafely(run: () => void): void {
  try {
    run()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
