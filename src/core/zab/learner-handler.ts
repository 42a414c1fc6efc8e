/**
 * The leader's side of one conversation: what was sent to the learner, what it acknowledged, and
 * the paced transfer of a snapshot or of old entries, behind which everything else queues (Q33,
 * Q34).
 */
import { EMPTY_BYTES } from '../base/bytes.ts'
import { Deque } from '../base/deque.ts'
import { formatZxid, ZXID_NONE, type ServerId, type Zxid } from '../base/zxid.ts'
import { JuteError } from '../jute/jute-error.ts'
import { PacketType, type QuorumPacket } from '../jute/quorum-records.ts'
import { LOG_SLICE_BYTES, SNAP_SLICE_BYTES, SNAP_WINDOW_BYTES } from './constants.ts'
import { SNAPSHOT_CHUNK_BYTES, type LogEntry } from './effect.ts'
import { SNAPSHOT_SIGNATURE } from './learner-sync.ts'
import { encodePacket, isCounted, UNCOUNTED } from './packets.ts'
import type { ReplicaPacket, SnapshotSource } from './replica.ts'
import type { RoleContext } from './role.ts'
import type { LearnerPosition, SyncPlan } from './synchronization.ts'

/**
 * - `epoch`: FOLLOWERINFO came; no ACKEPOCH yet.
 * - `waiting`: ACKEPOCH came; the leader's quorum is not complete.
 * - `reading`: what it lacks is looked for in the log on disk.
 * - `synchronising`: sync packets and NEWLEADER are queued.
 * - `synced`: acknowledged NEWLEADER; counts for quorums and is told UPTODATE.
 */
export type HandlerPhase = 'epoch' | 'waiting' | 'reading' | 'synchronising' | 'synced'

interface SentProposal {
  readonly zxid: Zxid
  readonly bytes: number
  readonly sentMs: number
}

interface OutgoingSnapshot {
  readonly source: SnapshotSource
  /** Rest of a chunk that was longer than a packet may be. */
  rest: Uint8Array | null
  index: number
  sentBytes: number
  creditedBytes: number
}

export class LearnerHandler {
  readonly peer: ServerId
  readonly conversation: number
  /** Is informed of what is committed, and never counts (Q7). */
  readonly isObserver: boolean
  phase: HandlerPhase = 'epoch'
  /** Said in its ACKEPOCH. */
  position: LearnerPosition | null = null
  /** false when its ACKEPOCH was no vote of confidence (Q27). */
  mayCount = true
  lastPacketMs: number
  isUpToDate = false
  /** The log on disk is no help to it. */
  needsSnapshot = false
  /** Of what is not acknowledged, the part that it was sent to be brought up to date. */
  syncBytes = 0
  readonly #context: RoleContext
  readonly #unacked: Deque<SentProposal> = new Deque<SentProposal>()
  #unackedBytes = 0
  #earlyAcks: Zxid[] = []
  /** Committed before this learner joined the live stream: never acknowledged one by one. */
  #syncedUpTo: Zxid = ZXID_NONE
  #syncedMs = 0
  #snapshot: OutgoingSnapshot | null = null
  /** Observer: the last zxid sent before each PING that is not answered yet. */
  readonly #pings: Deque<Zxid> = new Deque<Zxid>()
  #lastSent: Zxid = ZXID_NONE
  /** Read from the log on disk, and from the first one here on not sent yet. */
  #older: readonly LogEntry[] = []
  #olderSent = 0
  /** What waits behind the snapshot or the old entries. */
  #queue: Uint8Array[] = []
  /** That came from it. */
  #requests = 0n

  constructor(
    context: RoleContext,
    peer: ServerId,
    conversation: number,
    isObserver: boolean,
    nowMs: number,
  ) {
    this.#context = context
    this.peer = peer
    this.conversation = conversation
    this.isObserver = isObserver
    this.lastPacketMs = nowMs
  }

  /** Live proposals go to this learner. */
  get isForwarding(): boolean {
    return this.phase === 'synchronising' || this.phase === 'synced'
  }

  get sendsSnapshot(): boolean {
    return this.#snapshot !== null
  }

  /** Not all of what was read from the log on disk has left. */
  get sendsLog(): boolean {
    return this.#olderSent < this.#older.length
  }

