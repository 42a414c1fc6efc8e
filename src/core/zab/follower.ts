/** A synchronised voter: logs and acknowledges proposals, applies commits in order (Q43–Q46). */
import { formatZxid, type ServerId } from '../base/zxid.ts'
import { JuteError } from '../jute/jute-error.ts'
import { PacketType, type QuorumPacket } from '../jute/quorum-records.ts'
import type { Moment } from './effect.ts'
import { checkedZxid, encodePacket } from './packets.ts'
import type { RoleContext } from './role.ts'

export class Follower {
  readonly #context: RoleContext
  readonly #leader: ServerId
  readonly #conversation: number

  constructor(context: RoleContext, leader: ServerId, conversation: number) {
    this.#context = context
    this.#leader = leader
    this.#conversation = conversation
  }

  /** false: not a packet that brings transactions. Throws JuteError. */
  onPacket(packet: QuorumPacket, at: Moment): boolean {
    if (packet.type === PacketType.PROPOSAL) this.#onProposal(packet, at)
    else if (packet.type === PacketType.COMMIT) this.#onCommit(packet, at)
    else return false
    return true
  }

  #onProposal(packet: QuorumPacket, at: Moment): void {
    const { tail, rules, replica } = this.#context
    const zxid = checkedZxid(packet.zxid)
    if (packet.data === null) throw new JuteError('PROPOSAL without a transaction')
    // ZooKeeper only warns (Q46). A hole would be acknowledged for ever: synchronise anew.
    if (!rules.follows(tail.lastLogged, zxid)) {
      const what = `PROPOSAL ${formatZxid(zxid)} after ${formatZxid(tail.lastLogged)}`
      this.#context.resync(this.#leader, what)
      return
    }
    tail.append({ zxid, entry: packet.data })
    replica.witness?.proposed(packet.data, at)
    const ack = encodePacket(PacketType.ACK, zxid)
    this.#context.send(this.#leader, 'stream', this.#conversation, ack, 'persisted')
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
    const entry = tail.commitOldest()
    replica.witness?.committed(entry.entry, at)
    replica.deliver(entry, at)
  }
}
