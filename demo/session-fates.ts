/**
 * How long sessions without a client have left. Only the leader keeps deadlines (S9); a follower
 * can but estimate from how long the session's machine has been silent, and the page says "about".
 */
import type { MemberStatus, SessionStatus } from '../src/core/server/member-machine.ts'

export interface SessionFate {
  readonly session: SessionStatus
  /** null: its client is there, as far as this member can know. */
  readonly remainingMs: number | null
  readonly isEstimate: boolean
}

/** A session is touched at least every third of its time-out (S27); below this it is in danger. */
const ALIVE_SHARE = 0.55

export function sessionFates(member: MemberStatus): SessionFate[] {
  return member.sessions.map((session) => {
    if (session.connectedHere) return { session, remainingMs: null, isEstimate: false }
    if (session.remainingMs !== null) {
      const isAlive = session.remainingMs > session.timeoutMs * ALIVE_SHARE
      const silent = silentMs(member, session)
      const remainingMs = isAlive && silent === null ? null : session.remainingMs
      return { session, remainingMs, isEstimate: false }
    }
    const silent = silentMs(member, session)
    const remainingMs = silent === null ? null : Math.max(0, session.timeoutMs - silent)
    return { session, remainingMs, isEstimate: true }
  })
}

/** ms since the machine that the session was made on went away; null when it is here. */
function silentMs(member: MemberStatus, session: SessionStatus): number | null {
  const sid = machineOfSession(session.id)
  if (sid === member.sid) return 0
  const peer = member.peers.find((one) => one.sid === sid)
  return peer === undefined || peer.up ? null : peer.silentMs
}

/** The top byte of a session id is the server that made it (S1). */
export function machineOfSession(id: string): number {
  return Number(BigInt.asUintN(64, BigInt(id)) >> 56n)
}
