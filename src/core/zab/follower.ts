/**
 * A synchronised voter: logs and acknowledges proposals, applies commits in order (Q43–Q46), and
 * tells observers of them that learn from it (Q58).
 */
import { formatZxid, type ServerId } from '../base/zxid.ts'
import { JuteError } from '../jute/jute-error.ts'
import { PacketType, type QuorumPacket } from '../jute/quorum-records.ts'
import type { LogEntry, Moment } from './effect.ts'
import type { ObserverMaster } from './observer-master.ts'
import { checkedZxid, encodePacket } from './packets.ts'
import type { RoleContext } from './role.ts'

export class Follower {
  readonly #context: RoleContext
  readonly #leader: ServerId
  readonly #conversation: number
  readonly #observers: ObserverMaster | null

  constructor(
    context: RoleContext,
    leader: ServerId,
    conversation: number,
    observers: ObserverMaster | null,
  ) {
    this.#context = context
    this.#leader = leader
    this.#conversation = conversation
    this.#observers = observers
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
    const logged: LogEntry = { zxid, entry: packet.data }
    tail.append(logged)
    replica.witness?.proposed(packet.data, at)
    if (rules.informsAt === 'proposal') this.#observers?.inform(logged, at)
    const ack = encodePacket(PacketType.ACK, zxid)
    this.#context.send(this.#leader, 'stream', this.#conversation, ack, 'persisted')
  }

  #onCommit(packet: QuorumPacket, at: Moment): void {
    const { tail, replica, rules } = this.#context
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
    if (rules.informsAt === 'commit') this.#observers?.inform(entry, at)
    replica.deliver(entry, at)
  }
}
