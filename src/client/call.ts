/** One call of the handle: from a request and its options to a promise that always settles. */

import { ErrorCode } from '../core/jute/error-code.ts'
import { JuteError } from '../core/jute/jute-error.ts'
import { JuteReader } from '../core/jute/reader.ts'
import { toError, ZooKeeperError } from './errors.ts'
import { REQUEST_FRAME_MAX_BYTES } from './limits.ts'
import { frameBytes } from './request-queue.ts'
import type { SessionDriver, Settle } from './session-driver.ts'
import type { Settlement } from './session-protocol.ts'
import type { WatchRegistration, WatchRemoval } from './watch-tables.ts'

export interface CallOptions {
  /** Rejects with the signal's reason. A request that has left may still take effect. */
  readonly signal?: AbortSignal | undefined
  /** Rejects with REQUESTTIMEOUT after this; 0 never. Default: the client's. */
  readonly timeoutMs?: number | undefined
  /** Rejects with CONNECTIONLOSS when it could not be sent for that long. Default: the client's. */
  readonly unsentWaitMs?: number | undefined
}

export interface Call<T> {
  readonly type: number
  readonly body: Uint8Array
  readonly isWrite: boolean
  /** The caller's path, for the error. */
  readonly path: string | null
  readonly read: (reader: JuteReader) => T
  /** A code that is an answer; undefined makes it an error. */
  readonly onError?: (err: number) => T | undefined
  readonly register?: WatchRegistration | null
  readonly unregister?: WatchRemoval | null
}

export interface CallDefaults {
  readonly timeoutMs: number
  readonly unsentWaitMs: number
}

export function makeCall<T>(
  driver: SessionDriver,
  defaults: CallDefaults,
  call: Call<T>,
  options: CallOptions,
): Promise<T> {
  const { signal } = options
  if (signal?.aborted === true) return rejected(signal.reason)
  const refusal = refuse(driver, call)
  if (refusal !== null) return Promise.reject(refusal)
  const timeoutMs = options.timeoutMs ?? defaults.timeoutMs
  const unsentWaitMs = options.unsentWaitMs ?? defaults.unsentWaitMs
  const nowMs = driver.now()
  const request = {
    type: call.type,
    body: call.body,
    isWrite: call.isWrite,
    register: call.register ?? null,
    unregister: call.unregister ?? null,
    deadlineMs: timeoutMs > 0 ? nowMs + timeoutMs : null,
    unsentDeadlineMs: unsentWaitMs === Infinity ? null : nowMs + unsentWaitMs,
  }
  return settledBy(driver, signal, (resolve, reject) =>
    driver.submit(request, (settlement) => finish(call, settlement, resolve, reject)),
  )
}

/** `start` begins something that settles once and returns its id for a cancel. */
export function settledBy<T>(
  driver: SessionDriver,
  signal: AbortSignal | undefined,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => number,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (signal === undefined) {
      start(resolve, reject)
      return
    }
    let id = 0
    const onAbort = (): void => {
      driver.cancel(id)
      reject(toError(signal.reason))
    }
    const forget = (): void => signal.removeEventListener('abort', onAbort)
    signal.addEventListener('abort', onAbort, { once: true })
    id = start(
      (value) => {
        forget()
        resolve(value)
      },
      (error) => {
        forget()
        reject(toError(error))
      },
    )
  })
}

/** For a request without a body in its answer. */
export function settleVoid(
  path: string | null,
  resolve: () => void,
  reject: (error: unknown) => void,
): Settle {
  return (settlement) => {
    if (settlement.err === ErrorCode.OK) resolve()
    else reject(errorFrom(settlement, path))
  }
}

export function rejected<T>(reason: unknown): Promise<T> {
  return Promise.reject(toError(reason))
}

/** What cannot succeed is told at once: nothing was sent. */
function refuse(driver: SessionDriver, call: Call<unknown>): ZooKeeperError | null {
  const { path } = call
  const bytes = frameBytes(call.body)
  if (bytes > REQUEST_FRAME_MAX_BYTES) {
    const detail = `request of ${bytes} bytes, at most ${REQUEST_FRAME_MAX_BYTES} (jute.maxbuffer)`
    return new ZooKeeperError(ErrorCode.MARSHALLINGERROR, { path, detail })
  }
  if (!driver.session.isFull) return null
  const detail = 'too many requests wait in this client'
  return new ZooKeeperError(ErrorCode.THROTTLEDOP, { path, detail })
}

function finish<T>(
  call: Call<T>,
  settlement: Settlement,
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
): void {
  const { err } = settlement
  if (err !== ErrorCode.OK) {
    const answer = call.onError?.(err)
    if (answer === undefined) reject(errorFrom(settlement, call.path))
    else resolve(answer)
    return
  }
  let value: T
  try {
    value = call.read(new JuteReader(settlement.body))
  } catch (cause) {
    const isMalformed = cause instanceof JuteError
    const { path } = call
    reject(isMalformed ? new ZooKeeperError(ErrorCode.MARSHALLINGERROR, { path, cause }) : cause)
    return
  }
  resolve(value)
}

function errorFrom(settlement: Settlement, path: string | null): ZooKeeperError {
  const { err, outcomeUnknown, reason } = settlement
  if (reason === null) return new ZooKeeperError(err, { path, outcomeUnknown })
  return new ZooKeeperError(err, { path, outcomeUnknown, cause: new Error(reason) })
}
