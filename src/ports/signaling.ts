/**
 * How pages of one room find each other before they are linked.
 *
 * - `send` is best effort: a message may be lost, never altered, read or replayed by the broker
 *   (sealed end to end), and messages of one sender arrive in order. Whoever needs an answer asks
 *   again.
 * - The broker only introduces (design §4). When it is away, `state` says so and links live on;
 *   when it returns empty, `onPeers` brings the new list.
 * - Handlers run one at a time. Messages that come before `onMessage` is assigned are kept, within
 *   a bound, and delivered in order when it is: others offer as soon as they see this page, which
 *   may still be starting its worker. Of the rest, `peers` and `state` tell what was missed.
 */

/** Hex of 16 bytes, fresh in each page life. */
export type PeerId = string

export interface RoomPeer {
  readonly peer: PeerId
  /** Order of arrival as this broker saw it: the lowest is the first candidate. */
  readonly order: number
}

export type SignalingState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'joined' }
  /** Not connected; tries again after `retryInMs`. `reason` is for people. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly retryInMs: number }
  | { readonly kind: 'closed'; readonly reason: string }

/** `dropped` is a crash hint (design §4): the socket ended without a farewell. */
export type GoneReason = 'left' | 'dropped'

export interface Signaling {
  readonly peer: PeerId
  readonly room: string
  readonly state: SignalingState
  /** Everybody in the room, this page included, as the broker last told. */
  readonly peers: readonly RoomPeer[]
  send(to: PeerId, message: Uint8Array): void
  /** `isFirst`: the first list since this page (re)joined, so news of everybody. */
  onPeers: (peers: readonly RoomPeer[], isFirst: boolean) => void
  onGone: (peer: PeerId, reason: GoneReason) => void
  onMessage: (from: PeerId, message: Uint8Array) => void
  onState: (state: SignalingState) => void
  /** Tries to connect now instead of after the back-off (the network came back). */
  retryNow(): void
  close(reason: string): void
}

/** What is used of a WebSocket. `send` never throws: what cannot leave is lost. */
export interface SignalSocket {
  send(text: string): void
  /** No event comes afterwards. */
  close(code?: number, reason?: string): void
  readonly bufferedBytes: number
}

export interface SignalSocketEvents {
  onOpen(): void
  /** `data` is untrusted; a string when the peer keeps to the protocol. */
  onData(data: unknown): void
  /** Once; the last event. */
  onClose(code: number): void
}

/** Throws when the address is none. */
export type OpenSocket = (url: string, events: SignalSocketEvents) => SignalSocket
