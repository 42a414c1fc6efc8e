/** How many clients may connect at once: a bucket of tokens that fills again with time (O31). */
import type { ServerLimits } from './server-config.ts'

type BucketLimits = Pick<
  ServerLimits,
  'connectionTokensMax' | 'connectionTokenFillMs' | 'connectionTokenFillCount'
>

export class ConnectionThrottle {
  readonly #limits: BucketLimits
  #tokens: number
  #filledAtMs = 0

  constructor(limits: BucketLimits) {
    this.#limits = limits
    this.#tokens = limits.connectionTokensMax
  }

  /** False: the connection is one too many for now (W54). */
  take(elapsedMs: number): boolean {
    const { connectionTokensMax, connectionTokenFillMs, connectionTokenFillCount } = this.#limits
    if (connectionTokensMax === 0) return true
    const passedMs = elapsedMs - this.#filledAtMs
    if (passedMs > connectionTokenFillMs) {
      const filled = Math.floor((passedMs * connectionTokenFillCount) / connectionTokenFillMs)
      this.#tokens = Math.min(this.#tokens + filled, connectionTokensMax)
      this.#filledAtMs = elapsedMs
    }
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}
