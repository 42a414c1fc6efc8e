/**
 * A learner between ACKEPOCH and its ack of NEWLEADER (Q30–Q37). What comes is kept; nothing of it
 * touches log or state before NEWLEADER says that it is complete, except a TRUNC, whose cut is what
 * the rest builds on, and staged snapshot chunks, which nobody sees until they are committed.
 */
import { equal } from '../base/bytes.ts'
import { encodeUtf8 } from '../base/utf8.ts'
import { counterOf, formatZxid, makeZxid, type ServerId, type Zxid } from '../base/zxid.ts'
import { JuteError } from '../jute/jute-error.ts'
import { packetName, PacketType, type QuorumPacket } from '../jute/quorum-records.ts'
import { SNAPSHOT_MAX_BYTES } from './constants.ts'
import { SNAPSHOT_CHUNK_BYTES, type LogEntry, type Moment } from './effect.ts'
import { checkedZxid, encodePacket } from './packets.ts'
import { syncQueueBytesMax, type RoleContext } from './role.ts'

/** Ends a snapshot, as in ZooKeeper's stream (Q33). */
export const SNAPSHOT_SIGNATURE: Uint8Array = encodeUtf8('BenWasHere')

interface IncomingSnapshot {
  readonly id: number
  readonly zxid: Zxid
  readonly chunks: Uint8Array[]
  bytes: number
  isComplete: boolean
}

export class LearnerSync {
  readonly #context: RoleContext
  readonly #leader: ServerId
  readonly #conversation: number
  readonly #epoch: number
  #mode: 'DIFF' | 'TRUNC' | 'SNAP' | null = null
  /** Where the learner is once everything queued is logged. */
  #position: Zxid
  #queued: LogEntry[] = []
  #queuedBytes = 0
  /** The first so many of the queue are committed. */
  #committedCount = 0
  #snapshot: IncomingSnapshot | null = null
  /** The cut that the storage still has to confirm. */
  #truncatingTo: Zxid | null = null

  constructor(context: RoleContext, leader: ServerId, conversation: number, epoch: number) {
    this.#context = context
    this.#leader = leader
    this.#conversation = conversation
    this.#epoch = epoch
    this.#position = context.tail.lastLogged
  }

  /** Packets that come while the storage truncates have to wait. */
  get isTruncating(): boolean {
    return this.#truncatingTo !== null
  }

  /** Returns true when NEWLEADER was acknowledged. Throws JuteError for what no leader sends. */
  onPacket(packet: QuorumPacket, at: Moment): boolean {
    switch (packet.type) {
      case PacketType.DIFF:
      case PacketType.TRUNC:
        this.#begin(packet)
        return false
      case PacketType.SNAP:
        this.#onSnap(packet, at)
        return false
      case PacketType.PROPOSAL:
        this.#onProposal(packet)
        return false
      case PacketType.COMMIT:
        this.#onCommit(packet)
        return false
      case PacketType.INFORM:
        // What is committed while a foreign leader still sends the history (Q34).
        this.#onProposal(packet)
        this.#onCommit(packet)
        return false
      case PacketType.NEWLEADER:
        return this.#onNewLeader(packet, at)
      default:
        throw new JuteError(`${packetName(packet.type)} while synchronising`)
    }
  }

  /** The storage was cut and read again. Returns false when it is not where the leader meant. */
  onTruncated(): boolean {
    const to = this.#truncatingTo
    this.#truncatingTo = null
    this.#position = this.#context.tail.lastLogged
    return to === this.#position
  }

  /** The conversation ended early. */
  abandon(): void {
    const snapshot = this.#snapshot
    this.#snapshot = null
    if (snapshot !== null) this.#context.out.push({ kind: 'snapshot-abandon', id: snapshot.id })
  }

  #begin(packet: QuorumPacket): void {
    if (this.#mode !== null) throw new JuteError(`${packetName(packet.type)} after ${this.#mode}`)
    const { out, tail } = this.#context
    const zxid = checkedZxid(packet.zxid)
    this.#mode = packet.type === PacketType.DIFF ? 'DIFF' : 'TRUNC'
    if (this.#mode === 'TRUNC') {
      if (zxid >= tail.lastLogged || zxid < out.snapshotZxid || counterOf(zxid) === 0) {
        throw new JuteError(`TRUNC to ${formatZxid(zxid)}`)
      }
      out.push({ kind: 'truncate', to: zxid })
      this.#truncatingTo = zxid
    }
    this.#trace(this.#mode, zxid)
  }

  /** First without data, then chunk by chunk numbered in zxid, then −1 with the signature. */
  #onSnap(packet: QuorumPacket, at: Moment): void {
    const snapshot = this.#snapshot
    if (snapshot === null) {
      if (this.#mode !== null || packet.data !== null) throw new JuteError('SNAP out of order')
      const zxid = checkedZxid(packet.zxid)
      this.#mode = 'SNAP'
      const id = this.#context.out.newSnapshotId(at)
      this.#snapshot = { id, zxid, chunks: [], bytes: 0, isComplete: false }
      this.#trace('SNAP', zxid)
      return
    }
    const bytes = packet.data
    if (bytes === null || snapshot.isComplete) throw new JuteError('SNAP after its end')
    if (packet.zxid === -1n) {
      if (!equal(bytes, SNAPSHOT_SIGNATURE)) throw new JuteError('snapshot without signature')
      snapshot.isComplete = true
      this.#position = snapshot.zxid
      return
    }
    this.#onChunk(snapshot, packet.zxid, bytes)
  }

