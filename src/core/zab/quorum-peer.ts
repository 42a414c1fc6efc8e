/**
 * One member of the ensemble as a pure state machine: links, election, and the role it has (Q1).
 * `step` handles one input and appends effects to the shared list; nothing here waits or throws for
 * what came from outside.
 *
 *            votes            FOLLOWERINFO … NEWLEADER … UPTODATE
 *   looking ───────► learner ─────────────────────────────────────► serving
 *      ▲  └────────► leader  ── quorum of each ───────────────────► serving
 *      └── link lost · conversation ended · time over · slept · storage hangs
 */
import { assert } from '../base/assert.ts'
import type { ServerId, Zxid } from '../base/zxid.ts'
import { JuteError } from '../jute/jute-error.ts'
import { PacketType } from '../jute/quorum-records.ts'
import { SILENCE_LIMIT_MS } from './constants.ts'
import type { Lane, Moment, RecoveredState, Role, ZabInput } from './effect.ts'
import type { EffectSink } from './effect-list.ts'
import { Epochs } from './epochs.ts'
import { FastLeaderElection } from './fast-leader-election.ts'
import { decodeFrame } from './frame.ts'
import { Leader } from './leader.ts'
import { Learner } from './learner.ts'
import { LinkMonitor } from './link-monitor.ts'
import { LogTail } from './log-tail.ts'
import { MemberTrace } from './member-trace.ts'
import { decodeNotification, encodeNotification } from './notification.ts'
import { decodePacket, decodePulse, encodePulse, PulseKind } from './packets.ts'
import { MajorityVerifier, type QuorumVerifier } from './quorum-verifier.ts'
import type { Broadcaster, Replica, ReplicaPacket } from './replica.ts'
import type { RoleContext, ZabConfig } from './role.ts'
import { ZAB_RULES, type ZabRules } from './rules.ts'
import { lossText, quorumStatus, type PeerStatus } from './status.ts'
import type { Vote } from './vote.ts'

/** ms of a hanging append after which a member gives up its role: peers have cut it off by then. */
const STALL_LIMIT_MS = 2 * SILENCE_LIMIT_MS
/** Conversation numbers of one member; with its sid (one byte) they fill the header's 32 bits. */
const CONVERSATIONS = 2 ** 24
const NO_CONFIG_TEXT = new Uint8Array(0)

interface EarlyFollower {
  readonly conversation: number
  readonly packet: Uint8Array
}

export class QuorumPeer implements Broadcaster {
  readonly #config: ZabConfig
  readonly #replica: Replica
  readonly #out: EffectSink
  readonly #rules: ZabRules
  readonly #verifier: QuorumVerifier
  readonly #tail: LogTail
  readonly #epochs: Epochs
  readonly #links: LinkMonitor
  readonly #election: FastLeaderElection
  readonly #context: RoleContext
  readonly #trace: MemberTrace
  /** null: looking. */
  #role: Leader | Learner | null = null
  /** FOLLOWERINFO of those that elected this member before it knew; the newest of each. */
  readonly #earlyFollowers = new Map<ServerId, EarlyFollower>()
  #leaveReason: string | null = null
  /** Why this member takes no part at all, or null. */
  #trouble: string | null = null
  #isStalled = false
  #hasStorageFailed = false
  #isElecting = false
  #conversations = 0
  #durableMark = 0
  /** Mark that must be durable before the first vote (design §5). */
  #voteBarrier = 0
  #truncatedCount = 0
  #lastMoment: Moment

