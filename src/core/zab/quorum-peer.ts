/**
 * One member of the ensemble as a pure state machine: election, and the role it has (Q1).
 * `step` handles one input and appends effects to the shared list; nothing here waits or throws for
 * what came from outside.
 *
 *            votes            FOLLOWERINFO … NEWLEADER … UPTODATE
 *   looking ───────► learner ─────────────────────────────────────► serving
 *      ▲  └────────► leader  ── quorum of each ───────────────────► serving
 *      └── link lost · conversation ended · time over · slept · storage hangs
 */
import { assert } from '../base/assert.ts'
import { type ServerId, type Zxid, ZXID_NONE } from '../base/zxid.ts'
import { JuteError } from '../jute/jute-error.ts'
import { PacketType } from '../jute/quorum-records.ts'
import type { LogEntry, Moment, RecoveredState, Role, ZabInput } from './effect.ts'
import type { EffectSink } from './effect-list.ts'
import { EarlyLearners } from './early-learners.ts'
import { Epochs } from './epochs.ts'
import { FastLeaderElection } from './fast-leader-election.ts'
import { Leader } from './leader.ts'
import { Learner } from './learner.ts'
import { verifierOf } from './hierarchical-verifier.ts'
import { LogTail } from './log-tail.ts'
import { MasterTurns } from './master-turns.ts'
import { MemberTrace } from './member-trace.ts'
import { encodeNotification } from './notification.ts'
import { decodePacket } from './packets.ts'
import { PeerLinks } from './peer-links.ts'
import type { ObserverMaster } from './observer-master.ts'
import type { QuorumVerifier } from './quorum-verifier.ts'
import type { Broadcaster, Replica, ReplicaPacket } from './replica.ts'
import { observerDelayMs, silenceLimitMs, type RoleContext, type ZabConfig } from './role.ts'
import { ZAB_RULES, type ZabRules } from './rules.ts'
import { lossText, quorumStatus, type PeerStatus } from './status.ts'
import { StateReplacement } from './state-replacement.ts'
import type { Vote } from './vote.ts'

/** Silence limits of a hanging append; then a member leaves its role: peers have cut it off. */
const STALL_SILENCES = 2
/** Conversation numbers of one member; with its sid (one byte) they fill the header's 32 bits. */
const CONVERSATIONS = 2 ** 24

export class QuorumPeer implements Broadcaster {
  readonly #config: ZabConfig
  readonly #replica: Replica
  readonly #out: EffectSink
  readonly #rules: ZabRules
  readonly #verifier: QuorumVerifier
  readonly #tail: LogTail
  readonly #epochs: Epochs
  readonly #links: PeerLinks
  readonly #election: FastLeaderElection
  readonly #context: RoleContext
  readonly #trace: MemberTrace
  /** null: looking. */
  #role: Leader | Learner | null = null
  readonly #earlyLearners = new EarlyLearners()
  /** Of an observer that learns from followers. */
  readonly #masters: MasterTurns | null
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
  /** An observer that lost its leader asks nobody before that. */
  #observesFromMs = 0
  /** The state is to be built anew once the role is left. */
  #isDistrusted = false
  #replacement: StateReplacement | null = null
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
    this.#verifier = verifierOf(config)
    this.#tail = new LogTail(recovered, out, config.commitLogCount)
    const { isObserver, observerMaster, sid } = config
    this.#masters = isObserver && observerMaster !== undefined ? new MasterTurns(sid) : null
    this.#epochs = new Epochs(recovered, rules.lostTail(recovered), out)
    this.#links = new PeerLinks(config, out, this.#trace, this.#linkHost(), at.elapsedMs)
    this.#election = new FastLeaderElection(this.#electionHost())
    this.#context = this.#roleContext()
    this.#lastMoment = at
    if (recovered.snapshot !== null) this.#restore(recovered.snapshot, recovered.log)
    const isVoter = this.#verifier.voters.has(sid)
    if (!rules.mayVote(recovered)) this.#trouble = 'this storage has no founding record'
    else if (isObserver && isVoter) this.#trouble = 'this machine is a voter'
    else if (!isObserver && !isVoter) this.#trouble = 'this machine is no voter'
    this.#trace.role('looking', this.#epochs.current, 'started')
    this.#tellLooking(at)
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
    if (!this.#rules.hasSlept(gapMs, silenceLimitMs(this.#config))) return this.#settle(at)
    this.#trace.slept(gapMs)
    this.#links.onSlept(at.elapsedMs)
    this.#enterLooking(`slept for ${Math.round(gapMs)} ms`, at)
  }

  status(at: Moment): PeerStatus {
    const { sid } = this.#config
    const role = this.#role
    const links = this.#links.voterStatus(at.elapsedMs)
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
      observerLinks: this.#links.observerStatus(at.elapsedMs),
      syncedObservers: this.#master?.syncedObservers ?? [],
      learnsFrom: role instanceof Learner ? role.leader : null,
      quorum: quorumStatus(sid, this.#verifier, links, trouble ?? lossText(this.#epochs)),
    }
  }

