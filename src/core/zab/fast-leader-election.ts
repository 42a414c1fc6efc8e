/**
 * Fast leader election (Q9–Q23): members exchange votes until a quorum agrees on the one with the
 * newest history. Only liveness hangs on it; discovery and synchronisation keep safety.
 *
 * A vote for a leader without a link to this member is recorded but not adopted, and votes of lost
 * links are forgotten: ZooKeeper finds out by failing to connect and votes again, over and over.
 *
 * A member that may not vote listens: it asks around without a proposal, and follows a leader once
 * a quorum that does without it has one. An observer does nothing else, ever (Q20).
 */
import type { ServerId, Zxid } from '../base/zxid.ts'
import {
  FINALIZE_WAIT_MS,
  NOTIFICATION_INTERVAL_MAX_MS,
  NOTIFICATION_INTERVAL_MS,
} from './constants.ts'
import type { Announcement } from './notification.ts'
import type { QuorumVerifier } from './quorum-verifier.ts'
import { isBetter, isSameVote, type Proposed, type Vote, type VoteState } from './vote.ts'

/** What the election needs of its member. */
export interface ElectionHost {
  readonly sid: ServerId
  readonly verifier: QuorumVerifier
  /** Never has a vote, not even one to report (Q7). */
  readonly isObserver: boolean
  /** Whoever has less may not lead (ZabConfig). */
  readonly originZxid: Zxid
  /** ms until the first repetition of what nobody answered, and the longest (Q17). */
  readonly intervalMs?: number | undefined
  readonly intervalMaxMs?: number | undefined
  /** Voters whose link is up, without this member. */
  linkedVoters(): readonly ServerId[]
  /** null: nothing to propose, only asking. */
  notify(to: ServerId, vote: Vote | null): void
  /** The proposal changed: for observers of this member. */
  onProposal(vote: Vote): void
  /** Decided; the vote's state says what this member becomes. */
  onElected(vote: Vote, nowMs: number): void
}

type Phase = 'idle' | 'looking' | 'listening' | 'settled'

export class FastLeaderElection {
  readonly #host: ElectionHost
  #phase: Phase = 'idle'
  /** logicalclock: number of this member's round. */
  #clock = 0n
  #initial: Proposed
  #vote: Vote
  /** Votes of this round. */
  #received = new Map<ServerId, Vote>()
  /** Votes of members that are not looking, whatever their round. */
  #outOfElection = new Map<ServerId, Vote>()
  /** What came while this member did not look; the newest of each. */
  #held = new Map<ServerId, Announcement>()
  /** Who asked while this member had a leader, and is still looking. */
  #lookers = new Set<ServerId>()
  #finalizeAtMs: number | null = null
  #resendAtMs = 0
  #intervalMs = NOTIFICATION_INTERVAL_MS

  constructor(host: ElectionHost) {
    this.#host = host
    this.#initial = { leader: host.sid, zxid: 0n as Proposed['zxid'], peerEpoch: 0 }
    this.#vote = { ...this.#initial, electionEpoch: 0n, state: 'looking' }
  }

  get vote(): Vote {
    return this.#vote
  }

  /** Nothing is said until `start`: the member waits for its disk, or takes no part at all. */
  pause(): void {
    this.#phase = 'idle'
    this.#finalizeAtMs = null
    this.#lookers.clear()
  }

