/**
 * The state machine that Zab replicates, as Zab sees it. The server implements it; zab never knows
 * trees, sessions or clients. All calls are synchronous and pure.
 */
import type { ServerId, Zxid } from '../base/zxid.ts'
import type { Id } from '../jute/data-records.ts'
import type { LogEntry, Moment } from './effect.ts'

/** An exact snapshot being read in slices while the state moves on. */
export interface SnapshotSource {
  /** The state it shows: exactly the transactions up to and including this zxid. */
  readonly zxid: Zxid
  /** What all chunks together have, about: a little less. */
  readonly sizeBytes: number
  /** Next chunk of about `maxBytes` (≤ SNAPSHOT_CHUNK_BYTES), or null at the end. */
  next(maxBytes: number): Uint8Array | null
  /** Stop early; releases copy-on-write state. Idempotent. */
  cancel(): void
}

/** Why a server begins or stops serving (Q38, Q54). */
export type Service =
  | { readonly kind: 'leading'; readonly epoch: number }
  /** As a follower, or as an observer: for the server there is no difference. */
  | { readonly kind: 'following'; readonly epoch: number; readonly leader: ServerId }
  | { readonly kind: 'stopped'; readonly reason: string }

/** Who measures single proposals on their way (O20). Entries are those of the log. */
export interface ProposalWitness {
  /** A follower has it from its leader. */
  proposed(entry: Uint8Array, at: Moment): void
  /** The leader knows that this member has it on disk; late ones are not told. */
  acknowledged(by: ServerId, entry: Uint8Array, at: Moment): void
  /** The leader's quorum is complete, or the leader said so; it is applied at once. */
  committed(entry: Uint8Array, at: Moment): void
}

export interface Replica {
  /** Absent, null: nobody asks. */
  readonly witness?: ProposalWitness | null
  /** Last transaction applied to the state. */
  lastProcessed(): Zxid
  /** Apply one committed (or, at recovery and fast-forward, logged) transaction. Order = zxid. */
  deliver(entry: LogEntry, at: Moment): void
  /** Replace the whole state: snapshot chunks, then log entries. Used at start, TRUNC and SNAP. */
  restore(
    snapshot: { readonly zxid: Zxid; readonly chunks: readonly Uint8Array[] },
    log: readonly LogEntry[],
  ): void
  /**
   * What was restored last is what its own digest says; absent = yes. If not, only a leader's
   * snapshot helps.
   */
  readonly isSound?: boolean
  /** An exact snapshot of the state as of now, for SNAP or for the local disk. */
  beginSnapshot(): SnapshotSource
  /**
   * Serving starts (after UPTODATE / a quorum of NEWLEADER acks) or stops. On 'stopped' every
   * client connection is closed and all requests in flight are forgotten (Q54).
   */
  onService(service: Service, at: Moment): void
  /**
   * The member looks for a leader from now on, or no longer: it found one, or may not take part.
   * Comes before the state moves on.
   */
  onLooking?(isLooking: boolean, at: Moment): void
  /**
   * A REQUEST, REVALIDATE or session-touching PING arrived from a synced learner: on the leader, or
   * on a follower from an observer, for which it asks the leader (Q58).
   */
  onLearnerPacket(from: ServerId, packet: ReplicaPacket, at: Moment): void
  /** Learner: a REVALIDATE answer or a SYNC arrived, in stream order with deliver. */
  onLeaderPacket(packet: ReplicaPacket, at: Moment): void
  /** Learner: sessions touched since the last leader PING (S10), as PING data; clears the table. */
  takeTouchedSessions(): Uint8Array
  /**
   * Leader, optional: data for its PINGs, which ZooKeeper leaves empty and its learners ignore. A
   * serving learner gets it through onLeaderPacket.
   */
  pingData?(at: Moment): Uint8Array
}

/** A quorum packet that zab routes but does not read. */
export interface ReplicaPacket {
  /** PacketType.REQUEST, REVALIDATE, SYNC or PING. */
  readonly type: number
  readonly data: Uint8Array
  /** The packet's authinfo field: whom the client of a REQUEST authenticated as (Q24, A15). */
  readonly authinfo?: readonly Id[]
  /**
   * Of a learner: the conversation in which it asked. An answer that has it goes nowhere else.
   */
  readonly conversation?: number
}

/** For the conversation in which it was asked. */
export function answerIn(
  conversation: number | undefined,
  type: number,
  data: Uint8Array,
): ReplicaPacket {
  return conversation === undefined ? { type, data } : { type, data, conversation }
}

/** What the server may ask of Zab; implemented by QuorumPeer. */
export interface Broadcaster {
  /** Leader only: allocate the zxid of the next transaction (Q3). Asserts when not leading. */
  nextZxid(): Zxid
  /** Leader only: log, send and count one proposal made with the zxid just allocated. */
  propose(zxid: Zxid, entry: Uint8Array, at: Moment): void
  /** Leader only: true while nothing proposed is uncommitted. */
  readonly idle: boolean
  /**
   * Leader only: call back once everything proposed up to now has been committed AND delivered
   * (immediately when idle). This is ZooKeeper's sync on the leader (Q64).
   */
  whenCaughtUp(then: () => void): void
  /** Send a REVALIDATE answer or a SYNC to a learner of this member, in stream order. */
  sendToLearner(to: ServerId, packet: ReplicaPacket): void
  /**
   * The state is not what the log makes: leave the role, and build it again from what storage
   * holds, or, when that was tried, from a leader's snapshot.
   */
  distrust(reason: string, cure: 'disk' | 'snapshot'): void
  /** The link to that member is up. */
  isLinked(peer: ServerId): boolean
  /** Leader: that member is learning from this one, however far it is. */
  hasLearner(peer: ServerId): boolean
  /** Learner only: send a REQUEST, REVALIDATE or PING towards the leader. */
  sendToLeader(packet: ReplicaPacket): void
}
