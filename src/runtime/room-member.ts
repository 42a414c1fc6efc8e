/**
 * One tab's machine in its room: identity and founding first, then the running member; and for
 * clients a way to the own member or, over a link, to another one.
 *
 * It carries out what the founding rules decide and hands verified links to the member. A machine
 * that is not listed, lost its storage or failed goes on as a client only.
 */
import { clusterHash } from '../core/founding/key-names.ts'
import type { FoundingDecision, FoundingInput } from '../core/founding/founding-effect.ts'
import { foundingBytesToSign, parseFoundingRecord } from '../core/founding/founding-record.ts'
import type { SignedFoundingRecord } from '../core/founding/founding-record.ts'
import { FoundingRules, heldBy } from '../core/founding/founding-rules.ts'
import { isRefused, newestToken, startChainCheck } from '../core/founding/start-chain.ts'
import type { ServerId } from '../core/base/zxid.ts'
import { emptySnapshotChunk } from '../core/server/member-machine.ts'
import type { MemberConfig, MemberStatus } from '../core/server/member-machine.ts'
import type { TraceEvent } from '../core/zab/effect.ts'
import type { ClientChannel, ClientMultiplexer } from '../ports/client-channel.ts'
import type { Clock } from '../ports/clock.ts'
import type { Link } from '../ports/link.ts'
import { PEER_TOKENS_MAX } from '../ports/storage.ts'
import type { MemberMeta, Recovered, Storage } from '../ports/storage.ts'
import { bridgeChannels } from './bridge-channels.ts'
import type { DiskStatus } from './disk-figures.ts'
import type { Flight } from './flight/flight-recorder.ts'
import { GUEST_LIMITS, NOT_A_VOTER, placeFor } from './guest-places.ts'
import type { GuestLimits } from './guest-places.ts'
import { Member } from './member.ts'
import { PeerTable } from './peer-table.ts'
import type { PeerLink, VerifiedMember } from './peer-table.ts'
import { WaitingClients } from './waiting-clients.ts'

export interface MachineIdentity {
  readonly incarnation: string
  readonly publicKey: Uint8Array
  sign(bytes: Uint8Array): Promise<Uint8Array>
  readonly storage: Storage
  readonly meta: MemberMeta
}

export interface RoomMemberOptions {
  readonly identity: MachineIdentity
  /** What its storage held when it was opened; the storage must be recovered before it is used. */
  readonly recovered: Recovered
  readonly room: string
  readonly size: number
  readonly linkCreator: string | null
  readonly linkCluster: string | null
  readonly clock: Clock
  readonly every: (intervalMs: number, run: () => void) => () => void
  readonly randomBytes: (length: number) => Uint8Array
  readonly verify: (key: Uint8Array, bytes: Uint8Array, signature: Uint8Array) => Promise<boolean>
  /** Queue for a member's liveness lock; `onGone` is a crash hint. */
  readonly watchLiveness: (incarnation: string, onGone: () => void, signal: AbortSignal) => void
  readonly tune?: Partial<MemberConfig>
  readonly guestLimits?: GuestLimits
  readonly onTrace: (event: TraceEvent) => void
  readonly onChange: () => void
  readonly onReplaceLink: (linkId: string, reason: string) => void
  /** The link is not wanted any more: the other side is told why. */
  readonly onRefuseLink: (linkId: string, reason: string) => void
  readonly onPageMessage: (linkId: string, bytes: Uint8Array) => void
}

/** To one peer whose handshake is not through. Ours: a founding record and a word or two. */
const UNSAID_MAX = 8

export interface AdmitRequest extends VerifiedMember {
  readonly foundingRecord: Uint8Array | null
  readonly startChain: readonly string[]
}

export interface RoomMemberStatus {
  readonly phase: 'waiting' | 'member' | 'client' | 'failed'
  readonly text: string
  readonly here: number
  readonly size: number
  readonly sid: ServerId | null
  readonly voters: readonly ServerId[]
  readonly creator: string | null
  readonly cluster: string | null
  readonly member: MemberStatus | null
  readonly disk: DiskStatus | null
  readonly peers: readonly (VerifiedMember & { sid: ServerId | null; linkId: string })[]
}