  get role(): Role {
    if (this.#role === null) return 'looking'
    if (this.#role instanceof Leader) return 'leading'
    return this.#config.isObserver ? 'observing' : 'following'
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
    this.#master?.sendToLearner(to, packet)
  }

  sendToLeader(packet: ReplicaPacket): void {
    if (this.#role instanceof Learner) this.#role.sendRequest(packet)
  }

  distrust(reason: string, cure: 'disk' | 'snapshot'): void {
    this.#isDistrusted = true
    if (cure === 'snapshot') this.#doubt()
    this.#leave(reason)
  }

  isLinked(peer: ServerId): boolean {
    return this.#links.isUp(peer)
  }

  hasLearner(peer: ServerId): boolean {
    return this.#role instanceof Leader && this.#role.hasLearner(peer)
  }

  /** Of whom others may learn. */
  get #master(): Leader | ObserverMaster | null {
    return this.#role instanceof Learner ? this.#role.observers : this.#role
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
        this.#links.onUp(input.peer, at)
        break
      case 'link-down':
        this.#links.onDown(input.peer, input.reason, at)
        break
      case 'frame':
        this.#links.onFrame(input.peer, input.bytes, at)
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
      case 'log-read':
        this.#master?.onLogRead(input.id, input.range, at)
        break
      case 'storage-failed':
        this.#onStorageFailed(input.reason, at)
        break
      case 'replace-state':
        if (!(this.#role instanceof Leader && this.#role.isServing)) break
        this.#replacement ??= new StateReplacement(input.chunks, this.#out, at)
        break
    }
  }

  #onTick(oldestAppendAgeMs: number): void {
    const limitMs = silenceLimitMs(this.#config)
    this.#isStalled = oldestAppendAgeMs > limitMs
    this.#links.stalled = this.#isStalled || this.#hasStorageFailed
    if (oldestAppendAgeMs > STALL_SILENCES * limitMs && this.#role !== null) {
      this.#leave(`the storage hangs for ${Math.round(oldestAppendAgeMs)} ms`)
    }
  }

  #onLinkDown(peer: ServerId, reason: string, at: Moment): void {
    this.#earlyLearners.onLinkDown(peer)
    this.#election.onLinkDown(peer, at.elapsedMs)
    this.#role?.onLinkDown(peer, reason)
  }

  /** Throws JuteError. */
  #onStreamPacket(peer: ServerId, conversation: number, bytes: Uint8Array, at: Moment): void {
    const role = this.#role
    const packet = decodePacket(bytes)
    if (role instanceof Learner && peer === role.leader && conversation === role.conversation) {
      return role.onPacket(packet, at)
    }
    const { type } = packet
    const isInfo = type === PacketType.FOLLOWERINFO || type === PacketType.OBSERVERINFO
    const master = this.#master
    if (!isInfo) master?.onPacket(peer, conversation, packet, at)
    else if (master !== null) master.onLearnerInfo(peer, conversation, packet, at)
    else if (role === null) this.#earlyLearners.add({ peer, conversation, packet: bytes })
    else this.#links.endConversation(peer, conversation)
  }

  #onEnd(peer: ServerId, conversation: number): void {
    this.#earlyLearners.onEnd(peer, conversation)
    this.#role?.onEnd(peer, conversation)
  }

  #onPersisted(mark: number, at: Moment): void {
    this.#durableMark = mark
    this.#tail.onPersisted(mark)
    if (this.#role instanceof Leader) this.#role.onPersisted(mark, at)
    if (this.#replacement?.isStaged(mark) === true && this.#leaveReason === null) {
      this.#replacement.number(this.nextZxid())
      this.#leave('the state is replaced by a backup')
    }
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
    this.#restore(recovered.snapshot, recovered.log)
    this.#tellLooking(at)
    if (this.#role instanceof Learner) this.#role.onTruncated(at)
    this.#startElection(at)
  }

  #restore(snapshot: Parameters<Replica['restore']>[0], log: readonly LogEntry[]): void {
    this.#replica.restore(snapshot, log)
    if (this.#replica.isSound === false) this.#doubt()
  }

  /** A member alone has nobody to ask. */
  #doubt(): void {
    if (this.#verifier.voters.size > 1) this.#epochs.doubt()
  }

  #onStorageFailed(reason: string, at: Moment): void {
    this.#trouble = reason
    this.#hasStorageFailed = true
    this.#links.stalled = true
    this.#enterLooking(reason, at)
    this.#links.cutAll(reason, at)
  }

