/**
 * The decisions on which safety hangs, in one place and each replaceable: the simulator plants
 * its bugs here (README, "Planted bugs"), so production code needs no test switches.
 */
import type { ServerId, Zxid } from '../base/zxid.ts'
import type { CommittedLog } from './committed-log.ts'
import type { PersistEffect, RecoveredState } from './effect.ts'
import type { LogTail } from './log-tail.ts'
import { isNext } from './packets.ts'
import {
  chooseSync,
  planFrom,
  type LearnerPosition,
  type SyncChoice,
  type SyncPlan,
} from './synchronization.ts'

export interface ZabRules {
  /** A storage without a snapshot never accepted a founding record, or lost it (Q18, P15). */
  mayVote(recovered: RecoveredState): boolean
  /**
   * Entries that this storage lost and may have acknowledged. While there are any, the member is
   * no witness of what is committed: it neither votes nor counts until a leader synchronised it.
   */
  lostTail(recovered: RecoveredState): number
  /** Steps this far apart: the member slept, and nothing it believed then holds now (Q85). */
  hasSlept(gapMs: number, silenceLimitMs: number): boolean
  /** Up to where the leader has itself acknowledged its proposals (Q43). */
  ownAcked(tail: LogTail): Zxid
  /** How a learner is brought to the leader's history (Q30, Q31). */
  chooseSync(log: CommittedLog, learner: LearnerPosition): SyncChoice
  /** … when the log on disk showed what both have. */
  planFromLog(common: Zxid, learner: LearnerPosition): SyncPlan
  /** How much of the log on disk is there, and is the history of everybody. */
  readableUpTo(tail: LogTail): Zxid
  /** What a learner gets of the proposals in flight when it joins the live stream (Q34). */
  handOver<P>(outstanding: readonly P[]): readonly P[]
  /** When a leader tells its observers of a transaction: once it is committed (Q44). */
  readonly informsAt: 'commit' | 'proposal'
  /** In whose name a learner's ack counts: a voter's in its own, an observer's in none (Q7). */
  countsAs(peer: ServerId, isObserver: boolean): ServerId | null
  /** May `next` be logged directly behind `previous` (Q37)? */
  follows(previous: Zxid, next: Zxid): boolean
  /** What else a learner writes with acceptedEpoch, before anything is synchronised (Q36). */
  writesAtSyncStart(epoch: number): readonly PersistEffect[]
  /** When a learner's ack of NEWLEADER, and of what came before it, may leave (Q36). */
  readonly acksSync: 'persisted' | 'now'
}

export const ZAB_RULES: ZabRules = {
  mayVote: (recovered) => recovered.snapshot !== null,
  lostTail: ({ droppedTail }) => droppedTail ?? 0,
  hasSlept: (gapMs, silenceLimitMs) => gapMs > silenceLimitMs,
  ownAcked: (tail) => tail.durable,
  chooseSync,
  planFromLog: planFrom,
  readableUpTo: ({ durable, lastCommitted }) => {
    return durable < lastCommitted ? durable : lastCommitted
  },
  handOver: (outstanding) => outstanding,
  informsAt: 'commit',
  countsAs: (peer, isObserver) => (isObserver ? null : peer),
  follows: isNext,
  // Nothing: currentEpoch is written behind the entries it vouches for (ZOOKEEPER-4643, 4646).
  writesAtSyncStart: () => [],
  // The ack says that everything before it is on this disk (ZOOKEEPER-3911, 4646, 4785).
  acksSync: 'persisted',
}
