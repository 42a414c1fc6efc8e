/**
 * One term of leading: discovery, synchronisation, broadcast (Q26–Q53). Ends for good when a quorum
 * of followers is gone; then the member looks again.
 */
import { counterOf, epochOf, makeZxid, type ServerId, type Zxid } from '../base/zxid.ts'
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
import { Broadcast, type Proposal } from './broadcast.ts'
import { PINGS_PER_TICK } from './constants.ts'
import { Discovery } from './discovery.ts'
import type { LogRange, Moment } from './effect.ts'
import { LearnerHandler } from './learner-handler.ts'
import { checkedInfo } from './learner-info.ts'
import { whyTooSlow } from './learner-limits.ts'
import { checkedZxid, encodePacket, machine } from './packets.ts'
import type { ReplicaPacket } from './replica.ts'
import { lagBytesMax, rendezvousLimitMs, type RoleContext } from './role.ts'
import { Synchronizer } from './synchronizer.ts'

/** What Zab's papers call the phases 1, 2 and 3. */
type Phase = 'discovery' | 'synchronization' | 'broadcast'

export class Leader {
  readonly #context: RoleContext
  readonly #discovery: Discovery
  readonly #handlers = new Map<ServerId, LearnerHandler>()
  readonly #newLeaderAcks = new Set<ServerId>()
  readonly #startedMs: number
  #phase: Phase = 'discovery'
  #broadcast: Broadcast | null = null
  #synchronizer: Synchronizer | null = null
  /** Mark of the write of currentEpoch: this member's own ack of NEWLEADER. */
  #newLeaderMark = 0
  #lastProgressMs: number
  #nextPingMs = 0

  constructor(context: RoleContext, at: Moment) {
    this.#context = context
    this.#startedMs = at.elapsedMs
    this.#lastProgressMs = at.elapsedMs
    const { config, epochs, tail, verifier } = context
    const own = { currentEpoch: epochs.current, lastZxid: tail.lastLogged }
    this.#discovery = new Discovery(verifier, config.sid, epochs.accepted, own)
  }

  /** To be called once, when the member knows this leader: a single voter decides at once. */
  start(at: Moment): void {
    this.#decideEpoch(at)
  }

  get epoch(): number {
    return this.#discovery.epoch ?? this.#context.epochs.current
  }

  get isServing(): boolean {
    return this.#phase === 'broadcast'
  }

  /** Voters that acknowledged NEWLEADER, this member among them. */
  get synced(): ReadonlySet<ServerId> {
    return this.#newLeaderAcks
  }

