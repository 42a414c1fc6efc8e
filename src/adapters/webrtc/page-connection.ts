/**
 * One attempt at a connection with one peer, in the page: simple-peer, the two channels handed to
 * the worker, the handshake, and one end. It knows nothing of retries.
 *
 * A connection can be renewed: the worker's channels are given up and new ones are made on the same
 * RTCPeerConnection, agreed over simple-peer's channel. That is for a suspected link while the
 * broker is away, when no fresh connection can be made: a page that was frozen and thaws gets its
 * links back. New channels are used only when both sides have made them (RENEW, RENEWED), since
 * what arrives for a channel that does not exist yet is lost.
 */

import type { PeerId } from '../../ports/signaling.ts'
import { relayChannel } from './channel-relay.ts'
import type { Carrier, ConnectionFacts } from './doctor/link-facts.ts'
import type { PairStats } from './doctor/pair-stats.ts'
import { fingerprintOf } from './fingerprint.ts'
import { Handshake, type Refusal, type VerifiedPeer } from './handshake.ts'
import type { HelloFields } from './hello.ts'
import type { IcePolicy } from './ice-settings.ts'
import { CANDIDATES_MAX, CONNECT_TIMEOUT_MS, REFUSAL_GRACE_MS, RENEWALS_MAX } from './limits.ts'
import type { OpenRtcPeer, RtcPeer, RtcSignal } from './rtc-peer.ts'

export type ChannelLabel = 'quorum' | 'client'

/** Negotiated ids: both sides make the channels themselves, so nobody waits for an event. */
const QUORUM_ID = 1
const CLIENT_ID = 2
/** Ids of renewed channels; below are simple-peer's own, which the browser numbers. */
const RENEWED_ID = 10

/** What connections need of the page, the same for all of them. */
export interface PageServices {
  readonly build: string
  readonly hello: () => Promise<HelloFields>
  readonly sign: (bytes: Uint8Array) => Promise<Uint8Array>
  /**
   * Must move the channel to the worker in this very task: later it cannot be moved any more
   * (browser-facts, rule 4). When it throws, or rejects because the channel cannot be moved, a
   * relay's port is offered by `attachPort` instead.
   */
  readonly attachChannel: (
    linkId: string,
    label: ChannelLabel,
    channel: RTCDataChannel,
  ) => void | Promise<unknown>
  readonly attachPort: (
    linkId: string,
    label: ChannelLabel,
    port: MessagePort,
  ) => void | Promise<unknown>
  /** The peer is verified: null lets it in, a sentence refuses it. */
  readonly admit: (linkId: string, peer: VerifiedPeer) => Promise<string | null>
}

export interface ConnectionOptions {
  readonly linkId: string
  readonly isInitiator: boolean
  readonly self: PeerId
  readonly other: PeerId
  readonly room: string
  readonly iceServers: readonly RTCIceServer[]
  readonly iceTransportPolicy: IcePolicy
  readonly services: PageServices
  readonly openPeer: OpenRtcPeer
  readonly onSignal: (signal: RtcSignal) => void
  readonly onAdmitted: (peer: VerifiedPeer) => void
  readonly onPage: (message: Uint8Array) => void
  /** Renewal: that link is dead, `linkId` is a new one, and `onAdmitted` follows for it. */
  readonly onRelinked: (oldLinkId: string) => void
  /** Once, never inside the constructor; not after our own `close`. */
  readonly onEnd: (end: ConnectionEnd) => void
}

export interface ConnectionEnd {
  readonly reason: string
  /** One of the two sides does not want the other: trying again soon is of no use. */
  readonly isRefusal: boolean
}

