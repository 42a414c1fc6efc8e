/** A vote and the order of votes (Q9, Q10, Q16). */
import type { ServerId, Zxid } from '../base/zxid.ts'
import type { QuorumVerifier } from './quorum-verifier.ts'

/** Whom a member wants as leader, and on what grounds. */
export interface Proposed {
  readonly leader: ServerId
  /** Last LOGGED (here: durable) zxid of the proposed leader, not its last committed one (Q10). */
  readonly zxid: Zxid
  /** currentEpoch of the proposed leader. */
  readonly peerEpoch: number
}

export type VoteState = 'looking' | 'following' | 'leading' | 'observing'

/** A proposal as some member said it, with its round and its state. */
export interface Vote extends Proposed {
  /** The voter's logicalclock. */
  readonly electionEpoch: bigint
  readonly state: VoteState
}

/** Is `a` a better leader than `b`? Weight 0 is never elected (Q6). */
export function isBetter(a: Proposed, b: Proposed, verifier: QuorumVerifier): boolean {
  if (verifier.weightOf(a.leader) === 0) return false
  if (a.peerEpoch !== b.peerEpoch) return a.peerEpoch > b.peerEpoch
  if (a.zxid !== b.zxid) return a.zxid > b.zxid
  return a.leader > b.leader
}

/**
 * Do two votes support the same election? Between members that are no longer looking, zxid and
 * round may differ: they joined at different moments (Q16).
 */
export function isSameVote(a: Vote, b: Vote): boolean {
  if (a.leader !== b.leader || a.peerEpoch !== b.peerEpoch) return false
  if (a.state !== 'looking' && b.state !== 'looking') return true
  return a.zxid === b.zxid && a.electionEpoch === b.electionEpoch
}
