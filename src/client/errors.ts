/** What a call rejects with. `code` is ZooKeeper's, the message is KeeperException's text. */

import { errorClassName, ErrorCode, errorName } from '../core/jute/error-code.ts'

export interface ZooKeeperErrorOptions extends ErrorOptions {
  readonly path?: string | null
  readonly outcomeUnknown?: boolean
  /** Follows ZooKeeper's text after a colon. */
  readonly detail?: string
}

export class ZooKeeperError extends Error {
  /** An ErrorCode; any other number that a server sent. */
  readonly code: number
  /** The path of the request as the caller gave it (C37). */
  readonly path: string | null
  /**
   * true: the request had left when its connection, its time or its session ended, and it may
   * have changed something or not. Only reading tells.
   */
  readonly outcomeUnknown: boolean

  constructor(code: number, options: ZooKeeperErrorOptions = {}) {
    const text = errorName(code, options.path)
    super(options.detail === undefined ? text : `${text}: ${options.detail}`, options)
    this.name = errorClassName(code) ?? `KeeperError${code}`
    this.code = code
    this.path = options.path ?? null
    this.outcomeUnknown = options.outcomeUnknown ?? false
  }
}

/** A path that breaks D40, refused before anything is sent. The message is PathUtils' text. */
export class InvalidPathError extends ZooKeeperError {
  constructor(path: string, problem: string) {
    super(ErrorCode.BADARGUMENTS, { path })
    this.name = 'InvalidPath'
    this.message = problem
  }
}

export function isZooKeeperError(error: unknown, code?: number): error is ZooKeeperError {
  return error instanceof ZooKeeperError && (code === undefined || error.code === code)
}

/** May the call that rejected with `error` have taken effect all the same? */
export function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof ZooKeeperError && error.outcomeUnknown
}

/** A promise rejects with an Error; a signal's reason may be anything. */
export function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
