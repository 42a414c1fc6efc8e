/** A synchronised learner: logs and acknowledges proposals, applies commits in order (Q38–Q52). */
import { formatZxid, makeZxid, type ServerId } from '../base/zxid.ts'
import { JuteError } from '../jute/jute-error.ts'
import { packetName, PacketType, type QuorumPacket } from '../jute/quorum-records.ts'
import type { Moment } from './effect.ts'
import { checkedZxid, encodePacket } from './packets.ts'
import type { ReplicaPacket } from './replica.ts'
import type { RoleContext } from './role.ts'

const NO_DATA = new Uint8Array(0)

export class Follower {
  readonly #context: RoleContext
  readonly #leader: ServerId
  readonly #conversation: number
  readonly #epoch: number
  #isServing = false

  constructor(context: RoleContext, leader: ServerId, conversation: number, epoch: number) {
    this.#context = context
    this.#leader = leader
    this.#conversation = conversation
    this.#epoch = epoch
  }

  /** UPTODATE came. Before it, proposals are logged and acknowledged, but nobody served (Q39). */
  get isServing(): boolean {
    return this.#isServing
  }

  /** Throws JuteError for what no leader sends in this state. */
  onPacket(packet: QuorumPacket, at: Moment): void {
    switch (packet.type) {
      case PacketType.PROPOSAL:
        this.#onProposal(packet)
        break
      case PacketType.COMMIT:
        this.#onCommit(packet, at)
        break
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
        throw new JuteError(`${packetName(packet.type)} while following`)
    }
  }

  sendRequest(packet: ReplicaPacket): void {
    const { type, data, authinfo } = packet
    this.#send('request', encodePacket(type, -1n, data, authinfo ?? null))
  }

  #onProposal(packet: QuorumPacket): void {
    const { tail, rules } = this.#context
    const zxid = checkedZxid(packet.zxid)
    if (packet.data === null) throw new JuteError('PROPOSAL without a transaction')
    // ZooKeeper only warns (Q46). A hole would be acknowledged for ever: synchronise anew.
    if (!rules.follows(tail.lastLogged, zxid)) {
      const what = `PROPOSAL ${formatZxid(zxid)} after ${formatZxid(tail.lastLogged)}`
      this.#context.resync(this.#leader, what)
      return
    }
    tail.append({ zxid, entry: packet.data })
    this.#send('stream', encodePacket(PacketType.ACK, zxid), 'persisted')
  }

  #onCommit(packet: QuorumPacket, at: Moment): void {
    const { tail, replica } = this.#context
    const oldest = tail.oldestPending
    // ZooKeeper exits here (Q46); what this member has is durable, so synchronising anew is enough.
    if (oldest?.zxid !== packet.zxid) {
      const pending = oldest === undefined ? 'nothing' : formatZxid(oldest.zxid)
      const what = `COMMIT of ${formatZxid(packet.zxid)}, pending is ${pending}`
      this.#context.resync(this.#leader, what)
      return
    }
    replica.deliver(tail.commitOldest(), at)
  }

  /** The answer carries the sessions that were active here (Q52, S10). */
  #onPing(packet: QuorumPacket, at: Moment): void {
    const { replica } = this.#context
    const touched = this.#isServing ? replica.takeTouchedSessions() : NO_DATA
    if (this.#isServing && packet.data !== null) replica.onLeaderPacket(routed(packet), at)
    this.#send('request', encodePacket(PacketType.PING, packet.zxid, touched))
  }

  #onUpToDate(at: Moment): void {
    if (this.#isServing) throw new JuteError('UPTODATE twice')
    this.#isServing = true
    this.#send('stream', encodePacket(PacketType.ACK, makeZxid(this.#epoch, 0)))
    this.#context.established(this.#epoch, this.#leader, at)
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
