/**
 * One other page of the room as the mesh sees it: whether it is listed, the present attempt at a
 * connection, and when to try again. The rules of who offers stand in peer-mesh.ts.
 */

import { Backoff } from '../../core/base/backoff.ts'
import type { PeerId } from '../../ports/signaling.ts'
import type { LinkEnd, LinkFacts } from './doctor/link-facts.ts'
import type { PairStats } from './doctor/pair-stats.ts'
import type { VerifiedPeer } from './handshake.ts'
import type { IcePolicy } from './ice-settings.ts'
import {
  ASK_AFTER_MS,
  REFUSED_RETRY_MS,
  RETRY_CAP_MS,
  RETRY_FIRST_MS,
  STABLE_AFTER_MS,
  TURN_CHECK_MS,
} from './limits.ts'
import type { MeshSignal, PagePart } from './mesh-signal.ts'
import { PageConnection, type ConnectionEnd, type PageServices } from './page-connection.ts'
import type { OpenRtcPeer, RtcSignal } from './rtc-peer.ts'
import type { Turns, TurnTaker } from './turns.ts'

export type PeerState = 'absent' | 'waiting' | 'connecting' | 'connected'

export interface PeerStatus {
  readonly peerId: PeerId
  readonly state: PeerState
  readonly linkId: string | null
  /** Why there is no connection, or why the last one ended; for people. */
  readonly reason: string | null
  /** Why that side, which this page needs, does not want it; in words for people. */
  readonly refusal: string | null
  /** Which build it runs, while it is connected. */
  readonly build: string | null
}

/** How a connection words the other side's refusal. */
const REFUSED_BY = /^refused-by-peer: /

/** Why pages need no link, the first also said to the other one; for people. */
const BOTH_GUESTS = 'neither page is a voter: those are linked to voters only'
const NOT_ASKED = 'it has not said that it votes'

/** What a remote peer needs of its mesh. */
export interface RemoteContext {
  readonly self: PeerId
  readonly room: string
  readonly iceServers: readonly RTCIceServer[]
  readonly iceTransportPolicy: IcePolicy
  readonly services: PageServices
  readonly openPeer: OpenRtcPeer
  readonly random: () => number
  readonly now: () => number
  /** Grows over the whole page life, so a peer that was forgotten meanwhile starts no lower. */
  readonly nextAttempt: () => number
  readonly part: () => PagePart
  readonly send: (to: PeerId, signal: MeshSignal) => void
  readonly canSignal: () => boolean
  readonly hasPlace: () => boolean
  /** For attempts of this page's own accord. */
  readonly turns: Turns
  readonly onAdmitted: (linkId: string, peer: VerifiedPeer) => void
  readonly onPage: (linkId: string, message: Uint8Array) => void
  readonly onLinkClosed: (linkId: string, peerId: PeerId, reason: string) => void
  /** Something of the status changed; the remote may be forgotten when it is idle. */
  readonly onChange: (remote: RemotePeer) => void
}

interface Current {
  readonly connection: PageConnection
  readonly startedAtMs: number
  admittedAtMs: number | null
}

export class RemotePeer implements TurnTaker {
  readonly peerId: PeerId
  readonly #context: RemoteContext
  readonly #isInitiator: boolean
  readonly #backoff: Backoff
  #isPresent = false
  /** Newest attempt made (initiator) or taken (the other side). */
  #attempt = 0
  #current: Current | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #reason: string | null = null
  #isRefused = false
  /** There was a link, and nobody refused it: it is wanted whatever the other side said before. */
  #wasLinked = false
  /** As the other page last said. */
  #theirPart: PagePart = 'undecided'
  #attempts = 0
  #lastEnd: (LinkEnd & { readonly endedAtMs: number }) | null = null
  #isStopped = false

  constructor(peerId: PeerId, context: RemoteContext) {
    this.peerId = peerId
    this.#context = context
    this.#isInitiator = context.self > peerId
    this.#backoff = new Backoff({ firstMs: RETRY_FIRST_MS, capMs: RETRY_CAP_MS }, context.random)
  }

  get linkId(): string | null {
    return this.#current?.connection.linkId ?? null
  }

  get isConnected(): boolean {
    return this.#current?.connection.isAdmitted === true
  }

  /** Nothing is known of it that would be missed. */
  get isIdle(): boolean {
    return !this.#isPresent && this.#current === null
  }