export class PageConnection {
  readonly #options: ConnectionOptions
  readonly #peer: RtcPeer
  #handshake: Handshake | null = null
  #carrier: Carrier = 'channel'
  #hasChannel = false
  /** Came before our hello was ready; at most what one peer says before it hears from us. */
  #early: Uint8Array[] = []
  #candidates = 0
  #hasDescription = false
  #isEnded = false
  /** Set once one side said that it does not want the other. */
  #refusal: ConnectionEnd | null = null
  #linkId: string
  #generation = 0
  /** Our new channels are made; the other side's are not known to be. */
  #isRenewing = false
  #verified: VerifiedPeer | null = null
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Throws when the browser has no connection to give. */
  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#linkId = options.linkId
    const { isInitiator, iceServers, iceTransportPolicy } = options
    this.#peer = options.openPeer(
      { isInitiator, iceServers, iceTransportPolicy },
      {
        onSignal: (signal) => this.#options.onSignal(signal),
        onConnect: () => {
          this.#hasChannel = true
          void this.#startHandshake()
        },
        onData: (bytes) => this.#onData(bytes),
        onClose: (reason) => {
          // The side that refused may close before our own grace is over.
          this.#end(this.#refusal ?? { reason, isRefusal: false })
        },
      },
    )
    try {
      this.#handOver('quorum', QUORUM_ID)
      this.#handOver('client', CLIENT_ID)
    } catch (error) {
      this.#peer.destroy()
      throw error
    }
    this.#timer = setTimeout(() => {
      this.#end({ reason: 'no connection came about in time', isRefusal: false })
    }, CONNECT_TIMEOUT_MS)
  }

  get linkId(): string {
    return this.#linkId
  }

  get isAdmitted(): boolean {
    return this.#handshake?.isOpen === true && !this.#isRenewing
  }

  get isRenewing(): boolean {
    return this.#isRenewing
  }

  /** Of the verified peer. */
  get build(): string | null {
    return this.#verified?.build ?? null
  }

  /** What this attempt showed so far; also after its end. */
  facts(): ConnectionFacts {
    const stage = this.#verified !== null ? 'open' : this.#hasChannel ? 'handshake' : 'ice'
    return { stage, carrier: this.#carrier, ice: this.#peer.ice?.facts() ?? null }
  }

  async stats(): Promise<PairStats | null> {
    return this.#peer.ice?.stats() ?? null
  }

  /** Asks for new channels on this connection. false when that cannot be. */
  renew(): boolean {
    if (this.#isRenewing) return true
    if (this.#isEnded || !this.isAdmitted || this.#generation >= RENEWALS_MAX) return false
    if (!this.#makeRenewed(this.#generation + 1)) return false
    this.#isRenewing = true
    this.#handshake?.sendRenewal('renew', this.#generation)
    return true
  }

  /** One description and a bounded number of candidates: a peer cannot renegotiate or flood. */
  signal(signal: RtcSignal): void {
    if (this.#isEnded) return
    if (signal.type === 'candidate') {
      if (++this.#candidates > CANDIDATES_MAX) return
    } else {
      if (this.#hasDescription) return
      this.#hasDescription = true
    }
    try {
      this.#peer.signal(signal)
    } catch (error) {
      this.#end({ reason: `bad signal: ${String(error)}`, isRefusal: false })
    }
  }

  /** After the handshake: this side does not want the other any more, and says why. */
  refuse(reason: string): void {
    if (this.#isEnded) return
    if (this.#handshake?.isOpen === true) this.#handshake.refuse(reason)
    else this.#end({ reason, isRefusal: true })
  }

  sendPage(message: Uint8Array): boolean {
    return this.#handshake?.sendPage(message) === true
  }

  /** Synchronous; no event follows. */
  close(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    clearTimeout(this.#timer)
    this.#handshake?.end()
    this.#peer.destroy()
  }

  #end(end: ConnectionEnd): void {
    if (this.#isEnded) return
    this.close()
    this.#options.onEnd(end)
  }

  /** Runs in the task that creates the channel: see PageServices.attachChannel. */
  #handOver(label: ChannelLabel, id: number): void {
    const { services } = this.#options
    const linkId = this.#linkId
    const channel = this.#peer.createDataChannel(label, id)
    let handed: void | Promise<unknown>
    try {
      handed = services.attachChannel(linkId, label, channel)
    } catch {
      this.#relay(label, channel)
      return
    }
    handed?.catch((error: unknown) => {
      // A call through comlink posts at once but tells by its promise.
      if (error instanceof DOMException && error.name === 'DataCloneError') {
        this.#relay(label, channel)
      } else {
        this.#end({ reason: `the worker took no channel: ${String(error)}`, isRefusal: false })
      }
    })
  }

  #relay(label: ChannelLabel, channel: RTCDataChannel): void {
    if (this.#isEnded) return
    this.#carrier = 'port'
    const { port1, port2 } = new MessageChannel()
    relayChannel(channel, port2)
    const handed = this.#options.services.attachPort(this.#linkId, label, port1)
    handed?.catch((error: unknown) => {
      this.#end({ reason: `the worker took no port: ${String(error)}`, isRefusal: false })
    })
  }

  async #startHandshake(): Promise<void> {
    const { services, onPage, isInitiator, self, other, room } = this.#options
    try {
      const hello = await services.hello()
      if (this.#isEnded) return
      const both = this.#peer.descriptions()
      const localFingerprint = fingerprintOf(both?.local ?? '')
      const remoteFingerprint = fingerprintOf(both?.remote ?? '')
      if (localFingerprint === null || remoteFingerprint === null) {
        this.#end({ reason: 'a description without exactly one fingerprint', isRefusal: true })
        return
      }
      this.#handshake = new Handshake({
        ...{ isInitiator, self, other, room, localFingerprint, remoteFingerprint, hello, onPage },
        build: services.build,
        sign: (bytes) => services.sign(bytes),
        admit: (peer) => services.admit(this.#linkId, peer),
        send: (message) => void this.#peer.send(message),
        onAdmitted: (peer) => {
          clearTimeout(this.#timer)
          this.#verified = peer
          this.#options.onAdmitted(peer)
        },
        onRenewal: (kind, generation) => this.#onRenewal(kind, generation),
        onRefused: (refusal) => this.#onRefused(refusal),
      })
      for (const message of this.#early.splice(0)) this.#handshake.receive(message)
    } catch (error) {
      this.#end({ reason: `handshake failed: ${String(error)}`, isRefusal: false })
    }
  }

  /** Both may ask at once: the same number is then the other's answer. */
  #onRenewal(kind: 'renew' | 'renewed', generation: number): void {
    if (this.#isEnded) return
    if (kind === 'renew' && generation > this.#generation && generation <= RENEWALS_MAX) {
      if (!this.#makeRenewed(generation)) return
      this.#handshake?.sendRenewal('renewed', generation)
      void this.#admitAgain()
    } else if (this.#isRenewing && generation === this.#generation) {
      void this.#admitAgain()
    }
  }

  #makeRenewed(generation: number): boolean {
    const oldLinkId = this.#linkId
    this.#generation = generation
    this.#linkId = `${this.#options.linkId}.${generation}`
    this.#options.onRelinked(oldLinkId)
    try {
      this.#handOver('quorum', RENEWED_ID + 2 * generation)
      this.#handOver('client', RENEWED_ID + 2 * generation + 1)
      return true
    } catch (error) {
      this.#end({ reason: `no new channels: ${String(error)}`, isRefusal: false })
      return false
    }
  }

  async #admitAgain(): Promise<void> {
    const linkId = this.#linkId
    const peer = this.#verified
    if (peer === null) return
    const refusal = await this.#options.services.admit(linkId, peer)
    if (this.#isEnded || linkId !== this.#linkId) return
    if (refusal !== null) {
      this.#end({ reason: refusal, isRefusal: true })
      return
    }
    this.#isRenewing = false
    this.#options.onAdmitted(peer)
  }

  #onData(bytes: Uint8Array): void {
    if (this.#handshake !== null) this.#handshake.receive(bytes)
    else if (this.#early.push(bytes) > 2) {
      this.#end({ reason: 'too much said before the handshake', isRefusal: true })
    }
  }

  /** Our refusal has to leave before the connection goes; theirs has come. */
  #onRefused(refusal: Refusal): void {
    const end = { reason: `${refusal.code}: ${refusal.message}`, isRefusal: true }
    this.#refusal = end
    clearTimeout(this.#timer)
    if (refusal.code === 'refused-by-peer') this.#end(end)
    else this.#timer = setTimeout(() => this.#end(end), REFUSAL_GRACE_MS)
  }
}
