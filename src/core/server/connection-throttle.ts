/**
 * How many clients may connect at once: a bucket of tokens that fills again with time, and, when
 * it is asked for, a chance to be refused that grows while the bucket is empty (O31; the second is
 * the BLUE of Feng, Kandlur, Saha and Shin).
 */
import type { Prng } from '../base/prng.ts'
import type { ServerLimits } from './server-config.ts'

type BucketLimits = Pick<
  ServerLimits,
  'connectionTokensMax' | 'connectionTokenFillMs' | 'connectionTokenFillCount' | 'connectionBlue'
>

export class ConnectionThrottle {
  readonly #limits: BucketLimits
  readonly #chance: Prng
  #tokens: number
  #filledAtMs = 0
  /** Part of the connections that is refused though there are tokens. */
  #dropped = 0
  #judgedAtMs = 0

  constructor(limits: BucketLimits, chance: Prng) {
    this.#limits = limits
    this.#chance = chance
    this.#tokens = limits.connectionTokensMax
  }

  /** Tokens that are taken. */
  get deficit(): number {
    return this.#limits.connectionTokensMax - this.#tokens
  }

  /** Of the next connection, though there are tokens. */
  get dropChance(): number {
    return this.#dropped
  }

  /** False: the connection is one too many for now (W54). `weight`: tokens that it takes. */
  take(elapsedMs: number, weight = 1): boolean {
    const { connectionTokensMax, connectionTokenFillMs, connectionTokenFillCount } = this.#limits
    if (connectionTokensMax === 0) return true
    const passedMs = elapsedMs - this.#filledAtMs
    if (passedMs > connectionTokenFillMs) {
      const filled = Math.floor((passedMs * connectionTokenFillCount) / connectionTokenFillMs)
      this.#tokens = Math.min(this.#tokens + filled, connectionTokensMax)
      this.#filledAtMs = elapsedMs
    }
    if (!this.#isLucky(elapsedMs) || this.#tokens < weight) return false
    this.#tokens -= weight
    return true
  }

  /** The chance changes no more often than every freeze time. */
  #isLucky(elapsedMs: number): boolean {
    const { connectionTokensMax, connectionBlue: blue } = this.#limits
    if (blue === null) return true
    if (elapsedMs - this.#judgedAtMs > blue.freezeMs) {
      this.#judgedAtMs = elapsedMs
      const taken = connectionTokensMax - this.#tokens
      if (taken === connectionTokensMax) {
        this.#dropped = Math.min(1, this.#dropped + blue.dropIncrease)
      } else if (taken <= Math.round(connectionTokensMax * blue.decreaseRatio)) {
        this.#dropped = Math.max(0, this.#dropped - blue.dropDecrease)
      }
    }
    return this.#chance.next() >= this.#dropped
  }
}
