/** What members say, write and become, one line each, on virtual time from 0. */
import { toServerId, type ServerId } from '../../src/core/base/zxid.ts'
import {
  ackEpochRecord,
  packetName,
  PacketType,
  type QuorumPacket,
} from '../../src/core/jute/quorum-records.ts'
import { decode } from '../../src/core/jute/record.ts'
import type { PersistEffect, TraceEvent } from '../../src/core/zab/effect.ts'
import { decodeFrame } from '../../src/core/zab/frame.ts'
import { decodeNotification } from '../../src/core/zab/notification.ts'
import { decodePacket, decodePulse, PulseKind } from '../../src/core/zab/packets.ts'
import { Ensemble, type EnsembleOptions } from '../core/zab/ensemble.ts'

export class Transcript {
  readonly ensemble: Ensemble
  readonly #lines: string[] = []
  readonly #startMs: number

  constructor(options: Partial<EnsembleOptions> = {}) {
    this.ensemble = new Ensemble({ size: 3, ...options })
    this.#startMs = this.ensemble.nowMs
    this.ensemble.onFrame = (from, to, bytes) => this.#onFrame(from, to, bytes)
    this.ensemble.onBatch = (sid, batch) => this.#line(sid, `writes ${batchText(batch)}`)
    for (const { sid, traces } of this.ensemble.members) {
      const push = traces.push.bind(traces)
      traces.push = (...events) => {
        for (const event of events) this.#onTrace(sid, event)
        return push(...events)
      }
    }
  }

  /** A heading between the lines. */
  say(what: string): void {
    this.#lines.push('', `# ${what}`)
  }

  /** Everybody starts; how is in elect-and-write.txt. */
  begin(): void {
    this.ensemble.startAll()
    this.settle()
    this.#lines.length = 0
  }

  /** Until a leader and everybody who is up serve, and a little longer. */
  settle(): void {
    this.ensemble.runUntil('settled', () => this.ensemble.isSettled)
    this.ensemble.run(30)
  }

  write(...texts: readonly string[]): void {
    const { ensemble } = this
    const leader = ensemble.leader
    if (leader === undefined) throw new Error('no leader')
    ensemble.act(leader, ({ replica }) => {
      for (const text of texts) replica.propose(text, ensemble.now)
    })
    ensemble.run(30)
  }

  /** What everybody has, in one line each. */
  state(): void {
    for (const { sid, life, disk } of this.ensemble.members) {
      const log = disk.log.map(({ zxid }) => short(zxid)).join(' ')
      const has = life === null ? 'down' : `${life.peer.role}, has ${life.replica.texts.join(' ')}`
      const epochs = `epochs ${disk.acceptedEpoch}/${disk.currentEpoch}`
      this.#lines.push(`        ${sid} ${has}; disk: ${epochs}, log ${log}`)
    }
  }

  get text(): string {
    return `${this.#lines.join('\n').replace(/^\n+/, '')}\n`
  }

  #line(sid: ServerId, what: string): void {
    const ms = Math.round(this.ensemble.nowMs - this.#startMs)
    this.#lines.push(`${String(ms).padStart(6)}  ${sid} ${what}`)
  }

  #onFrame(from: ServerId, to: ServerId, bytes: Uint8Array): void {
    const { lane, packets } = decodeFrame(bytes)
    const words = packets.flatMap((packet) => {
      if (lane === 'election') return [voteText(packet)]
      if (lane !== 'pulse') return packetText(decodePacket(packet))
      return decodePulse(packet).kind === PulseKind.END ? ['END'] : []
    })
    if (words.length > 0) this.#line(from, `→ ${to}  ${words.join(' · ')}`)
  }

  #onTrace(sid: ServerId, event: TraceEvent): void {
    if (event.type === 'role') this.#line(sid, `is ${event.role}: ${event.reason}`)
    if (event.type === 'established') this.#line(sid, `serves in epoch ${event.epoch}`)
    if (event.type === 'slept') this.#line(sid, `slept ${event.elapsedMs} ms`)
    if (event.type === 'protocol-error') this.#line(sid, `refuses ${event.peer}: ${event.what}`)
    if (event.type !== 'link') return
    this.#line(sid, event.up ? `links to ${event.peer}` : `loses ${event.peer}: ${event.reason}`)
  }
}

/** 0x200000005 → 2.5 */
function short(zxid: bigint): string {
  return zxid < 0n ? `${zxid}` : `${zxid >> 32n}.${zxid & 0xffff_ffffn}`
}

function voteText(packet: Uint8Array): string {
  const said = decodeNotification(packet)
  if (said === null) return 'vote, void'
  if (said.vote === null) return 'vote, none: listens'
  const { leader, zxid, peerEpoch, electionEpoch, state } = said.vote
  return `vote ${toServerId(leader)} (${peerEpoch}, ${short(zxid)}) round ${electionEpoch} ${state}`
}

function packetText({ type, zxid, data }: QuorumPacket): string[] {
  if (type === PacketType.PING) return []
  const name = packetName(type)
  if (type === PacketType.SNAP && data !== null) {
    return [zxid < 0n ? 'SNAP end' : `SNAP chunk ${zxid}`]
  }
  if (type === PacketType.ACKEPOCH && data !== null) {
    const { currentEpoch, truncFloor } = decode(ackEpochRecord, data)
    const floor = truncFloor === 0n ? '' : `, floor ${short(truncFloor)}`
    return [`${name} ${short(zxid)}, epoch ${currentEpoch}${floor}`]
  }
  return [`${name} ${short(zxid)}`]
}

function batchText(batch: readonly PersistEffect[]): string {
  return batch.map(effectText).join(' · ')
}

function effectText(effect: PersistEffect): string {
  switch (effect.kind) {
    case 'append':
      return `log ${short(effect.zxid)}`
    case 'accepted-epoch':
      return `acceptedEpoch ${effect.epoch}`
    case 'current-epoch':
      return `currentEpoch ${effect.epoch}`
    case 'truncate':
      return `cut after ${short(effect.to)}`
    case 'snapshot-chunk':
      return `chunk ${effect.index}`
    case 'snapshot-commit': {
      const epoch =
        effect.currentEpoch === undefined ? '' : ` with currentEpoch ${effect.currentEpoch}`
      return `${effect.install ? 'install' : 'keep'} snapshot ${short(effect.zxid)}${epoch}`
    }
    case 'snapshot-abandon':
      return 'drop chunks'
  }
}
