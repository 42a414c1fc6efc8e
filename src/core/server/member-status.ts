/** What a page shows about a member. Computed on request, plain data that can be cloned. */
import { formatSessionId, formatZxid, toSessionId } from '../base/zxid.ts'
import type { LinkStatus } from '../zab/link-monitor.ts'
import type { Moment, Role } from '../zab/effect.ts'
import type { QuorumPeer } from '../zab/quorum-peer.ts'
import type { ObserverEntry } from './observer-table.ts'
import type { DivergenceAlarm } from './divergence.ts'
import type { ZooKeeperServer } from './zookeeper-server.ts'

export type PeerType = 'participant' | 'observer'

export interface MemberStatus {
  readonly sid: number
  readonly clusterId: string
  /** An observer is in no quorum. */
  readonly peerType: PeerType
  readonly role: Role
  readonly epoch: number
  /** sid of the leader that this member leads as or follows; null while looking. */
  readonly leader: number | null
  /** sid of whom it learns from: the leader, or an observer's master (Q58); null: nobody. */
  readonly learnsFrom: number | null
  /** Clients are served. */
  readonly serving: boolean
  /** Not serving, and yet answering reads (S37). */
  readonly readOnly: boolean
  /** Why not, in words for people; null while serving. */
  readonly whyNotServing: string | null
  /** Last transaction applied to the tree, in hex. */
  readonly zxid: string
  /** Last transaction in the log, in hex. */
  readonly loggedZxid: string
  readonly quorum: { readonly needed: number; readonly voters: number; readonly reachable: boolean }
  readonly peers: readonly PeerLinkStatus[]
  /** Who has a place as an observer, oldest grant first; as of when this member served last. */
  readonly observers: readonly ObserverEntry[]
  /** Observers that are linked to this member; synced: those that it informs. */
  readonly observerPeers: readonly PeerLinkStatus[]
  readonly sessions: readonly SessionStatus[]
  readonly watches: number
  readonly znodes: number
  readonly ephemerals: number
  /** Sum over all nodes at `zxid` (P20), in hex: equal on all members at equal zxids. */
  readonly treeDigest: string | null
  readonly digestMismatches: number
  /** This member's tree was not what it should be (P22), or still is not; null: never. */
  readonly alarm: DivergenceAlarm | null
  readonly clientConnections: number
  /** Requests that wait for commits. */
  readonly outstanding: number
  /** Not null: the member stopped for good. */
  readonly halted: string | null
}

export interface PeerLinkStatus {
  readonly sid: number
  readonly up: boolean
  /** ms since the last frame, or since the link went down. */
  readonly silentMs: number
  readonly rttMs: number | null
  /** On the leader: a synchronised follower. */
  readonly synced: boolean
}

export interface SessionStatus {
  /** In hex, as ZooKeeper prints it. */
  readonly id: string
  readonly timeoutMs: number
  /**
   * Exact on the leader, which keeps the deadlines; on a follower what the leader last told of the
   * sessions nearest to their end. null: not known. 0: being closed.
   */
  readonly remainingMs: number | null
  readonly ephemerals: number
  /** Its client is connected to this member. */
  readonly connectedHere: boolean
}

export function memberStatus(
  identity: Pick<MemberStatus, 'sid' | 'clusterId' | 'peerType'>,
  peer: QuorumPeer,
  server: ZooKeeperServer,
  halted: string | null,
  at: Moment,
): MemberStatus {
  const zab = peer.status(at)
  const { tree } = server
  const serving = halted === null && server.isServing
  const synced = new Set([...zab.synced, ...zab.syncedObservers])
  const linkStatus = (link: LinkStatus): PeerLinkStatus => ({
    sid: link.peer,
    up: link.up,
    silentMs: link.lastHeardMsAgo,
    rttMs: link.rttMs,
    synced: synced.has(link.peer),
  })
  return {
    ...identity,
    role: zab.role,
    epoch: zab.epoch,
    leader: zab.leader,
    learnsFrom: zab.learnsFrom,
    serving,
    readOnly: halted === null && server.isReadOnly,
    whyNotServing: serving
      ? null
      : (halted ?? zab.quorum.reason ?? waitingFor(zab.role, identity.peerType)),
    zxid: formatZxid(tree.lastProcessed),
    loggedZxid: formatZxid(zab.lastLogged),
    quorum: {
      needed: zab.quorum.needed,
      voters: zab.quorum.voters,
      reachable: zab.quorum.isReachable,
    },
    peers: zab.links.map(linkStatus),
    observers: server.observers,
    observerPeers: zab.observerLinks.map(linkStatus),
    sessions: sessionStatuses(server, at),
    watches: tree.watches.size,
    znodes: tree.store.nodeCount,
    ephemerals: tree.store.ephemerals.count,
    treeDigest: tree.digest === null ? null : formatZxid(tree.digest),
    digestMismatches: tree.digestMismatches,
    alarm: server.alarm,
    clientConnections: server.connections.size,
    outstanding: server.outstanding,
    halted,
  }
}

function sessionStatuses(server: ZooKeeperServer, at: Moment): SessionStatus[] {
  return [...server.tree.sessions].map(([id, timeoutMs]) => {
    const session = toSessionId(id)
    return {
      id: formatSessionId(id),
      timeoutMs,
      remainingMs: server.remainingMs(session, at),
      ephemerals: server.tree.store.ephemerals.of(id).size,
      connectedHere: server.connections.bySession(session)?.state === 'open',
    }
  })
}

function waitingFor(role: Role, peerType: PeerType): string {
  if (role === 'looking') {
    return peerType === 'observer' ? 'looking for the leader' : 'electing a leader'
  }
  return role === 'leading' ? 'waiting for followers to synchronise' : 'synchronising'
}
