import type { ServerId } from '../core/base/zxid.ts'
import type { SignedFoundingRecord } from '../core/founding/founding-record.ts'
import { clusterHash } from '../core/founding/key-names.ts'
import type { MemberConfig } from '../core/server/member-machine.ts'
import type { ObserverGrant } from './page-message.ts'

/** ZooKeeper's sample configuration (S4). */
const TICK_TIME_MS = 2000

/** What the founding record makes of a member. `grant`: as an observer, from there on. */
export function memberConfig(
  { record, body }: SignedFoundingRecord,
  sid: ServerId,
  grant: ObserverGrant | null,
  seed: number,
): MemberConfig {
  return {
    sid,
    voters: record.members.map((member) => member.sid),
    originZxid: record.origin,
    clusterId: clusterHash(body),
    sessionKey: record.sessionKey,
    seed,
    tickTimeMs: TICK_TIME_MS,
    ...(grant === null ? {} : { peerType: 'observer', sessionBase: grant.sessionBase }),
  }
}
