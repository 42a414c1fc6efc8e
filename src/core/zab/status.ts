/** What a page shows about replication. Computed on request, never kept. */
import type { ServerId, Zxid } from '../base/zxid.ts'
import type { Role } from './effect.ts'
import type { Epochs } from './epochs.ts'
import type { LinkStatus } from './link-monitor.ts'
import { machine } from './packets.ts'
import type { QuorumVerifier } from './quorum-verifier.ts'

export interface PeerStatus {
  readonly role: Role
  /** currentEpoch, or the epoch being led or followed. */
  readonly epoch: number
  readonly leader: ServerId | null
  /** Clients are served. */
  readonly isServing: boolean
  readonly lastLogged: Zxid
  readonly lastCommitted: Zxid
  /** Every other voter. */
  readonly links: readonly LinkStatus[]
  /** Leader: synchronised voters, without itself. */
  readonly synced: readonly ServerId[]
  /** Members that are no voters and have a link to this one. They count for nothing. */
  readonly observerLinks: readonly LinkStatus[]
  /** Observers that are synchronised with this member, a leader or a follower (Q58). */
  readonly syncedObservers: readonly ServerId[]
  /** Whom this member learns from: the leader, or an observer's master; null: nobody. */
  readonly learnsFrom: ServerId | null
  readonly quorum: QuorumStatus
}

export interface QuorumStatus {
  readonly isReachable: boolean
  readonly needed: number
  readonly voters: number
  /** Voters that cannot be reached, longest silent first. */
  readonly missing: readonly LinkStatus[]
  /** null when all is well, else words for people. */
  readonly reason: string | null
}

/** Why a member whose storage lost entries takes part only as a follower. */
export function lossText({ lostTail: entries, isDoubtful }: Epochs): string | null {
  if (isDoubtful) return 'this machine needs the data of a leader: its own is not what it should be'
  if (entries === 0) return null
  const lost = entries === 1 ? '1 entry' : `${entries} entries`
  return (
    `the end of this machine's log was damaged (${lost}): ` +
    'it follows, and does not vote until a leader has synchronised it'
  )
}

/** "cannot commit: need 2 of 3; machine 2 silent for 4 s" */
export function quorumStatus(
  self: ServerId,
  verifier: QuorumVerifier,
  links: readonly LinkStatus[],
  ownTrouble: string | null,
): QuorumStatus {
  const up = new Set(links.filter((link) => link.up).map((link) => link.peer))
  const missing = links
    .filter((link) => !link.up && verifier.voters.has(link.peer))
    .sort((a, b) => b.lastHeardMsAgo - a.lastHeardMsAgo)
  const isReachable = ownTrouble === null && verifier.containsQuorum(up.add(self))
  const counts = { needed: verifier.quorumSize, voters: verifier.voters.size }
  if (isReachable) return { isReachable, ...counts, missing, reason: null }
  const needs = `need ${counts.needed} of ${counts.voters}`
  const silent = missing.map(
    ({ peer, lastHeardMsAgo }) =>
      `${machine(peer)} silent for ${Math.floor(lastHeardMsAgo / 1000)} s`,
  )
  const reason = `cannot commit: ${ownTrouble ?? [needs, ...silent].join('; ')}`
  return { isReachable, ...counts, missing, reason }
}
