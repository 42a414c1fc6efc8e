/**
 * A tab that is a client of a room and nothing else: no worker, no storage, no identity on disk.
 * Its key lives as long as the page, in memory; it is linked to voters only, and its clients move
 * from one voter to another when a link fails.
 */
import { generateKeys, incarnationOfKey, signWith } from '../adapters/indexeddb/identity.ts'
import type { KeyPair } from '../adapters/indexeddb/schema.ts'
import { openChannelLink } from '../adapters/webrtc/channel-link.ts'
import { ClientMux } from '../adapters/webrtc/client-mux.ts'
import type { Examination, ExamineOptions } from '../adapters/webrtc/doctor/doctor.ts'
import type { VerifiedPeer } from '../adapters/webrtc/handshake.ts'
import {
  parseIceSettings,
  type IcePolicy,
  type IceSettings,
} from '../adapters/webrtc/ice-settings.ts'
import { PeerMesh } from '../adapters/webrtc/peer-mesh.ts'
import { socketOpener } from '../adapters/websocket/signal-socket.ts'
import type { ClientTransport } from '../client/transport.ts'
import type { SignalingState } from '../ports/signaling.ts'
import { joinRoom } from '../signaling/client.ts'
import { BUILD } from './build-id.ts'
import type { SignalingClient } from '../signaling/client.ts'
import type { RoomLink } from '../signaling/room-link.ts'
import type { Explanation } from './explanation.ts'
import { HealthDesk } from './health-desk.ts'
import { KnownVoters } from './known-voters.ts'
import { MuxTransport } from './mux-transport.ts'
import type { ExplainOptions } from './tab-health.ts'

export interface ClientTabOptions {
  readonly link: RoomLink
  /** ws: or wss: address of the signaling server. */
  readonly signalUrl: string
  /** Shown to peers of another build. */
  readonly build?: string
  readonly iceServers?: readonly RTCIceServer[]
  readonly iceTransportPolicy?: IcePolicy
  readonly onStatus?: (status: ClientStatus) => void
  readonly onSignaling?: (state: SignalingState) => void
  readonly signal?: AbortSignal
}

/** What a machine's status says, as far as a client has it. */
export interface ClientStatus {
  /** `waiting`: no founding record was seen yet, so nobody is known to be a voter. */
  readonly phase: 'waiting' | 'client' | 'ended'
  /** One sentence a person can act on. */
  readonly text: string
  readonly size: number
  /** Voter ids in order, empty while waiting. */
  readonly voters: readonly number[]
  readonly creator: string | null
  readonly cluster: string | null
  /** Voters that a client can connect to now. */
  readonly reachable: readonly number[]
  /** Why voters do not link with this tab, in their words. */
  readonly refusals: readonly string[]
}

const NOT_A_VOTER = 'this tab is a client only: it is linked to voters only'

interface VoterLink {
  mux: ClientMux | null
  /** Verified. */
  incarnation: string | null
  peerId: string | null
}

export class ClientTab implements AsyncDisposable {
  readonly #options: ClientTabOptions
  readonly #signaling: SignalingClient
  readonly #keys: KeyPair
  readonly #voters: KnownVoters
  readonly #links = new Map<string, VoterLink>()
  readonly #settings: IceSettings
  readonly #mesh: PeerMesh
  readonly #health: HealthDesk
  #isEnded = false
  #isStatusDue = false
  readonly #onAwake = (): void => this.#signaling.retryNow()
  readonly #onPageHide = (): void => this.#farewell('page closed')

