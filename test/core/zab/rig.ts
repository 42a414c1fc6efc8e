/** One QuorumPeer behind its gate; the test plays everybody else, packet by packet. */
import { assert } from '../../../src/core/base/assert.ts'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { makeZxid, toServerId, type ServerId, type Zxid } from '../../../src/core/base/zxid.ts'
import { EffectGate } from '../../../src/core/effect-gate/effect-gate.ts'
import {
  ackEpochRecord,
  leaderInfoRecord,
  learnerInfoRecord,
  packetName,
  PacketType,
  PROTOCOL_VERSION,
} from '../../../src/core/jute/quorum-records.ts'
import { encode } from '../../../src/core/jute/record.ts'
import type {
  Lane,
  LogRange,
  Moment,
  PersistEffect,
  ReadLogEffect,
  TraceEvent,
  ZabInput,
} from '../../../src/core/zab/effect.ts'
import { EffectList } from '../../../src/core/zab/effect-list.ts'
import { decodeFrame, encodeFrames } from '../../../src/core/zab/frame.ts'
import { decodeNotification, encodeNotification } from '../../../src/core/zab/notification.ts'
import {
  decodePacket,
  decodePulse,
  encodePacket,
  encodePulse,
  PulseKind,
} from '../../../src/core/zab/packets.ts'
import { QuorumPeer } from '../../../src/core/zab/quorum-peer.ts'
import type { ZabTuning } from '../../../src/core/zab/role.ts'
import { ZAB_RULES, type ZabRules } from '../../../src/core/zab/rules.ts'
import type { Vote } from '../../../src/core/zab/vote.ts'
import { FakeDisk } from './fake-disk.ts'
import { FakeReplica } from './fake-replica.ts'

export interface SentPacket {
  readonly to: number
  readonly lane: Lane
  readonly conversation: number
  /** Packet name, 'vote', or a pulse's kind. */
  readonly name: string
  readonly zxid: bigint
  readonly data: Uint8Array | null
  readonly vote: Vote | null
}

export interface RigOptions {
  readonly sid?: number
  /** Voters. */
  readonly size?: number
  readonly observer?: boolean
  readonly disk?: FakeDisk
  readonly rules?: ZabRules
  readonly tuning?: ZabTuning
}

const PULSES: Readonly<Record<number, string>> = { 1: 'ping', 2: 'pong', 3: 'END' }

export class Rig {
  readonly sid: ServerId
  readonly disk: FakeDisk
  readonly out: EffectList = new EffectList()
  readonly gate: EffectGate = new EffectGate()
  readonly replica: FakeReplica
  readonly peer: QuorumPeer
  readonly traces: TraceEvent[] = []
  readonly batches: PersistEffect[][] = []
  readonly closedLinks: number[] = []
  /** Readings of the log that nobody answered. */
  readonly reads: ReadLogEffect[] = []
  readonly #linked = new Set<number>()
  nowMs = 1000
  #sent: SentPacket[] = []
  #batch: readonly PersistEffect[] | null = null

  constructor(options: RigOptions = {}) {
    const { sid = 1, size = 3, observer = false } = options
    const { disk = new FakeDisk(), rules = ZAB_RULES } = options
    this.sid = toServerId(sid)
    this.disk = disk
    this.replica = new FakeReplica({ onDeliver: () => undefined, onService: () => undefined })
    const voters = Array.from({ length: size }, (_, i) => toServerId(i + 1))
    const config = {
      sid: this.sid,
      voters,
      isObserver: observer,
      ...options.tuning,
      tickTimeMs: 2000,
      initLimitTicks: 10,
      syncLimitTicks: 5,
    }
    const { out, replica } = this
    this.peer = new QuorumPeer(config, replica, disk.recover(), this.now, out, rules)
    this.replica.broadcaster = this.peer
    this.flush()
  }

  /** Of this member's first attempt to follow. */
  get conversation(): number {
    return this.sid * 2 ** 24 + 1
  }

  get now(): Moment {
    return { elapsedMs: this.nowMs, wallMs: 1_700_000_000_000 + this.nowMs }
  }

