/**
 * One direction of a link under faults: messages pass at once, or later, or never.
 *
 * Invariant: without `reorder` and `duplicate` messages keep their order and come once, whatever
 * the rule and however it changes, as on the channel below.
 */
import { Deque } from '../core/base/deque.ts'
import type { Prng } from '../core/base/prng.ts'
import type { DelayMs, LinkRule } from './link-rules.ts'

/** As much as a channel buffers (browser-facts, 16 MiB): beyond it a cut link is broken. */
export const LANE_MAX_BYTES: number = 16 * 1024 * 1024

export interface LaneClock {
  now(): number
  /** Runs once; the result cancels. */
  after(delayMs: number, run: () => void): () => void
}

export interface LaneOptions {
  readonly clock: LaneClock
  readonly prng: Prng
  readonly rule: () => LinkRule
  readonly pass: (message: Uint8Array) => void
  /** A message was lost, or too much waits. */
  readonly onLost: () => void
}

interface Waiting {
  readonly message: Uint8Array
  readonly dueMs: number
}

export class FaultyLane {
  readonly #options: LaneOptions
  readonly #waiting: Deque<Waiting> = new Deque()
  #waitingBytes = 0
  #lastDueMs = 0
  #cancelTimer: (() => void) | null = null
  /** Overtaken by the next one (`reorder`). */
  #overtaken: Uint8Array | null = null
  #hasEnded = false

  constructor(options: LaneOptions) {
    this.#options = options
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  push(message: Uint8Array): void {
    if (this.#hasEnded) return
    const { prng, onLost } = this.#options
    const { drop = 0, duplicate = 0, reorder = 0 } = this.#options.rule()
    if (drop > 0 && prng.bool(drop)) return onLost()
    if (reorder > 0 && this.#overtaken === null && prng.bool(reorder)) {
      this.#overtaken = message
      return
    }
    this.#enqueue(message)
    if (duplicate > 0 && prng.bool(duplicate)) this.#enqueue(message.slice())
    const overtaken = this.#overtaken
    this.#overtaken = null
    if (overtaken !== null) this.#enqueue(overtaken)
    if (this.#waitingBytes > LANE_MAX_BYTES) return onLost()
    this.pump()
  }

  /** Also after the rule has changed. */
  pump(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = null
    while (this.#options.rule().cut !== true) {
      const next = this.#waiting.peekFront()
      if (next === undefined) return
      const isDelayed = this.#options.rule().delayMs !== undefined
      const leftMs = isDelayed ? next.dueMs - this.#options.clock.now() : 0
      if (leftMs > 0) {
        this.#cancelTimer = this.#options.clock.after(leftMs, () => this.pump())
        return
      }
      this.#waiting.popFront()
      this.#waitingBytes -= next.message.length
      this.#options.pass(next.message)
    }
  }

  /** What waits is never heard. */
  end(): void {
    this.#hasEnded = true
    this.#cancelTimer?.()
    this.#cancelTimer = null
    this.#waiting.clear()
    this.#waitingBytes = 0
    this.#overtaken = null
  }

  #enqueue(message: Uint8Array): void {
    const { clock, prng, rule } = this.#options
    const wantedMs = clock.now() + drawn(rule().delayMs ?? 0, prng)
    this.#lastDueMs = Math.max(this.#lastDueMs, wantedMs)
    this.#waiting.pushBack({ message, dueMs: this.#lastDueMs })
    this.#waitingBytes += message.length
  }
}

function drawn(delayMs: DelayMs, prng: Prng): number {
  if (typeof delayMs === 'number') return delayMs
  const [least, most] = delayMs
  return least + prng.next() * (most - least)
}