  /**
   * Everything that was logged is durable: vote for oneself, in a new round (Q11), or, with null,
   * listen.
   */
  start(own: Proposed | null, nowMs: number): void {
    this.#outOfElection.clear()
    if (own === null) this.#listen(nowMs)
    else {
      this.#phase = 'looking'
      this.#initial = own
      this.#beginRound(this.#clock + 1n, own, nowMs)
    }
    const held = [...this.#held]
    this.#held.clear()
    for (const [from, announcement] of held) this.onNotification(from, announcement, nowMs)
    this.#judge(nowMs)
  }

  /** The epoch of the election just won or followed is known: all report the same (Q23). */
  settle(peerEpoch: number): void {
    if (this.#phase !== 'settled') return
    this.#vote = { ...this.#vote, peerEpoch }
    // Those that still look could not find a quorum while the epochs differed.
    for (const looker of this.#lookers) this.#host.notify(looker, this.#vote)
  }

  onNotification(from: ServerId, said: Announcement, nowMs: number): void {
    const { vote } = said
    const { verifier } = this.#host
    if (this.#phase === 'idle') {
      this.#held.set(from, said)
      return
    }
    if (this.#host.isObserver) {
      if (vote !== null) this.#onOverheard(from, vote, nowMs)
      return
    }
    if (vote === null) {
      this.#onListener(from)
      return
    }
    if (!verifier.voters.has(from)) {
      this.#tell(from)
      return
    }
    if (this.#phase === 'settled') {
      if (vote.state !== 'looking') {
        this.#lookers.delete(from)
        return
      }
      this.#lookers.add(from)
      // It noticed a lost leader first, maybe: its vote counts when this member looks, too.
      this.#held.set(from, said)
      this.#host.notify(from, this.#vote)
      return
    }
    if (!verifier.voters.has(vote.leader)) return
    if (vote.state === 'looking') {
      if (this.#phase === 'looking') this.#onLooking(from, vote, nowMs)
    } else if (vote.state !== 'observing') {
      this.#onSettledPeer(from, vote, nowMs)
    }
  }

  /** Observer: who leads counts; what the others think about it does not. */
  #onOverheard(from: ServerId, vote: Vote, nowMs: number): void {
    const { voters } = this.#host.verifier
    if (this.#phase !== 'listening' || !voters.has(from) || !voters.has(vote.leader)) return
    if (vote.state === 'following' || vote.state === 'leading') {
      this.#onSettledPeer(from, vote, nowMs)
    }
  }

  onLinkUp(peer: ServerId, nowMs: number): void {
    if (!this.#isAsking) return
    this.#resetBackOff(nowMs)
    this.#tell(peer)
  }

  /** What a lost member said counts no more; without its leader a proposal is void. */
  onLinkDown(peer: ServerId, nowMs: number): void {
    this.#held.delete(peer)
    this.#lookers.delete(peer)
    this.#received.delete(peer)
    this.#outOfElection.delete(peer)
    if (!this.#isAsking) return
    this.#resetBackOff(nowMs)
    if (this.#phase === 'listening') return
    if (this.#vote.leader === peer) this.#beginRound(this.#clock + 1n, this.#initial, nowMs)
    this.#judge(nowMs)
  }

  onTime(nowMs: number): void {
    if (!this.#isAsking) return
    if (this.#finalizeAtMs !== null && nowMs >= this.#finalizeAtMs) {
      this.#elect(this.#vote, nowMs)
    } else if (nowMs >= this.#resendAtMs) {
      const { intervalMaxMs = NOTIFICATION_INTERVAL_MAX_MS } = this.#host
      this.#intervalMs = Math.min(this.#intervalMs * 2, intervalMaxMs)
      this.#resendAtMs = nowMs + this.#intervalMs
      this.#notifyAll()
    }
  }

  get #isAsking(): boolean {
    return this.#phase === 'looking' || this.#phase === 'listening'
  }

  #listen(nowMs: number): void {
    this.#phase = 'listening'
    this.#finalizeAtMs = null
    this.#received.clear()
    this.#resetBackOff(nowMs)
    this.#notifyAll()
  }

  /** It hears who leads now, or else as soon as that is decided. */
  #onListener(from: ServerId): void {
    if (this.#phase === 'listening') return
    this.#lookers.add(from)
    if (this.#phase === 'settled') this.#tell(from)
  }

  #onLooking(from: ServerId, vote: Vote, nowMs: number): void {
    if (vote.electionEpoch < this.#clock) {
      // It is behind: tell it where we are.
      this.#host.notify(from, this.#vote)
      return
    }
    const { verifier } = this.#host
    const isNewRound = vote.electionEpoch > this.#clock
    // In a newer round the own initial vote competes, not the current proposal (Q12).
    const rival = isNewRound ? this.#initial : this.#vote
    const adopts = this.#canReach(vote.leader) && isBetter(vote, rival, verifier)
    if (isNewRound) this.#beginRound(vote.electionEpoch, adopts ? vote : this.#initial, nowMs)
    else if (adopts) this.#propose(vote)
    this.#received.set(from, vote)
    this.#judge(nowMs)
  }

  /** A member with a leader: follow the same one if a quorum and the leader itself say so (Q15). */
  #onSettledPeer(from: ServerId, vote: Vote, nowMs: number): void {
    if (vote.electionEpoch === this.#clock) {
      this.#received.set(from, vote)
      if (this.#isBacked(this.#received, vote)) {
        this.#elect(vote, nowMs)
        return
      }
    }
    this.#outOfElection.set(from, vote)
    if (!this.#isBacked(this.#outOfElection, vote)) {
      this.#judge(nowMs)
      return
    }
    this.#clock = vote.electionEpoch
    this.#elect(vote, nowMs)
  }

  #isBacked(votes: ReadonlyMap<ServerId, Vote>, vote: Vote): boolean {
    if (!this.#host.verifier.containsQuorum(supporters(votes, vote))) return false
    // Never follow a leader that did not itself say that it leads: it may be dead. And when the
    // others think it is this member, only the current round can mean it, if it has a vote.
    if (vote.leader === this.#host.sid && this.#phase === 'listening') return false
    if (vote.leader === this.#host.sid) return vote.electionEpoch === this.#clock
    return votes.get(vote.leader)?.state === 'leading'
  }

  #beginRound(clock: bigint, proposed: Proposed, nowMs: number): void {
    this.#clock = clock
    this.#received.clear()
    this.#resetBackOff(nowMs)
    this.#propose(proposed)
  }

  #propose(proposed: Proposed): void {
    const { leader, zxid, peerEpoch } = proposed
    this.#vote = { leader, zxid, peerEpoch, electionEpoch: this.#clock, state: 'looking' }
    this.#received.set(this.#host.sid, this.#vote)
    this.#finalizeAtMs = null
    this.#host.onProposal(this.#vote)
    this.#notifyAll()
  }

  /** Is there a quorum for the proposal? Then wait a little for a better one (Q14). */
  #judge(nowMs: number): void {
    if (this.#phase !== 'looking' || this.#vote.zxid < this.#host.originZxid) return
    const backers = supporters(this.#received, this.#vote)
    if (!this.#host.verifier.containsQuorum(backers)) {
      this.#finalizeAtMs = null
      return
    }
    // A better vote can only come from somebody who has not said this one yet.
    const isUnanimous = this.#host.linkedVoters().every((sid) => backers.has(sid))
    if (isUnanimous) this.#elect(this.#vote, nowMs)
    else this.#finalizeAtMs ??= nowMs + FINALIZE_WAIT_MS
  }

  #elect(vote: Vote, nowMs: number): void {
    const learns: VoteState = this.#host.isObserver ? 'observing' : 'following'
    const state: VoteState = vote.leader === this.#host.sid ? 'leading' : learns
    const { leader, zxid, peerEpoch } = vote
    this.#vote = { leader, zxid, peerEpoch, electionEpoch: this.#clock, state }
    this.#phase = 'settled'
    this.#finalizeAtMs = null
    this.#received.clear()
    this.#outOfElection.clear()
    this.#host.onElected(this.#vote, nowMs)
  }

  #canReach(leader: ServerId): boolean {
    return leader === this.#host.sid || this.#host.linkedVoters().includes(leader)
  }

  #notifyAll(): void {
    for (const peer of this.#host.linkedVoters()) this.#tell(peer)
  }

  #tell(peer: ServerId): void {
    this.#host.notify(peer, this.#phase === 'listening' ? null : this.#vote)
  }

  /** Any change of connectivity starts the back-off anew: 60 s of silence was an outage (Q17). */
  #resetBackOff(nowMs: number): void {
    this.#intervalMs = this.#host.intervalMs ?? NOTIFICATION_INTERVAL_MS
    this.#resendAtMs = nowMs + this.#intervalMs
  }
}

function supporters(votes: ReadonlyMap<ServerId, Vote>, vote: Vote): Set<ServerId> {
  const backers = new Set<ServerId>()
  for (const [sid, other] of votes) if (isSameVote(vote, other)) backers.add(sid)
  return backers
}
