/** Decodes what a host sends to its peers, for the checkers. */
import type { OutgoingFrame } from '../../src/core/effect-gate/effect-gate.ts'
import { notificationRecord } from '../../src/core/jute/election-records.ts'
import { quorumPacketRecord } from '../../src/core/jute/quorum-records.ts'
import { decode } from '../../src/core/jute/record.ts'
import { decodeFrame, laneOf } from '../../src/core/zab/frame.ts'
import type { HostView } from './host-view.ts'
import type { Probe } from './probe.ts'

/** Snapshot chunks and other long packets are not needed whole. */
const LIMITS = { limits: { maxBuffer: 16 * 1024 * 1024 } } as const

export function observePackets(probe: Probe, host: HostView, frame: OutgoingFrame): void {
  // Most frames are pulses, and nobody looks at those.
  if (laneOf(frame.bytes) === 'pulse') return
  const { lane, packets } = decodeFrame(frame.bytes)
  const { peer } = frame
  if (lane === 'stream') {
    for (const bytes of packets) {
      probe.emit('packet', { host, peer, packet: decode(quorumPacketRecord, bytes, LIMITS) })
    }
  } else if (lane === 'election') {
    for (const bytes of packets) {
      probe.emit('vote', { host, peer, vote: decode(notificationRecord, bytes) })
    }
  }
}
