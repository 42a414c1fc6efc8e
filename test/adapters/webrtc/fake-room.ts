/** A broker and a network in memory: pages with a real mesh on fake connections. */

import { PeerMesh, type PeerMeshOptions } from '../../../src/adapters/webrtc/peer-mesh.ts'
import { decodeMeshSignal } from '../../../src/adapters/webrtc/mesh-signal.ts'
import type {
  OpenRtcPeer,
  RtcPeer,
  RtcPeerEvents,
  RtcSignal,
} from '../../../src/adapters/webrtc/rtc-peer.ts'
import { toHex } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/sha256.ts'
import { decodeUtf8 } from '../../../src/core/base/utf8.ts'
import type {
  GoneReason,
  PeerId,
  RoomPeer,
  Signaling,
  SignalingState,
} from '../../../src/ports/signaling.ts'
import { FakeChannel } from './fake-channel.ts'

class FakeSignaling implements Signaling {
  readonly peer: PeerId
  readonly room: string = 'a'.repeat(64)
  state: SignalingState = { kind: 'connecting' }
  peers: readonly RoomPeer[] = []
  onPeers: Signaling['onPeers'] = () => {}
  onGone: Signaling['onGone'] = () => {}
  onMessage: Signaling['onMessage'] = () => {}
  onState: Signaling['onState'] = () => {}
  readonly #room: FakeRoom

  constructor(room: FakeRoom, peer: PeerId) {
    this.#room = room
    this.peer = peer
  }

  send(to: PeerId, message: Uint8Array): void {
    this.#room.relay(this, to, message.slice())
  }

  retryNow(): void {}
  close(): void {}
}

export interface FakePage {
  readonly name: string
  readonly peer: PeerId
  readonly signaling: FakeSignaling
  readonly mesh: PeerMesh
  /** What the mesh told: `up LINK PEER`, `down LINK REASON`, `page …`, `suspect …`. */
  readonly told: string[]
  readonly channels: { link: string; label: string; channel: FakeChannel }[]
  readonly ports: string[]
}

export class FakeRoom {
  readonly #pages: Map<PeerId, FakePage> = new Map()
  readonly #rtc: Map<string, FakePeer> = new Map()
  #nextRtc = 1
  isBrokerUp = true
  /** Relayed signals, one line each: `FROM>TO kind attempt`. */
  readonly signals: string[] = []
  /** A signal for which it returns false is lost. */
  filter: (line: string) => boolean = () => true
  /** Connections come about and carry; else they hang. */
  isNetworkUp = true
  openFailure: Error | null = null