  constructor(
    config: ZabConfig,
    replica: Replica,
    recovered: RecoveredState,
    at: Moment,
    out: EffectSink,
    rules: ZabRules = ZAB_RULES,
  ) {
    this.#config = config
    this.#replica = replica
    this.#out = out
    this.#trace = new MemberTrace(out)
    this.#rules = rules
    this.#verifier = new MajorityVerifier(config.voters)
    this.#tail = new LogTail(recovered, out)
    this.#epochs = new Epochs(recovered, rules.lostTail(recovered), out)
    this.#links = new LinkMonitor(out, at.elapsedMs)
    this.#election = new FastLeaderElection(this.#electionHost())
    this.#context = this.#roleContext()
    this.#lastMoment = at
    if (recovered.snapshot !== null) replica.restore(recovered.snapshot, recovered.log)
    if (!rules.mayVote(recovered)) this.#trouble = 'this storage has no founding record'
    else if (!this.#verifier.voters.has(config.sid)) this.#trouble = 'this machine is no voter'
    this.#trace.role('looking', this.#epochs.current, 'started')
    this.#startElection(at)
  }

  /** One input. Elapsed time is judged before it (sleep) and after it (everything else). */
  step(input: ZabInput, at: Moment): void {
    this.advance(at)
    this.#handle(input, at)
    this.#settle(at)
    this.#onTime(at)
    this.#settle(at)
  }

  /**
   * For inputs that are not Zab's: to be called before they are handled, so that a member that
   * slept steps down before it answers anything (Q85).
   */
  advance(at: Moment): void {
    const elapsedMs = at.elapsedMs - this.#lastMoment.elapsedMs
    assert(elapsedMs >= 0, 'elapsed time goes back')
    // Where a suspended machine's monotonic clock stands still, the wall clock tells (design §4).
    const gapMs = Math.max(elapsedMs, at.wallMs - this.#lastMoment.wallMs)
    this.#lastMoment = at
    if (!this.#rules.hasSlept(gapMs)) return this.#settle(at)
    this.#trace.slept(gapMs)
    this.#links.onSlept(at.elapsedMs)
    this.#enterLooking(`slept for ${Math.round(gapMs)} ms`, at)
  }

  status(at: Moment): PeerStatus {
    const { sid, voters } = this.#config
    const role = this.#role
    const links = voters
      .filter((peer) => peer !== sid)
      .map((peer) => this.#links.status(peer, at.elapsedMs))
    const trouble = this.#trouble ?? (this.#isStalled ? 'the storage hangs' : null)
    return {
      role: this.role,
      epoch: role === null ? this.#epochs.current : role.epoch,
      leader: role === null ? null : this.#election.vote.leader,
      isServing: role?.isServing === true,
      lastLogged: this.#tail.lastLogged,
      lastCommitted: this.#tail.lastCommitted,
      links,
      synced: role instanceof Leader ? [...role.synced].filter((peer) => peer !== sid) : [],
      quorum: quorumStatus(sid, this.#verifier, links, trouble ?? lossText(this.#epochs.lostTail)),
    }
  }

  get role(): Role {
    if (this.#role === null) return 'looking'
    return this.#role instanceof Leader ? 'leading' : 'following'
  }

  // --- Broadcaster ------------------------------------------------------------------------------

  nextZxid(): Zxid {
    return this.#broadcast().allocate()
  }

  propose(zxid: Zxid, entry: Uint8Array, at: Moment): void {
    this.#broadcast()
    if (this.#role instanceof Leader) this.#role.propose(zxid, entry, at)
  }

  get idle(): boolean {
    return this.#broadcast().isIdle
  }

  whenCaughtUp(then: () => void): void {
    this.#broadcast().whenCaughtUp(then)
  }

  sendToLearner(to: ServerId, packet: ReplicaPacket): void {
    if (this.#role instanceof Leader) this.#role.sendToLearner(to, packet)
  }

  sendToLeader(packet: ReplicaPacket): void {
    if (this.#role instanceof Learner) this.#role.sendRequest(packet)
  }

  #broadcast(): NonNullable<Leader['broadcast']> {
    const broadcast = this.#role instanceof Leader ? this.#role.broadcast : null
    assert(broadcast !== null, 'only an established leader proposes')
    return broadcast
  }

  // --- inputs -----------------------------------------------------------------------------------

  #handle(input: ZabInput, at: Moment): void {
    switch (input.kind) {
      case 'tick':
        this.#onTick(input.oldestAppendAgeMs)
        break
      case 'link-up':
        this.#onLinkUp(input.peer, at)
        break
      case 'link-down':
        this.#onLinkDown(input.peer, input.reason, at)
        break
      case 'frame':
        this.#onFrame(input.peer, input.bytes, at)
        break
      case 'link-writable':
        // Snapshots are paced by what the learner stored; every step sends the next slice.
        break
      case 'suspect':
        this.#links.onSuspect(input.peer, at.elapsedMs)
        break
      case 'persisted':
        this.#onPersisted(input.mark, at)
        break
      case 'truncated':
        this.#onTruncated(input.recovered, at)
        break
      case 'storage-failed':
        this.#onStorageFailed(input.reason, at)
        break
    }
  }

  #onTick(oldestAppendAgeMs: number): void {
    this.#isStalled = oldestAppendAgeMs > SILENCE_LIMIT_MS
    this.#links.stalled = this.#isStalled || this.#hasStorageFailed
    if (oldestAppendAgeMs > STALL_LIMIT_MS && this.#role !== null) {
      this.#leave(`the storage hangs for ${Math.round(oldestAppendAgeMs)} ms`)
    }
  }

  #onLinkUp(peer: ServerId, at: Moment): void {
    if (peer === this.#config.sid || !this.#verifier.voters.has(peer)) return
    if (this.#links.isOpen(peer)) this.#onLinkDown(peer, 'replaced by a newer link', at)
    this.#links.onUp(peer, at.elapsedMs)
  }

  /** The other end is open, too: only now is anything said that must not get lost (Q82). */
  #onLinkReady(peer: ServerId, at: Moment): void {
    this.#trace.link(peer, true, 'up')
    this.#election.onLinkUp(peer, at.elapsedMs)
    if (this.#role instanceof Learner) this.#role.onLinkUp(peer)
  }

  #onLinkDown(peer: ServerId, reason: string, at: Moment): void {
    if (!this.#links.isOpen(peer)) return
    this.#links.onDown(peer)
    this.#earlyFollowers.delete(peer)
    this.#trace.link(peer, false, reason)
    this.#election.onLinkDown(peer, at.elapsedMs)
    this.#role?.onLinkDown(peer, reason)
  }

  #onFrame(peer: ServerId, bytes: Uint8Array, at: Moment): void {
    if (!this.#links.isOpen(peer)) return
    if (this.#links.onHeard(peer, at.elapsedMs)) this.#onLinkReady(peer, at)
    try {
      const { lane, conversation, packets } = decodeFrame(bytes)
      for (const packet of packets) {
        this.#onPeerPacket(peer, lane, conversation, packet, at)
        // The rest of the frame meets the role that the member has now.
        this.#settle(at)
        if (!this.#links.isUp(peer)) return
      }
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
      this.#violation(peer, error.message)
    }
  }

  /** Throws JuteError. */
  #onPeerPacket(
    peer: ServerId,
    lane: Lane,
    conversation: number,
    bytes: Uint8Array,
    at: Moment,
  ): void {
    // A member that takes no part is still alive: it answers pulses, and nothing else.
    if (this.#trouble !== null && lane !== 'pulse') return
    if (lane === 'election') {
      const said = decodeNotification(bytes)
      if (said !== null) this.#election.onNotification(peer, said, at.elapsedMs)
      return
    }
    if (lane === 'pulse') {
      const pulse = decodePulse(bytes)
      if (pulse.kind === PulseKind.END) this.#onEnd(peer, pulse.value)
      else this.#links.onPulse(peer, pulse, at.elapsedMs)
      return
    }
    this.#onStreamPacket(peer, conversation, bytes, at)
  }

  #onStreamPacket(peer: ServerId, conversation: number, bytes: Uint8Array, at: Moment): void {
    const role = this.#role
    if (role instanceof Learner && peer === role.leader && conversation === role.conversation) {
      role.onPacket(decodePacket(bytes), at)
      return
    }
    const packet = decodePacket(bytes)
    const isInfo =
      packet.type === PacketType.FOLLOWERINFO || packet.type === PacketType.OBSERVERINFO
    if (!isInfo) {
      if (role instanceof Leader) role.onPacket(peer, conversation, packet, at)
      return
    }
    // Observers come with their own release: until then a tab beyond the voters is a client.
    if (packet.type === PacketType.OBSERVERINFO) this.#endConversation(peer, conversation)
    else if (role instanceof Leader) role.onFollowerInfo(peer, conversation, packet, at)
    else if (role === null) this.#earlyFollowers.set(peer, { conversation, packet: bytes })
    else this.#endConversation(peer, conversation)
  }

  #onEnd(peer: ServerId, conversation: number): void {
    if (this.#earlyFollowers.get(peer)?.conversation === conversation) {
      this.#earlyFollowers.delete(peer)
    }
    this.#role?.onEnd(peer, conversation)
  }

  #onPersisted(mark: number, at: Moment): void {
    this.#durableMark = mark
    this.#tail.onPersisted(mark)
    if (this.#role instanceof Leader) this.#role.onPersisted(mark, at)
    this.#startElection(at)
  }

  #onTruncated(recovered: RecoveredState, at: Moment): void {
    this.#truncatedCount++
    if (recovered.snapshot === null) {
      this.#onStorageFailed('storage lost its snapshot', at)
      return
    }
    // An answer to an older cut would show entries that the newer one is removing.
    if (this.#truncatedCount < this.#out.truncateCount) return
    this.#tail.reset(recovered)
    this.#epochs.reread(this.#rules.lostTail(recovered))
    this.#replica.restore(recovered.snapshot, recovered.log)
    if (this.#role instanceof Learner) this.#role.onTruncated(at)
    this.#startElection(at)
  }

  #onStorageFailed(reason: string, at: Moment): void {
    this.#trouble = reason
    this.#hasStorageFailed = true
    this.#links.stalled = true
    this.#enterLooking(reason, at)
    for (const peer of this.#links.openPeers) this.#cutLink(peer, reason, at)
  }

  #onTime(at: Moment): void {
    for (const { peer, reason } of this.#links.onTime(at.elapsedMs)) {
      this.#cutLink(peer, reason, at)
    }
    if (this.#trouble !== null) return
    this.#election.onTime(at.elapsedMs)
    if (this.#leaveReason === null) this.#role?.onTime(at)
  }

  // --- changes of role --------------------------------------------------------------------------

  #leave(reason: string): void {
    this.#leaveReason ??= reason
  }

  /** Leaves the role if that was asked for while the last packet or deadline was handled. */
  #settle(at: Moment): void {
    const reason = this.#leaveReason
    if (reason !== null) this.#enterLooking(reason, at)
  }

  #enterLooking(reason: string, at: Moment): void {
    this.#leaveReason = null
    const role = this.#role
    this.#role = null
    this.#isElecting = false
    this.#election.pause()
    if (role !== null) {
      // Serving stops before anything else changes (contract 3).
      if (role.isServing) this.#replica.onService({ kind: 'stopped', reason }, at)
      role.stop()
      // What is logged may have been committed: it belongs to the history to vote with (P24).
      while (this.#tail.pendingCount > 0) this.#replica.deliver(this.#tail.commitOldest(), at)
    }
    this.#trace.role('looking', this.#epochs.current, reason)
    this.#voteBarrier = this.#out.persistCount
    this.#startElection(at)
  }

  /** Votes carry durable zxids: not before everything is on disk and re-read (contract 5). */
  #startElection(at: Moment): void {
    if (this.#role !== null || this.#isElecting || this.#trouble !== null) return
    if (this.#durableMark < this.#voteBarrier) return
    if (this.#truncatedCount < this.#out.truncateCount) return
    this.#isElecting = true
    const { current, lostTail } = this.#epochs
    const own = { leader: this.#config.sid, zxid: this.#tail.durable, peerEpoch: current }
    this.#election.start(lostTail > 0 ? null : own, at.elapsedMs)
  }

  #onElected(vote: Vote): void {
    const at = this.#lastMoment
    this.#isElecting = false
    const early = [...this.#earlyFollowers]
    this.#earlyFollowers.clear()
    if (vote.state !== 'leading') {
      const conversation = this.#newConversation()
      this.#role = new Learner(this.#context, vote.leader, conversation, at)
      this.#trace.role('following', this.#epochs.current, `elected machine ${vote.leader}`)
      for (const [peer, follower] of early) this.#endConversation(peer, follower.conversation)
      return
    }
    const leader = new Leader(this.#context, at)
    this.#role = leader
    this.#trace.role('leading', this.#epochs.current, 'elected')
    leader.start(at)
    for (const [peer, { conversation, packet }] of early) {
      try {
        leader.onFollowerInfo(peer, conversation, decodePacket(packet), at)
      } catch (error) {
        if (!(error instanceof JuteError)) throw error
        this.#violation(peer, error.message)
      }
    }
  }

  /** With the own sid on top, so that two members that elect each other never mean the same one. */
  #newConversation(): number {
    this.#conversations = (this.#conversations + 1) % CONVERSATIONS
    return this.#config.sid * CONVERSATIONS + this.#conversations
  }

  // --- what roles and election may do -----------------------------------------------------------

  #electionHost(): ConstructorParameters<typeof FastLeaderElection>[0] {
    return {
      sid: this.#config.sid,
      verifier: this.#verifier,
      linkedVoters: () => this.#links.upPeers,
      notify: (to, vote) => {
        this.#send(to, 'election', 0, encodeNotification(vote, NO_CONFIG_TEXT))
      },
      onProposal: (vote) => this.#trace.vote(vote),
      onElected: (vote) => this.#onElected(vote),
    }
  }

  #roleContext(): RoleContext {
    return {
      config: this.#config,
      rules: this.#rules,
      verifier: this.#verifier,
      replica: this.#replica,
      out: this.#out,
      tail: this.#tail,
      epochs: this.#epochs,
      isLinkUp: (peer) => this.#links.isUp(peer),
      send: this.#send.bind(this),
      endConversation: this.#endConversation.bind(this),
      violation: this.#violation.bind(this),
      resync: (leader, what) => {
        this.#trace.violation(leader, what)
        this.#leave(what)
      },
      leave: this.#leave.bind(this),
      established: this.#onEstablished.bind(this),
    }
  }

  #onEstablished(epoch: number, leader: ServerId, at: Moment): void {
    this.#trace.established(epoch, leader)
    this.#election.settle(epoch)
    const isLeading = leader === this.#config.sid
    const service = isLeading ? ({ kind: 'leading', epoch } as const) : null
    this.#replica.onService(service ?? { kind: 'following', epoch, leader }, at)
  }

  #send(
    peer: ServerId,
    lane: Lane,
    conversation: number,
    packet: Uint8Array,
    when: 'now' | 'persisted' = 'now',
  ): void {
    if (!this.#links.isUp(peer)) return
    this.#out.push({ kind: 'send', peer, lane, conversation, when, packet })
  }

  #endConversation(peer: ServerId, conversation: number): void {
    this.#out.push({ kind: 'end-conversation', peer, conversation })
    this.#send(peer, 'pulse', 0, encodePulse(PulseKind.END, conversation))
  }

  #violation(peer: ServerId, what: string): void {
    this.#trace.violation(peer, what)
    this.#cutLink(peer, what, this.#lastMoment)
  }

  #cutLink(peer: ServerId, reason: string, at: Moment): void {
    if (!this.#links.isOpen(peer)) return
    this.#onLinkDown(peer, reason, at)
    this.#out.push({ kind: 'close-link', peer, reason })
  }
}
