/**
 * A follower as the master of observers (Q58): they learn from it what they would learn from the
 * leader, and their clients' requests travel through it. The leader knows nothing of them.
 *
 * Invariant: an observer gets nothing from here that is not committed. What this follower has may
 * be cut until its leader says UPTODATE, so nobody is brought up to date before; then it is its
 * committed log, its tree, and each COMMIT as INFORM.
 */
import {
  counterOf,
  epochOf,
  formatZxid,
  makeZxid,
  type ServerId,
  type Zxid,
  ZXID_NONE,
} from '../base/zxid.ts'
import { JuteError } from '../jute/jute-error.ts'
import {
  ackEpochRecord,
  leaderInfoRecord,
  packetName,
  PacketType,
  PROTOCOL_VERSION,
  type QuorumPacket,
} from '../jute/quorum-records.ts'
import { decode, encode } from '../jute/record.ts'
import type { LogEntry, LogRange, Moment } from './effect.ts'
import { LearnerHandler } from './learner-handler.ts'
import { checkedInfo } from './learner-info.ts'
import { whyTooSlow } from './learner-limits.ts'
import { checkedZxid, encodePacket } from './packets.ts'
import type { ReplicaPacket } from './replica.ts'
import { observerLagBytesMax, type RoleContext } from './role.ts'
import { Synchronizer } from './synchronizer.ts'

interface EarlyObserver {
  readonly conversation: number
  readonly acceptedEpoch: number
}

/** In flight is nothing that observers get. */
const NOTHING = { outstanding: [] } as const

export class ObserverMaster {
  readonly #context: RoleContext
  readonly #handlers = new Map<ServerId, LearnerHandler>()
  /** They came before this follower is up to date; the newest of each. */
  readonly #early = new Map<ServerId, EarlyObserver>()
  /** The leader's, from its UPTODATE on. */
  #epoch: number | null = null
  #synchronizer: Synchronizer | null = null
  #nextPingMs = 0

  constructor(context: RoleContext) {
    this.#context = context
  }

