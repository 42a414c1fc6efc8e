/**
 * Of whom an observer learns where followers are masters of observers (Q58): of each linked
 * follower in turn. It begins with another one than the observer with the next id, so that they
 * are spread; ZooKeeper shuffles the list. The leader, which followers shall relieve, is asked when
 * none of them could help.
 */
import type { ServerId } from '../base/zxid.ts'

/** So often all are asked before the leader is. Ours: after an election all are busy a moment. */
const ROUNDS_MAX = 3

export class MasterTurns {
  #turn: number
  #candidates = 0
  /** Attempts since one of them brought this observer up to date. */
  #failures = 0

  constructor(self: ServerId) {
    this.#turn = self
  }

  /** `linked`: the voters that can be reached. */
  next(leader: ServerId, linked: readonly ServerId[]): ServerId {
    const followers = linked.filter((sid) => sid !== leader).sort((a, b) => a - b)
    this.#candidates = followers.length
    const master = followers[this.#turn % followers.length]
    if (master === undefined || this.#failures >= ROUNDS_MAX * followers.length) {
      this.#failures = 0
      return leader
    }
    this.#turn++
    this.#failures++
    return master
  }

  onServed(): void {
    this.#failures = 0
  }

  /** All of them were asked in vain: before the next round is time for a pause. */
  get isRoundOver(): boolean {
    return this.#failures > 0 && this.#failures % Math.max(1, this.#candidates) === 0
  }
}
