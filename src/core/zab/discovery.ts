/**
 * The leader's side of discovery: which epoch it may lead, and that nobody in the quorum knows a
 * newer history (Q26–Q28). Counts only; the leader sends and persists.
 */
import type { ServerId, Zxid } from '../base/zxid.ts'
import { NO_EPOCH_ACK } from '../jute/quorum-records.ts'
import type { QuorumVerifier } from './quorum-verifier.ts'

/** How new a history is. */
export interface StateSummary {
  readonly currentEpoch: number
  readonly lastZxid: Zxid
}

export function isMoreRecent(a: StateSummary, b: StateSummary): boolean {
  if (a.currentEpoch !== b.currentEpoch) return a.currentEpoch > b.currentEpoch
  return a.lastZxid > b.lastZxid
}

export class Discovery {
  readonly #verifier: QuorumVerifier
  readonly #own: StateSummary
  readonly #connected: Set<ServerId>
  readonly #acked: Set<ServerId>
  #candidate: number
  #epoch: number | null = null

  constructor(verifier: QuorumVerifier, self: ServerId, accepted: number, own: StateSummary) {
    this.#verifier = verifier
    this.#own = own
    this.#candidate = accepted + 1
    this.#connected = new Set([self])
    this.#acked = new Set([self])
  }

  /** The new epoch, once a quorum told which epochs it had accepted. */
  get epoch(): number | null {
    return this.#epoch
  }

  /** A learner came with its accepted epoch. Later ones cannot change a decided epoch. */
  onInfo(sid: ServerId, acceptedEpoch: number): void {
    if (this.#epoch !== null) return
    this.#candidate = Math.max(this.#candidate, acceptedEpoch + 1)
    this.#connected.add(sid)
  }

  onGone(sid: ServerId): void {
    this.#connected.delete(sid)
    this.#acked.delete(sid)
  }

  /** true when this call decided the epoch. */
  decide(): boolean {
    if (this.#epoch !== null || !this.#verifier.containsQuorum(this.#connected)) return false
    this.#epoch = this.#candidate
    return true
  }

  /** 'ahead': a follower knows a newer history, so this member must not lead (Q28). */
  onAckEpoch(sid: ServerId, summary: StateSummary): 'ahead' | 'counted' | 'not counted' {
    // It had promised this epoch before, maybe to another leader: no vote of confidence (Q27).
    if (summary.currentEpoch === NO_EPOCH_ACK) return 'not counted'
    if (isMoreRecent(summary, this.#own)) return 'ahead'
    this.#acked.add(sid)
    return 'counted'
  }

  get isElected(): boolean {
    return this.#epoch !== null && this.#verifier.containsQuorum(this.#acked)
  }
}