  #onChunk(snapshot: IncomingSnapshot, index: bigint, bytes: Uint8Array): void {
    const isInOrder = index === BigInt(snapshot.chunks.length)
    const isSized = bytes.length > 0 && bytes.length <= SNAPSHOT_CHUNK_BYTES
    if (!isInOrder || !isSized) throw new JuteError(`chunk ${index} of ${bytes.length} bytes`)
    snapshot.bytes += bytes.length
    if (snapshot.bytes > SNAPSHOT_MAX_BYTES) throw new JuteError('snapshot is too large')
    const { id, chunks } = snapshot
    this.#context.out.push({ kind: 'snapshot-chunk', id, index: chunks.length, bytes })
    chunks.push(bytes)
    // Room for more, once it is on disk: so the leader goes no faster than this disk does.
    const credit = encodePacket(PacketType.SNAP, BigInt(snapshot.bytes))
    this.#send(credit, 'persisted')
  }

  #onProposal(packet: QuorumPacket): void {
    const { data } = packet
    const zxid = checkedZxid(packet.zxid)
    if (data === null || this.#mode === null || this.#snapshot?.isComplete === false) {
      throw new JuteError('PROPOSAL out of order')
    }
    // A hole here would be logged, acknowledged and never filled (Q37).
    if (!this.#context.rules.follows(this.#position, zxid)) {
      throw new JuteError(`${formatZxid(zxid)} after ${formatZxid(this.#position)}`)
    }
    this.#queuedBytes += data.length
    if (this.#queuedBytes > syncQueueBytesMax(this.#context.config)) {
      throw new JuteError('too much to synchronise')
    }
    this.#position = zxid
    this.#queued.push({ zxid, entry: data })
  }

  #onCommit(packet: QuorumPacket): void {
    const next = this.#queued[this.#committedCount]
    if (next?.zxid !== packet.zxid) {
      throw new JuteError(`COMMIT of ${formatZxid(packet.zxid)} out of order`)
    }
    this.#committedCount++
  }

  #onNewLeader(packet: QuorumPacket, at: Moment): boolean {
    const { config, epochs, replica, rules, tail } = this.#context
    const isComplete = this.#mode !== null && this.#snapshot?.isComplete !== false
    if (packet.zxid !== makeZxid(this.#epoch, 0) || !isComplete) {
      throw new JuteError(`NEWLEADER ${formatZxid(packet.zxid)} out of order`)
    }
    if (this.#snapshot !== null && !this.#installSnapshot(this.#snapshot)) return false
    for (const entry of this.#queued) tail.append(entry)
    for (let i = 0; i < this.#committedCount; i++) replica.deliver(tail.commitOldest(), at)
    // Behind the entries, in the same batch or a later one (Q36).
    if (!config.isObserver) epochs.enter(this.#epoch)
    this.#send(encodePacket(PacketType.ACK, packet.zxid), rules.acksSync)
    for (const { zxid } of this.#queued.slice(this.#committedCount)) {
      this.#send(encodePacket(PacketType.ACK, zxid), rules.acksSync)
    }
    this.#queued = []
    return true
  }

  #installSnapshot(snapshot: IncomingSnapshot): boolean {
    const { config, epochs, out, replica, tail } = this.#context
    this.#snapshot = null
    const { id, zxid, chunks, bytes } = snapshot
    // Told before the work: between the beginning of SNAP and this lies the transfer.
    out.push({ kind: 'trace', event: { type: 'snapshot', zxid: formatZxid(zxid), bytes } })
    try {
      replica.restore({ zxid, chunks }, [])
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
      // The state is half replaced now: cutting nothing makes the driver read the disk again.
      out.push({ kind: 'snapshot-abandon', id })
      out.push({ kind: 'truncate', to: tail.lastLogged })
      this.#truncatingTo = tail.lastLogged
      this.#context.leave(`snapshot of machine ${this.#leader} is malformed: ${error.message}`)
      return false
    }
    const commit = { id, zxid, chunks: chunks.length, install: true } as const
    if (config.isObserver) {
      out.push({ kind: 'snapshot-commit', ...commit })
    } else {
      const currentEpoch = this.#epoch
      epochs.entered(currentEpoch)
      out.push({ kind: 'snapshot-commit', ...commit, currentEpoch })
    }
    tail.install(zxid)
    return true
  }

  #send(packet: Uint8Array, when: 'now' | 'persisted'): void {
    this.#context.send(this.#leader, 'stream', this.#conversation, packet, when)
  }

  #trace(mode: 'DIFF' | 'TRUNC' | 'SNAP', to: Zxid): void {
    const from = formatZxid(this.#context.tail.lastLogged)
    const peer = this.#leader
    const event = { type: 'sync', direction: 'in', mode, peer, from, to: formatZxid(to) } as const
    this.#context.out.push({ kind: 'trace', event })
  }
}