  /** Everything sent since the last call, pulses left out unless asked for. */
  sent(withPulses = false): SentPacket[] {
    const sent = this.#sent
    this.#sent = []
    return sent.filter(({ name }) => withPulses || (name !== 'ping' && name !== 'pong'))
  }

  /** "3 PROPOSAL 0x100000001" */
  said(): string[] {
    return this.sent().map(({ to, name, zxid }) =>
      name === 'vote' || name === 'END' ? `${to} ${name}` : `${to} ${name} 0x${zxid.toString(16)}`,
    )
  }

  input(input: ZabInput): void {
    this.peer.step(input, this.now)
    this.flush()
  }

  /** Link up at both ends. */
  link(...peers: number[]): void {
    for (const sid of peers) {
      const peer = toServerId(sid)
      this.#linked.add(sid)
      this.input({ kind: 'link-up', peer })
      this.pulse(sid, PulseKind.PONG, -1)
    }
  }

  unlink(sid: number): void {
    this.#linked.delete(sid)
    this.input({ kind: 'link-down', peer: toServerId(sid), reason: 'closed' })
  }

  frame(from: number, bytes: Uint8Array): void {
    this.input({ kind: 'frame', peer: toServerId(from), bytes })
  }

  pulse(from: number, kind: number, value: number): void {
    this.frame(from, encodeFrames('pulse', 0, [encodePulse(kind, value)])[0]!)
  }

  vote(from: number, vote: Partial<Vote> & { readonly leader: ServerId }): void {
    const whole: Vote = {
      zxid: 0n as Zxid,
      peerEpoch: 0,
      electionEpoch: 1n,
      state: 'looking',
      ...vote,
    }
    const bytes = encodeNotification(whole, new Uint8Array(0))
    this.frame(from, encodeFrames('election', 0, [bytes])[0]!)
  }

  packet(
    from: number,
    type: number,
    zxid: bigint,
    data: Uint8Array | null = null,
    conversation = this.conversation,
  ): void {
    this.packets(from, [[type, zxid, data]], conversation)
  }

  /** Several packets in as few frames as they fit in. */
  packets(
    from: number,
    list: readonly (readonly [type: number, zxid: bigint, data?: Uint8Array | string | null])[],
    conversation = this.conversation,
  ): void {
    const encoded = list.map(([type, zxid, data = null]) =>
      encodePacket(type, zxid, typeof data === 'string' ? encodeUtf8(data) : data),
    )
    for (const bytes of encodeFrames('stream', conversation, encoded)) this.frame(from, bytes)
  }

  followerInfo(from: number, acceptedEpoch: number, conversation = this.conversation): void {
    this.#info(PacketType.FOLLOWERINFO, from, acceptedEpoch, conversation)
  }

  observerInfo(from: number, acceptedEpoch: number, conversation = this.conversation): void {
    this.#info(PacketType.OBSERVERINFO, from, acceptedEpoch, conversation)
  }

