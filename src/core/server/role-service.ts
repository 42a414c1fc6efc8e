/** What a member does for its clients depends on its role: one object per time of service. */
import type { ServerId, SessionId } from '../base/zxid.ts'
import type { TxnHeader } from '../jute/txn-records.ts'
import type { Txn } from '../jute/txn.ts'
import type { Moment } from '../zab/effect.ts'
import type { ReplicaPacket } from '../zab/replica.ts'
import type { Connection } from './connection.ts'
import type { DigestClaim } from './digest-claim.ts'
import type { Request } from './request.ts'
import type { ServerWitness } from './witness.ts'

export interface RoleService {
  /** A sign of life of a local client. False: its session is unknown or closing (S8). */
  touch(session: SessionId, timeoutMs: number, at: Moment): boolean
  /** A write or sync of a local client; it waits in commit order already. */
  forward(request: Request, at: Moment): void
  /** A client came back with the right password: is its session still alive (S14)? */
  reopen(connection: Connection, at: Moment): void
  /** A transaction was applied. */
  committed(header: TxnHeader, txn: Txn): void
  tick(at: Moment): void
  /**
   * What a learner of this member sends for its clients. Throws JuteError for what is no packet.
   */
  onLearnerPacket(from: ServerId, packet: ReplicaPacket, at: Moment): void
  /** Time until the session expires, where it is known, else null. */
  remainingMs(session: SessionId, at: Moment): number | null
}

/** What a role asks of the server around it. */
export interface ServiceHost {
  readonly witness: ServerWitness | null
  finishConnect(connection: Connection, isValid: boolean): void
  /** The sync's moment has come: everything before it is applied here. */
  syncAnswered(request: Request): void
  /** May that server write in the name of a session that is none of the ensemble's (S25)? */
  mayWriteLocally(session: SessionId, owner: ServerId): boolean
  sessionExpired(session: SessionId): void
  /** The tree as it is now, for comparing; null: digests are off. */
  claim(): DigestClaim | null
  /** This member's tree is not what others have (P22). */
  diverged(other: DigestClaim, what: string): void
  /** No place for that observer. */
  observerRefused(incarnation: string, reason: string): void
}