  #onTime(at: Moment): void {
    this.#links.onTime(at)
    if (this.#trouble !== null) return
    this.#startElection(at)
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
      const isRoundOver = this.#masters?.isRoundOver ?? true
      this.#observesFromMs = at.elapsedMs + observerDelayMs(this.#config, isRoundOver)
    }
    this.#endReplacement()
    this.#trace.role('looking', this.#epochs.current, reason)
    this.#tellLooking(at)
    if (this.#isDistrusted) {
      this.#isDistrusted = false
      // Cutting nothing makes the driver read the storage again; no vote before that.
      this.#out.push({ kind: 'truncate', to: this.#tail.lastLogged })
    }
    this.#voteBarrier = this.#out.persistCount
    this.#startElection(at)
  }

  #endReplacement(): void {
    const state = this.#replacement?.end(this.#tail, this.#trace) ?? null
    this.#replacement = null
    if (state !== null) this.#restore(state, [])
  }

  #tellLooking(at: Moment): void {
    const isLooking = this.#role === null && this.#trouble === null && !this.#isDistrusted
    this.#replica.onLooking?.(isLooking, at)
  }

  /** Votes carry durable zxids: not before everything is on disk and re-read (contract 5). */
  #startElection(at: Moment): void {
    if (this.#role !== null || this.#isElecting || this.#trouble !== null) return
    if (this.#durableMark < this.#voteBarrier) return
    if (this.#truncatedCount < this.#out.truncateCount) return
    if (at.elapsedMs < this.#observesFromMs) return
    this.#isElecting = true
    const { current, isWitness } = this.#epochs
    const listens = this.#config.isObserver || !isWitness
    const own = { leader: this.#config.sid, zxid: this.#tail.durable, peerEpoch: current }
    this.#election.start(listens ? null : own, at.elapsedMs)
  }

  #onElected(vote: Vote): void {
    const at = this.#lastMoment
    this.#isElecting = false
    this.#replica.onLooking?.(false, at)
    if (vote.state === 'leading') {
      const leader = new Leader(this.#context, at)
      this.#role = leader
      this.#trace.role('leading', this.#epochs.current, 'elected')
      leader.start(at)
    } else {
      const master = this.#masters?.next(vote.leader, this.#links.upVoters) ?? vote.leader
      this.#role = new Learner(this.#context, master, this.#newConversation(), at)
      this.#trace.role(this.role, this.#epochs.current, `elected machine ${vote.leader}`)
    }
    for (const { peer, conversation, packet } of this.#earlyLearners.take()) {
      try {
        this.#onStreamPacket(peer, conversation, packet, at)
      } catch (error) {
        if (!(error instanceof JuteError)) throw error
        this.#links.violation(peer, error.message, at)
      }
    }
  }

  /** With the own sid on top, so that two members that elect each other never mean the same one. */
  #newConversation(): number {
    this.#conversations = (this.#conversations + 1) % CONVERSATIONS
    return this.#config.sid * CONVERSATIONS + this.#conversations
  }

  // --- what roles and election may do -----------------------------------------------------------

  #linkHost(): ConstructorParameters<typeof PeerLinks>[3] {
    return {
      takesPart: () => this.#trouble === null,
      onReady: (peer, at) => {
        this.#election.onLinkUp(peer, at.elapsedMs)
        if (this.#role instanceof Learner) this.#role.onLinkUp(peer)
      },
      onDown: this.#onLinkDown.bind(this),
      onNotification: (peer, said, at) => this.#election.onNotification(peer, said, at.elapsedMs),
      onEnd: this.#onEnd.bind(this),
      onStream: this.#onStreamPacket.bind(this),
      settle: this.#settle.bind(this),
    }
  }

  #electionHost(): ConstructorParameters<typeof FastLeaderElection>[0] {
    return {
      sid: this.#config.sid,
      verifier: this.#verifier,
      isObserver: this.#config.isObserver,
      originZxid: this.#config.originZxid ?? ZXID_NONE,
      intervalMs: this.#config.notificationIntervalMs,
      intervalMaxMs: this.#config.notificationIntervalMaxMs,
      linkedVoters: () => this.#links.upVoters,
      notify: (to, vote) => this.#links.send(to, 'election', 0, encodeNotification(vote)),
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
      send: this.#links.send.bind(this.#links),
      endConversation: this.#links.endConversation.bind(this.#links),
      violation: (peer, what) => this.#links.violation(peer, what, this.#lastMoment),
      resync: (leader, what) => {
        this.#trace.violation(leader, what)
        this.#leave(what)
      },
      leave: this.#leave.bind(this),
      established: this.#onEstablished.bind(this),
    }
  }

  #onEstablished(epoch: number, at: Moment): void {
    const { leader } = this.#election.vote
    this.#trace.established(epoch, leader)
    this.#election.settle(epoch)
    this.#masters?.onServed()
    const isLeading = leader === this.#config.sid
    const service = isLeading ? ({ kind: 'leading', epoch } as const) : null
    this.#replica.onService(service ?? { kind: 'following', epoch, leader }, at)
  }
}
