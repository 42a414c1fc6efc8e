/** What counts as a quorum (Q5). Hierarchical and joint configurations are further verifiers. */
import { assert } from '../base/assert.ts'
import { ZXID_NONE, type ServerId, type Zxid } from '../base/zxid.ts'

export interface QuorumVerifier {
  /** Zxid of the reconfig that made this configuration; 0 for the founding one (Q8). */
  readonly version: Zxid
  /** Those whose acks and votes count; observers are never among them (Q7). */
  readonly voters: ReadonlySet<ServerId>
  containsQuorum(acks: ReadonlySet<ServerId>): boolean
  /** 0 for those who are never elected and never count (Q6). */
  weightOf(sid: ServerId): number
  /** Fewest members that can be a quorum: what a page says is needed. */
  readonly quorumSize: number
}

/** More than half of the voters. */
export class MajorityVerifier implements QuorumVerifier {
  readonly version: Zxid
  readonly voters: ReadonlySet<ServerId>
  readonly quorumSize: number

  constructor(voters: Iterable<ServerId>, version: Zxid = ZXID_NONE) {
    this.voters = new Set(voters)
    this.version = version
    this.quorumSize = Math.floor(this.voters.size / 2) + 1
    assert(this.voters.size > 0, 'a configuration without voters')
  }

  containsQuorum(acks: ReadonlySet<ServerId>): boolean {
    if (acks.size < this.quorumSize) return false
    let count = 0
    for (const sid of acks) if (this.voters.has(sid)) count++
    return count >= this.quorumSize
  }

  weightOf(sid: ServerId): number {
    return this.voters.has(sid) ? 1 : 0
  }
}
