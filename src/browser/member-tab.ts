/**
 * One machine of a room in this tab: starts the worker, keeps the connections that only a page may
 * have, and hands their channels to the worker. A face: it wires adapters, it decides nothing.
 */
import * as Comlink from 'comlink'
import type { MemberApi, StartResult, WorkerStatus } from '../../worker/protocol.ts'
import type { Examination, ExamineOptions } from '../adapters/webrtc/doctor/doctor.ts'
import {
  parseIceSettings,
  type IcePolicy,
  type IceSettings,
} from '../adapters/webrtc/ice-settings.ts'
import { partOf, type PagePart } from '../adapters/webrtc/mesh-signal.ts'
import { PeerMesh } from '../adapters/webrtc/peer-mesh.ts'
import type { PeerStatus } from '../adapters/webrtc/remote-peer.ts'
import { socketOpener } from '../adapters/websocket/signal-socket.ts'
import { PortTransport } from '../client/port-transport.ts'
import type { ClientTransport } from '../client/transport.ts'
import type { CopyFacts } from '../core/server/ensemble-copy.ts'
import type { TraceEvent } from '../core/zab/effect.ts'
import type { SignalingState } from '../ports/signaling.ts'
import { joinRoom } from '../signaling/client.ts'
import type { SignalingClient } from '../signaling/client.ts'
import { deriveRoomKeys } from '../signaling/envelope.ts'
import { createSecret, type RoomLink } from '../signaling/room-link.ts'
import { abortable } from './abortable.ts'
import { BUILD } from './build-id.ts'
import type { Explanation } from './explanation.ts'
import { HealthDesk } from './health-desk.ts'
import type { ExplainOptions } from './tab-health.ts'

export interface MemberTabOptions {
  readonly link: RoomLink
  /** ws: or wss: address of the signaling server. */
  readonly signalUrl: string
  /** Makes the worker of worker/member.worker.ts; a bundler must see this expression. */
  readonly createWorker: () => Worker
  /** Identity of this tab before a reload; from history.state, never from sessionStorage. */
  readonly previousIncarnation?: string | null
  readonly readOnlyMode?: boolean
  /** Shown to peers of another build. */
  readonly build?: string
  /** STUN and TURN servers; `open` rejects with an IceSettingsError when they are none. */
  readonly iceServers?: readonly RTCIceServer[]
  /** `relay`: by TURN servers only. Default `all`. */
  readonly iceTransportPolicy?: IcePolicy
  readonly onStatus?: (status: WorkerStatus) => void
  /** `atMs`: when it happened in the worker, since 1970. */
  readonly onTrace?: (event: TraceEvent, atMs: number) => void
  readonly onSignaling?: (state: SignalingState) => void
  /** The worker died or failed to start; the tab is no machine any more. Called once. */
  readonly onFailed?: (reason: string) => void
  readonly signal?: AbortSignal
}

/**
 * How long clients wait for this tab's member to serve (again) before they go to another machine:
 * an election with its synchronisation fits in, a person does not mind.
 */
const LOCAL_PATIENCE_MS = 3_000

/** How long a clean close waits for the worker before ending it. */
const STOP_LIMIT_MS = 1_000

export class MemberTab implements AsyncDisposable {
  readonly #options: MemberTabOptions
  readonly #worker: Worker
  readonly #api: Comlink.Remote<MemberApi>
  readonly #signaling: SignalingClient
  readonly #settings: IceSettings
  #mesh: PeerMesh | null = null
  #health: HealthDesk | null = null
  #status: WorkerStatus | null = null
  #refusals: readonly string[] = []
  #otherBuilds: readonly string[] = []
  /** When the own member was last seen serving, or first seen at all. */
  #lastServedMs: number | null = null
  #incarnation = ''
  #isEnded = false
  /** The worker is gone: whatever was asked of it is never answered. */
  readonly #broken = new AbortController()
  /** The network or the page came back: the broker is asked at once, not after its back-off. */
  readonly #onAwake = (): void => this.#signaling.retryNow()
  readonly #onPageHide = (): void => this.#farewell('page closed')