  private constructor(
    options: ClientTabOptions,
    settings: IceSettings,
    signaling: SignalingClient,
    keys: KeyPair,
  ) {
    this.#options = options
    this.#signaling = signaling
    this.#keys = keys
    this.#voters = new KnownVoters(options.link)
    this.#settings = settings
    signaling.onState = (state) => options.onSignaling?.(state)
    options.onSignaling?.(signaling.state)
    addEventListener('pagehide', this.#onPageHide)
    addEventListener('online', this.#onAwake)
    document.addEventListener('resume', this.#onAwake)
    this.#mesh = this.#openMesh()
    this.#health = new HealthDesk({
      ...{ mesh: this.#mesh, signaling, settings: this.#settings },
      build: options.build ?? BUILD,
      status: () => null,
      client: () => this.status,
      sidOf: (peer) => this.#sidOf(peer),
    })
    this.#changed()
  }

  /** Resolves before anybody is linked: `status` and `onStatus` tell. */
  static async open(options: ClientTabOptions): Promise<ClientTab> {
    const { link, signal, signalUrl, iceServers = [], iceTransportPolicy = 'all' } = options
    const settings = parseIceSettings({ iceServers, iceTransportPolicy })
    const keys = await generateKeys()
    const signaling = await joinRoom({
      url: signalUrl,
      room: link.room,
      secret: link.secret,
      openSocket: socketOpener((url) => new WebSocket(url)),
      ...(signal === undefined ? {} : { signal }),
    })
    const tab = new ClientTab(options, settings, signaling, keys)
    signal?.addEventListener('abort', () => tab.#farewell('aborted'), { once: true })
    return tab
  }

  get status(): ClientStatus {
    const voters = this.#voters
    const reachable = [...this.#reachable().keys()].sort((a, b) => a - b)
    const refusals = this.#isEnded ? [] : this.#refusals()
    return {
      phase: this.#isEnded ? 'ended' : voters.isKnown ? 'client' : 'waiting',
      text: this.#text(reachable, refusals),
      size: voters.size,
      voters: voters.sids,
      creator: voters.creator,
      cluster: voters.cluster,
      reachable,
      refusals,
    }
  }

  /** A way for clients to every voter that this tab reaches. */
  transport(): ClientTransport {
    return new MuxTransport(() => this.#reachable())
  }

  /** How this tab and its room are, and what to do: JSON-able, no secrets. */
  explain(options?: ExplainOptions): Promise<Explanation> {
    return this.#health.explain(options)
  }

  /** The connection doctor: which pair of pages cannot connect, and why. */
  examine(options?: ExamineOptions): Promise<Examination> {
    return this.#health.examine(options)
  }

  /** Synchronous inside: others see it in some tens of ms. */
  async close(): Promise<void> {
    this.#farewell('left')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #openMesh(): PeerMesh {
    const { publicKey, privateKey } = this.#keys
    const { build } = this.#options
    return new PeerMesh({
      signaling: this.#signaling,
      build: build ?? BUILD,
      part: () => 'guest',
      hello: async () => ({
        incarnation: incarnationOfKey(publicKey),
        publicKey,
        clusterId: this.#voters.cluster,
        foundingRecord: null,
        startChain: [],
        isClient: true,
      }),
      sign: (bytes) => signWith(privateKey, bytes),
      attachChannel: (linkId, label, channel) => {
        // Both sides make both channels; a client has nothing to say on the members' one.
        if (label === 'client') this.#link(linkId).mux = new ClientMux(openChannelLink(channel))
      },
      attachPort: () => {},
      admit: (linkId, peer) => this.#admit(linkId, peer),
      onAdmitted: () => this.#changed(),
      onLinkClosed: (linkId, _peerId, reason) => this.#onLinkClosed(linkId, reason),
      onPageMessage: (_linkId, bytes) => void this.#learn(bytes),
      onSuspect: () => {},
      onStatus: () => this.#changed(),
      onDoctor: (from, message) => this.#health.onDoctor(from, message),
      ...this.#settings,
    })
  }

  async #admit(linkId: string, peer: VerifiedPeer): Promise<string | null> {
    if (peer.foundingRecord !== null) await this.#learn(peer.foundingRecord)
    if (this.#isUnwanted(peer.incarnation)) return NOT_A_VOTER
    const link = this.#links.get(linkId)
    if (link === undefined) return 'its link is gone'
    link.incarnation = peer.incarnation
    link.peerId = peer.peerId
    return null
  }

  async #learn(envelope: Uint8Array): Promise<void> {
    if (!(await this.#voters.learn(envelope)) || this.#isEnded) return
    for (const [linkId, { incarnation }] of this.#links) {
      if (incarnation !== null && this.#isUnwanted(incarnation)) {
        this.#mesh.refuse(linkId, NOT_A_VOTER)
      }
    }
    this.#changed()
  }

  #isUnwanted(incarnation: string): boolean {
    return this.#voters.isKnown && this.#voters.sidOf(incarnation) === null
  }

  #onLinkClosed(linkId: string, reason: string): void {
    const link = this.#links.get(linkId)
    this.#links.delete(linkId)
    link?.mux?.close(reason)
    this.#changed()
  }

  #link(linkId: string): VoterLink {
    const link = this.#links.get(linkId) ?? { mux: null, incarnation: null, peerId: null }
    this.#links.set(linkId, link)
    return link
  }

  /** The newest link of each voter: after its reload the old one may still be dying. */
  #reachable(): Map<number, ClientMux> {
    const found = new Map<number, ClientMux>()
    for (const { mux, incarnation } of this.#links.values()) {
      const sid = incarnation === null ? null : this.#voters.sidOf(incarnation)
      if (sid !== null && mux !== null) found.set(sid, mux)
    }
    return found
  }

  #sidOf(peer: string): number | null {
    const link = [...this.#links.values()].find((one) => one.peerId === peer)
    return link?.incarnation ? this.#voters.sidOf(link.incarnation) : null
  }

  #refusals(): string[] {
    const said = this.#mesh.status().map(({ refusal }) => refusal)
    return [...new Set(said.filter((refusal) => refusal !== null))]
  }

  #text(reachable: readonly number[], refusals: readonly string[]): string {
    if (this.#isEnded) return 'this client has left the room'
    if (!this.#voters.isKnown) return 'a client only; waiting for a machine of this room'
    const names = `${reachable.length === 1 ? 'machine' : 'machines'} ${reachable.join(', ')}`
    if (reachable.length > 0) return `a client only, linked to ${names}`
    const why = refusals.length === 0 ? '' : `: ${refusals.join('; ')}`
    return `a client only; it reaches no machine of this room now${why}`
  }

  #changed(): void {
    if (this.#isStatusDue) return
    this.#isStatusDue = true
    queueMicrotask(() => {
      this.#isStatusDue = false
      this.#options.onStatus?.(this.status)
    })
  }

  #farewell(reason: string): void {
    if (this.#isEnded) return
    this.#isEnded = true
    removeEventListener('pagehide', this.#onPageHide)
    removeEventListener('online', this.#onAwake)
    document.removeEventListener('resume', this.#onAwake)
    this.#mesh.closeAllSync(reason)
    this.#signaling.close(reason)
    this.#links.clear()
    this.#changed()
  }
}
