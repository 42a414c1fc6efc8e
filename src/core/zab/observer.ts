/**
 * A synchronised observer: is informed of what is committed, logs it (ZooKeeper's `syncEnabled`)
 * and applies it. It has nothing to acknowledge: no quorum waits for it (Q7, Q44, Q59).
 */
import { formatZxid, type ServerId } from '../base/zxid.ts'
import { JuteError } from '../jute/jute-error.ts'
import { PacketType, type QuorumPacket } from '../jute/quorum-records.ts'
import type { Moment } from './effect.ts'
import { checkedZxid } from './packets.ts'
import type { RoleContext } from './role.ts'

export class Observer {
  readonly #context: RoleContext
  readonly #leader: ServerId

  constructor(context: RoleContext, leader: ServerId) {
    this.#context = context
    this.#leader = leader
  }

  /** false: not a packet that brings transactions. Throws JuteError. */
  onPacket(packet: QuorumPacket, at: Moment): boolean {
    if (packet.type !== PacketType.INFORM) return false
    const { tail, replica, rules } = this.#context
    const zxid = checkedZxid(packet.zxid)
    if (packet.data === null) throw new JuteError('INFORM without a transaction')
    if (!rules.follows(tail.lastLogged, zxid)) {
      const what = `INFORM ${formatZxid(zxid)} after ${formatZxid(tail.lastLogged)}`
      this.#context.resync(this.#leader, what)
      return true
    }
    tail.append({ zxid, entry: packet.data })
    replica.witness?.committed(packet.data, at)
    replica.deliver(tail.commitOldest(), at)
    return true
  }
}
