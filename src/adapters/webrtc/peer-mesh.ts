/**
 * Keeps one verified connection with every other page of the room, in the page.
 *
 * - Of a pair the larger peer id is the initiator: only it offers, so offers never cross (glare).
 *   It numbers the attempts. The other side asks, by a sealed message, for a new one.
 * - Whatever ends a connection, a fresh one is made; nobody waits for an old one to heal. The first
 *   retry after a good connection is immediate, later ones back off, and news of the peer (it is
 *   listed anew, it offers, it asks) starts at once.
 * - Two guests (observers, clients) are not linked. A guest waits to be asked by whoever has not
 *   said that it votes; a voter asks or offers to everybody at once, and a page that does not know
 *   yet who votes tries a few at a time. So a newcomer costs a full room few connections, not 60.
 * - The broker's list says who is wanted. While the broker is away, links live on and nothing new
 *   can be made: its return is news of everybody.
 *
 * Invariants: at most one connection per peer and `peersMax` in all; `onLinkClosed` fires exactly
 * once for each link id that was given to the worker; after `closeAllSync` nothing happens any
 * more.
 *
 * The owner of the mesh calls `closeAllSync` on pagehide, and when the worker ends or errors: a
 * channel that dies with its worker is silent for ever at the other side (browser-facts, rule 3).
 */

import type { GoneReason, PeerId, RoomPeer, Signaling } from '../../ports/signaling.ts'
import { isDoctorMessage } from './doctor/doctor-mark.ts'
import type { LinkFacts } from './doctor/link-facts.ts'
import type { PairStats } from './doctor/pair-stats.ts'
import type { VerifiedPeer } from './handshake.ts'
import type { IcePolicy } from './ice-settings.ts'
import { PEERS_MAX_DEFAULT, REMOTES_MAX } from './limits.ts'
import {
  decodeMeshSignal,
  encodeMeshSignal,
  type MeshSignal,
  type PagePart,
} from './mesh-signal.ts'
import type { PageServices } from './page-connection.ts'
import { RemotePeer, type PeerStatus, type RemoteContext } from './remote-peer.ts'
import { openRtcPeer, type OpenRtcPeer } from './rtc-peer.ts'
import { Turns } from './turns.ts'

export interface PeerMeshOptions extends PageServices {
  /** Joined or joining; the mesh takes its handlers but does not close it. */
  readonly signaling: Signaling
  /** A verified peer was let in: the link may be used. */
  readonly onAdmitted: (linkId: string, peer: VerifiedPeer) => void
  /** Its channels are dead or will be in milliseconds. Also for links that were never admitted. */
  readonly onLinkClosed: (linkId: string, peerId: PeerId, reason: string) => void
  readonly onPageMessage: (linkId: string, message: Uint8Array) => void
  /** The broker lost the peer's socket: a crash hint that decides nothing (design §4). */
  readonly onSuspect: (peerId: PeerId, linkId: string) => void
  /** Everybody in the room in order of arrival, this page included. */
  readonly onArrivals?: (peers: readonly RoomPeer[]) => void
  readonly onStatus?: (peers: readonly PeerStatus[]) => void
  /** Default none: on a loopback or in one network hosts find each other without a server. */
  readonly iceServers?: readonly RTCIceServer[]
  /** Default `all`; `relay` uses nothing but TURN servers. */
  readonly iceTransportPolicy?: IcePolicy
  /** What another page's connection doctor asks or answers, by link or by broker. */
  readonly onDoctor?: (from: PeerId, message: Uint8Array) => void
  readonly peersMax?: number
  /** What this page is; asked anew each time. Default undecided: linked with everybody. */
  readonly part?: () => PagePart
  readonly openPeer?: OpenRtcPeer
  /** For tests; in [0, 1). */
  readonly random?: () => number
}

export class PeerMesh {
  readonly #options: PeerMeshOptions
  readonly #signaling: Signaling
  readonly #remotes: Map<PeerId, RemotePeer> = new Map()
  readonly #turns: Turns
  readonly #context: RemoteContext
  #lastAttempt = 0
  #isClosed = false
  #isStatusDue = false

  constructor(options: PeerMeshOptions) {
    this.#options = options
    this.#signaling = options.signaling
    this.#turns = new Turns(() => this.#context.part() !== 'undecided')
    this.#context = this.#makeContext()
    const { signaling } = options
    signaling.onPeers = (peers, isFirst) => this.#onPeers(peers, isFirst)
    signaling.onGone = (peer, reason) => this.#onGone(peer, reason)
    signaling.onMessage = (from, message) => this.#onMessage(from, message)
    if (signaling.state.kind === 'joined') this.#onPeers(signaling.peers, true)
  }

