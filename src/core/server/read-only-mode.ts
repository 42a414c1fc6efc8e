/**
 * Reads without a leader (S37–S40): a member that has looked for one for a while serves what it
 * has to clients that asked for no more. It ends as soon as a role is found, before the tree moves.
 */
import type { ServerConfig } from './server-config.ts'

/** ZooKeeper's, where its ticks are shorter. */
const WAIT_MIN_MS = 2_000

export class ReadOnlyMode {
  readonly #waitMs: number
  #lookingSinceMs: number | null = null
  #isOn = false

  constructor({ readOnlyModeEnabled, tickTimeMs }: ServerConfig) {
    this.#waitMs = readOnlyModeEnabled === true ? Math.max(WAIT_MIN_MS, tickTimeMs) : Infinity
  }

  get isOn(): boolean {
    return this.#isOn
  }

  /** Looking begins anew, or ends. True: so does the mode. */
  looking(isLooking: boolean, elapsedMs: number): boolean {
    const wasOn = this.#isOn
    this.#isOn = false
    this.#lookingSinceMs = isLooking ? elapsedMs : null
    return wasOn
  }

  /** True: it begins now. */
  begins(elapsedMs: number): boolean {
    if (this.#isOn || this.#lookingSinceMs === null) return false
    this.#isOn = elapsedMs - this.#lookingSinceMs >= this.#waitMs
    return this.#isOn
  }
}
