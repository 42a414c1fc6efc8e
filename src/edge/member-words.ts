/** What members say to each other and write, in words. zxids are EPOCH.COUNTER, as in 2.5. */
import { toServerId } from '../core/base/zxid.ts'
import {
  ackEpochRecord,
  packetName,
  PacketType,
  type QuorumPacket,
} from '../core/jute/quorum-records.ts'
import { decode } from '../core/jute/record.ts'
import type { Lane, PersistEffect, TraceEvent } from '../core/zab/effect.ts'
import { decodeNotification } from '../core/zab/notification.ts'
import { decodePacket, decodePulse, PulseKind } from '../core/zab/packets.ts'

export function shortZxid(zxid: bigint): string {
  return zxid < 0n ? `${zxid}` : `${zxid >> 32n}.${zxid & 0xffff_ffffn}`
}

/** Nothing for pulses and PINGs, which are most of what is said. Throws JuteError. */
export function packetWords(lane: Lane, packet: Uint8Array): string[] {
  if (lane === 'election') return [voteWords(packet)]
  if (lane !== 'pulse') return quorumWords(decodePacket(packet))
  return decodePulse(packet).kind === PulseKind.END ? ['END'] : []
}

function voteWords(packet: Uint8Array): string {
  const said = decodeNotification(packet)
  if (said === null) return 'vote, void'
  if (said.vote === null) return 'vote, none: listens'
  const { leader, zxid, peerEpoch, electionEpoch, state } = said.vote
  const history = `(${peerEpoch}, ${shortZxid(zxid)})`
  return `vote ${toServerId(leader)} ${history} round ${electionEpoch} ${state}`
}

function quorumWords({ type, zxid, data }: QuorumPacket): string[] {
  if (type === PacketType.PING) return []
  const name = packetName(type)
  if (type === PacketType.SNAP && data !== null) {
    return [zxid < 0n ? 'SNAP end' : `SNAP chunk ${zxid}`]
  }
  if (type === PacketType.ACKEPOCH && data !== null) {
    const { currentEpoch, truncFloor } = decode(ackEpochRecord, data)
    const floor = truncFloor === 0n ? '' : `, floor ${shortZxid(truncFloor)}`
    return [`${name} ${shortZxid(zxid)}, epoch ${currentEpoch}${floor}`]
  }
  return [`${name} ${shortZxid(zxid)}`]
}

export function writeWords(effect: PersistEffect): string {
  switch (effect.kind) {
    case 'append':
      return `log ${shortZxid(effect.zxid)}`
    case 'accepted-epoch':
      return `acceptedEpoch ${effect.epoch}`
    case 'current-epoch':
      return `currentEpoch ${effect.epoch}`
    case 'truncate':
      return `cut after ${shortZxid(effect.to)}`
    case 'snapshot-chunk':
      return `chunk ${effect.index}`
    case 'snapshot-commit': {
      const epoch =
        effect.currentEpoch === undefined ? '' : ` with currentEpoch ${effect.currentEpoch}`
      return `${effect.install ? 'install' : 'keep'} snapshot ${shortZxid(effect.zxid)}${epoch}`
    }
    case 'snapshot-abandon':
      return 'drop chunks'
  }
}

/** null for what says nothing that other lines do not. */
export function traceWords(event: TraceEvent): string | null {
  switch (event.type) {
    case 'role':
      return `is ${event.role}: ${event.reason}`
    case 'established':
      return `serves in epoch ${event.epoch}`
    case 'slept':
      return `slept ${event.elapsedMs} ms`
    case 'protocol-error':
      return `refuses ${event.peer}: ${event.what}`
    case 'link':
      return event.up ? `links to ${event.peer}` : `loses ${event.peer}: ${event.reason}`
    case 'diverged':
      return `HAS ANOTHER TREE at ${event.zxid}: ${event.what}; cure: ${event.cure}`
    case 'healed':
      return `is well again at ${event.zxid}`
    case 'replaced':
      return `has a backup as its state at ${event.zxid}`
    case 'observers':
      return `has observers ${event.observers.map(({ sid }) => sid).join(', ') || 'no more'}`
    case 'observer-refused':
      return `refuses observer ${event.incarnation}: ${event.reason}`
    default:
      return null
  }
}