  /** Observers that acknowledged NEWLEADER. */
  get syncedObservers(): ServerId[] {
    const handlers = [...this.#handlers.values()]
    return handlers.filter(({ phase }) => phase === 'synced').map(({ peer }) => peer)
  }

  /** UPTODATE came: what is committed here stays. */
  begin(epoch: number, at: Moment): void {
    this.#epoch = epoch
    this.#synchronizer = new Synchronizer(this.#context, NOTHING, epoch, this.#handlers)
    this.#nextPingMs = at.elapsedMs + this.#context.config.tickTimeMs
    for (const [from, { conversation, acceptedEpoch }] of this.#early) {
      this.#welcome(from, conversation, acceptedEpoch, epoch, at)
    }
    this.#early.clear()
  }

  /** OBSERVERINFO opens a conversation and replaces an older one. Throws JuteError. */
  onLearnerInfo(from: ServerId, conversation: number, packet: QuorumPacket, at: Moment): void {
    const { verifier } = this.#context
    const { acceptedEpoch, configVersion } = checkedInfo(from, packet)
    this.#remove(from)
    const isObserver = packet.type === PacketType.OBSERVERINFO && !verifier.voters.has(from)
    // A voter takes this member for the leader, and looks again.
    if (!isObserver || configVersion > verifier.version) {
      this.#context.endConversation(from, conversation)
    } else if (this.#epoch === null) this.#early.set(from, { conversation, acceptedEpoch })
    else this.#welcome(from, conversation, acceptedEpoch, this.#epoch, at)
  }

  /** Throws JuteError. Packets of other conversations are dropped. */
  onPacket(from: ServerId, conversation: number, packet: QuorumPacket, at: Moment): void {
    const handler = this.#handlers.get(from)
    if (handler?.conversation !== conversation) return
    handler.lastPacketMs = at.elapsedMs
    switch (packet.type) {
      case PacketType.ACKEPOCH:
        this.#onAckEpoch(handler, packet, at)
        break
      case PacketType.SNAP:
        if (!handler.onCredit(packet.zxid)) throw new JuteError(`SNAP credit ${packet.zxid}`)
        break
      case PacketType.ACK:
        this.#onAck(handler, checkedZxid(packet.zxid), at)
        break
      case PacketType.PING:
        handler.onPingAnswer()
        this.#toReplica(handler, packet, at)
        break
      case PacketType.REQUEST:
      case PacketType.REVALIDATE:
        this.#toReplica(handler, packet, at)
        break
      default:
        throw new JuteError(`${packetName(packet.type)} to a master of observers`)
    }
  }

  onEnd(from: ServerId, conversation: number): void {
    const { conversation: current } = this.#handlers.get(from) ?? this.#early.get(from) ?? {}
    if (current === conversation) this.#remove(from)
  }

  onLinkDown(peer: ServerId): void {
    this.#remove(peer)
  }

  onLogRead(id: number, range: LogRange | null, at: Moment): void {
    this.#synchronizer?.onLogRead(id, range, at)
  }

  onTime(at: Moment): void {
    const { config } = this.#context
    const lagMax = observerLagBytesMax(config)
    for (const handler of this.#handlers.values()) {
      handler.pump()
      if (handler.phase === 'waiting') this.#synchronize(handler, at)
      const lag = handler.unackedBytes - handler.syncBytes
      // Its conversation ends, and it synchronises anew, here or elsewhere.
      const isTooSlow = whyTooSlow(handler, at.elapsedMs, lag, lagMax, config) !== null
      if (isTooSlow) this.#remove(handler.peer)
    }
    this.#synchronizer?.onTime(at)
    // The leader's PINGs are late; observers shall not take that for silence of this follower.
    if (this.#epoch !== null && at.elapsedMs >= this.#nextPingMs) this.ping(null, at)
  }

  /** This member is committing it, and nothing is between it and what they were told last. */
  inform({ zxid, entry }: LogEntry, at: Moment): void {
    let packet: Uint8Array | null = null
    for (const handler of this.#handlers.values()) {
      if (!handler.isForwarding) continue
      packet ??= encodePacket(PacketType.INFORM, zxid, entry)
      handler.sendTransaction(zxid, packet, at.elapsedMs)
    }
  }

  /**
   * The leader's PING goes on to observers, in its place between the commits: what it says of
   * sessions and of the tree they may know as well.
   */
  ping(data: Uint8Array | null, at: Moment): void {
    const { config, tail } = this.#context
    this.#nextPingMs = at.elapsedMs + config.tickTimeMs
    const packet = encodePacket(PacketType.PING, tail.lastCommitted, data)
    for (const handler of this.#handlers.values()) {
      if (handler.phase === 'synced') handler.ping(packet)
    }
  }

  sendToLearner(to: ServerId, packet: ReplicaPacket): void {
    this.#handlers.get(to)?.answer(packet, this.#context.tail.lastCommitted)
  }

  /** This member follows no longer: whatever it has beyond its commits, they did not hear of. */
  stop(): void {
    for (const peer of [...this.#early.keys(), ...this.#handlers.keys()]) this.#remove(peer)
    this.#synchronizer?.stop()
    this.#epoch = null
  }

  #welcome(
    from: ServerId,
    conversation: number,
    acceptedEpoch: number,
    epoch: number,
    at: Moment,
  ): void {
    if (acceptedEpoch > epoch) {
      // It knows a newer leader than this follower does.
      this.#context.endConversation(from, conversation)
      return
    }
    const handler = new LearnerHandler(this.#context, from, conversation, true, at.elapsedMs)
    this.#handlers.set(from, handler)
    const data = encode(leaderInfoRecord, { protocolVersion: PROTOCOL_VERSION })
    handler.send(encodePacket(PacketType.LEADERINFO, makeZxid(epoch, 0), data))
  }

  #onAckEpoch(handler: LearnerHandler, packet: QuorumPacket, at: Moment): void {
    if (handler.phase !== 'epoch' || packet.data === null) {
      throw new JuteError('ACKEPOCH out of order')
    }
    const { truncFloor } = decode(ackEpochRecord, packet.data)
    const lastZxid = checkedZxid(packet.zxid)
    handler.position = { lastZxid, truncFloor: checkedZxid(truncFloor) }
    handler.phase = 'waiting'
    // A newer leader has informed it already.
    if (epochOf(lastZxid) > (this.#epoch ?? 0)) this.#remove(handler.peer)
    else this.#synchronize(handler, at)
  }

  #synchronize(handler: LearnerHandler, at: Moment): void {
    const { lastZxid = ZXID_NONE } = handler.position ?? {}
    const { lastCommitted } = this.#context.tail
    if (isAhead(lastZxid, lastCommitted, this.#epoch ?? 0)) return
    this.#synchronizer?.begin(handler, at)
  }

  #onAck(handler: LearnerHandler, zxid: Zxid, at: Moment): void {
    // ZooKeeper's observers may acknowledge what they log, and UPTODATE they do (Q38).
    if (counterOf(zxid) > 0 || handler.phase === 'synced') return
    if (handler.phase !== 'synchronising' || epochOf(zxid) !== this.#epoch) {
      throw new JuteError(`ACK of NEWLEADER ${formatZxid(zxid)} out of order`)
    }
    handler.onSynced(at.elapsedMs)
    handler.isUpToDate = true
    handler.send(encodePacket(PacketType.UPTODATE, this.#context.tail.lastCommitted))
  }

  /** An observer that is not up to date has no clients to ask for. */
  #toReplica(handler: LearnerHandler, packet: QuorumPacket, at: Moment): void {
    if (!handler.isUpToDate) return
    this.#context.replica.onLearnerPacket(handler.peer, handler.asked(packet), at)
  }

  #remove(peer: ServerId): void {
    const known = this.#handlers.get(peer) ?? this.#early.get(peer)
    if (known === undefined) return
    if (known instanceof LearnerHandler) {
      this.#synchronizer?.forget(known)
      known.stop()
    }
    this.#context.endConversation(peer, known.conversation)
    this.#handlers.delete(peer)
    this.#early.delete(peer)
  }
}

/**
 * Somebody else informed it of more than this follower knows to be committed. Within an epoch that
 * is no reason to cut it, as ZooKeeper does, since its clients have seen it: it waits until the
 * commits have come here too. (epoch, 0) is no transaction, but where the epoch begins.
 */
function isAhead(position: Zxid, lastCommitted: Zxid, epoch: number): boolean {
  return position > lastCommitted && epochOf(position) >= epoch && counterOf(position) > 0
}