const CLUSTER_ID_BYTES = 16
const SESSION_KEY_BYTES = 32
/** ZooKeeper's sample configuration (S4). */
const TICK_TIME_MS = 2000

export class RoomMember {
  readonly #options: RoomMemberOptions
  readonly #rules: FoundingRules
  readonly #peers = new PeerTable()
  /** What the storage remembers, which nobody else writes. Newest last, as there. */
  readonly #peerTokens: Map<string, string>
  #founded: SignedFoundingRecord | null = null
  #sid: ServerId | null = null
  #member: Member | null = null
  #flown: Member | null = null
  #isServing = false
  readonly #waiting: WaitingClients
  #failure: string | null = null
  #lastRefusal: string | null = null
  #arrivals: readonly string[] = []
  #ownPeerId: string | null = null
  #isStopped = false

  constructor(options: RoomMemberOptions) {
    this.#options = options
    const { identity, room, size, linkCreator, linkCluster, randomBytes } = options
    this.#waiting = new WaitingClients(options.every, (channel) => this.#serveOwn(channel))
    const { founding, peerTokens } = identity.meta
    this.#peerTokens = new Map(Object.entries(peerTokens))
    this.#rules = new FoundingRules({
      room,
      size,
      linkCreator,
      linkCluster,
      publicKey: identity.publicKey,
      stored: founding === null ? null : parseFoundingRecord(founding),
      fresh: {
        clusterId: randomBytes(CLUSTER_ID_BYTES),
        sessionKey: randomBytes(SESSION_KEY_BYTES),
      },
    })
    void identity.storage.failed.then((error) => {
      this.#fail(`storage failed (${error.code}): ${error.message}`)
    })
    this.#carryOut()
  }

  /** What the handshake says of this machine: a record only once it is durable. */
  get foundingRecord(): Uint8Array | null {
    return this.#rules.holds() === null ? null : (this.#founded?.envelope ?? null)
  }

  get clusterId(): string | null {
    return this.#rules.holds()?.cluster ?? null
  }

  status(): RoomMemberStatus {
    const founding = this.#rules.status()
    const member = this.#member?.status() ?? null
    const record = this.#founded?.record ?? null
    return {
      phase: this.#phase(),
      text: this.#failure ?? this.#lastRefusal ?? founding.text,
      here: founding.here,
      size: record?.size ?? founding.size,
      sid: this.#sid,
      voters: record?.members.map((voter) => voter.sid) ?? [],
      creator: founding.holds?.creator ?? this.#options.linkCreator,
      cluster: founding.holds?.cluster ?? this.#options.linkCluster,
      member,
      disk: this.#member?.disk ?? null,
      peers: this.#peers.admitted().flatMap(({ member: peer, linkId }) => {
        return peer === null ? [] : [{ ...peer, sid: this.#sidOf(peer.publicKey), linkId }]
      }),
    }
  }

  /** Of the member that runs here or, when it is wanted most, ran here until it failed. */
  flight(): Flight | null {
    return this.#flown?.flight() ?? null
  }

  attachQuorum(linkId: string, link: Link): void {
    const peer = this.#peers.link(linkId)
    peer.quorum = link
    this.#handOver(peer)
  }

  attachClients(linkId: string, clients: ClientMultiplexer, close: (why: string) => void): void {
    const peer = this.#peers.link(linkId)
    peer.clients = clients
    peer.closeClients = close
    clients.onOpen = (channel) => this.#serve(peer, channel)
  }

  /** The page verified this link's handshake. Resolves with null, or why the peer is refused. */
  async admit(linkId: string, peer: AdmitRequest): Promise<string | null> {
    const link = this.#peers.link(linkId)
    if (peer.isClient !== true) {
      const seen = this.#peerTokens.get(peer.incarnation) ?? null
      const verdict = startChainCheck(seen, peer.startChain)
      if (isRefused(verdict)) return `refused: the storage of this machine is ${verdict}`
      await this.#remember(peer)
    }
    const held = peer.foundingRecord === null ? null : parseFoundingRecord(peer.foundingRecord)
    if (this.#isStopped) return 'this machine is stopping'
    // Else a peer that left meanwhile would stand as a candidate for ever.
    if (this.#peers.get(linkId) !== link) return 'its link is gone'
    const refusal = this.#refusalFor(peer, held !== null)
    if (refusal !== null) return refusal
    link.member = peer
    if (peer.isClient === true) {
      this.#tellRecord(link)
      this.#options.onChange()
      return null
    }
    this.#options.watchLiveness(
      peer.incarnation,
      () => this.#suspect(peer.publicKey),
      link.ended.signal,
    )
    this.#step({
      kind: 'candidate',
      publicKey: peer.publicKey,
      holds: held === null ? null : heldBy(held),
    })
    if (held !== null) await this.#receiveRecord(peer.incarnation, held)
    this.#nameFirstCandidate()
    this.#handOver(link)
    this.#options.onChange()
    return null
  }

  /** Both sides are verified: what had to wait for that can be said. */
  opened(linkId: string): void {
    const link = this.#peers.get(linkId)
    if (link === undefined) return
    link.isOpen = true
    for (const bytes of link.unsaid.splice(0)) this.#options.onPageMessage(linkId, bytes)
  }

  #say(link: PeerLink, bytes: Uint8Array): void {
    if (link.isOpen) this.#options.onPageMessage(link.linkId, bytes)
    else if (link.unsaid.length < UNSAID_MAX) link.unsaid.push(bytes)
  }

  /** Clients learn from it who the voters are. Members get it by the founding rules. */
  #tellRecord(link: PeerLink): void {
    const record = this.foundingRecord
    if (record !== null && link.member?.isClient === true) this.#say(link, record)
  }

  #refusalFor(peer: VerifiedMember, holdsRecord: boolean): string | null {
    // Before the founding everybody may be a voter yet.
    if (this.#founded === null) return null
    return placeFor(peer, holdsRecord, this.#peers.admitted(), {
      ownSid: this.#isVoter ? this.#sid : null,
      isVoter: (other) => this.#sidOf(other.publicKey) !== null,
      limits: this.#options.guestLimits ?? GUEST_LIMITS,
    })
  }

  get #isVoter(): boolean {
    return this.#sidOf(this.#options.identity.publicKey) !== null
  }

  /** Resolves when the newest start of this peer that we saw is on disk. */
  async #remember({ incarnation, startChain }: AdmitRequest): Promise<void> {
    const token = newestToken(startChain)
    if (token === null) return
    this.#peerTokens.delete(incarnation)
    this.#peerTokens.set(incarnation, token)
    const [oldest] = this.#peerTokens.keys()
    if (this.#peerTokens.size > PEER_TOKENS_MAX && oldest !== undefined) {
      this.#peerTokens.delete(oldest)
    }
    const { storage } = this.#options.identity
    // A storage that failed ends this member by itself.
    await storage.rememberPeerToken(incarnation, token).catch(() => {})
  }

  detach(linkId: string, reason: string): void {
    const link = this.#peers.remove(linkId, reason)
    const incarnation = link?.member?.incarnation
    if (incarnation === undefined || this.#peers.ofMember(incarnation) !== undefined) return
    this.#step({ kind: 'candidate-gone', incarnation })
    this.#options.onChange()
  }

  /** Bytes from a verified peer's page: a founding record, the only thing pages send. */
  async pageMessage(linkId: string, bytes: Uint8Array): Promise<void> {
    const from = this.#peers.get(linkId)?.member
    const signed = parseFoundingRecord(bytes)
    if (from === undefined || from === null || signed === null) return
    await this.#receiveRecord(from.incarnation, signed)
  }

  /** Peer ids in the broker's order of arrival: a hand-typed link's first one is the creator. */
  arrivals(peerIds: readonly string[], ownPeerId: string): void {
    this.#arrivals = peerIds
    this.#ownPeerId = ownPeerId
    this.#nameFirstCandidate()
  }

  suspect(peerId: string): void {
    const member = this.#peers.ofPeerId(peerId)?.member
    if (member !== undefined && member !== null) this.#suspect(member.publicKey)
  }

  /** Where a client of this tab can connect now. */
  reachable(): readonly (ServerId | 'local')[] {
    const voters = this.#founded?.record.members ?? []
    return voters.flatMap(({ sid, incarnation }): (ServerId | 'local')[] => {
      if (sid === this.#sid && this.#member !== null) return ['local']
      const clients = this.#peers.ofMember(incarnation)?.clients ?? null
      return clients === null ? [] : [sid]
    })
  }

  /** Bridge a client of this tab to the own member or to a voter by its id. */
  connectClient(channel: ClientChannel, target: number | 'local'): void {
    if (target === 'local' || target === this.#sid) {
      const mustWait = this.#member !== null && !this.#isServing
      return mustWait ? this.#waiting.add(channel) : this.#serveOwn(channel)
    }
    const voter = this.#founded?.record.members.find((member) => member.sid === target)
    const link = voter === undefined ? undefined : this.#peers.ofMember(voter.incarnation)
    const clients = link?.clients ?? null
    if (clients === null) return channel.close(`no link to machine ${target}`)
    bridgeChannels(channel, clients.open())
  }

  stop(reason: string): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#member?.stop(reason)
    this.#waiting.releaseAll()
    this.#peers.removeAll(reason)
  }

  #phase(): RoomMemberStatus['phase'] {
    if (this.#failure !== null) return 'failed'
    if (this.#member !== null) return 'member'
    return this.#founded === null ? 'waiting' : 'client'
  }

  #step(input: FoundingInput): void {
    if (this.#isStopped) return
    this.#rules.step(input)
    this.#carryOut()
  }

  #carryOut(): void {
    for (const decision of this.#rules.takeDecisions()) this.#perform(decision)
    this.#options.onChange()
  }

  #perform(decision: FoundingDecision): void {
    const { identity } = this.#options
    switch (decision.kind) {
      case 'sign':
        this.#then(identity.sign(foundingBytesToSign(decision.body)), (signature) =>
          this.#step({ kind: 'signature', signature }),
        )
        break
      case 'pin':
        this.#then(
          identity.storage.pinFounding(decision.signed.envelope, emptySnapshotChunk()),
          () => this.#step({ kind: 'pinned' }),
        )
        break
      case 'send-record': {
        const link = this.#peers.ofMember(decision.to)
        if (link !== undefined) this.#say(link, decision.envelope)
        break
      }
      case 'start':
        this.#start(decision.sid, decision.signed)
        break
      case 'refuse':
        if (decision.from === null) this.#failure = decision.text
        else this.#lastRefusal = decision.text
        break
    }
  }

  /** A failed step on the way to a running member: this life cannot be one. */
  #then<T>(work: Promise<T>, next: (result: T) => void): void {
    work
      .then((result) => {
        if (!this.#isStopped) next(result)
      })
      // Also what `next` throws: a member that cannot read its own disk does not begin.
      .catch((error: unknown) => this.#fail(`this machine cannot start: ${String(error)}`))
  }

  #start(sid: ServerId | null, signed: SignedFoundingRecord): void {
    this.#founded = signed
    this.#lastRefusal = null
    this.#sid = sid
    for (const link of this.#peers.admitted()) this.#tellRecord(link)
    if (sid === null) {
      this.#leaveGuests()
      return
    }
    const { identity, recovered: atOpen } = this.#options
    // Founded in this life: the record and the empty snapshot came after the first look.
    const isNew = atOpen.snapshot === null
    this.#then(isNew ? identity.storage.recover() : Promise.resolve(atOpen), (recovered) => {
      const { record } = signed
      const [seed = 0] = new Uint32Array(this.#options.randomBytes(4).slice().buffer)
      this.#member = new Member({
        config: {
          sid,
          voters: record.members.map((member) => member.sid),
          clusterId: clusterHash(signed.body),
          sessionKey: record.sessionKey,
          seed,
          tickTimeMs: TICK_TIME_MS,
          ...this.#options.tune,
        },
        storage: this.#options.identity.storage,
        recovered,
        clock: this.#options.clock,
        every: this.#options.every,
        onTrace: (event) => this.#onTrace(event),
        onCloseLink: (peer, reason) => this.#replaceLink(peer, reason),
        onHalt: (reason) => this.#fail(reason),
      })
      this.#flown = this.#member
      for (const link of this.#peers.admitted()) this.#handOver(link)
      this.#options.onChange()
    })
  }

  /** This tab turned out to be a guest: other guests have nothing to do with it. */
  #leaveGuests(): void {
    for (const { linkId, member } of this.#peers.admitted()) {
      if (member === null || this.#sidOf(member.publicKey) !== null) continue
      this.#options.onRefuseLink(linkId, NOT_A_VOTER)
    }
  }

  /** Give the quorum channel of a verified voter to the running member, once. */
  #handOver(link: PeerLink): void {
    const { member, quorum } = link
    if (this.#member === null || member === null || quorum === null || link.isAttached) return
    const sid = this.#sidOf(member.publicKey)
    if (sid === null || sid === this.#sid) return
    link.isAttached = true
    this.#member.attachLink(sid, quorum)
  }

  #onTrace(event: TraceEvent): void {
    this.#options.onTrace(event)
    if (event.type === 'role') this.#isServing = false
    if (event.type !== 'established') return
    this.#isServing = true
    this.#waiting.releaseAll()
  }

  #serveOwn(channel: ClientChannel): void {
    if (this.#member === null) channel.close('this tab has no running member')
    else this.#member.attachClient(channel, 'local')
  }

  #serve(link: PeerLink, channel: ClientChannel): void {
    if (link.member === null) return channel.close('not verified')
    if (this.#member === null) return channel.close('no member runs here')
    this.#member.attachClient(channel, link.member.incarnation)
  }

  async #receiveRecord(from: string, signed: SignedFoundingRecord): Promise<void> {
    const { creatorKey } = signed.record
    const bytes = foundingBytesToSign(signed.body)
    if (!(await this.#options.verify(creatorKey, bytes, signed.signature))) return
    this.#step({ kind: 'record', from, signed, signer: creatorKey })
  }

  #nameFirstCandidate(): void {
    const [first] = this.#arrivals
    if (first === undefined || this.#founded !== null) return
    const incarnation =
      first === this.#ownPeerId
        ? this.#options.identity.incarnation
        : this.#peers.ofPeerId(first)?.member?.incarnation
    if (incarnation !== undefined) this.#step({ kind: 'first-candidate', incarnation })
  }

  #suspect(publicKey: Uint8Array): void {
    const sid = this.#sidOf(publicKey)
    if (sid !== null) this.#member?.suspect(sid)
  }

  #replaceLink(sid: ServerId, reason: string): void {
    const voter = this.#founded?.record.members.find((member) => member.sid === sid)
    const link = voter === undefined ? undefined : this.#peers.ofMember(voter.incarnation)
    if (link !== undefined) this.#options.onReplaceLink(link.linkId, reason)
  }

  #sidOf(publicKey: Uint8Array): ServerId | null {
    const same = (key: Uint8Array) => key.every((byte, i) => byte === publicKey[i])
    return this.#founded?.record.members.find((member) => same(member.publicKey))?.sid ?? null
  }

  #fail(reason: string): void {
    if (this.#failure !== null || this.#isStopped) return
    this.#failure = reason
    this.#member?.stop(reason)
    this.#member = null
    this.#waiting.releaseAll()
    this.#options.onChange()
  }
}