  private constructor(
    options: MemberTabOptions,
    settings: IceSettings,
    signaling: SignalingClient,
  ) {
    this.#options = options
    this.#settings = settings
    this.#signaling = signaling
    this.#worker = options.createWorker()
    this.#api = Comlink.wrap<MemberApi>(this.#worker)
    this.#worker.addEventListener('error', (event) => {
      event.preventDefault()
      this.#fail(`the machine's worker failed: ${event.message}`)
    })
    this.#worker.addEventListener('messageerror', () => {
      this.#fail("the machine's worker sent something unreadable")
    })
  }

  static async open(options: MemberTabOptions): Promise<MemberTab> {
    const { link, signal, iceServers = [], iceTransportPolicy = 'all' } = options
    const settings = parseIceSettings({ iceServers, iceTransportPolicy })
    const signaling = await joinRoom({
      url: options.signalUrl,
      room: link.room,
      secret: link.secret,
      openSocket: socketOpener((url) => new WebSocket(url)),
      ...(signal === undefined ? {} : { signal }),
    })
    const tab = new MemberTab(options, settings, signaling)
    try {
      await abortable(tab.#start(), tab.#broken.signal, signal)
    } catch (error) {
      tab.#giveUp('this machine did not start')
      throw error
    }
    signal?.addEventListener('abort', () => void tab.close(), { once: true })
    return tab
  }

  get status(): WorkerStatus | null {
    return this.#status
  }

  /** Put this into history.state: a reload finds its identity by it. */
  get incarnation(): string {
    return this.#incarnation
  }

  /** How this tab and its room are, why nothing commits, and what to do: JSON-able, no secrets. */
  async explain(options?: ExplainOptions): Promise<Explanation> {
    return this.#started().explain(options)
  }

  /** The connection doctor: every page tries its links; says which pair cannot connect and why. */
  async examine(options?: ExamineOptions): Promise<Examination> {
    return this.#started().examine(options)
  }

  /** A way for clients: this tab's member first, then the other ones. */
  transport(): ClientTransport {
    return new PortTransport({
      members: () => this.#reachable(),
      openPort: async (target) => {
        const { port1, port2 } = new MessageChannel()
        await this.#api.connectClient(Comlink.transfer(port2, [port2]), target)
        return port1
      },
    })
  }

  /**
   * What this machine heard and asked for, as a file for `npm run replay`; null: no member ran here
   * yet. Unless `payloads`, what applications stored is masked; secrets always are.
   */
  async flightRecording(options: { readonly payloads?: boolean } = {}): Promise<Blob | null> {
    if (this.#isEnded) return null
    const bytes = await this.#api.flightRecording(options.payloads ?? false)
    return bytes === null ? null : new Blob([bytes.slice()], { type: 'application/gzip' })
  }

  /**
   * What a new ensemble from this machine's copy would have, and leave behind; null while no member
   * runs here. Show it before `startNewEnsemble`.
   */
  copyFacts(): Promise<CopyFacts | null> {
    return this.#api.copyFacts()
  }

  /**
   * For a lost majority: the link of a new ensemble that begins with what this machine has. Its
   * founder is a new identity of this browser, so open it here first. This room and its machines
   * stay as they are, and whatever the others acknowledged that this copy has not seen is missing.
   */
  async startNewEnsemble(): Promise<RoomLink> {
    const { room, size } = this.#options.link
    const secret = createSecret()
    const { roomId } = await deriveRoomKeys(room, secret)
    const { creator } = await this.#api.makeFounder(roomId)
    return { room, size, secret, creator, cluster: null }
  }

  /** End without a word to anybody, as a power cut would: for demos and failure tests. */
  crash(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#stopListening()
    // The connections stay open and mute, as those of a crashed tab do (browser-facts §3).
    this.#worker.terminate()
    this.#signaling.close('crashed')
  }

  async close(): Promise<void> {
    if (this.#isEnded) return
    this.#farewell('left')
    await Promise.race([this.#api.stop(), new Promise((done) => setTimeout(done, STOP_LIMIT_MS))])
    this.#worker.terminate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #start(): Promise<void> {
    const { link, onSignaling, previousIncarnation } = this.#options
    this.#signaling.onState = (state) => onSignaling?.(state)
    onSignaling?.(this.#signaling.state)
    const subscribed = this.#api.subscribe(
      Comlink.proxy({
        onStatus: (status: WorkerStatus) => this.#onStatus(status),
        onTrace: (event: TraceEvent, atMs: number) => this.#options.onTrace?.(event, atMs),
        onReplaceLink: (linkId: string, reason: string) => this.#mesh?.replace(linkId, reason),
        onRefuseLink: (linkId: string, reason: string) => this.#mesh?.refuse(linkId, reason),
        onPageMessage: (linkId: string, bytes: Uint8Array) => {
          this.#mesh?.sendPage(linkId, bytes)
        },
      }),
    )
    const starting = this.#api.start({
      room: link.room,
      roomId: this.#signaling.room,
      size: link.size,
      creator: link.creator,
      cluster: link.cluster,
      previousIncarnation: previousIncarnation ?? null,
      readOnlyMode: this.#options.readOnlyMode ?? false,
      peerId: this.#signaling.peer,
    })
    addEventListener('pagehide', this.#onPageHide)
    addEventListener('online', this.#onAwake)
    document.addEventListener('resume', this.#onAwake)
    // Connections take as long as opening the storage, so both go on at the same time.
    const mesh = this.#openMesh(starting)
    this.#mesh = mesh
    this.#health = new HealthDesk({
      mesh,
      signaling: this.#signaling,
      settings: this.#settings,
      build: this.#build,
      status: () => this.#status,
    })
    const [started] = await Promise.all([starting, subscribed])
    this.#incarnation = started.incarnation
  }

  #openMesh(starting: Promise<StartResult>): PeerMesh {
    const api = this.#api
    return new PeerMesh({
      signaling: this.#signaling,
      build: this.#build,
      hello: async () => {
        // Nobody hears of a key before it is on disk (design §4).
        await starting
        return api.hello()
      },
      sign: (bytes) => api.sign(bytes),
      // Comlink posts within the call, so the channel moves in the task that made it (rule 4).
      attachChannel: (linkId, label, channel) =>
        api.attachChannel(linkId, label, Comlink.transfer(channel, [channel])),
      attachPort: (linkId, label, port) =>
        api.attachRelay(linkId, label, Comlink.transfer(port, [port])),
      admit: (linkId, peer) => api.admit(linkId, peer),
      onAdmitted: (linkId) => void api.opened(linkId),
      part: () => this.#part(),
      onStatus: (peers) => this.#onLinks(peers),
      onLinkClosed: (linkId, _peerId, reason) => void api.detach(linkId, reason),
      onPageMessage: (linkId, bytes) => void api.pageMessage(linkId, bytes),
      onSuspect: (peerId) => void api.suspect(peerId),
      onArrivals: (peers) => void api.arrivals(peers.map((one) => one.peer)),
      onDoctor: (from, message) => {
        // A crashed tab answers nothing.
        if (!this.#isEnded) this.#health?.onDoctor(from, message)
      },
      ...this.#settings,
    })
  }

  /** Said to other pages before they are linked: two guests need no link. */
  #part(): PagePart {
    const { sid = null, voters = [] } = this.#status ?? {}
    return partOf(sid, voters)
  }

  #reachable(): readonly (number | 'local')[] {
    const reachable = this.#status?.reachable ?? []
    const lastMs = this.#lastServedMs
    const isPatient = lastMs !== null && performance.now() - lastMs < LOCAL_PATIENCE_MS
    return isPatient && reachable.includes('local') ? ['local'] : reachable
  }

  #onStatus(status: WorkerStatus): void {
    const { member } = status
    if (member === null) this.#lastServedMs = null
    else if (member.serving || this.#lastServedMs === null) this.#lastServedMs = performance.now()
    const [refusals, otherBuilds] = [this.#refusals, this.#otherBuilds]
    this.#status = {
      ...status,
      ...(refusals.length === 0 ? {} : { refusals }),
      ...(otherBuilds.length === 0 ? {} : { otherBuilds }),
    }
    this.#health?.onStatus(status)
    this.#options.onStatus?.(this.#status)
  }

  get #build(): string {
    return this.#options.build ?? BUILD
  }

  /** Who refuses this tab, and what the others run, is seen by the page alone. */
  #onLinks(peers: readonly PeerStatus[]): void {
    const refusals = distinct(peers.map(({ refusal }) => refusal))
    const builds = distinct(peers.map(({ build }) => build))
    const otherBuilds = builds.filter((build) => build !== this.#build)
    const isNews = (a: readonly string[], b: readonly string[]): boolean => a.join() !== b.join()
    if (!isNews(refusals, this.#refusals) && !isNews(otherBuilds, this.#otherBuilds)) return
    this.#refusals = refusals
    this.#otherBuilds = otherBuilds
    if (this.#status !== null) this.#onStatus(this.#status)
  }

  #started(): HealthDesk {
    if (this.#health === null) throw new Error('this tab has not started')
    return this.#health
  }

  /** Synchronous, nothing awaited: peers see the close in some tens of ms (design §4). */
  #farewell(reason: string): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#stopListening()
    this.#mesh?.closeAllSync(reason)
    this.#signaling.close(reason)
  }

  #stopListening(): void {
    removeEventListener('pagehide', this.#onPageHide)
    removeEventListener('online', this.#onAwake)
    document.removeEventListener('resume', this.#onAwake)
  }

  /**
   * Peers see nothing of a dead worker, so the page ends its connections (browser-facts, rule 3).
   */
  #fail(reason: string): void {
    if (this.#isEnded) return
    this.#giveUp(reason)
    this.#broken.abort(new Error(reason))
    this.#options.onFailed?.(reason)
  }

  #giveUp(reason: string): void {
    this.#farewell(reason)
    this.#worker.terminate()
  }
}

function distinct(texts: readonly (string | null)[]): readonly string[] {
  return [...new Set(texts.filter((text) => text !== null))].sort()
}
