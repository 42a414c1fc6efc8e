/** The one place that touches simple-peer: one connection attempt, with events that come once. */

import SimplePeer from 'simple-peer'
import { IceWatch } from './doctor/ice-watch.ts'
import type { IcePolicy } from './ice-settings.ts'

/** A description or a candidate, as simple-peer makes and takes them. */
export interface RtcSignal {
  readonly type: 'offer' | 'answer' | 'candidate'
  readonly sdp?: string
  readonly candidate?: RTCIceCandidateInit
}

export interface RtcPeerEvents {
  onSignal(signal: RtcSignal): void
  /** simple-peer's own channel is open: `send` may be used. */
  onConnect(): void
  onData(bytes: Uint8Array): void
  /** Once; the last event. Not after our own `destroy`. */
  onClose(reason: string): void
}

export interface RtcPeer {
  /** What ICE did so far; also after the end. null where nobody watches. */
  readonly ice: IceWatch | null
  signal(signal: RtcSignal): void
  /** false when it could not be sent: the connection is ending. */
  send(bytes: Uint8Array): boolean
  createDataChannel(label: string, id: number): RTCDataChannel
  /** null until the descriptions are set. */
  descriptions(): { readonly local: string; readonly remote: string } | null
  /** Synchronous, for pagehide: when it returns, the other side is being told. */
  destroy(): void
}

export interface RtcPeerOptions {
  readonly isInitiator: boolean
  readonly iceServers: readonly RTCIceServer[]
  /** Default `all`. */
  readonly iceTransportPolicy?: IcePolicy
}

export type OpenRtcPeer = (options: RtcPeerOptions, events: RtcPeerEvents) => RtcPeer

/** WebRTC of a runtime that has none of its own: three classes as browsers have them. */
export interface WebRtc {
  readonly RTCPeerConnection: typeof RTCPeerConnection
  readonly RTCSessionDescription: typeof RTCSessionDescription
  readonly RTCIceCandidate: typeof RTCIceCandidate
}

/** Throws when the browser has no WebRTC or refuses another connection. */
export const openRtcPeer: OpenRtcPeer = (options, events) => new WrappedPeer(options, events)

/** The same where there is no browser. */
export function rtcPeerOpener(webRtc: WebRtc): OpenRtcPeer {
  return (options, events) => new WrappedPeer(options, events, webRtc)
}

class WrappedPeer implements RtcPeer {
  readonly ice: IceWatch
  readonly #peer: SimplePeer.Instance
  readonly #connection: RTCPeerConnection
  #isClosed = false
  #error: string | null = null

  constructor(options: RtcPeerOptions, events: RtcPeerEvents, webRtc?: WebRtc) {
    const { isInitiator, iceServers, iceTransportPolicy = 'all' } = options
    // Given explicitly: the library's default servers belong to others.
    const config = { iceServers: [...iceServers], iceTransportPolicy }
    const own = webRtc === undefined ? {} : { wrtc: webRtc }
    this.#peer = new SimplePeer({ initiator: isInitiator, config, ...own })
    const connection = (this.#peer as unknown as { readonly _pc?: RTCPeerConnection | null })._pc
    // A remote end comes as 'error' and then 'close': the error is the reason, the close the event.
    this.#peer.on('error', (error: Error) => {
      this.#error ??= error.message
    })
    if (connection === undefined || connection === null) {
      throw new Error('this browser refuses another WebRTC connection')
    }
    this.#connection = connection
    this.ice = new IceWatch(connection)
    this.#peer.on('signal', (signal: SimplePeer.SignalData) => {
      if (this.#isClosed) return
      const { type } = signal
      if (type === 'offer' || type === 'answer' || type === 'candidate') {
        events.onSignal(signal as RtcSignal)
      }
    })
    this.#peer.on('connect', () => {
      if (!this.#isClosed) events.onConnect()
    })
    this.#peer.on('data', ({ buffer, byteOffset, byteLength }: Uint8Array) => {
      // A Buffer, whose `slice` makes views where everybody else expects copies.
      if (!this.#isClosed) events.onData(new Uint8Array(buffer, byteOffset, byteLength))
    })
    this.#peer.on('close', () => {
      if (this.#isClosed) return
      this.#isClosed = true
      this.ice.end()
      events.onClose(this.#error ?? 'connection closed')
    })
  }

  signal(signal: RtcSignal): void {
    if (this.#isClosed) return
    if (signal.candidate?.candidate !== undefined) this.ice.sawRemote(signal.candidate.candidate)
    this.#peer.signal(signal as SimplePeer.SignalData)
  }

  send(bytes: Uint8Array): boolean {
    if (this.#isClosed) return false
    try {
      this.#peer.send(bytes)
      return true
    } catch {
      return false
    }
  }

  createDataChannel(label: string, id: number): RTCDataChannel {
    return this.#connection.createDataChannel(label, { negotiated: true, id, ordered: true })
  }

  descriptions(): { readonly local: string; readonly remote: string } | null {
    const local = this.#connection.localDescription?.sdp
    const remote = this.#connection.remoteDescription?.sdp
    return local === undefined || remote === undefined ? null : { local, remote }
  }

  destroy(): void {
    this.#isClosed = true
    this.ice.end()
    // simple-peer closes in a microtask; a page that is being left may have none.
    this.#connection.close()
    this.#peer.destroy()
  }
}