  /** Conversations that are open, whatever their phase. */
  get learners(): ServerId[] {
    return [...this.#handlers.keys()]
  }

  /** Observers that acknowledged NEWLEADER. */
  get syncedObservers(): ServerId[] {
    const handlers = [...this.#handlers.values()]
    return handlers.filter((one) => one.isObserver && one.phase === 'synced').map((one) => one.peer)
  }

  hasLearner(peer: ServerId): boolean {
    return this.#handlers.has(peer)
  }

  /** The broadcast of an established leader. */
  get broadcast(): Broadcast | null {
    return this.isServing ? this.#broadcast : null
  }

  /**
   * FOLLOWERINFO or OBSERVERINFO opens a conversation and replaces an older one. Throws JuteError.
   */
  onLearnerInfo(from: ServerId, conversation: number, packet: QuorumPacket, at: Moment): void {
    const { verifier } = this.#context
    const { acceptedEpoch, configVersion } = checkedInfo(from, packet)
    const isObserver = packet.type === PacketType.OBSERVERINFO
    if (isObserver === verifier.voters.has(from)) {
      throw new JuteError(`${packetName(packet.type)} of ${machine(from)}`)
    }
    this.#remove(from)
    if (configVersion > verifier.version) {
      this.#context.endConversation(from, conversation)
      return
    }
    if (isObserver) {
      this.#onObserverInfo(from, conversation, at)
      return
    }
    const { epoch } = this.#discovery
    if (epoch !== null && acceptedEpoch > epoch) {
      // ZooKeeper refuses such a follower until the next election, which may never come.
      const what = `${machine(from)} accepted epoch ${acceptedEpoch}, this is ${epoch}`
      this.#context.endConversation(from, conversation)
      this.#context.leave(what)
      return
    }
    const handler = new LearnerHandler(this.#context, from, conversation, false, at.elapsedMs)
    this.#handlers.set(from, handler)
    this.#discovery.onInfo(from, acceptedEpoch)
    if (epoch !== null) this.#sendLeaderInfo(handler, epoch)
    else this.#decideEpoch(at)
    // Its acks of a former conversation fell away above; without them a quorum may be missing.
    this.#checkSupport(`${machine(from)} begins anew`)
  }

  /**
   * It takes part in discovery and counts for nothing (Q29), also not with its epochs: nobody but a
   * voter makes a leader step down.
   */
  #onObserverInfo(from: ServerId, conversation: number, at: Moment): void {
    const handler = new LearnerHandler(this.#context, from, conversation, true, at.elapsedMs)
    this.#handlers.set(from, handler)
    const { epoch } = this.#discovery
    if (epoch !== null) this.#sendLeaderInfo(handler, epoch)
  }

  /** Throws JuteError. Packets of other conversations are dropped. */
  onPacket(from: ServerId, conversation: number, packet: QuorumPacket, at: Moment): void {
    const handler = this.#handlers.get(from)
    if (handler?.conversation !== conversation) return
    handler.lastPacketMs = at.elapsedMs
    switch (packet.type) {
      case PacketType.ACK:
        this.#onAck(handler, checkedZxid(packet.zxid), at)
        break
      case PacketType.ACKEPOCH:
        this.#onAckEpoch(handler, packet, at)
        break
      case PacketType.SNAP:
        this.#onProgress(handler, at)
        if (!handler.onCredit(packet.zxid)) throw new JuteError(`SNAP credit ${packet.zxid}`)
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
        throw new JuteError(`${packetName(packet.type)} to a leader`)
    }
  }

  onEnd(from: ServerId, conversation: number): void {
    if (this.#handlers.get(from)?.conversation !== conversation) return
    this.#remove(from)
    this.#checkSupport(`${machine(from)} left`)
  }

  onLinkDown(peer: ServerId, reason: string): void {
    this.#remove(peer)
    this.#checkSupport(`lost ${machine(peer)}: ${reason}`)
  }

  onPersisted(mark: number, at: Moment): void {
    const { config } = this.#context
    if (this.#newLeaderMark > 0 && mark >= this.#newLeaderMark) {
      this.#newLeaderMark = 0
      this.#newLeaderAcks.add(config.sid)
      this.#checkEstablished(at)
    }
    this.#broadcast?.ackOwn(at)
  }

  onLogRead(id: number, range: LogRange | null, at: Moment): void {
    this.#synchronizer?.onLogRead(id, range, at)
  }

  onTime(at: Moment): void {
    const { tickTimeMs, initLimitTicks } = this.#context.config
    const now = at.elapsedMs
    for (const handler of this.#handlers.values()) {
      handler.pump()
      // An observer that came while others were sent their snapshots.
      if (handler.phase === 'waiting' && this.isServing) this.#synchronizer?.begin(handler, at)
    }
    this.#synchronizer?.onTime(at)
    if (this.#discovery.epoch === null) {
      const { config } = this.#context
      const limitMs = config.epochWaitMs ?? rendezvousLimitMs(config)
      if (now - this.#startedMs > limitMs) this.#context.leave('no quorum came')
      return
    }
    if (!this.isServing && now - this.#lastProgressMs > initLimitTicks * tickTimeMs) {
      this.#context.leave(`no quorum was synchronised in ${initLimitTicks} ticks`)
      return
    }
    this.#dropLaggards(now)
    if (now < this.#nextPingMs) return
    this.#nextPingMs = now + tickTimeMs / PINGS_PER_TICK
    this.#pingAll(at)
  }

  stop(): void {
    for (const handler of this.#handlers.values()) {
      handler.stop()
      this.#context.endConversation(handler.peer, handler.conversation)
    }
    this.#handlers.clear()
    this.#synchronizer?.stop()
  }

  propose(zxid: Zxid, entry: Uint8Array, at: Moment): void {
    const broadcast = this.#broadcast
    if (broadcast === null) return
    const proposal = broadcast.propose(zxid, entry)
    for (const handler of this.#handlers.values()) {
      if (handler.isForwarding && !handler.isObserver) {
        handler.sendTransaction(zxid, proposal.packet, at.elapsedMs)
      }
    }
    if (this.#context.rules.informsAt === 'proposal') this.#inform(proposal, at)
    broadcast.ackOwn(at)
  }

  /** REVALIDATE answer or SYNC; a learner that is gone gets nothing (Q65). */
  sendToLearner(to: ServerId, packet: ReplicaPacket): void {
    this.#handlers.get(to)?.answer(packet, this.#broadcast?.lastProposed ?? 0n)
  }

  #decideEpoch(at: Moment): void {
    const { epochs } = this.#context
    if (!this.#discovery.decide()) return
    const epoch = this.#discovery.epoch ?? 0
    this.#lastProgressMs = at.elapsedMs
    // On disk before anybody hears of it (Q26): LEADERINFO is held until then.
    epochs.accept(epoch)
    this.#broadcast = new Broadcast(this.#context, epoch, (proposal, now) =>
      this.#onCommit(proposal, now),
    )
    this.#synchronizer = new Synchronizer(this.#context, this.#broadcast, epoch, this.#handlers)
    for (const handler of this.#handlers.values()) this.#sendLeaderInfo(handler, epoch)
    this.#checkElected(at)
  }

  #sendLeaderInfo(handler: LearnerHandler, epoch: number): void {
    const data = encode(leaderInfoRecord, { protocolVersion: PROTOCOL_VERSION })
    handler.send(encodePacket(PacketType.LEADERINFO, makeZxid(epoch, 0), data), 'persisted')
  }

  #onAckEpoch(handler: LearnerHandler, packet: QuorumPacket, at: Moment): void {
    if (handler.phase !== 'epoch' || this.#discovery.epoch === null || packet.data === null) {
      throw new JuteError('ACKEPOCH out of order')
    }
    const { currentEpoch, truncFloor } = decode(ackEpochRecord, packet.data)
    const lastZxid = checkedZxid(packet.zxid)
    handler.position = { lastZxid, truncFloor: checkedZxid(truncFloor) }
    handler.phase = 'waiting'
    this.#onProgress(handler, at)
    if (this.#phase !== 'discovery') {
      this.#synchronizer?.begin(handler, at)
      return
    }
    // What an observer knows is no reason not to lead: it waits for those who count.
    if (handler.isObserver) return
    const result = this.#discovery.onAckEpoch(handler.peer, { currentEpoch, lastZxid })
    if (result === 'ahead') {
      this.#context.leave(`${machine(handler.peer)} has a newer history`)
      return
    }
    handler.mayCount = result === 'counted'
    this.#checkElected(at)
    this.#checkSupport(`${machine(handler.peer)} cannot vouch for this epoch`)
  }

  /** A quorum acknowledged the epoch: enter it, then bring everybody to this history (Q36). */
  #checkElected(at: Moment): void {
    if (this.#phase !== 'discovery' || !this.#discovery.isElected) return
    this.#phase = 'synchronization'
    const { epochs, out } = this.#context
    epochs.enter(this.#discovery.epoch ?? 0)
    this.#newLeaderMark = out.persistCount
    for (const handler of this.#handlers.values()) {
      if (handler.phase === 'waiting') this.#synchronizer?.begin(handler, at)
    }
  }

  #onAck(handler: LearnerHandler, zxid: Zxid, at: Moment): void {
    if (counterOf(zxid) === 0) {
      // The second one of these answers UPTODATE (Q38).
      if (handler.phase === 'synced') return
      if (handler.phase !== 'synchronising' || epochOf(zxid) !== this.epoch) {
        throw new JuteError('ACK of NEWLEADER out of order')
      }
      handler.onSynced(at.elapsedMs)
      this.#onProgress(handler, at)
      const voter = this.#context.rules.countsAs(handler.peer, handler.isObserver)
      if (voter !== null) this.#newLeaderAcks.add(voter)
      if (this.isServing) this.#sendUpToDate(handler)
      else this.#checkEstablished(at)
      for (const early of handler.takeEarlyAcks()) this.#onAck(handler, early, at)
      return
    }
    // ZooKeeper's observers may acknowledge what they log; it counts for nothing.
    if (handler.isObserver || handler.ackEarly(zxid)) return
    const isKnown = handler.phase === 'synced' && this.#broadcast?.ack(handler.peer, zxid, at)
    if (isKnown !== true) throw new JuteError(`ACK of ${zxid} out of order`)
    handler.onAck(zxid)
  }

  #checkEstablished(at: Moment): void {
    const { verifier } = this.#context
    if (this.#phase !== 'synchronization') return
    if (!verifier.containsQuorum(this.#newLeaderAcks)) return
    this.#phase = 'broadcast'
    // The server starts before anybody is told (Q38).
    this.#context.established(this.epoch, at)
    for (const handler of this.#handlers.values()) {
      if (handler.phase === 'synced') this.#sendUpToDate(handler)
    }
  }

  /** A learner whose conversation is not up to date has no clients to ask for. */
  #toReplica(handler: LearnerHandler, packet: QuorumPacket, at: Moment): void {
    if (!handler.isUpToDate) return
    this.#context.replica.onLearnerPacket(handler.peer, handler.asked(packet), at)
  }

  #sendUpToDate(handler: LearnerHandler): void {
    if (handler.isUpToDate) return
    handler.isUpToDate = true
    handler.send(encodePacket(PacketType.UPTODATE, this.#broadcast?.lastProposed ?? 0n))
  }

  /** COMMIT to voters, the whole transaction to observers (Q44). */
  #onCommit(proposal: Proposal, at: Moment): void {
    const commit = encodePacket(PacketType.COMMIT, proposal.zxid)
    for (const handler of this.#handlers.values()) {
      if (handler.isForwarding && !handler.isObserver) handler.send(commit)
    }
    if (this.#context.rules.informsAt === 'commit') this.#inform(proposal, at)
  }

  #inform({ zxid, entry }: Proposal, at: Moment): void {
    let packet: Uint8Array | null = null
    for (const handler of this.#handlers.values()) {
      if (!handler.isForwarding || !handler.isObserver) continue
      packet ??= encodePacket(PacketType.INFORM, zxid, entry)
      handler.sendTransaction(zxid, packet, at.elapsedMs)
    }
  }

  /** The time for synchronising a quorum runs from the last sign of those who can be in it. */
  #onProgress(handler: LearnerHandler, at: Moment): void {
    if (!handler.isObserver) this.#lastProgressMs = at.elapsedMs
  }

  #pingAll(at: Moment): void {
    const data = this.isServing ? this.#context.replica.pingData?.(at) : undefined
    const packet = encodePacket(PacketType.PING, this.#broadcast?.lastProposed ?? 0n, data ?? null)
    for (const handler of this.#handlers.values()) {
      // From its ack of NEWLEADER on a learner waits no longer than syncLimit (Q40).
      if (handler.phase === 'synced') handler.ping(packet)
    }
  }

  /** Silent, or too far behind: their conversation ends and they synchronise anew (Q49, Q50). */
  #dropLaggards(now: number): void {
    const { config } = this.#context
    for (const handler of this.#handlers.values()) {
      const inFlight = handler.isObserver ? 0 : (this.#broadcast?.outstandingBytes ?? 0)
      const lag = handler.unackedBytes - inFlight
      const reason = whyTooSlow(handler, now, lag, lagBytesMax(config), config)
      if (reason === null) continue
      this.#remove(handler.peer)
      this.#checkSupport(`${machine(handler.peer)} ${reason}`)
    }
  }

  #remove(peer: ServerId): void {
    const handler = this.#handlers.get(peer)
    if (handler === undefined) return
    this.#synchronizer?.forget(handler)
    handler.stop()
    // Also when the link is gone: what the gate holds would else leave on the next one.
    this.#context.endConversation(peer, handler.conversation)
    this.#handlers.delete(peer)
    this.#newLeaderAcks.delete(peer)
    this.#broadcast?.forget(peer)
    this.#discovery.onGone(peer)
  }

  /** Without a quorum of followers that are here, leading is over at once (Q49, Q54). */
  #checkSupport(what: string): void {
    const { config, rules, verifier } = this.#context
    const here = new Set([config.sid])
    if (this.#discovery.epoch === null) {
      for (const sid of verifier.voters) if (this.#context.isLinkUp(sid)) here.add(sid)
    } else {
      for (const handler of this.#handlers.values()) {
        const voter = rules.countsAs(handler.peer, handler.isObserver)
        const isHere = this.isServing ? handler.phase === 'synced' : this.#mayHelp(handler)
        if (voter !== null && isHere) here.add(voter)
      }
    }
    if (!verifier.containsQuorum(here)) this.#context.leave(`no quorum: ${what}`)
  }

  /** A follower that accepted this epoch before cannot help to win it, only to hold it (Q27). */
  #mayHelp(handler: LearnerHandler): boolean {
    return this.#phase !== 'discovery' || handler.mayCount
  }
}