  #info(type: number, from: number, acceptedEpoch: number, conversation: number): void {
    const info = { serverid: BigInt(from), protocolVersion: PROTOCOL_VERSION, configVersion: 0n }
    const data = encode(learnerInfoRecord, info)
    this.packet(from, type, makeZxid(acceptedEpoch, 0), data, conversation)
  }

  leaderInfo(from: number, epoch: number, conversation = this.conversation): void {
    const data = encode(leaderInfoRecord, { protocolVersion: PROTOCOL_VERSION })
    this.packet(from, PacketType.LEADERINFO, makeZxid(epoch, 0), data, conversation)
  }

  ackEpoch(
    from: number,
    currentEpoch: number,
    lastZxid: bigint,
    truncFloor = 0n,
    conversation = this.conversation,
  ): void {
    const data = encode(ackEpochRecord, { currentEpoch, truncFloor })
    this.packet(from, PacketType.ACKEPOCH, lastZxid, data, conversation)
  }

  /** Time passes in ticks of 50 ms, and linked peers stay alive unless silent. */
  wait(ms: number, isSilent: (sid: number) => boolean = () => false): void {
    const endMs = this.nowMs + ms
    while (this.nowMs < endMs) {
      this.nowMs = Math.min(endMs, this.nowMs + 50)
      for (const sid of this.#linked) if (!isSilent(sid)) this.pulse(sid, PulseKind.PONG, -1)
      this.input({ kind: 'tick', oldestAppendAgeMs: 0 })
    }
  }

  /** The storage finishes everything that it was given, batch by batch. */
  persist(): void {
    while (this.persistBatch());
  }

  /** Answers the oldest reading of the log, by default with what the disk has. */
  answerRead(range?: LogRange | null): ReadLogEffect {
    const read = this.reads.shift()
    assert(read !== undefined, 'nothing is to be read')
    const { id } = read
    this.input({
      kind: 'log-read',
      id,
      range: range === undefined ? this.disk.readLog(read) : range,
    })
    return read
  }

  /** One batch. Returns false when there was none. */
  persistBatch(): boolean {
    const batch = this.#batch
    if (batch === null) return false
    this.disk.write(batch)
    this.#batch = null
    this.input({ kind: 'persisted', mark: this.gate.batchDone() })
    if (batch.at(-1)?.kind === 'truncate') {
      this.input({ kind: 'truncated', recovered: this.disk.recover() })
    }
    return true
  }

  get writing(): string[] {
    return (this.#batch ?? []).map(({ kind }) => kind)
  }

  flush(): void {
    this.gate.offer(this.out.take())
    const batch = this.gate.takeBatch()
    if (batch !== null) {
      assert(this.#batch === null, 'two batches')
      this.#batch = batch
      this.batches.push([...batch])
    }
    for (const { peer, bytes } of this.gate.takeFrames()) this.#record(peer, bytes)
    for (const effect of this.gate.takeOthers()) {
      if (effect.kind === 'trace') this.traces.push(effect.event)
      if (effect.kind === 'read-log') this.reads.push(effect)
      if (effect.kind === 'close-link') {
        this.closedLinks.push(effect.peer)
        this.#linked.delete(effect.peer)
      }
    }
  }

  get violations(): string[] {
    return this.traces.flatMap((event) => (event.type === 'protocol-error' ? [event.what] : []))
  }

  get lastReason(): string {
    const roles = this.traces.flatMap((event) => (event.type === 'role' ? [event.reason] : []))
    return roles.at(-1) ?? ''
  }

  #record(to: number, bytes: Uint8Array): void {
    const { lane, conversation, packets } = decodeFrame(bytes)
    for (const packet of packets) {
      const common = { to, lane, conversation, data: null, vote: null, zxid: 0n }
      if (lane === 'pulse') {
        const { kind } = decodePulse(packet)
        this.#sent.push({ ...common, name: PULSES[kind] ?? 'pulse' })
      } else if (lane === 'election') {
        const { vote } = decodeNotification(packet)!
        this.#sent.push({ ...common, name: 'vote', vote })
      } else {
        const { type, zxid, data } = decodePacket(packet)
        this.#sent.push({ ...common, name: packetName(type), zxid, data })
      }
    }
  }
}

/** A disk with these entries, "epoch.counter" each, at these epochs. */
export function diskWith(
  zxids: readonly string[],
  epochs: { readonly accepted?: number; readonly current?: number } = {},
): FakeDisk {
  const disk = new FakeDisk()
  disk.log = zxids.map((text) => ({ zxid: zxidOf(text), entry: encodeUtf8(text) }))
  const last = zxids.at(-1)
  const epoch = last === undefined ? 0 : Number(last.split('.')[0])
  disk.currentEpoch = epochs.current ?? epoch
  disk.acceptedEpoch = epochs.accepted ?? disk.currentEpoch
  return disk
}

/** "2.5" → 0x200000005 */
export function zxidOf(text: string): Zxid {
  const [epoch, counter] = text.split('.')
  return makeZxid(Number(epoch), Number(counter))
}

export function sid(n: number): ServerId {
  return toServerId(n)
}