  get status(): PeerStatus {
    const state = this.isConnected
      ? 'connected'
      : this.#current !== null
        ? 'connecting'
        : this.#isPresent
          ? 'waiting'
          : 'absent'
    const { peerId, linkId } = this
    const isMissed = this.#isRefused && !this.#areGuests
    const refusal = isMissed ? (this.#reason?.replace(REFUSED_BY, '') ?? null) : null
    const build = this.#current?.connection.build ?? null
    return { peerId, state, linkId, reason: this.#reason, refusal, build }
  }

  /** For the doctor: what was seen of this peer, now and at the end of the last attempt. */
  facts(): LinkFacts {
    const nowMs = this.#context.now()
    const admittedAtMs = this.#current?.admittedAtMs ?? null
    const { endedAtMs, ...end } = this.#lastEnd ?? { endedAtMs: 0 }
    return {
      ...this.status,
      isInitiator: this.#isInitiator,
      attempts: this.#attempts,
      upForMs: admittedAtMs === null ? null : nowMs - admittedAtMs,
      current: this.#current?.connection.facts() ?? null,
      lastEnd: 'reason' in end ? { ...end, agoMs: nowMs - endedAtMs } : null,
    }
  }

  async stats(): Promise<PairStats | null> {
    return this.#current?.connection.stats() ?? null
  }

  /** Without a connection: tries now instead of after the delay. */
  tryNow(): void {
    if (this.#current === null) this.#start()
  }

  onTurn(): void {
    // While it waited the page may have learned that it needs none.
    this.#start(this.#context.part() === 'undecided')
  }

  /** The broker lists it. `isNews`: it was not listed before, or the broker was away. */
  onPresent(isNews: boolean): void {
    const wasPresent = this.#isPresent
    this.#isPresent = true
    // A fresh connection is possible again, and the old one did not answer.
    if (isNews && this.#current?.connection.isRenewing === true) this.#close('replaced')
    if (this.#current !== null || (wasPresent && !isNews)) return
    this.#backoff.reset()
    if (this.#isInitiator) this.#start()
    else this.#expectOffer()
  }

  /** The broker does not list it. A verified link stays: links end by themselves. */
  onAbsent(): void {
    this.#isPresent = false
    this.#context.turns.leave(this)
    clearTimeout(this.#timer)
    if (!this.isConnected) this.#close('the peer left the room')
    this.#context.onChange(this)
  }

  onSignal(signal: MeshSignal): void {
    this.#theirPart = signal.part ?? 'undecided'
    switch (signal.kind) {
      case 'rtc':
        this.#onRtcSignal(signal.attempt, signal.signal)
        break
      case 'ask':
        this.#onAsk(signal.attempt)
        break
      case 'refuse':
        this.#onRefuse(signal.attempt, signal.reason)
        break
    }
  }

  /**
   * Ends the present connection and makes a fresh one at once. Without the broker there is no fresh
   * one: then new channels on the old connection are all that can bring the peer back.
   */
  replace(reason: string): void {
    this.#reason = reason
    if (!this.#context.canSignal() && this.#current?.connection.renew() === true) return
    this.#endWith({ reason, isRefusal: false })
  }

  /** Ends the link; the other side hears why before it does, and does not come back soon. */
  refuse(reason: string): void {
    this.#current?.connection.refuse(reason)
  }

  sendPage(message: Uint8Array): boolean {
    return this.#current?.connection.sendPage(message) === true
  }

  /** Synchronous; no more attempts. */
  stop(reason: string): void {
    this.#isStopped = true
    this.#context.turns.leave(this)
    clearTimeout(this.#timer)
    this.#close(reason)
  }

  #onRtcSignal(attempt: number, signal: RtcSignal): void {
    if (signal.type === 'offer') {
      this.#onOffer(attempt, signal)
      return
    }
    if (signal.type === 'answer' && !this.#isInitiator) return
    if (this.#current === null && signal.type === 'answer' && attempt === this.#attempt) {
      // It answers an attempt that was given up, so it is there: a page that thawed.
      this.#backoff.reset()
      this.#start(true)
      return
    }
    if (attempt === this.#attempt) this.#current?.connection.signal(signal)
  }

  #onOffer(attempt: number, signal: RtcSignal): void {
    if (this.#isInitiator || attempt <= this.#attempt || this.#isStopped) return
    this.#attempt = attempt
    this.#isPresent = true
    this.#close('replaced by a new offer')
    if (this.#declines(attempt)) return
    clearTimeout(this.#timer)
    this.#open()
    this.#current?.connection.signal(signal)
  }

  #onAsk(attempt: number): void {
    if (!this.#isInitiator || this.#isStopped) return
    const current = this.#current
    if (current !== null) {
      const ageMs = this.#context.now() - current.startedAtMs
      // An older number: the offer that is under way crossed the question, unless it was lost.
      if (attempt !== this.#attempt && (this.isConnected || ageMs < ASK_AFTER_MS)) return
      this.#close('the other side asked for a new connection')
    }
    if (this.#declines(attempt)) return
    this.#isPresent = true
    this.#start(true)
  }

  /** Says so to the other side, which then waits for long or for ever. */
  #declines(attempt: number): boolean {
    const noPlace = this.#context.hasPlace()
      ? null
      : 'that page has no place for another connection'
    const reason = this.#areGuests ? BOTH_GUESTS : noPlace
    if (reason === null) return false
    this.#context.send(this.peerId, { kind: 'refuse', attempt, reason })
    return true
  }

  get #areGuests(): boolean {
    return this.#theirPart === 'guest' && this.#context.part() === 'guest'
  }

  #onRefuse(attempt: number, reason: string): void {
    if (attempt !== this.#attempt || this.isConnected) return
    this.#endWith({ reason, isRefusal: true })
  }

  /** Offers or asks now, if that can lead to anything; else news will start it. */
  #start(isDue = false): void {
    clearTimeout(this.#timer)
    if (this.#isStopped || this.#current !== null) return
    if (!this.#isPresent || !this.#context.canSignal()) return
    if (this.#holdsBack(isDue)) return
    if (!this.#context.hasPlace()) {
      this.#context.turns.leave(this)
      this.#reason = 'this page has no place for another connection'
      this.#schedule(REFUSED_RETRY_MS)
      return
    }
    if (this.#isInitiator) {
      this.#attempt = this.#context.nextAttempt()
      this.#open()
      return
    }
    this.#context.send(this.peerId, { kind: 'ask', attempt: this.#attempt })
    this.#schedule(Math.max(ASK_AFTER_MS, this.#backoff.nextMs()))
  }

  /**
   * Its offer is on the way, unless it was lost, or has to come from a guest: those offer to nobody
   * of whom they do not know that it votes, so a voter asks as soon as it knows that it is one.
   */
  #expectOffer(untilMs = this.#context.now() + ASK_AFTER_MS): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      if (this.#context.part() === 'voter' || this.#context.now() >= untilMs) this.#start()
      else this.#expectOffer(untilMs)
    }, TURN_CHECK_MS)
  }

  /** Nothing is to be begun now; it will be when that can lead to anything. */
  #holdsBack(isDue: boolean): boolean {
    const theirs = this.#theirPart
    if (this.#context.part() !== 'guest') {
      if (isDue || this.#context.part() === 'voter' || theirs === 'voter') return false
      this.#context.turns.take(this)
      return true
    }
    if (theirs === 'voter' || (theirs !== 'guest' && (isDue || this.#wasLinked))) return false
    // A guest is one for good. Voters ask whoever is listed, as does who has yet to learn its part.
    this.#reason = theirs === 'guest' ? BOTH_GUESTS : NOT_ASKED
    this.#isRefused = false
    this.#context.onChange(this)
    return true
  }

  #open(): void {
    const attempt = this.#attempt
    const linkId = `${this.peerId.slice(0, 8)}-${attempt}`
    const { self, room, iceServers, iceTransportPolicy, services, openPeer } = this.#context
    this.#attempts++
    try {
      const connection = new PageConnection({
        ...{ linkId, self, room, iceServers, iceTransportPolicy, services, openPeer },
        isInitiator: this.#isInitiator,
        other: this.peerId,
        onSignal: (signal) => this.#context.send(this.peerId, { kind: 'rtc', attempt, signal }),
        onAdmitted: (peer) => this.#onAdmitted(peer),
        onPage: (message) => this.#context.onPage(this.linkId ?? linkId, message),
        onRelinked: (oldLinkId) => {
          const reason = this.#reason ?? 'renewed by the other side'
          this.#context.onLinkClosed(oldLinkId, this.peerId, reason)
          this.#context.onChange(this)
        },
        onEnd: (end) => this.#endWith(end),
      })
      const startedAtMs = this.#context.now()
      this.#current = { connection, startedAtMs, admittedAtMs: null }
      this.#context.onChange(this)
    } catch (error) {
      // The worker may have got the first channel.
      this.#context.onLinkClosed(linkId, this.peerId, 'not made')
      this.#retry({ reason: String(error), isRefusal: false })
    }
  }

  #onAdmitted(peer: VerifiedPeer): void {
    const current = this.#current
    if (current === null) return
    current.admittedAtMs = this.#context.now()
    this.#wasLinked = true
    this.#context.turns.leave(this)
    this.#reason = null
    this.#isRefused = false
    this.#context.onAdmitted(current.connection.linkId, peer)
    this.#context.onChange(this)
  }

  #endWith(end: ConnectionEnd): void {
    const admittedAtMs = this.#current?.admittedAtMs ?? null
    if (admittedAtMs !== null && this.#context.now() - admittedAtMs >= STABLE_AFTER_MS) {
      this.#backoff.reset()
    }
    this.#close(end.reason)
    this.#retry(end)
  }

  #retry(end: ConnectionEnd): void {
    this.#reason = end.reason
    this.#isRefused = end.isRefusal
    if (end.isRefusal) this.#wasLinked = false
    this.#context.turns.leave(this)
    const isFirst = this.#backoff.failures === 0
    const delayMs = this.#backoff.nextMs()
    if (end.isRefusal) this.#schedule(REFUSED_RETRY_MS)
    else if (isFirst) this.#start()
    else this.#schedule(delayMs)
    this.#context.onChange(this)
  }

  #close(reason: string): void {
    const current = this.#current
    if (current === null) return
    this.#current = null
    current.connection.close()
    this.#reason = reason
    this.#lastEnd = {
      ...current.connection.facts(),
      reason,
      agoMs: 0,
      endedAtMs: this.#context.now(),
    }
    this.#context.onLinkClosed(current.connection.linkId, this.peerId, reason)
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer)
    if (!this.#isStopped) this.#timer = setTimeout(() => this.#start(), delayMs)
  }
}
