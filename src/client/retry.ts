/** Repeats a call that failed without having changed anything, with growing pauses, a few times. */

import { ErrorCode } from '../core/jute/error-code.ts'
import { isZooKeeperError } from './errors.ts'
import { platformTicker, type Ticker } from './ticker.ts'

export interface RetryOptions {
  /** Calls in all, the first included. */
  readonly attemptsMax?: number
  /** Before the second call, in ms; doubles each time; a random part of as much comes on top. */
  readonly firstPauseMs?: number
  readonly pauseMaxMs?: number
  readonly signal?: AbortSignal
  /**
   * The call may be made twice without harm: repeat it also when the outcome of the last one is
   * unknown. A create or an unconditional setData is not such a call.
   */
  readonly isIdempotent?: boolean
  readonly ticker?: Ticker
  /** In [0, 1). */
  readonly random?: () => number
}

/** Ours: together about 3 s, the time of a failover. */
const ATTEMPTS_MAX = 5
const FIRST_PAUSE_MS = 100
const PAUSE_MAX_MS = 2000

const PASSING: ReadonlySet<number> = new Set([
  ErrorCode.CONNECTIONLOSS,
  ErrorCode.OPERATIONTIMEOUT,
  ErrorCode.REQUESTTIMEOUT,
  ErrorCode.THROTTLEDOP,
])

/** Rejects with the last error, or with the signal's reason. */
export async function retry<T>(call: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { attemptsMax = ATTEMPTS_MAX, firstPauseMs = FIRST_PAUSE_MS, signal } = options
  const { pauseMaxMs = PAUSE_MAX_MS, ticker = platformTicker, random = Math.random } = options
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await call()
    } catch (error) {
      if (attempt >= attemptsMax || !mayRepeat(error, options.isIdempotent ?? false)) throw error
    }
    const pauseMs = Math.min(pauseMaxMs, firstPauseMs * 2 ** (attempt - 1))
    await pause(pauseMs * (1 + random()), ticker, signal)
  }
}

function mayRepeat(error: unknown, isIdempotent: boolean): boolean {
  if (!isZooKeeperError(error) || !PASSING.has(error.code)) return false
  return isIdempotent || !error.outcomeUnknown
}

function pause(ms: number, ticker: Ticker, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      cancel()
      reject(signal?.reason as Error)
    }
    const cancel = ticker.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
