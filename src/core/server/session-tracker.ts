/**
 * The leader's view of all sessions: deadlines, owners, who is closing (S7–S15).
 *
 * Deadlines are rounded up to ticks and sessions kept in one bucket per tick, so expiry costs what
 * expires and a touch moves one set entry (S7). All of it counts elapsed time; the wall clock never
 * appears. A check that comes too late to have heard anybody (the member slept) gives every session
 * a fresh timeout instead of expiring it, as a new leader does (S11, Q85).
 */
import type { ServerId, SessionId } from '../base/zxid.ts'
import { ErrorCode } from '../jute/error-code.ts'

/**
 * Longest gap between two expiry checks, in ms, at which the silence of sessions is their own.
 * Equal to the silence limit of peer links: a member that paused longer would have left its role
 * (contract 8).
 */
export const EXPIRY_GAP_MAX_MS = 1200

interface TrackedSession {
  readonly id: SessionId
  timeoutMs: number
  /**
   * Index of the bucket = deadline in ticks; the session expires when the tick number reaches it.
   */
  bucket: number
  /** The server its client is connected to; null until the first request after a new leader. */
  owner: ServerId | null
  /** A closeSession is on its way: nothing more is accepted for it. */
  isClosing: boolean
}

export class SessionTracker {
  readonly #tickTimeMs: number
  readonly #sessions = new Map<SessionId, TrackedSession>()
  readonly #buckets = new Map<number, Set<TrackedSession>>()
  /** Buckets up to and including this one are expired already. */
  #expiredTo: number
  #checkedAtMs: number

  constructor(tickTimeMs: number, elapsedMs: number) {
    this.#tickTimeMs = tickTimeMs
    this.#expiredTo = Math.floor(elapsedMs / tickTimeMs)
    this.#checkedAtMs = elapsedMs
  }

  get size(): number {
    return this.#sessions.size
  }

  has(id: SessionId): boolean {
    return this.#sessions.has(id)
  }

  /** Starts to watch a session, or only touches it when it is known (S6). */
  track(id: SessionId, timeoutMs: number, elapsedMs: number): void {
    if (!this.#sessions.has(id)) {
      this.#sessions.set(id, { id, timeoutMs, bucket: -1, owner: null, isClosing: false })
    }
    this.touch(id, timeoutMs, elapsedMs)
  }

  /** False when the session is unknown or closing: its request is dropped (S8). */
  touch(id: SessionId, timeoutMs: number, elapsedMs: number): boolean {
    const session = this.#sessions.get(id)
    if (session === undefined || session.isClosing) return false
    session.timeoutMs = timeoutMs
    this.#put(session, elapsedMs)
    return true
  }

  setOwner(id: SessionId, owner: ServerId): void {
    const session = this.#sessions.get(id)
    if (session !== undefined) session.owner = owner
  }

  /** May this server write in the name of that session? Claims a session without an owner (S15). */
  check(id: SessionId, owner: ServerId): ErrorCode {
    const session = this.#sessions.get(id)
    if (session === undefined || session.isClosing) return ErrorCode.SESSIONEXPIRED
    session.owner ??= owner
    return session.owner === owner ? ErrorCode.OK : ErrorCode.SESSIONMOVED
  }

  setClosing(id: SessionId): void {
    const session = this.#sessions.get(id)
    if (session === undefined) return
    session.isClosing = true
    this.#buckets.get(session.bucket)?.delete(session)
  }

  remove(id: SessionId): void {
    this.setClosing(id)
    this.#sessions.delete(id)
  }

  /** Sessions whose time is over, each reported once and marked as closing (S9). */
  expire(elapsedMs: number): SessionId[] {
    const gapMs = elapsedMs - this.#checkedAtMs
    this.#checkedAtMs = elapsedMs
    if (gapMs > EXPIRY_GAP_MAX_MS) this.#refreshAll(elapsedMs)
    const expired: SessionId[] = []
    const now = Math.floor(elapsedMs / this.#tickTimeMs)
    for (; this.#expiredTo < now; this.#expiredTo++) {
      const bucket = this.#buckets.get(this.#expiredTo + 1)
      if (bucket === undefined) continue
      this.#buckets.delete(this.#expiredTo + 1)
      for (const session of bucket) {
        session.isClosing = true
        expired.push(session.id)
      }
    }
    return expired
  }

  /** Time until expiry; 0 while closing, null when unknown. */
  remainingMs(id: SessionId, elapsedMs: number): number | null {
    const session = this.#sessions.get(id)
    if (session === undefined) return null
    if (session.isClosing) return 0
    return Math.max(0, session.bucket * this.#tickTimeMs - elapsedMs)
  }

  /** The `count` sessions whose time ends first. */
  soonest(count: number, elapsedMs: number): { id: SessionId; remainingMs: number }[] {
    return [...this.#sessions.values()]
      .sort((a, b) => a.bucket - b.bucket)
      .slice(0, count)
      .map(({ id }) => ({ id, remainingMs: this.remainingMs(id, elapsedMs) ?? 0 }))
  }

  #refreshAll(elapsedMs: number): void {
    for (const session of this.#sessions.values()) {
      if (!session.isClosing) this.#put(session, elapsedMs)
    }
  }

  #put(session: TrackedSession, elapsedMs: number): void {
    const bucket = Math.floor((elapsedMs + session.timeoutMs) / this.#tickTimeMs) + 1
    if (bucket === session.bucket) return
    this.#buckets.get(session.bucket)?.delete(session)
    session.bucket = bucket
    let peers = this.#buckets.get(bucket)
    if (peers === undefined) {
      peers = new Set()
      this.#buckets.set(bucket, peers)
    }
    peers.add(session)
  }
}
