/**
 * The leader's side of comparing trees (P22): it says what its tree is, its learners say what
 * theirs is at the same zxid. Where a quorum agrees on something else, it is the leader that is
 * wrong: its own word, which every learner goes by, must not decide that.
 */
import type { ServerId } from '../base/zxid.ts'
import type { DigestClaim } from './digest-claim.ts'

export class DigestJury {
  readonly #voters: readonly ServerId[]
  #asked: DigestClaim | null = null
  #others = new Map<bigint, Set<ServerId>>()

  constructor(voters: readonly ServerId[]) {
    this.#voters = voters
  }

  ask(claim: DigestClaim | null): void {
    this.#asked = claim
    this.#others = new Map()
  }

  /** The digest that a quorum has instead, or null. */
  answer(from: ServerId, claim: DigestClaim): bigint | null {
    const asked = this.#asked
    // Answers to an earlier question are too late, and observers are in no quorum.
    if (!this.#voters.includes(from)) return null
    if (asked?.zxid !== claim.zxid || asked.digest === claim.digest) return null
    const members = this.#others.get(claim.digest) ?? new Set()
    this.#others.set(claim.digest, members.add(from))
    return 2 * members.size > this.#voters.length ? claim.digest : null
  }
}
