/** What learners and leaders tell each other (Q24–Q27, Q35, Q60, S10, S14, Q76). */

import { idRecord, type Id } from './data-records.ts'
import type { JuteReader } from './reader.ts'
import type { JuteRecord } from './record.ts'
import type { JuteWriter } from './writer.ts'

export const PacketType = {
  REQUEST: 1,
  PROPOSAL: 2,
  ACK: 3,
  COMMIT: 4,
  PING: 5,
  REVALIDATE: 6,
  SYNC: 7,
  INFORM: 8,
  COMMITANDACTIVATE: 9,
  NEWLEADER: 10,
  FOLLOWERINFO: 11,
  UPTODATE: 12,
  DIFF: 13,
  TRUNC: 14,
  SNAP: 15,
  OBSERVERINFO: 16,
  LEADERINFO: 17,
  ACKEPOCH: 18,
  INFORMANDACTIVATE: 19,
} as const

export type PacketType = (typeof PacketType)[keyof typeof PacketType]

const PACKET_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(PacketType).map(([name, type]) => [type, name]),
)

export function packetName(type: number): string {
  return PACKET_NAMES.get(type) ?? `unknown ${type}`
}

/** LearnerInfo and LEADERINFO of ZooKeeper since 3.4. */
export const PROTOCOL_VERSION = 0x10000
/** ACKEPOCH's current epoch of a learner that had accepted the epoch before: not an ack (Q27). */
export const NO_EPOCH_ACK = -1

export interface QuorumPacket {
  /** A PacketType, unchecked. */
  readonly type: number
  readonly zxid: bigint
  readonly data: Uint8Array | null
  readonly authinfo: readonly Id[] | null
}

/** Data of FOLLOWERINFO and OBSERVERINFO. */
export interface LearnerInfo {
  readonly serverid: bigint
  readonly protocolVersion: number
  /** Version of the learner's configuration; 0 when its form is older than 3.5. */
  readonly configVersion: bigint
}

/** Data of REQUEST, a learner's request on its way to the leader (Q60). */
export interface ForwardedRequest {
  readonly sessionId: bigint
  readonly cxid: number
  readonly type: number
  /** The request's body without its header. */
  readonly request: Uint8Array
}

/** Data of REVALIDATE towards the leader (S14). */
export interface RevalidateRequest {
  readonly sessionId: bigint
  /** ms. */
  readonly timeout: number
}

/** Data of REVALIDATE towards the learner. */
export interface RevalidateResponse {
  readonly sessionId: bigint
  readonly valid: boolean
}

/** One entry of a PING answer (S10). */
export interface TouchedSession {
  readonly sessionId: bigint
  /** ms. */
  readonly timeout: number
}

/** Data of LEADERINFO. */
export interface LeaderInfo {
  readonly protocolVersion: number
}

/** Data of ACKEPOCH. */
export interface AckEpoch {
  /** The learner's, or NO_EPOCH_ACK. */
  readonly currentEpoch: number
  /**
   * Lowest zxid that the learner can truncate to. Ours: a browser's log begins at its snapshot,
   * so a
   * TRUNC below it cannot be done and the leader sends SNAP. ZooKeeper's learners send none: 0n.
   */
  readonly truncFloor: bigint
}

/** Data of COMMITANDACTIVATE (Q76). */
export interface CommitAndActivate {
  readonly designatedLeader: bigint
}

/** Data of INFORMANDACTIVATE: the same before the transaction of an INFORM. */
export interface InformAndActivate extends CommitAndActivate {
  readonly txn: Uint8Array
}

export const quorumPacketRecord: JuteRecord<QuorumPacket> = {
  name: 'QuorumPacket',
  write(w: JuteWriter, v: QuorumPacket): void {
    w.int(v.type)
    w.long(v.zxid)
    w.buffer(v.data)
    w.vector(v.authinfo, idRecord.write)
  },
  read(r: JuteReader): QuorumPacket {
    const type = r.int()
    const zxid = r.long()
    const data = r.buffer()
    const authinfo = r.vector(idRecord.read)
    return { type, zxid, data, authinfo }
  },
}