  /** What was read from the log on disk is part of what it was or is sent. */
  get isFromLog(): boolean {
    return this.#older.length > 0
  }

  /** Bytes of proposals that it was sent and has not acknowledged. */
  get unackedBytes(): number {
    return this.#unackedBytes
  }

  oldestUnackedMs(nowMs: number): number {
    const oldest = this.#unacked.peekFront()
    if (oldest === undefined || this.phase !== 'synced') return 0
    // What queued behind a snapshot could not be acknowledged earlier.
    return nowMs - Math.max(oldest.sentMs, this.#syncedMs)
  }

  send(packet: Uint8Array, when: 'now' | 'persisted' = 'now'): void {
    if (this.#snapshot !== null || this.sendsLog) this.#queue.push(packet)
    else this.#context.send(this.peer, 'stream', this.conversation, packet, when)
  }

  /**
   * A packet for the server, with whom its answer is for. Throws JuteError when what this learner
   * asked before did not come, or this came already.
   */
  asked({ type, zxid, data, authinfo }: QuorumPacket): ReplicaPacket {
    if (isCounted(type) && zxid !== UNCOUNTED && zxid !== ++this.#requests) {
      throw new JuteError(`request ${zxid} in place of ${this.#requests}`)
    }
    const packet = { type, data: data ?? EMPTY_BYTES, conversation: this.conversation }
    return authinfo === null ? packet : { ...packet, authinfo }
  }

  /**
   * REVALIDATE answer or SYNC. Whoever asked and began anew meanwhile asks for something else now:
   * a SYNC names no request (Q65).
   */
  answer({ type, data, authinfo, conversation }: ReplicaPacket, zxid: bigint): void {
    const isAsked = conversation === undefined || conversation === this.conversation
    if (this.isUpToDate && isAsked) this.send(encodePacket(type, zxid, data, authinfo ?? null))
  }

  /** A PROPOSAL, or an observer's INFORM: a transaction, until it is acknowledged. */
  sendTransaction(zxid: Zxid, packet: Uint8Array, nowMs: number): void {
    this.#expectAck(zxid, packet.length, nowMs)
    this.send(packet)
  }

  ping(packet: Uint8Array): void {
    if (this.isObserver) this.#pings.pushBack(this.#lastSent)
    this.send(packet)
  }

  /** An observer answers a PING when it has stored what came before it: all its ack there is. */
  onPingAnswer(): void {
    const upTo = this.#pings.popFront()
    if (upTo !== undefined) this.onAck(upTo)
  }

  /** Acks come in the order of proposals. */
  onAck(zxid: Zxid): void {
    for (;;) {
      const oldest = this.#unacked.peekFront()
      if (oldest === undefined || oldest.zxid > zxid) return
      this.#unackedBytes -= oldest.bytes
      this.#unacked.popFront()
    }
  }

  /**
   * ZooKeeper's followers log what was in flight before they acknowledge NEWLEADER, and say so in
   * any order: it counts once NEWLEADER is acknowledged. false: it is no such ack.
   */
  ackEarly(zxid: Zxid): boolean {
    const isSent = zxid <= this.#lastSent && this.#earlyAcks.length < this.#unacked.length
    if (this.phase !== 'synchronising' || !isSent) return false
    this.#earlyAcks.push(zxid)
    return true
  }

  takeEarlyAcks(): Zxid[] {
    return this.#earlyAcks.splice(0)
  }

  /**
   * First packets of the synchronisation; the snapshot itself follows by `pump`, as does the rest
   * of `older`, which goes between `plan.from` and what is in memory.
   */
  beginSync(plan: SyncPlan, older: readonly LogEntry[], nowMs: number): void {
    this.phase = 'synchronising'
    const { committed, lastCommitted } = this.#context.tail
    this.#syncedUpTo = lastCommitted
    if (plan.mode === 'SNAP') {
      const source = this.#context.replica.beginSnapshot()
      this.#trace('SNAP', source.zxid)
      this.send(encodePacket(PacketType.SNAP, source.zxid))
      this.#snapshot = { source, rest: null, index: 0, sentBytes: 0, creditedBytes: 0 }
      return
    }
    this.#trace(plan.mode, plan.mode === 'DIFF' ? lastCommitted : plan.from)
    if (plan.mode === 'DIFF') this.send(encodePacket(PacketType.DIFF, lastCommitted))
    else this.send(encodePacket(PacketType.TRUNC, plan.from))
    // That it was so far behind is no lag.
    for (const { zxid } of older) this.#expectAck(zxid, 0, nowMs)
    this.#older = older
    this.#pumpLog()
    for (const { zxid, entry } of committed.after(older.at(-1)?.zxid ?? plan.from)) {
      this.sendTransaction(zxid, encodePacket(PacketType.PROPOSAL, zxid, entry), nowMs)
      this.send(encodePacket(PacketType.COMMIT, zxid))
    }
    this.syncBytes = this.#unackedBytes
  }

  /** Its ack of NEWLEADER covers everything that was committed when the synchronisation began. */
  onSynced(nowMs: number): void {
    this.phase = 'synced'
    this.syncBytes = 0
    this.#syncedMs = nowMs
    this.onAck(this.#syncedUpTo)
  }

  /** The learner stored this many bytes of the snapshot. */
  onCredit(bytes: bigint): boolean {
    const snapshot = this.#snapshot
    // The last credits come after the last chunk was sent.
    if (snapshot === null) return this.phase === 'synchronising'
    if (bytes > BigInt(snapshot.sentBytes) || bytes < BigInt(snapshot.creditedBytes)) return false
    snapshot.creditedBytes = Number(bytes)
    return true
  }

  /** Next slice of what queues the rest, once per step; of a snapshot if the window allows. */
  pump(): void {
    this.#pumpLog()
    const snapshot = this.#snapshot
    if (snapshot === null) return
    let slice = 0
    while (slice < SNAP_SLICE_BYTES) {
      if (snapshot.sentBytes - snapshot.creditedBytes >= SNAP_WINDOW_BYTES) return
      const chunk = nextChunk(snapshot)
      if (chunk === null) {
        this.#endSnapshot()
        return
      }
      this.#sendDirect(encodePacket(PacketType.SNAP, BigInt(snapshot.index), chunk))
      snapshot.index++
      snapshot.sentBytes += chunk.length
      slice += chunk.length
    }
  }

  stop(): void {
    this.#snapshot?.source.cancel()
    this.#snapshot = null
    this.#older = []
    this.#queue = []
  }

  #pumpLog(): void {
    if (!this.sendsLog) return
    for (let slice = 0; slice < LOG_SLICE_BYTES;) {
      const next = this.#older[this.#olderSent]
      if (next === undefined) break
      this.#olderSent++
      const proposal = encodePacket(PacketType.PROPOSAL, next.zxid, next.entry)
      this.#sendDirect(proposal)
      this.#sendDirect(encodePacket(PacketType.COMMIT, next.zxid))
      slice += proposal.length
    }
    if (!this.sendsLog) this.#sendQueue()
  }

  #expectAck(zxid: Zxid, bytes: number, nowMs: number): void {
    this.#lastSent = zxid
    this.#unacked.pushBack({ zxid, bytes, sentMs: nowMs })
    this.#unackedBytes += bytes
  }

  #endSnapshot(): void {
    this.#snapshot = null
    this.#sendDirect(encodePacket(PacketType.SNAP, -1n, SNAPSHOT_SIGNATURE))
    this.#sendQueue()
  }

  #sendQueue(): void {
    const queue = this.#queue
    this.#queue = []
    for (const packet of queue) this.#sendDirect(packet)
  }

  #sendDirect(packet: Uint8Array): void {
    this.#context.send(this.peer, 'stream', this.conversation, packet)
  }

  #trace(mode: 'DIFF' | 'TRUNC' | 'SNAP', to: Zxid): void {
    const from = formatZxid(this.position?.lastZxid ?? 0n)
    const peer = this.peer
    const event = { type: 'sync', direction: 'out', mode, peer, from, to: formatZxid(to) } as const
    this.#context.out.push({ kind: 'trace', event })
  }
}

function nextChunk(snapshot: OutgoingSnapshot): Uint8Array | null {
  const chunk = snapshot.rest ?? snapshot.source.next(SNAPSHOT_CHUNK_BYTES)
  snapshot.rest = null
  if (chunk === null || chunk.length <= SNAPSHOT_CHUNK_BYTES) return chunk
  snapshot.rest = chunk.subarray(SNAPSHOT_CHUNK_BYTES)
  return chunk.subarray(0, SNAPSHOT_CHUNK_BYTES)
}
