/**
 * Sessions that only this server knows (S22–S25): no transaction opens or closes them, no other
 * server takes them over, and they end with this time of service. There are none unless they are
 * enabled, or this server is read-only, which can open no other kind (S40).
 *
 * The first ephemeral makes one a session of the ensemble, under the same id, where that is allowed
 * (S23).
 */
import type { ServerId, SessionId } from '../base/zxid.ts'
import { createModeFromFlag } from '../jute/create-mode.ts'
import { JuteError } from '../jute/jute-error.ts'
import { multiRequestRecord } from '../jute/multi.ts'
import { OpCode } from '../jute/op-code.ts'
import { createRequestRecord, createTTLRequestRecord } from '../jute/proto-records.ts'
import { decode } from '../jute/record.ts'
import type { ServerConfig } from './server-config.ts'
import { SessionTracker } from './session-tracker.ts'

const TRAILING = { allowTrailing: true } as const

/** A request of a local session is passed on, answered here, or needs one of the ensemble first. */
export type LocalVerdict = 'pass' | 'close' | 'upgrade'

export class LocalSessions {
  readonly #config: ServerConfig
  /** null: this server opens none. */
  #tracker: SessionTracker | null = null
  /** Their createSession is on its way. */
  readonly #upgrading = new Set<SessionId>()

  constructor(config: ServerConfig) {
    this.#config = config
  }

  /** A new time of service: those of the last one are unknown now (S24). */
  begin(isReadOnly: boolean, elapsedMs: number): void {
    this.end()
    if (!isReadOnly && !this.#isEnabled) return
    this.#tracker = new SessionTracker(this.#config.tickTimeMs, elapsedMs)
  }

  end(): void {
    this.#tracker = null
    this.#upgrading.clear()
  }

  get size(): number {
    return this.#tracker?.size ?? 0
  }

  has(id: SessionId): boolean {
    return this.#tracker?.has(id) === true
  }

  /** False: it has to be a session of the ensemble. */
  open(id: SessionId, timeoutMs: number, elapsedMs: number): boolean {
    this.#tracker?.track(id, timeoutMs, elapsedMs)
    return this.#tracker !== null
  }

  /** False: not one of these. */
  touch(id: SessionId, timeoutMs: number, elapsedMs: number): boolean {
    return this.#tracker?.touch(id, timeoutMs, elapsedMs) === true
  }

  /** It ended, or the ensemble knows it from now on. */
  remove(id: SessionId): void {
    this.#tracker?.remove(id)
    this.#upgrading.delete(id)
  }

  /** Those whose time is over; they are known no longer. */
  expire(elapsedMs: number): SessionId[] {
    const expired = this.#tracker?.expire(elapsedMs) ?? []
    for (const id of expired) this.remove(id)
    return expired
  }

  remainingMs(id: SessionId, elapsedMs: number): number | null {
    return this.#tracker?.remainingMs(id, elapsedMs) ?? null
  }

  /** 'upgrade' is said once: what follows in the pipeline follows the createSession. */
  judge(id: SessionId, type: number, body: Uint8Array): LocalVerdict {
    if (!this.has(id) || this.#upgrading.has(id)) return 'pass'
    if (type === OpCode.closeSession) return 'close'
    // Where it may not be upgraded the leader says so, in its place among the parts of a multi.
    if (this.#config.localSessionsUpgradingEnabled !== true) return 'pass'
    if (!createsEphemeral(type, body)) return 'pass'
    this.#upgrading.add(id)
    return 'upgrade'
  }

  /**
   * May that server write in the name of a session that the leader does not know? Its own local
   * sessions another server vouches for, by sending their requests (S25).
   */
  mayWrite(id: SessionId, owner: ServerId): boolean {
    return this.#isEnabled && (owner !== this.#config.sid || this.has(id))
  }

  /** A server alone has nobody to keep sessions from, and ignores the setting as ZooKeeper does. */
  get #isEnabled(): boolean {
    const { sid, voters = [sid], localSessionsEnabled } = this.#config
    return localSessionsEnabled === true && (voters.length > 1 || !voters.includes(sid))
  }
}

/** What cannot be read makes nothing: the leader answers it. */
function createsEphemeral(type: number, body: Uint8Array): boolean {
  try {
    return flagsIn(type, body).some((flags) => createModeFromFlag(flags)?.isEphemeral === true)
  } catch (error) {
    if (error instanceof JuteError) return false
    throw error
  }
}

function flagsIn(type: number, body: Uint8Array): number[] {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
      return [decode(createRequestRecord, body, TRAILING).flags]
    case OpCode.createTTL:
      return [decode(createTTLRequestRecord, body, TRAILING).flags]
    case OpCode.multi:
      return decode(multiRequestRecord, body, TRAILING).flatMap(({ request }) =>
        'flags' in request ? [request.flags] : [],
      )
    default:
      return []
  }
}