export const learnerInfoRecord: JuteRecord<LearnerInfo> = {
  name: 'LearnerInfo',
  write(w: JuteWriter, v: LearnerInfo): void {
    w.long(v.serverid)
    w.int(v.protocolVersion)
    w.long(v.configVersion)
  },
  read(r: JuteReader): LearnerInfo {
    const serverid = r.long()
    const protocolVersion = r.int()
    const configVersion = r.atEnd ? 0n : r.long()
    return { serverid, protocolVersion, configVersion }
  },
}

export const forwardedRequestRecord: JuteRecord<ForwardedRequest> = {
  name: 'REQUEST data',
  write(w: JuteWriter, v: ForwardedRequest): void {
    w.long(v.sessionId)
    w.int(v.cxid)
    w.int(v.type)
    w.raw(v.request)
  },
  read(r: JuteReader): ForwardedRequest {
    const sessionId = r.long()
    const cxid = r.int()
    const type = r.int()
    const request = r.raw(r.remaining)
    return { sessionId, cxid, type, request }
  },
}

export const revalidateRequestRecord: JuteRecord<RevalidateRequest> = {
  name: 'REVALIDATE request data',
  write: writeSessionTimeout,
  read: readSessionTimeout,
}

export const revalidateResponseRecord: JuteRecord<RevalidateResponse> = {
  name: 'REVALIDATE response data',
  write(w: JuteWriter, v: RevalidateResponse): void {
    w.long(v.sessionId)
    w.bool(v.valid)
  },
  read(r: JuteReader): RevalidateResponse {
    const sessionId = r.long()
    const valid = r.bool()
    return { sessionId, valid }
  },
}

/** No count: the entries fill the data of a PING answer. */
export const touchedSessionsRecord: JuteRecord<readonly TouchedSession[]> = {
  name: 'PING data',
  write(w: JuteWriter, sessions: readonly TouchedSession[]): void {
    for (const session of sessions) writeSessionTimeout(w, session)
  },
  read(r: JuteReader): TouchedSession[] {
    const sessions: TouchedSession[] = []
    while (!r.atEnd) sessions.push(readSessionTimeout(r))
    return sessions
  },
}

export const leaderInfoRecord: JuteRecord<LeaderInfo> = {
  name: 'LEADERINFO data',
  write(w: JuteWriter, v: LeaderInfo): void {
    w.int(v.protocolVersion)
  },
  read(r: JuteReader): LeaderInfo {
    return { protocolVersion: r.int() }
  },
}

export const ackEpochRecord: JuteRecord<AckEpoch> = {
  name: 'ACKEPOCH data',
  write(w: JuteWriter, v: AckEpoch): void {
    w.int(v.currentEpoch)
    if (v.truncFloor !== 0n) w.long(v.truncFloor)
  },
  read(r: JuteReader): AckEpoch {
    const currentEpoch = r.int()
    const truncFloor = r.atEnd ? 0n : r.long()
    return { currentEpoch, truncFloor }
  },
}

export const commitAndActivateRecord: JuteRecord<CommitAndActivate> = {
  name: 'COMMITANDACTIVATE data',
  write(w: JuteWriter, v: CommitAndActivate): void {
    w.long(v.designatedLeader)
  },
  read(r: JuteReader): CommitAndActivate {
    return { designatedLeader: r.long() }
  },
}

export const informAndActivateRecord: JuteRecord<InformAndActivate> = {
  name: 'INFORMANDACTIVATE data',
  write(w: JuteWriter, v: InformAndActivate): void {
    w.long(v.designatedLeader)
    w.raw(v.txn)
  },
  read(r: JuteReader): InformAndActivate {
    const designatedLeader = r.long()
    const txn = r.raw(r.remaining)
    return { designatedLeader, txn }
  },
}

function writeSessionTimeout(w: JuteWriter, v: TouchedSession): void {
  w.long(v.sessionId)
  w.int(v.timeout)
}

function readSessionTimeout(r: JuteReader): TouchedSession {
  const sessionId = r.long()
  const timeout = r.int()
  return { sessionId, timeout }
}