  async page(name: string, changes: Partial<PeerMeshOptions> = {}): Promise<FakePage> {
    const peer = name.charCodeAt(0).toString(16).padStart(2, '0').repeat(16)
    const signaling = new FakeSignaling(this, peer)
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
    const keys = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])
    const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', keys.publicKey))
    const told: string[] = []
    const channels: FakePage['channels'] = []
    const ports: string[] = []
    const mesh = new PeerMesh({
      signaling,
      build: 'test',
      hello: async () => ({
        publicKey,
        incarnation: toHex(sha256(publicKey)).slice(0, 32),
        clusterId: null,
        foundingRecord: null,
        startChain: [],
      }),
      sign: async (bytes) =>
        new Uint8Array(
          await crypto.subtle.sign(
            { name: 'ECDSA', hash: 'SHA-256' },
            keys.privateKey,
            new Uint8Array(bytes),
          ),
        ),
      attachChannel: (link, label, channel) => {
        channels.push({ link, label, channel: channel as unknown as FakeChannel })
      },
      attachPort: (link, label) => void ports.push(`${link} ${label}`),
      admit: async () => null,
      onAdmitted: (link, other) => told.push(`up ${link} ${this.nameOf(other.peerId)}`),
      onLinkClosed: (link, _peer, reason) => told.push(`down ${link} ${reason}`),
      onPageMessage: (_link, message) => told.push(`page ${decodeUtf8(message)}`),
      onSuspect: (suspect) => told.push(`suspect ${this.nameOf(suspect)}`),
      openPeer: this.#openPeer,
      random: () => 0.5,
      ...changes,
    })
    const page = { name, peer, signaling, mesh, told, channels, ports }
    this.#pages.set(peer, page)
    this.list(true, page)
    return page
  }

  nameOf(peer: PeerId): string {
    return this.#pages.get(peer)?.name ?? 'nobody'
  }

  /** The broker comes back empty and everybody joins anew. */
  restart(): void {
    this.isBrokerUp = true
    this.list(true)
  }

  stop(): void {
    this.isBrokerUp = false
    for (const { signaling } of this.#pages.values()) {
      signaling.state = { kind: 'waiting', reason: 'stopped', retryInMs: 1 }
    }
  }

  leave(page: FakePage, reason: GoneReason): void {
    this.#pages.delete(page.peer)
    for (const { signaling } of this.#pages.values()) {
      signaling.peers = signaling.peers.filter((one) => one.peer !== page.peer)
      signaling.onGone(page.peer, reason)
    }
  }

  /** Tells everybody who is there; news of everybody to `joining`, or to all. */
  list(isFirst: boolean, joining?: FakePage): void {
    if (!this.isBrokerUp) return
    const peers = [...this.#pages.keys()].map((peer, index) => ({ peer, order: index + 1 }))
    for (const page of this.#pages.values()) {
      page.signaling.state = { kind: 'joined' }
      page.signaling.peers = peers
      page.signaling.onPeers(peers, isFirst && (joining === undefined || joining === page))
    }
  }

  relay(from: FakeSignaling, to: PeerId, message: Uint8Array): void {
    const signal = decodeMeshSignal(message)
    const kind = signal?.kind === 'rtc' ? signal.signal.type : String(signal?.kind)
    const line = `${this.nameOf(from.peer)}>${this.nameOf(to)} ${kind} ${String(signal?.attempt)}`
    this.signals.push(line)
    if (!this.isBrokerUp || !this.#pages.has(from.peer) || !this.filter(line)) return
    setTimeout(() => {
      if (this.isBrokerUp) this.#pages.get(to)?.signaling.onMessage(from.peer, message)
    }, 1)
  }

  /** Live connections: both ends know each other. */
  get connections(): number {
    return [...this.#rtc.values()].filter((one) => one.other !== null).length / 2
  }

  /** Connections that were ever made, each at one end. */
  get opened(): number {
    return this.#rtc.size
  }

  /** Connections that exist in a browser, connected or not. */
  get openPeers(): number {
    return [...this.#rtc.values()].filter((one) => !one.isDestroyed).length
  }

  /** As ICE finds it out: 'failed' at both ends of every connection. */
  failAll(): void {
    for (const one of [...this.#rtc.values()]) one.fail('Connection failed.')
  }

  readonly #openPeer: OpenRtcPeer = (options, events) => {
    if (this.openFailure !== null) throw this.openFailure
    const id = String(this.#nextRtc++)
    const peer = new FakePeer(
      id,
      events,
      (other) => this.#rtc.get(other) ?? null,
      () => {
        return this.isNetworkUp
      },
    )
    this.#rtc.set(id, peer)
    if (options.isInitiator) peer.describe('offer')
    return peer
  }
}

class FakePeer implements RtcPeer {
  readonly ice = null
  readonly id: string
  other: FakePeer | null = null
  isDestroyed = false
  #remote: string | null = null
  readonly #events: RtcPeerEvents
  readonly #find: (id: string) => FakePeer | null
  readonly #isNetworkUp: () => boolean

  constructor(
    id: string,
    events: RtcPeerEvents,
    find: (id: string) => FakePeer | null,
    isNetworkUp: () => boolean,
  ) {
    this.id = id
    this.#events = events
    this.#find = find
    this.#isNetworkUp = isNetworkUp
  }

  get #sdp(): string {
    const print = toHex(sha256(Uint8Array.of(...this.id.split('').map(Number))))
    return `fake ${this.id}\r\na=fingerprint:sha-256 ${print.replace(/..(?!$)/g, '$&:')}\r\n`
  }

  describe(type: 'offer' | 'answer'): void {
    setTimeout(() => {
      if (this.isDestroyed) return
      this.#events.onSignal({ type, sdp: this.#sdp })
      this.#events.onSignal({ type: 'candidate', candidate: { candidate: 'c', sdpMid: '0' } })
    }, 1)
  }

  signal(signal: RtcSignal): void {
    if (signal.type === 'candidate') return
    this.#remote = signal.sdp ?? ''
    if (signal.type === 'offer') {
      this.describe('answer')
      return
    }
    const other = this.#find(/^fake (\d+)/.exec(this.#remote)?.[1] ?? '')
    if (other === null || other.isDestroyed || !this.#isNetworkUp()) return
    this.other = other
    other.other = this
    for (const one of [this, other]) setTimeout(() => one.connect(), 1)
  }

  connect(): void {
    if (!this.isDestroyed) this.#events.onConnect()
  }

  send(bytes: Uint8Array): boolean {
    const { other } = this
    if (this.isDestroyed || other === null || !this.#isNetworkUp()) return false
    setTimeout(() => {
      if (!other.isDestroyed) other.#events.onData(bytes.slice())
    }, 1)
    return true
  }

  createDataChannel(): RTCDataChannel {
    return new FakeChannel().rtc
  }

  descriptions(): { local: string; remote: string } | null {
    return this.#remote === null ? null : { local: this.#sdp, remote: this.#remote }
  }

  destroy(): void {
    if (this.isDestroyed) return
    this.isDestroyed = true
    const { other } = this
    this.other = null
    if (other !== null && this.#isNetworkUp()) setTimeout(() => other.fail('Close called'), 1)
  }

  fail(reason: string): void {
    if (this.isDestroyed) return
    this.isDestroyed = true
    this.other = null
    this.#events.onClose(reason)
  }
}
