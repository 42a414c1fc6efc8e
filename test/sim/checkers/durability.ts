/**
 * AckImpliesDurable (Q43, Q83): an ACK, an ACKEPOCH or a LEADERINFO that leaves a host says what
 * its disk holds. CommittedOnMajority (T48): what is first shown as committed is on a majority of
 * disks, the leader's own ack included.
 */
import { counterOf, epochOf, type Zxid } from '../../../src/core/base/zxid.ts'
import {
  ackEpochRecord,
  NO_EPOCH_ACK,
  PacketType,
  type QuorumPacket,
} from '../../../src/core/jute/quorum-records.ts'
import { decode } from '../../../src/core/jute/record.ts'
import type { History } from '../history.ts'
import type { HostView } from '../host-view.ts'
import type { World } from '../world.ts'
import { hex, Rule } from '../../../src/history/rule.ts'

export function checkDurability(world: World, history: History): void {
  const acks = new Rule(world, 'AckImpliesDurable')
  const majority = new Rule(world, 'CommittedOnMajority')
  const accepted = new Map<HostView, number>()
  world.probe.on('started', ({ host }) => accepted.set(host, host.view.acceptedEpoch))
  world.probe.on('emitted', ({ host, effect }) => {
    if (effect.kind === 'accepted-epoch') accepted.set(host, effect.epoch)
  })
  world.probe.on('packet', ({ host, packet }) => {
    const zxid = packet.zxid as Zxid
    const { view } = host
    if (packet.type === PacketType.ACK) checkAck(acks, history, host, zxid)
    else if (packet.type === PacketType.ACKEPOCH) {
      checkAckEpoch(acks, host, packet, accepted.get(host) ?? 0)
    } else if (packet.type === PacketType.LEADERINFO) {
      acks.holds(view.acceptedEpoch >= epochOf(zxid), () => {
        return `${host.name} offers epoch ${epochOf(zxid)} with ${view.acceptedEpoch} on disk`
      })
    }
  })
  world.probe.on('committed', ({ zxid }) => {
    const { voters } = world
    const holders = voters.filter((host) => history.isOnDisk(zxid, host))
    majority.holds(2 * holders.length > voters.length, () => {
      const where = holders.map(({ sid }) => sid).join(', ')
      return `${hex(zxid)} is committed and on the disks of [${where}] of ${voters.length} only`
    })
  })
}

function checkAck(rule: Rule, history: History, host: HostView, zxid: Zxid): void {
  const { view } = host
  if (counterOf(zxid) === 0) {
    // An observer promises nothing with it.
    if (host.isObserver) return
    rule.holds(view.currentEpoch >= epochOf(zxid), () => {
      const onDisk = `currentEpoch ${view.currentEpoch} on disk`
      return `${host.name} acks NEWLEADER ${hex(zxid)} with ${onDisk}`
    })
    return
  }
  rule.holds(history.isOnPath(zxid, view.last), () => {
    return `${host.name} acks ${hex(zxid)} with a disk that ends at ${hex(view.last)}`
  })
}

function checkAckEpoch(rule: Rule, host: HostView, packet: QuorumPacket, accepted: number): void {
  const { view } = host
  rule.holds(view.acceptedEpoch === accepted, () => {
    return `${host.name} acks epoch ${accepted} with acceptedEpoch ${view.acceptedEpoch} on disk`
  })
  rule.holds(packet.zxid === view.last, () => {
    return `${host.name} claims ${hex(packet.zxid)} with a disk that ends at ${hex(view.last)}`
  })
  const { currentEpoch } = decode(ackEpochRecord, packet.data ?? new Uint8Array(4))
  rule.holds(currentEpoch === NO_EPOCH_ACK || currentEpoch === view.currentEpoch, () => {
    return `${host.name} claims epoch ${currentEpoch} with ${view.currentEpoch} on disk`
  })
}
