/**
 * One tab's machine in its room: identity and founding first, then the running member; and for
 * clients a way to the own member or, over a link, to another one.
 *
 * It carries out what the founding rules decide and hands verified links to the member. A machine
 * that is not listed, or lost its storage, is an observer as soon as the leader gives it a place;
 * without one, or failed, it goes on as a client only.
 */
import type {
  FoundingDecision,
  FoundingInput,
  FoundingStatus,
} from '../core/founding/founding-effect.ts'
import { foundingBytesToSign, parseFoundingRecord } from '../core/founding/founding-record.ts'
import type { SignedFoundingRecord } from '../core/founding/founding-record.ts'
import { FoundingRules, heldBy } from '../core/founding/founding-rules.ts'
import { type ServerId, type Zxid, ZXID_NONE } from '../core/base/zxid.ts'
import { emptySnapshotChunk } from '../core/server/member-machine.ts'
import type { MemberStatus } from '../core/server/member-machine.ts'
import type { TraceEvent } from '../core/zab/effect.ts'
import type { ClientChannel, ClientMultiplexer } from '../ports/client-channel.ts'
import type { Link } from '../ports/link.ts'
import { ClientWays } from './client-ways.ts'
import type { Flight } from './flight/flight-recorder.ts'
import { GUEST_LIMITS, NOT_A_VOTER, placeFor } from './guest-places.ts'
import { memberConfig } from './member-config.ts'
import { Member } from './member.ts'
import { ObserverDesk } from './observer-desk.ts'
import { ObserverSeat } from './observer-seat.ts'
import { observerText } from './observer-text.ts'
import { decodePageMessage } from './page-message.ts'
import type { ObserverGrant } from './page-message.ts'
import { PageTalk } from './page-talk.ts'
import { PeerTable } from './peer-table.ts'
import type { PeerLink, VerifiedMember } from './peer-table.ts'
import { PeerTokens } from './peer-tokens.ts'
import type { AdmitRequest, RoomMemberOptions, RoomMemberStatus } from './room-options.ts'

const CLUSTER_ID_BYTES = 16
const SESSION_KEY_BYTES = 32

export class RoomMember {
  readonly #options: RoomMemberOptions
  readonly #rules: FoundingRules
  readonly #peers = new PeerTable()
  readonly #tokens: PeerTokens
  readonly #talk: PageTalk
  #founded: SignedFoundingRecord | null = null
  #sid: ServerId | null = null
  #member: Member | null = null
  #flown: Member | null = null
  /** Runs of a member in this life of the page; what belongs to an earlier one counts no more. */
  #runs = 0
  /** A voter's side of observers. */
  readonly #desk: ObserverDesk
  /** A newcomer's side; null for voters and before the founding. */
  #seat: ObserverSeat | null = null
  readonly #ways: ClientWays
  #failure: string | null = null
  #lastRefusal: string | null = null
  #arrivals: readonly string[] = []
  #ownPeerId: string | null = null
  #isStopped = false

