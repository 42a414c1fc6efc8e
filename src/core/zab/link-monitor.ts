/**
 * Which links live. A closed, crashed or frozen tab is noticed by nothing but this: pulses both
 * ways, any frame counts as a sign of life, silence closes the link (design §4, "Time").
 *
 * A member whose storage hangs neither pings nor answers: it must not look like a healthy peer.
 */
import type { ServerId } from '../base/zxid.ts'
import { PROBE_TIMEOUT_MS, PULSE_INTERVAL_MS } from './constants.ts'
import type { EffectSink } from './effect-list.ts'
import { encodePulse, PulseKind, type Pulse } from './packets.ts'

interface LinkState {
  lastHeardMs: number
  /** Both ends are open: something came. What is sent before that may find nobody listening. */
  isReady: boolean
  /** Heard something since the last grace after a sleep. */
  heardSinceGrace: boolean
  nextPulseMs: number
  /** Answer to a probe is due; 0 = none. */
  probeDueMs: number
  rttMs: number | null
}

export interface LinkStatus {
  readonly peer: ServerId
  readonly up: boolean
  /** ms since the last frame; since the link went down or the start while it is down. */
  readonly lastHeardMsAgo: number
  /** Last measured round trip, ms. */
  readonly rttMs: number | null
}

export class LinkMonitor {
  readonly #out: EffectSink
  readonly #links = new Map<ServerId, LinkState>()
  /** When a peer was heard last on a link that is down now. */
  readonly #lostMs = new Map<ServerId, number>()
  readonly #startedMs: number
  readonly #silenceLimitMs: number
  #stalled = false
  /** Nothing is due on any link before: most steps need not look at them. */
  #dueMs = 0

  constructor(out: EffectSink, startedMs: number, silenceLimitMs: number) {
    this.#out = out
    this.#silenceLimitMs = silenceLimitMs
    this.#startedMs = startedMs
  }

  /** This end is open. */
  isOpen(peer: ServerId): boolean {
    return this.#links.has(peer)
  }

  get openPeers(): ServerId[] {
    return [...this.#links.keys()]
  }

  /** Both ends are open. */
  isUp(peer: ServerId): boolean {
    return this.#links.get(peer)?.isReady === true
  }

  get upPeers(): ServerId[] {
    return this.openPeers.filter((peer) => this.isUp(peer))
  }

  onUp(peer: ServerId, nowMs: number): void {
    this.#links.set(peer, {
      lastHeardMs: nowMs,
      isReady: false,
      heardSinceGrace: true,
      nextPulseMs: nowMs,
      probeDueMs: 0,
      rttMs: null,
    })
    this.#lostMs.delete(peer)
    this.#dueMs = nowMs
  }

  onDown(peer: ServerId): void {
    const link = this.#links.get(peer)
    if (link === undefined) return
    this.#links.delete(peer)
    this.#lostMs.set(peer, link.lastHeardMs)
  }

  /** Returns true for the first sign of life of a link: from now on it is up. */
  onHeard(peer: ServerId, nowMs: number): boolean {
    const link = this.#links.get(peer)
    if (link === undefined) return false
    const isFirst = !link.isReady
    link.isReady = true
    link.lastHeardMs = nowMs
    link.heardSinceGrace = true
    link.probeDueMs = 0
    return isFirst
  }

  onPulse(peer: ServerId, pulse: Pulse, nowMs: number): void {
    if (pulse.kind === PulseKind.PING && !this.#stalled) {
      this.#send(peer, PulseKind.PONG, pulse.value)
    } else if (pulse.kind === PulseKind.PONG) {
      const link = this.#links.get(peer)
      const rttMs = nowMs - pulse.value
      // The value came back from outside; one that we cannot have sent says nothing.
      if (link !== undefined && rttMs >= 0 && pulse.value >= this.#startedMs) link.rttMs = rttMs
    }
  }

  /** A crash hint decides nothing itself: it asks, and waits less than usual. */
  onSuspect(peer: ServerId, nowMs: number): void {
    const link = this.#links.get(peer)
    if (link === undefined || link.probeDueMs > 0) return
    link.probeDueMs = nowMs + PROBE_TIMEOUT_MS
    this.#dueMs = Math.min(this.#dueMs, link.probeDueMs)
    this.#send(peer, PulseKind.PING, nowMs)
  }

  set stalled(stalled: boolean) {
    this.#stalled = stalled
  }

  /**
   * We slept: silence proves nothing, since it was ours. One silence limit of grace, but only one:
   * a member that wakes up once a minute would otherwise never notice a dead peer.
   */
  onSlept(nowMs: number): void {
    for (const link of this.#links.values()) {
      if (!link.heardSinceGrace) continue
      link.heardSinceGrace = false
      link.lastHeardMs = nowMs
      link.probeDueMs = 0
    }
  }

  /** Sends what is due and returns the links that died, with the reason. */
  onTime(nowMs: number): { readonly peer: ServerId; readonly reason: string }[] {
    const dead: { peer: ServerId; reason: string }[] = []
    if (nowMs < this.#dueMs) return dead
    this.#dueMs = Number.POSITIVE_INFINITY
    for (const [peer, link] of this.#links) {
      const silentMs = nowMs - link.lastHeardMs
      if (silentMs > this.#silenceLimitMs) {
        dead.push({ peer, reason: `silent for ${Math.round(silentMs)} ms` })
      } else if (link.probeDueMs > 0 && nowMs >= link.probeDueMs) {
        dead.push({ peer, reason: `suspected, and silent for ${PROBE_TIMEOUT_MS} ms` })
      } else if (nowMs >= link.nextPulseMs && !this.#stalled) {
        link.nextPulseMs = nowMs + PULSE_INTERVAL_MS
        this.#send(peer, PulseKind.PING, nowMs)
      }
      // Not too late: what is heard until then puts it off.
      const silentAtMs = link.lastHeardMs + this.#silenceLimitMs
      const probeDueMs = link.probeDueMs || silentAtMs
      this.#dueMs = Math.min(this.#dueMs, silentAtMs, probeDueMs, link.nextPulseMs)
    }
    return dead
  }

  status(peer: ServerId, nowMs: number): LinkStatus {
    const link = this.#links.get(peer)
    const heardMs = link?.lastHeardMs ?? this.#lostMs.get(peer) ?? this.#startedMs
    return {
      peer,
      up: link?.isReady === true,
      lastHeardMsAgo: Math.max(0, nowMs - heardMs),
      rttMs: link?.rttMs ?? null,
    }
  }

  #send(peer: ServerId, kind: number, value: number): void {
    const packet = encodePulse(kind, value)
    this.#out.push({ kind: 'send', peer, lane: 'pulse', conversation: 0, when: 'now', packet })
  }
}
