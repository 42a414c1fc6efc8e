/**
 * ObserverIsSilent (Q7, Q20): an observer has no vote and acknowledges no transaction.
 * VoteIsDurable (Q10, Q18): who proposes himself claims what his disk holds, and has a disk that
 * was founded. WordIsKept (Q84): nobody votes or answers a new leader with less than the committed
 * entries that he acknowledged; a wiped voter under its old id would. Only claims count that are
 * made to a voter who lost nothing: one such is in every quorum, and those who lost something as
 * well cannot know that they should refuse (two profiles of one backup; a blank one; seed 1019).
 */
import { OBSERVER_VOTE, ServerState } from '../../../src/core/jute/election-records.ts'
import {
  ackEpochRecord,
  NO_EPOCH_ACK,
  PacketType,
  type QuorumPacket,
} from '../../../src/core/jute/quorum-records.ts'
import { counterOf, type ServerId, type Zxid } from '../../../src/core/base/zxid.ts'
import { decode } from '../../../src/core/jute/record.ts'
import type { HostView } from '../host-view.ts'
import type { World } from '../world.ts'
import type { GlobalLog } from './prefix-consistency.ts'
import { hex, Rule } from '../../../src/history/rule.ts'

export function checkVotes(world: World, log: GlobalLog): void {
  const silent = new Rule(world, 'ObserverIsSilent')
  const durable = new Rule(world, 'VoteIsDurable')
  const kept = new Rule(world, 'WordIsKept')
  const acked = new Map<HostView, Set<bigint>>(world.hosts.map((host) => [host, new Set()]))
  const floors = new Map<HostView, bigint>()
  const raise = (host: HostView, zxid: bigint): void => {
    if (zxid > (floors.get(host) ?? 0n)) floors.set(host, zxid)
  }
  const heedful = heedfulVoters(world)
  const check = (host: HostView, to: ServerId, claimed: bigint): void => {
    if (!heedful.has(to)) return
    const floor = floors.get(host) ?? 0n
    kept.holds(claimed >= floor, () => {
      return `${host.name} acknowledged ${hex(floor)}, now committed, and claims ${hex(claimed)}`
    })
  }
  world.probe.on('committed', ({ zxid }) => {
    for (const [host, zxids] of acked) if (zxids.delete(zxid)) raise(host, zxid)
  })
  world.probe.on('packet', ({ host, peer, packet }) => {
    if (packet.type === PacketType.ACKEPOCH && vouches(packet)) check(host, peer, packet.zxid)
    if (packet.type !== PacketType.ACK) return
    silent.holds(!host.isObserver || counterOf(packet.zxid as Zxid) === 0, () => {
      return `${host.name} acknowledges ${hex(packet.zxid)}`
    })
    if (log.find(packet.zxid as never) !== undefined) raise(host, packet.zxid)
    else acked.get(host)?.add(packet.zxid)
  })
  world.probe.on('vote', ({ host, peer, vote }) => {
    silent.holds(!host.isObserver || vote.leader === OBSERVER_VOTE, () => {
      return `${host.name} votes for ${vote.leader}`
    })
    if (vote.state !== ServerState.LOOKING || vote.leader !== BigInt(host.sid)) return
    const { view } = host
    durable.holds(view.isFounded, () => `${host.name} votes without a founding record`)
    durable.holds(vote.zxid === view.last, () => {
      return `${host.name} votes with ${hex(vote.zxid)}, its disk ends at ${hex(view.last)}`
    })
    durable.holds(vote.peerEpoch === BigInt(view.currentEpoch), () => {
      return `${host.name} votes with epoch ${vote.peerEpoch}, on its disk is ${view.currentEpoch}`
    })
    check(host, peer, vote.zxid)
  })
}

/** Voters that hold all that they ever acknowledged. */
function heedfulVoters(world: World): ReadonlySet<ServerId> {
  const heedful = new Set(world.sids)
  const voters = new Set(world.sids)
  world.probe.on('lost', ({ host }) => heedful.delete(host.sid))
  world.probe.on('durable', ({ host, batch }) => {
    if (heedful.has(host.sid) || !voters.has(host.sid) || !host.view.isFounded) return
    const isWhole = batch.some(
      (e) => e.kind === 'current-epoch' || (e.kind === 'snapshot-commit' && e.install),
    )
    if (isWhole) heedful.add(host.sid)
  })
  return heedful
}

/** −1 says that this ACKEPOCH counts for nothing (Q27): so does a member that lost its tail. */
function vouches({ data }: QuorumPacket): boolean {
  return data !== null && decode(ackEpochRecord, data).currentEpoch !== NO_EPOCH_ACK
}
