/**
 * A learner that acknowledged NEWLEADER: what followers and observers share (Q38–Q52). How
 * transactions come differs (`follower.ts`, `observer.ts`).
 */
import { makeZxid, type ServerId } from '../base/zxid.ts'
import { JuteError } from '../jute/jute-error.ts'
import { packetName, PacketType, type QuorumPacket } from '../jute/quorum-records.ts'
import type { Moment } from './effect.ts'
import { Follower } from './follower.ts'
import { Observer } from './observer.ts'
import type { ObserverMaster } from './observer-master.ts'
import { encodePacket, isCounted, UNCOUNTED } from './packets.ts'
import type { ReplicaPacket } from './replica.ts'
import type { RoleContext } from './role.ts'

const NO_DATA = new Uint8Array(0)

/** The transactions of the live stream, by the learner's type. */
export interface TransactionIntake {
  /** false: not a packet that brings transactions. Throws JuteError. */
  onPacket(packet: QuorumPacket, at: Moment): boolean
}

export class SyncedLearner {
  readonly #context: RoleContext
  readonly #leader: ServerId
  readonly #conversation: number
  readonly #epoch: number
  readonly #intake: TransactionIntake
  readonly #observers: ObserverMaster | null
  #isServing = false
  /** Sent in this conversation. */
  #requests = 0n

  constructor(
    context: RoleContext,
    leader: ServerId,
    conversation: number,
    epoch: number,
    observers: ObserverMaster | null,
  ) {
    this.#context = context
    this.#leader = leader
    this.#conversation = conversation
    this.#epoch = epoch
    this.#observers = observers
    this.#intake = context.config.isObserver
      ? new Observer(context, leader)
      : new Follower(context, leader, conversation, observers)
  }

  /** UPTODATE came. Before it, transactions are logged, but nobody served (Q39). */
  get isServing(): boolean {
    return this.#isServing
  }

  /** Throws JuteError for what no leader sends in this state. */
  onPacket(packet: QuorumPacket, at: Moment): void {
    switch (packet.type) {
      case PacketType.PING:
        this.#onPing(packet, at)
        break
      case PacketType.UPTODATE:
        this.#onUpToDate(at)
        break
      case PacketType.REVALIDATE:
      case PacketType.SYNC:
        if (this.#isServing) this.#context.replica.onLeaderPacket(routed(packet), at)
        break
      default:
        if (this.#intake.onPacket(packet, at)) break
        throw new JuteError(`${packetName(packet.type)} to a learner`)
    }
  }

  /**
   * ZooKeeper's learners say −1 where ours count: a request that comes twice, too late or not at
   * all would be done twice, out of its session's order, or never, and nobody would know.
   */
  sendRequest(packet: ReplicaPacket): void {
    const { type, data, authinfo } = packet
    const number = isCounted(type) ? ++this.#requests : UNCOUNTED
    this.#send('request', encodePacket(type, number, data, authinfo ?? null))
  }

  /** The answer carries the sessions that were active here (Q52, S10). */
  #onPing(packet: QuorumPacket, at: Moment): void {
    const { config, replica } = this.#context
    if (this.#isServing && packet.data !== null) replica.onLeaderPacket(routed(packet), at)
    const touched = this.#isServing ? replica.takeTouchedSessions() : NO_DATA
    const answer = encodePacket(PacketType.PING, packet.zxid, touched)
    // An observer acknowledges nothing else of the live stream: by this answer, held until what
    // came before is on disk, the leader knows how far behind it is.
    if (config.isObserver) this.#send('stream', answer, 'persisted')
    else this.#send('request', answer)
    if (this.#isServing) this.#observers?.ping(packet.data, at)
  }

  #onUpToDate(at: Moment): void {
    if (this.#isServing) throw new JuteError('UPTODATE twice')
    this.#isServing = true
    if (this.#context.config.isObserver) this.#context.epochs.establish(this.#epoch)
    this.#send('stream', encodePacket(PacketType.ACK, makeZxid(this.#epoch, 0)))
    this.#context.established(this.#epoch, at)
    this.#observers?.begin(this.#epoch, at)
  }

  #send(lane: 'stream' | 'request', packet: Uint8Array, when: 'now' | 'persisted' = 'now'): void {
    this.#context.send(this.#leader, lane, this.#conversation, packet, when)
  }
}

/** A packet that the server reads. */
export function routed(packet: QuorumPacket): ReplicaPacket {
  const { type, data, authinfo } = packet
  if (authinfo === null) return { type, data: data ?? NO_DATA }
  return { type, data: data ?? NO_DATA, authinfo }
}