  status(): PeerStatus[] {
    return [...this.#remotes.values()].map((remote) => remote.status)
  }

  facts(): LinkFacts[] {
    return [...this.#remotes.values()].map((remote) => remote.facts())
  }

  /** What carries the connection with this peer, as the browser's statistics say. */
  async stats(peer: PeerId): Promise<PairStats | null> {
    return this.#remotes.get(peer)?.stats() ?? null
  }

  /** Every listed peer without a connection is tried now instead of after its delay. */
  tryAll(): void {
    for (const remote of [...this.#remotes.values()]) remote.tryNow()
  }

  /** A doctor's message, by the link when there is one, else by the broker; best effort. */
  tell(peer: PeerId, message: Uint8Array): void {
    if (this.#isClosed || this.#remotes.get(peer)?.sendPage(message) === true) return
    this.#signaling.send(peer, message)
  }

  /** A suspected link: a fresh connection takes its place at once. Unknown ids are ignored. */
  replace(linkId: string, reason: string): void {
    this.#find(linkId)?.replace(reason)
  }

  /** The link is not wanted: it ends, the other side hears why, and none is made soon. */
  refuse(linkId: string, reason: string): void {
    this.#find(linkId)?.refuse(reason)
  }

  /** false when the link is not there (any more) or the message is too long. */
  sendPage(linkId: string, message: Uint8Array): boolean {
    return this.#find(linkId)?.sendPage(message) === true
  }

  /** For pagehide and for the worker's death: synchronous, nothing is awaited. */
  closeAllSync(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const remote of this.#remotes.values()) remote.stop(reason)
    this.#remotes.clear()
    this.#signaling.onPeers = () => {}
    this.#signaling.onGone = () => {}
    this.#signaling.onMessage = () => {}
  }

  #makeContext(): RemoteContext {
    const options = this.#options
    const peersMax = options.peersMax ?? PEERS_MAX_DEFAULT
    return {
      self: this.#signaling.peer,
      room: this.#signaling.room,
      iceServers: options.iceServers ?? [],
      iceTransportPolicy: options.iceTransportPolicy ?? 'all',
      services: options,
      openPeer: options.openPeer ?? openRtcPeer,
      random: options.random ?? Math.random,
      now: () => performance.now(),
      nextAttempt: () => ++this.#lastAttempt,
      part: () => options.part?.() ?? 'undecided',
      send: (to, signal) => this.#send(to, signal),
      canSignal: () => this.#signaling.state.kind === 'joined',
      hasPlace: () => this.#connectionCount() < peersMax,
      turns: this.#turns,
      onAdmitted: (linkId, peer) => options.onAdmitted(linkId, peer),
      onPage: (linkId, message) => this.#onPage(linkId, message),
      onLinkClosed: (linkId, peer, reason) => options.onLinkClosed(linkId, peer, reason),
      onChange: (remote) => this.#onChange(remote),
    }
  }

  #onPeers(peers: readonly RoomPeer[], isNews: boolean): void {
    const listed = new Set(peers.map((one) => one.peer))
    for (const remote of [...this.#remotes.values()]) {
      if (!listed.has(remote.peerId)) remote.onAbsent()
    }
    for (const { peer } of peers) {
      if (peer !== this.#signaling.peer) this.#remote(peer)?.onPresent(isNews)
    }
    this.#tellArrivals()
  }

  #onGone(peer: PeerId, reason: GoneReason): void {
    const remote = this.#remotes.get(peer)
    if (remote === undefined) return
    const linkId = remote.isConnected ? remote.linkId : null
    remote.onAbsent()
    if (linkId !== null && reason === 'dropped') this.#options.onSuspect(peer, linkId)
    this.#tellArrivals()
  }

  #tellArrivals(): void {
    const byOrder = [...this.#signaling.peers].sort((a, b) => a.order - b.order)
    this.#options.onArrivals?.(byOrder)
  }

  #onPage(linkId: string, message: Uint8Array): void {
    const from = this.#find(linkId)?.peerId
    if (!isDoctorMessage(message)) this.#options.onPageMessage(linkId, message)
    else if (from !== undefined) this.#options.onDoctor?.(from, message)
  }

  #onMessage(from: PeerId, message: Uint8Array): void {
    if (isDoctorMessage(message)) {
      if (!this.#isClosed) this.#options.onDoctor?.(from, message)
      return
    }
    const signal = decodeMeshSignal(message)
    if (signal !== null && !this.#isClosed) this.#remote(from)?.onSignal(signal)
  }

  #remote(peer: PeerId): RemotePeer | null {
    if (this.#isClosed || peer === this.#signaling.peer) return null
    const known = this.#remotes.get(peer)
    if (known !== undefined) return known
    if (this.#remotes.size >= REMOTES_MAX) return null
    const remote = new RemotePeer(peer, this.#context)
    this.#remotes.set(peer, remote)
    return remote
  }

  #find(linkId: string): RemotePeer | null {
    for (const remote of this.#remotes.values()) if (remote.linkId === linkId) return remote
    return null
  }

  #connectionCount(): number {
    let count = 0
    for (const remote of this.#remotes.values()) if (remote.linkId !== null) count++
    return count
  }

  #send(to: PeerId, signal: MeshSignal): void {
    if (this.#isClosed) return
    const part = this.#context.part()
    const said = part === 'undecided' ? signal : { ...signal, part }
    this.#signaling.send(to, encodeMeshSignal(said))
  }

  #onChange(remote: RemotePeer): void {
    if (remote.isIdle) this.#remotes.delete(remote.peerId)
    if (this.#options.onStatus === undefined || this.#isStatusDue) return
    // Several changes of one task are one status.
    this.#isStatusDue = true
    queueMicrotask(() => {
      this.#isStatusDue = false
      if (!this.#isClosed) this.#options.onStatus?.(this.status())
    })
  }
}
