/** A page with signaling, mesh and worker, driven by the test through `window.transport`. */

import { PeerMesh } from '../../../src/adapters/webrtc/peer-mesh.ts'
import type { HelloFields } from '../../../src/adapters/webrtc/hello.ts'
import type { PeerStatus } from '../../../src/adapters/webrtc/remote-peer.ts'
import {
  openBrowserSocket,
  signalUrlOfPage,
} from '../../../src/adapters/websocket/signal-socket.ts'
import { decodeUtf8, encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { joinRoom, type SignalingClient } from '../../../src/signaling/client.ts'
import { parseRoomLink } from '../../../src/signaling/room-link.ts'
import type { FromWorker, ToWorker, WorkerRequest } from './transport.protocol.ts'

export interface StartOptions {
  readonly room: string
  readonly secret: string
  readonly signalUrl?: string
  /** Pretends that this browser cannot transfer data channels. */
  readonly relay?: boolean
  /** Signs with another key than the one it names. */
  readonly forge?: boolean
  readonly refuseAll?: boolean
  /** Ends the worker's connections on pagehide, as every page of ours does. */
  readonly farewell?: boolean
}

export interface Admitted {
  readonly linkId: string
  readonly peerId: string
  readonly incarnation: string
}

class TransportPage {
  readonly #worker: Worker = new Worker(new URL('./transport.worker.ts', import.meta.url), {
    type: 'module',
  })
  readonly #calls = new Map<number, { resolve(v: unknown): void; reject(e: Error): void }>()
  #nextCall = 1
  #mesh: PeerMesh | null = null
  #signaling: SignalingClient | null = null
  readonly admitted: Admitted[] = []
  readonly closed: { linkId: string; reason: string; atMs: number }[] = []
  readonly suspects: string[] = []
  readonly refused: string[] = []
  readonly pageTexts: string[] = []
  arrivals: string[] = []

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      const call = this.#calls.get(data.id)
      this.#calls.delete(data.id)
      if ('error' in data) call?.reject(new Error(data.error))
      else call?.resolve(data.value)
    }
  }

  async start(options: StartOptions): Promise<string> {
    const identity = (await this.ask({ kind: 'identity' })) as HelloFields
    const signaling = await joinRoom({
      url: options.signalUrl ?? signalUrlOfPage(location.href, '/signal'),
      room: options.room,
      secret: options.secret,
      openSocket: openBrowserSocket,
      onRefused: (_from, reason) => this.refused.push(reason),
    })
    this.#signaling = signaling
    this.#mesh = new PeerMesh({
      signaling,
      build: 'test',
      hello: async () => ({
        ...identity,
        clusterId: null,
        foundingRecord: null,
        startChain: ['first'],
      }),
      sign: async (bytes) => {
        const signature = (await this.ask({ kind: 'sign', bytes })) as Uint8Array
        if (options.forge === true) signature[5] = (signature[5] ?? 0) ^ 1
        return signature
      },
      attachChannel: (link, label, channel) => {
        if (options.relay === true) throw new DOMException('cannot move', 'DataCloneError')
        this.#post({ kind: 'channel', link, label, source: channel }, [channel])
      },
      attachPort: (link, label, port) => {
        this.#post({ kind: 'channel', link, label, source: port }, [port])
      },
      admit: async () => (options.refuseAll === true ? 'nobody is wanted here' : null),
      onAdmitted: (linkId, peer) => {
        const { peerId, incarnation } = peer
        this.admitted.push({ linkId, peerId, incarnation })
      },
      onLinkClosed: (linkId, _peer, reason) => {
        this.closed.push({ linkId, reason, atMs: performance.timeOrigin + performance.now() })
      },
      onPageMessage: (_link, message) => this.pageTexts.push(decodeUtf8(message)),
      onSuspect: (peer) => this.suspects.push(peer),
      onArrivals: (peers) => {
        this.arrivals = peers.map((one) => one.peer)
      },
    })
    if (options.farewell !== false) {
      addEventListener('pagehide', () => this.#mesh?.closeAllSync('page left'))
    }
    return signaling.peer
  }

  status(): PeerStatus[] {
    return this.#mesh?.status() ?? []
  }

  signalState(): string {
    return this.#signaling?.state.kind ?? 'none'
  }

  replace(linkId: string): void {
    this.#mesh?.replace(linkId, 'replaced by the test')
  }

  sendPage(linkId: string, text: string): boolean {
    return this.#mesh?.sendPage(linkId, encodeUtf8(text)) === true
  }

  parseLink(href: string): unknown {
    return parseRoomLink(href)
  }

  ask(request: WorkerRequest): Promise<unknown> {
    const id = this.#nextCall++
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject })
      this.#post({ kind: 'request', id, request }, [])
    })
  }

  #post(message: ToWorker, transfer: Transferable[]): void {
    this.#worker.postMessage(message, transfer)
  }
}

declare global {
  var transport: TransportPage
}

globalThis.transport = new TransportPage()