  constructor(options: RoomMemberOptions) {
    this.#options = options
    const { identity, room, size, linkCreator, linkCluster, randomBytes } = options
    this.#talk = new PageTalk(options.onPageMessage)
    this.#ways = new ClientWays({
      every: options.every,
      peers: this.#peers,
      voters: () => this.#founded?.record.members ?? [],
      ownSid: () => this.#sid,
      member: () => this.#member,
    })
    this.#desk = new ObserverDesk({
      say: (link, message) => this.#talk.say(link, message),
      admit: (incarnation) => this.#member?.admitObserver(incarnation),
      attach: (link, sid) => this.#attach(link, sid),
      cut: (link, reason) => link.quorum?.close(reason),
    })
    const { founding, peerTokens } = identity.meta
    this.#tokens = new PeerTokens(peerTokens, identity.storage)
    this.#rules = new FoundingRules({
      room,
      size,
      linkCreator,
      linkCluster,
      publicKey: identity.publicKey,
      stored: founding === null ? null : parseFoundingRecord(founding),
      origin: this.#broughtZxid,
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

  /** State that was put here for an ensemble that this machine is to found; ZXID_NONE: none. */
  get #broughtZxid(): Zxid {
    const { identity, recovered } = this.#options
    return identity.meta.founding === null ? (recovered.snapshot?.zxid ?? ZXID_NONE) : ZXID_NONE
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
      text: this.#text(member, founding),
      here: founding.here,
      size: record?.size ?? founding.size,
      sid: this.#sid,
      voters: record?.members.map((voter) => voter.sid) ?? [],
      creator: founding.holds?.creator ?? this.#options.linkCreator,
      cluster: founding.holds?.cluster ?? this.#options.linkCluster,
      member,
      disk: this.#member?.disk ?? null,
      peers: this.#peers.admitted().flatMap(({ member: peer, linkId }) => {
        return peer === null ? [] : [{ ...peer, sid: this.#anySidOf(peer), linkId }]
      }),
    }
  }

  /** The running member, whose state a new ensemble can be started from. */
  get running(): Member | null {
    return this.#member
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
    clients.onOpen = (channel) => this.#ways.serve(peer, channel)
  }

  /** The page verified this link's handshake. Resolves with null, or why the peer is refused. */
  async admit(linkId: string, peer: AdmitRequest): Promise<string | null> {
    const link = this.#peers.link(linkId)
    if (peer.isClient !== true) {
      const refused = this.#tokens.refusal(peer.incarnation, peer.startChain)
      if (refused !== null) return refused
      await this.#tokens.remember(peer.incarnation, peer.startChain)
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
    this.#talk.opened(link)
    if (this.#isVoterLink(link)) this.#seat?.onLink(link)
  }

  /** Clients learn from it who the voters are. Members get it by the founding rules. */
  #tellRecord(link: PeerLink): void {
    const record = this.foundingRecord
    if (record === null || link.member?.isClient !== true) return
    this.#talk.say(link, { kind: 'record', envelope: record })
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

  detach(linkId: string, reason: string): void {
    this.#desk.forget(linkId)
    const link = this.#peers.remove(linkId, reason)
    const incarnation = link?.member?.incarnation
    if (incarnation === undefined || this.#peers.ofMember(incarnation) !== undefined) return
    this.#step({ kind: 'candidate-gone', incarnation })
    this.#options.onChange()
  }

  /** Bytes from a verified peer's page. */
  async pageMessage(linkId: string, bytes: Uint8Array): Promise<void> {
    const link = this.#peers.get(linkId)
    const from = link?.member ?? null
    const message = decodePageMessage(bytes)
    if (link === undefined || from === null || message === null) return
    if (message.kind === 'record') {
      const signed = parseFoundingRecord(message.envelope)
      if (signed !== null) await this.#receiveRecord(from.incarnation, signed)
    } else if (this.#isVoterLink(link)) this.#seat?.onMessage(message)
    else if (message.kind === 'observe') this.#desk.onAsk(link)
    else if (message.kind === 'observing') this.#desk.onObserving(link, message.grant)
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
    return this.#ways.reachable()
  }

  /** Bridge a client of this tab to the own member or to a voter by its id. */
  connectClient(channel: ClientChannel, target: number | 'local', address?: string): void {
    this.#ways.connect(channel, target, address)
  }

  stop(reason: string): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#seat?.stop()
    this.#member?.stop(reason)
    this.#ways.release()
    this.#peers.removeAll(reason)
  }

  #phase(): RoomMemberStatus['phase'] {
    if (this.#failure !== null) return 'failed'
    if (this.#member !== null) return this.#isVoter ? 'member' : 'observer'
    return this.#founded === null ? 'waiting' : 'client'
  }

  #text(member: MemberStatus | null, founding: FoundingStatus): string {
    const told = this.#failure ?? this.#lastRefusal
    if (told !== null || this.#seat === null || founding.secondEnsemble) {
      return told ?? founding.text
    }
    if (member === null) return this.#seat.text
    return observerText(this.#founded?.record.members.map(({ sid }) => sid) ?? [], member)
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
          identity.storage.pinFounding(
            decision.signed.envelope,
            this.#broughtZxid === ZXID_NONE ? emptySnapshotChunk() : null,
          ),
          () => this.#step({ kind: 'pinned' }),
        )
        break
      case 'send-record': {
        const link = this.#peers.ofMember(decision.to)
        if (link !== undefined)
          this.#talk.say(link, { kind: 'record', envelope: decision.envelope })
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
    for (const link of this.#peers.admitted()) this.#tellRecord(link)
    if (sid !== null) {
      this.#run(sid, signed, null)
      return
    }
    this.#leaveGuests()
    this.#seat = new ObserverSeat({
      clock: this.#options.clock,
      every: this.#options.every,
      voters: () => this.#peers.admitted().filter((link) => link.isOpen && this.#isVoterLink(link)),
      say: (link, message) => this.#talk.say(link, message),
      start: (grant) => this.#run(grant.sid, signed, grant),
      end: (reason) => this.#endRun(reason),
      random: () => (this.#options.randomBytes(1)[0] ?? 0) / 256,
    })
  }

  /** `grant`: as an observer, with the session ids that begin there. */
  #run(sid: ServerId, signed: SignedFoundingRecord, grant: ObserverGrant | null): void {
    const run = ++this.#runs
    this.#sid = sid
    const { identity, recovered: atOpen } = this.#options
    // Founded in this life, or run before: what the first look found is not what there is.
    const isOld = atOpen.snapshot === null || run > 1
    this.#then(isOld ? identity.storage.recover() : Promise.resolve(atOpen), (recovered) => {
      if (run !== this.#runs) return
      const [seed = 0] = new Uint32Array(this.#options.randomBytes(4).slice().buffer)
      this.#member = new Member({
        config: { ...memberConfig(signed, sid, grant, seed), ...this.#options.tune },
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
      this.#seat?.onRunning()
      this.#options.onChange()
    })
  }

  /** An observer lost its place. Its channels are used up, so its links are made anew. */
  #endRun(reason: string): void {
    this.#runs++
    this.#member?.stop(reason)
    this.#member = null
    this.#sid = null
    this.#ways.release()
    for (const link of this.#peers.admitted()) this.#options.onReplaceLink(link.linkId, reason)
    this.#options.onChange()
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
    const sid = link.member === null ? null : this.#sidOf(link.member.publicKey)
    if (sid !== null && sid !== this.#sid) this.#attach(link, sid)
  }

  #attach(link: PeerLink, sid: ServerId): void {
    if (this.#member === null || link.quorum === null || link.isAttached) return
    link.isAttached = true
    this.#member.attachLink(sid, link.quorum)
  }

  #onTrace(event: TraceEvent): void {
    this.#options.onTrace(event)
    if (event.type === 'role') {
      this.#ways.setServing(false)
      this.#desk.onRoleChange()
    } else if (event.type === 'established') {
      this.#ways.setServing(true)
      if (event.leader === this.#sid) this.#desk.onLeading()
    } else if (event.type === 'observers') this.#desk.onTable(event.observers)
    else if (event.type === 'observer-refused') {
      this.#desk.onRefused(event.incarnation, event.reason)
    }
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
    const incarnation = voter?.incarnation ?? this.#desk.incarnationOf(sid)
    const link = incarnation === null ? undefined : this.#peers.ofMember(incarnation)
    if (link !== undefined) this.#options.onReplaceLink(link.linkId, reason)
  }

  #sidOf(publicKey: Uint8Array): ServerId | null {
    const same = (key: Uint8Array) => key.every((byte, i) => byte === publicKey[i])
    return this.#founded?.record.members.find((member) => same(member.publicKey))?.sid ?? null
  }

  /** Of a voter, or of an observer as far as this member knows. */
  #anySidOf(peer: VerifiedMember): ServerId | null {
    return this.#sidOf(peer.publicKey) ?? this.#desk.sidOf(peer.incarnation)
  }

  #isVoterLink(link: PeerLink): boolean {
    return link.member !== null && this.#sidOf(link.member.publicKey) !== null
  }

  #fail(reason: string): void {
    if (this.#failure !== null || this.#isStopped) return
    this.#failure = reason
    this.#seat?.stop()
    this.#member?.stop(reason)
    this.#member = null
    this.#ways.release()
    this.#options.onChange()
  }
}
