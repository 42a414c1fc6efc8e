/**
 * One attempt to follow one leader: discovery, synchronisation, then broadcast (Q25–Q52). A new
 * attempt is a new Learner with a new conversation number.
 */
import { epochOf, formatZxid, makeZxid, nextZxid, type ServerId } from '../base/zxid.ts'
import { Deque } from '../base/deque.ts'
import { JuteError } from '../jute/jute-error.ts'
import {
  ackEpochRecord,
  learnerInfoRecord,
  leaderInfoRecord,
  NO_EPOCH_ACK,
  packetName,
  PacketType,
  PROTOCOL_VERSION,
  type QuorumPacket,
} from '../jute/quorum-records.ts'
import { decode, encode } from '../jute/record.ts'
import { DEFERRED_PACKETS } from './constants.ts'
import type { Moment } from './effect.ts'
import { LearnerSync } from './learner-sync.ts'
import { ObserverMaster } from './observer-master.ts'
import { checkedZxid, encodePacket, machine } from './packets.ts'
import type { ReplicaPacket } from './replica.ts'
import { type RoleContext, welcomeLimitMs } from './role.ts'
import { SyncedLearner } from './synced-learner.ts'

type Phase = 'connecting' | 'synchronising' | 'synced'

export class Learner {
  /** Of whom it learns: the leader, or an observer's master (Q58). */
  readonly leader: ServerId
  readonly conversation: number
  /** Of a follower: the observers that learn from it. null: it takes none. */
  readonly observers: ObserverMaster | null
  readonly #context: RoleContext
  readonly #startedMs: number
  #phase: Phase = 'connecting'
  #hasSentInfo = false
  #lastPacketMs: number
  #epoch: number
  #sync: LearnerSync | null = null
  #synced: SyncedLearner | null = null
  /** Stream packets that wait for a truncating storage. */
  readonly #deferred: Deque<QuorumPacket> = new Deque<QuorumPacket>()

  constructor(context: RoleContext, leader: ServerId, conversation: number, at: Moment) {
    this.leader = leader
    this.conversation = conversation
    this.#context = context
    this.#startedMs = at.elapsedMs
    this.#lastPacketMs = at.elapsedMs
    this.#epoch = context.epochs.current
    const { isObserver, observerMaster } = context.config
    const isMaster = observerMaster !== undefined && !isObserver
    this.observers = isMaster ? new ObserverMaster(context) : null
    if (context.isLinkUp(leader)) this.#sendInfo()
  }

  /** Epoch of the leader once it is known. */
  get epoch(): number {
    return this.#epoch
  }

  get isServing(): boolean {
    return this.#synced?.isServing === true
  }

