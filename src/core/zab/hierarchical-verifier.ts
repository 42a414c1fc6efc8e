/**
 * Quorums of groups (Q6): more than half of the weight in more than half of the groups. Groups
 * without any weight do not count.
 *
 * Two quorums share a member: of two majorities of the groups one group is in both, and in it two
 * sets of more than half of its weight cannot be apart.
 */
import { assert } from '../base/assert.ts'
import { ZXID_NONE, type ServerId, type Zxid } from '../base/zxid.ts'
import { MajorityVerifier, type QuorumVerifier } from './quorum-verifier.ts'

export interface WeightedMember {
  readonly sid: ServerId
  /** A whole number. 0: never elected, and in no quorum. */
  readonly weight: number
}

/** Each voter is in exactly one. */
export type QuorumGroup = readonly WeightedMember[]

interface Voting {
  readonly voters: readonly ServerId[]
  readonly groups?: readonly QuorumGroup[]
}

/** Without groups more than half of the voters. */
export function verifierOf({ voters, groups }: Voting): QuorumVerifier {
  return groups === undefined ? new MajorityVerifier(voters) : new HierarchicalVerifier(groups)
}

export class HierarchicalVerifier implements QuorumVerifier {
  readonly version: Zxid = ZXID_NONE
  readonly voters: ReadonlySet<ServerId>
  readonly quorumSize: number
  readonly #weights: ReadonlyMap<ServerId, number>
  /** Those with weight. */
  readonly #groups: readonly QuorumGroup[]

  constructor(groups: readonly QuorumGroup[]) {
    const members = groups.flat()
    this.#weights = new Map(members.map(({ sid, weight }) => [sid, weight]))
    assert(this.#weights.size === members.length, 'a voter is in two groups')
    this.voters = new Set(this.#weights.keys())
    this.#groups = groups.filter((group) => weightOf(group) > 0)
    assert(this.#groups.length > 0, 'no voter has any weight')
    const smallest = this.#groups.map(smallestMajority).sort((a, b) => a - b)
    this.quorumSize = sum(smallest.slice(0, Math.floor(this.#groups.length / 2) + 1))
  }

  containsQuorum(acks: ReadonlySet<ServerId>): boolean {
    if (acks.size < this.quorumSize) return false
    const won = this.#groups.filter((group) => {
      const here = group.filter(({ sid }) => acks.has(sid))
      return 2 * weightOf(here) > weightOf(group)
    })
    return 2 * won.length > this.#groups.length
  }

  weightOf(sid: ServerId): number {
    return this.#weights.get(sid) ?? 0
  }
}

/** Fewest of its members with more than half of its weight: the heaviest. */
function smallestMajority(group: QuorumGroup): number {
  const weights = group.map(({ weight }) => weight).sort((a, b) => b - a)
  const total = sum(weights)
  let count = 0
  for (let have = 0; 2 * have <= total; count++) have += weights[count] ?? 0
  return count
}

function weightOf(group: QuorumGroup): number {
  return sum(group.map(({ weight }) => weight))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => all + number, 0)
}
