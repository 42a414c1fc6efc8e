/** What leader and learner share: their view of the member they are a role of. */
import type { ServerId, Zxid } from '../base/zxid.ts'
import {
  COMMIT_LOG_BYTES_MAX,
  LEARNER_LAG_BYTES,
  MASTER_WELCOME_MS,
  PEER_PACKET_MAX_BYTES,
  RENDEZVOUS_LIMIT_MS,
  SILENCE_LIMIT_MS,
} from './constants.ts'
import type { Lane, Moment } from './effect.ts'
import type { EffectSink } from './effect-list.ts'
import type { Epochs } from './epochs.ts'
import type { QuorumGroup } from './hierarchical-verifier.ts'
import type { LogTail } from './log-tail.ts'
import type { QuorumVerifier } from './quorum-verifier.ts'
import type { Replica } from './replica.ts'
import type { ZabRules } from './rules.ts'

/** What ZooKeeper lets an administrator change; absent: the constant of the same name. */
export interface ZabTuning {
  /** commitLogCount: committed entries kept for DIFF (Q32). */
  readonly commitLogCount?: number
  /**
   * snapshotSizeFactor: the log on disk is read while what a learner lacks is less than this part
   * of a snapshot; 0 = whatever the snapshot has, negative = never (Q30).
   */
  readonly snapshotSizeFactor?: number
  /** Most bytes read for one learner, whatever that part is. */
  readonly logDiffBytesMax?: number
  /** group.N and weight.N: each voter in one of them. Default: a majority of the voters (Q6). */
  readonly groups?: readonly QuorumGroup[]
  /** Longest packet between members: what jute.maxbuffer lets a transaction be, and its head. */
  readonly packetBytesMax?: number
  /** fastleader.minNotificationInterval and fastleader.maxNotificationInterval (Q17). */
  readonly notificationIntervalMs?: number
  readonly notificationIntervalMaxMs?: number
  /** maxTimeToWaitForEpoch: instead of RENDEZVOUS_LIMIT_MS, for a leader. */
  readonly epochWaitMs?: number
  /** leader.maxConcurrentSnapSyncs: observers that are sent a snapshot at once (Q41). */
  readonly observerSnapsMax?: number
  /** leader.maxConcurrentDiffSyncs: observers that are sent anything else at once. */
  readonly observerDiffsMax?: number
  /** forceSnapshotSync: every learner gets a snapshot, whatever it has. */
  readonly alwaysSendsSnapshot?: boolean
  /** observer.election.DelayMs: an observer that lost its leader waits before it asks around. */
  readonly observerDelayMs?: number
  /** observer.reconnectDelayMs: and then so long before it asks to be taken once more (Q57). */
  readonly reconnectDelayMs?: number
  /** observerMasterPort is given: followers take observers, and observers go to them (Q58). */
  readonly observerMaster?: ObserverMasterTuning
}

export interface ObserverMasterTuning {
  /** observerMaster.sizeLimit: bytes that an observer may be behind. Absent: LEARNER_LAG_BYTES. */
  readonly lagBytesMax?: number
}

export interface ZabConfig extends ZabTuning {
  readonly sid: ServerId
  readonly voters: readonly ServerId[]
  /** Learns and serves, and is in no quorum (Q7). */
  readonly isObserver: boolean
  /**
   * Where the ensemble's history begins; absent: at nothing. Nobody who has less may lead, however
   * many vote for it: they could be a quorum of newcomers, and the beginning would be lost.
   */
  readonly originZxid?: Zxid
  readonly tickTimeMs: number
  readonly initLimitTicks: number
  readonly syncLimitTicks: number
  /**
   * Instead of SILENCE_LIMIT_MS, and equal on all members: whoever sleeps less than that is still
   * believed to lead, so whoever slept longer must not believe it of itself (Q85).
   */
  readonly silenceLimitMs?: number
}

export function silenceLimitMs(config: Pick<ZabConfig, 'silenceLimitMs'>): number {
  return config.silenceLimitMs ?? SILENCE_LIMIT_MS
}

/** LEARNER_LAG_BYTES, or as many of the longest packets. */
export function lagBytesMax({ packetBytesMax = PEER_PACKET_MAX_BYTES }: ZabConfig): number {
  return Math.max(LEARNER_LAG_BYTES, LAG_PACKETS * packetBytesMax)
}

/** … of an observer of a follower's: at least one packet, or it would never get that. */
export function observerLagBytesMax(config: ZabConfig): number {
  const { packetBytesMax = PEER_PACKET_MAX_BYTES, observerMaster } = config
  return Math.max(observerMaster?.lagBytesMax ?? LEARNER_LAG_BYTES, packetBytesMax)
}

const LAG_PACKETS = LEARNER_LAG_BYTES / PEER_PACKET_MAX_BYTES

/** Bytes of entries that a learner keeps before NEWLEADER: DIFF window, lag and one packet more. */
export function syncQueueBytesMax(config: ZabConfig): number {
  return COMMIT_LOG_BYTES_MAX + 2 * lagBytesMax(config)
}

/** As much longer than RENDEZVOUS_LIMIT_MS as peers may be silent longer. */
export function rendezvousLimitMs(config: ZabConfig): number {
  return RENDEZVOUS_LIMIT_MS + silenceLimitMs(config) - SILENCE_LIMIT_MS
}

/** … in which a learner hears of whom it learns from: an observer may ask another follower. */
export function welcomeLimitMs(config: ZabConfig): number {
  const hasChoice = config.isObserver && config.observerMaster !== undefined
  return hasChoice ? MASTER_WELCOME_MS : rendezvousLimitMs(config)
}

/** Spread over the delays by their ids, so that not all of them come at once. */
export function observerDelayMs(config: ZabConfig, isRoundOver: boolean): number {
  const { isObserver, observerDelayMs: delayMs = 0, reconnectDelayMs = 0, sid } = config
  const part = (ofMs: number): number => (sid * SPREAD) % ofMs || 0
  return isObserver ? part(delayMs) + (isRoundOver ? part(reconnectDelayMs) : 0) : 0
}

/** Odd, and far from a part of any delay that somebody would write. */
const SPREAD = 1_619

/**
 * A role never changes the member's role itself: it asks to leave and returns, and the peer acts
 * when the input at hand is handled. After asking, a role does nothing more.
 */
export interface RoleContext {
  readonly config: ZabConfig
  readonly rules: ZabRules
  readonly verifier: QuorumVerifier
  readonly replica: Replica
  readonly out: EffectSink
  readonly tail: LogTail
  readonly epochs: Epochs
  isLinkUp(peer: ServerId): boolean
  send(
    to: ServerId,
    lane: Lane,
    conversation: number,
    packet: Uint8Array,
    when?: 'now' | 'persisted',
  ): void
  /** Nothing of that conversation leaves any more, and the other side is told. */
  endConversation(peer: ServerId, conversation: number): void
  /** The peer sent what no honest peer sends: its link is cut. */
  violation(peer: ServerId, what: string): void
  /** The leader's stream does not fit what this member has: leave it and synchronise anew. */
  resync(leader: ServerId, what: string): void
  /** Back to LOOKING. */
  leave(reason: string): void
  /** Serving may start; the election reports the new epoch (Q23, Q38). */
  established(epoch: number, at: Moment): void
}