  onLinkUp(peer: ServerId): void {
    if (peer === this.leader && !this.#hasSentInfo) this.#sendInfo()
  }

  onLinkDown(peer: ServerId, reason: string): void {
    this.observers?.onLinkDown(peer)
    if (peer === this.leader) this.#context.leave(`lost ${machine(peer)}: ${reason}`)
  }

  onEnd(from: ServerId, conversation: number): void {
    this.observers?.onEnd(from, conversation)
    if (from !== this.leader || conversation !== this.conversation) return
    this.#context.leave(`${machine(from)} ended the conversation`)
  }

  /** Throws JuteError. */
  onPacket(packet: QuorumPacket, at: Moment): void {
    this.#lastPacketMs = at.elapsedMs
    if (this.#sync?.isTruncating === true) {
      this.#deferred.pushBack(packet)
      if (this.#deferred.length > DEFERRED_PACKETS) throw new JuteError('too many packets')
      return
    }
    this.#handle(packet, at)
  }

  /** The storage was truncated and state and tail are what it holds now. */
  onTruncated(at: Moment): void {
    if (this.#sync?.isTruncating !== true) return
    if (!this.#sync.onTruncated()) {
      const { tail } = this.#context
      this.#context.leave(
        `truncated to ${formatZxid(tail.lastLogged)}, which is not what was asked`,
      )
      return
    }
    for (;;) {
      const packet = this.#deferred.popFront()
      if (packet === undefined) return
      this.#handle(packet, at)
    }
  }

  onTime(at: Moment): void {
    this.observers?.onTime(at)
    const { tickTimeMs, initLimitTicks, syncLimitTicks } = this.#context.config
    const now = at.elapsedMs
    if (this.#phase === 'connecting') {
      if (now - this.#startedMs <= welcomeLimitMs(this.#context.config)) return
      this.#context.leave(`${machine(this.leader)} does not lead`)
      return
    }
    const ticks = this.#phase === 'synchronising' ? initLimitTicks : syncLimitTicks
    if (now - this.#lastPacketMs <= ticks * tickTimeMs) return
    this.#context.leave(`nothing from ${machine(this.leader)} for ${ticks} ticks`)
  }

  stop(): void {
    this.observers?.stop()
    this.#sync?.abandon()
    this.#context.endConversation(this.leader, this.conversation)
  }

  /** To the leader, from the server of this member. */
  sendRequest(packet: ReplicaPacket): void {
    if (!this.isServing) return
    this.#synced?.sendRequest(packet)
  }

  #handle(packet: QuorumPacket, at: Moment): void {
    if (this.#synced !== null) {
      this.#synced.onPacket(packet, at)
      return
    }
    if (this.#sync === null) {
      this.#onLeaderInfo(packet)
      return
    }
    // A leader may ask for life at any time; touched sessions there are none before serving.
    if (packet.type === PacketType.PING) return
    if (!this.#sync.onPacket(packet, at)) return
    this.#sync = null
    this.#phase = 'synced'
    this.#synced = new SyncedLearner(
      this.#context,
      this.leader,
      this.conversation,
      this.#epoch,
      this.observers,
    )
  }

  #sendInfo(): void {
    this.#hasSentInfo = true
    const { config, epochs, verifier } = this.#context
    const info = encode(learnerInfoRecord, {
      serverid: BigInt(config.sid),
      protocolVersion: PROTOCOL_VERSION,
      configVersion: verifier.version,
    })
    const type = config.isObserver ? PacketType.OBSERVERINFO : PacketType.FOLLOWERINFO
    this.#send(encodePacket(type, makeZxid(epochs.accepted, 0), info), 'now')
  }

  #onLeaderInfo(packet: QuorumPacket): void {
    const { config, epochs, tail, out, rules } = this.#context
    if (packet.type !== PacketType.LEADERINFO || packet.data === null) {
      throw new JuteError(`${packetName(packet.type)} before LEADERINFO`)
    }
    const { protocolVersion } = decode(leaderInfoRecord, packet.data)
    if (protocolVersion < PROTOCOL_VERSION) throw new JuteError(`protocol ${protocolVersion}`)
    const epoch = epochOf(checkedZxid(packet.zxid))
    if (epoch < epochs.accepted) {
      this.#context.leave(`${machine(this.leader)} leads epoch ${epoch}, older than accepted`)
      return
    }
    this.#epoch = epoch
    this.#phase = 'synchronising'
    this.#sync = new LearnerSync(this.#context, this.leader, this.conversation, epoch)
    const isNew = epoch > epochs.accepted
    // An observer promises nothing: no leader's right to its epoch hangs on it (Epochs.establish).
    if (isNew && !config.isObserver) epochs.accept(epoch)
    for (const effect of rules.writesAtSyncStart(epoch)) out.push(effect)
    // An epoch that was accepted before may have been promised to another leader (Q27); and who
    // lost the end of its log cannot say that nothing newer was acknowledged.
    const currentEpoch = isNew && epochs.isWitness ? epochs.current : NO_EPOCH_ACK
    // A floor above what it has: nothing here is fit to be built upon, so it needs a snapshot.
    const truncFloor = epochs.isDoubtful ? nextZxid(tail.lastLogged) : out.snapshotZxid
    const ack = encode(ackEpochRecord, { currentEpoch, truncFloor })
    this.#send(encodePacket(PacketType.ACKEPOCH, tail.lastLogged, ack), 'persisted')
  }

  #send(packet: Uint8Array, when: 'now' | 'persisted'): void {
    this.#context.send(this.leader, 'stream', this.conversation, packet, when)
  }
}
