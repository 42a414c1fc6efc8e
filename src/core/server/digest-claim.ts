/**
 * What a member says its tree is: a zxid and the digest there (P22). It travels in the data of
 * PINGs behind the sessions, in their form: who does not know claims takes it for two sessions
 * that nobody has.
 */
import { toZxid, type Zxid } from '../base/zxid.ts'
import { touchedSessionsRecord, type TouchedSession } from '../jute/quorum-records.ts'
import { decode, encode } from '../jute/record.ts'

export interface DigestClaim {
  readonly zxid: Zxid
  readonly digest: bigint
}

export interface PingData {
  readonly sessions: readonly TouchedSession[]
  readonly claim: DigestClaim | null
}

/** No session's time-out and no session's remaining time. */
const MARK_ZXID = -0x8000_0000
const MARK_DIGEST = -0x7fff_ffff

export function encodePing({ sessions, claim }: PingData): Uint8Array {
  if (claim === null) return encode(touchedSessionsRecord, sessions)
  return encode(touchedSessionsRecord, [
    ...sessions,
    { sessionId: claim.zxid, timeout: MARK_ZXID },
    { sessionId: claim.digest, timeout: MARK_DIGEST },
  ])
}

/** Throws JuteError. */
export function decodePing(data: Uint8Array): PingData {
  const all = decode(touchedSessionsRecord, data)
  const zxid = all.at(-2)
  const digest = all.at(-1)
  if (zxid?.timeout !== MARK_ZXID || digest?.timeout !== MARK_DIGEST) {
    return { sessions: all, claim: null }
  }
  const claim = { zxid: toZxid(zxid.sessionId), digest: digest.sessionId }
  return { sessions: all.slice(0, -2), claim }
}
