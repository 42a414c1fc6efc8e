/**
 * The links of one member and what comes and goes on them: whom it links to at all, frames to
 * packets, packets to whom they concern. Knows no roles; the member acts on what it hears here.
 *
 * A voter links to every voter and, up to a bound, to members that are none: the owner of a link
 * verified whose it is. An observer links to voters only (design §4).
 */
import type { ServerId } from '../base/zxid.ts'
import { JuteError } from '../jute/jute-error.ts'
import { OBSERVERS_MAX } from './constants.ts'
import type { Lane, Moment } from './effect.ts'
import type { EffectSink } from './effect-list.ts'
import { decodeFrame } from './frame.ts'
import { LinkMonitor, type LinkStatus } from './link-monitor.ts'
import type { MemberTrace } from './member-trace.ts'
import { decodeNotification, type Announcement } from './notification.ts'
import { decodePulse, encodePulse, PulseKind } from './packets.ts'
import { silenceLimitMs, type ZabConfig } from './role.ts'

/** What a member does about its links. Methods that read packets throw JuteError. */
export interface LinkHost {
  /** A member that takes no part is still alive: it answers pulses, and nothing else. */
  takesPart(): boolean
  /** Both ends are open. */
  onReady(peer: ServerId, at: Moment): void
  onDown(peer: ServerId, reason: string, at: Moment): void
  onNotification(peer: ServerId, said: Announcement, at: Moment): void
  onEnd(peer: ServerId, conversation: number): void
  onStream(peer: ServerId, conversation: number, packet: Uint8Array, at: Moment): void
  /** The rest of a frame meets the role that the member has now. */
  settle(at: Moment): void
}

export class PeerLinks {
  readonly #config: ZabConfig
  readonly #voters: ReadonlySet<ServerId>
  readonly #out: EffectSink
  readonly #trace: MemberTrace
  readonly #host: LinkHost
  readonly #monitor: LinkMonitor

  constructor(
    config: ZabConfig,
    out: EffectSink,
    trace: MemberTrace,
    host: LinkHost,
    startedMs: number,
  ) {
    this.#config = config
    this.#voters = new Set(config.voters)
    this.#out = out
    this.#trace = trace
    this.#host = host
    this.#monitor = new LinkMonitor(out, startedMs, silenceLimitMs(config))
  }

  isUp(peer: ServerId): boolean {
    return this.#monitor.isUp(peer)
  }

  /** Voters whose link is up: those that an election is among. */
  get upVoters(): ServerId[] {
    return this.#monitor.upPeers.filter((peer) => this.#voters.has(peer))
  }

  set stalled(stalled: boolean) {
    this.#monitor.stalled = stalled
  }

  /** Every other voter, linked or not. */
  voterStatus(nowMs: number): LinkStatus[] {
    return this.#config.voters
      .filter((peer) => peer !== this.#config.sid)
      .map((peer) => this.#monitor.status(peer, nowMs))
  }

  /** Members that are no voters and whose link is open. */
  observerStatus(nowMs: number): LinkStatus[] {
    return this.#openObservers.map((peer) => this.#monitor.status(peer, nowMs))
  }

  onUp(peer: ServerId, at: Moment): void {
    const { sid, isObserver } = this.#config
    if (peer === sid) return
    if (!this.#voters.has(peer)) {
      if (isObserver) return
      if (!this.#monitor.isOpen(peer) && this.#openObservers.length >= OBSERVERS_MAX) {
        this.#out.push({ kind: 'close-link', peer, reason: 'too many observers' })
        return
      }
    }
    if (this.#monitor.isOpen(peer)) this.onDown(peer, 'replaced by a newer link', at)
    this.#monitor.onUp(peer, at.elapsedMs)
  }

  onDown(peer: ServerId, reason: string, at: Moment): void {
    if (!this.#monitor.isOpen(peer)) return
    this.#monitor.onDown(peer)
    this.#trace.link(peer, false, reason)
    this.#host.onDown(peer, reason, at)
  }

  onSuspect(peer: ServerId, nowMs: number): void {
    this.#monitor.onSuspect(peer, nowMs)
  }

  onSlept(nowMs: number): void {
    this.#monitor.onSlept(nowMs)
  }

  onTime(at: Moment): void {
    for (const { peer, reason } of this.#monitor.onTime(at.elapsedMs)) this.cut(peer, reason, at)
  }

  onFrame(peer: ServerId, bytes: Uint8Array, at: Moment): void {
    if (!this.#monitor.isOpen(peer)) return
    if (this.#monitor.onHeard(peer, at.elapsedMs)) {
      // Only now is anything said that must not get lost (Q82).
      this.#trace.link(peer, true, 'up')
      this.#host.onReady(peer, at)
    }
    try {
      const { lane, conversation, packets } = decodeFrame(bytes, this.#config.packetBytesMax)
      for (const packet of packets) {
        this.#onPacket(peer, lane, conversation, packet, at)
        this.#host.settle(at)
        if (!this.#monitor.isUp(peer)) return
      }
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
      this.violation(peer, error.message, at)
    }
  }

  send(
    peer: ServerId,
    lane: Lane,
    conversation: number,
    packet: Uint8Array,
    when: 'now' | 'persisted' = 'now',
  ): void {
    if (!this.#monitor.isUp(peer)) return
    this.#out.push({ kind: 'send', peer, lane, conversation, when, packet })
  }

  endConversation(peer: ServerId, conversation: number): void {
    this.#out.push({ kind: 'end-conversation', peer, conversation })
    this.send(peer, 'pulse', 0, encodePulse(PulseKind.END, conversation))
  }

  violation(peer: ServerId, what: string, at: Moment): void {
    this.#trace.violation(peer, what)
    this.cut(peer, what, at)
  }

  cut(peer: ServerId, reason: string, at: Moment): void {
    if (!this.#monitor.isOpen(peer)) return
    this.onDown(peer, reason, at)
    this.#out.push({ kind: 'close-link', peer, reason })
  }

  cutAll(reason: string, at: Moment): void {
    for (const peer of this.#monitor.openPeers) this.cut(peer, reason, at)
  }

  get #openObservers(): ServerId[] {
    return this.#monitor.openPeers.filter((peer) => !this.#voters.has(peer))
  }

  #onPacket(peer: ServerId, lane: Lane, conversation: number, bytes: Uint8Array, at: Moment): void {
    if (lane === 'pulse') {
      const pulse = decodePulse(bytes)
      if (pulse.kind !== PulseKind.END) this.#monitor.onPulse(peer, pulse, at.elapsedMs)
      else if (this.#host.takesPart()) this.#host.onEnd(peer, pulse.value)
      return
    }
    if (!this.#host.takesPart()) return
    if (lane === 'election') {
      const said = decodeNotification(bytes)
      if (said !== null) this.#host.onNotification(peer, said, at)
    } else {
      this.#host.onStream(peer, conversation, bytes, at)
    }
  }
}
