/**
 * A page's connection to the broker: joins the room, seals and opens messages, and comes back by
 * itself, with the same peer id, for as long as the page lives. A broker that is away or returns
 * empty only delays: nothing is kept there that this client does not say again when it joins.
 */

import { Backoff } from '../core/base/backoff.ts'
import { Deque } from '../core/base/deque.ts'
import { fromBase64, toBase64, toHex } from '../core/base/bytes.ts'
import type {
  GoneReason,
  OpenSocket,
  PeerId,
  RoomPeer,
  Signaling,
  SignalingState,
  SignalSocket,
} from '../ports/signaling.ts'
import { deriveRoomKeys, Envelope, EnvelopeError, type RoomKeys } from './envelope.ts'
import { SIGNAL_LIMITS } from './limits.ts'
import {
  parseServerMessage,
  peerIdOf,
  SIGNAL_PROTOCOL_VERSION,
  type ClientMessage,
  type ServerMessage,
  type SignalErrorCode,
} from './protocol.ts'

/** First and longest delay between connects; the cap is what a restarted broker costs at most. */
const RECONNECT_FIRST_MS = 200
const RECONNECT_CAP_MS = 5_000
/** Connect and join must be through by then: several round trips to the other side of the world. */
const JOIN_TIMEOUT_MS = 8_000
/** A socket whose network went away says nothing for minutes: ask. */
const PING_INTERVAL_MS = 15_000
const PONG_TIMEOUT_MS = 8_000
/** Messages that wait for the cipher in each direction; far more than a burst of a full room. */
const PENDING_MAX = 2048
/** Messages kept before anybody listens: the offers and candidates of a full room, once. */
const INBOX_MAX = 1024
/** Unsent bytes in the socket beyond which messages are dropped: they would be stale on arrival. */
const SOCKET_BUFFER_MAX_BYTES: number = 1024 * 1024
const TOKEN_BYTES = 16
const FAREWELL = 1000

export interface SignalingOptions {
  /** ws: or wss: address of the broker, with its path. */
  readonly url: string
  readonly room: string
  readonly secret: string
  readonly openSocket: OpenSocket
  /** Closes the client. */
  readonly signal?: AbortSignal
  /** For tests; in [0, 1). */
  readonly random?: () => number
  /** Told what was refused (forged, replayed, malformed): a fact for people, nothing to act on. */
  readonly onRefused?: (from: PeerId, reason: string) => void
}

/** Errors after which a soon retry cannot go better. */
const LASTING: ReadonlySet<SignalErrorCode> = new Set([
  'version',
  'room-full',
  'rooms-full',
  'sockets-full',
  'too-fast',
])

/**
 * Rejects with EnvelopeError in an insecure context, else resolves at once, connected or not:
 * `state` tells.
 */
export async function joinRoom(options: SignalingOptions): Promise<SignalingClient> {
  options.signal?.throwIfAborted()
  const keys = await deriveRoomKeys(options.room, options.secret)
  options.signal?.throwIfAborted()
  return new SignalingClient(options, keys)
}

export class SignalingClient implements Signaling {
  readonly peer: PeerId
  readonly room: string
  onPeers: (peers: readonly RoomPeer[], isFirst: boolean) => void = () => {}
  onGone: (peer: PeerId, reason: GoneReason) => void = () => {}
  onState: (state: SignalingState) => void = () => {}

  readonly #options: SignalingOptions
  readonly #envelope: Envelope
  readonly #token: string
  readonly #backoff: Backoff
  #state: SignalingState = { kind: 'connecting' }
  #peers: readonly RoomPeer[] = []
  #socket: SignalSocket | null = null
  /** The one timer of the present state: join deadline, next ping, pong deadline or next try. */
  #timer: ReturnType<typeof setTimeout> | undefined
  #refusal: { readonly code: SignalErrorCode; readonly message: string } | null = null
  /** Web Crypto answers in any order; these chains keep the order of messages. */
  #sealing: Promise<void> = Promise.resolve()
  #opening: Promise<void> = Promise.resolve()
  #sealingCount = 0
  #onMessage: ((from: PeerId, message: Uint8Array) => void) | null = null
  /** Opened before anybody listened. */
  readonly #inbox: Deque<{ readonly from: PeerId; readonly message: Uint8Array }> = new Deque()
  #openingCount = 0

  constructor(options: SignalingOptions, keys: RoomKeys) {
    this.#options = options
    this.#token = toHex(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)))
    this.peer = peerIdOf(this.#token)
    this.room = keys.roomId
    this.#envelope = new Envelope(keys, this.peer)
    this.#backoff = new Backoff(
      { firstMs: RECONNECT_FIRST_MS, capMs: RECONNECT_CAP_MS },
      options.random ?? Math.random,
    )
    options.signal?.addEventListener('abort', () => this.close('aborted'), { once: true })
    this.#connect()
  }

  get state(): SignalingState {
    return this.#state
  }

  get peers(): readonly RoomPeer[] {
    return this.#peers
  }

  get onMessage(): (from: PeerId, message: Uint8Array) => void {
    return this.#onMessage ?? (() => {})
  }

  set onMessage(listen: (from: PeerId, message: Uint8Array) => void) {
    this.#onMessage = listen
    // Not inside the assignment: the owner may still be setting up.
    queueMicrotask(() => this.#deliverInbox())
  }

  send(to: PeerId, message: Uint8Array): void {
    if (this.#state.kind !== 'joined' || this.#sealingCount >= PENDING_MAX) return
    this.#sealingCount++
    this.#sealing = this.#sealing
      .then(() => this.#envelope.seal(to, message))
      .then((sealed) => this.#write({ type: 'relay', to, body: toBase64(sealed) }))
      .catch((error: unknown) => this.#options.onRefused?.(to, String(error)))
      .finally(() => {
        this.#sealingCount--
      })
  }

  retryNow(): void {
    if (this.#state.kind !== 'waiting') return
    this.#backoff.reset()
    this.#connect()
  }

  close(reason: string): void {
    if (this.#state.kind === 'closed') return
    this.#write({ type: 'leave' })
    this.#detach()?.close(FAREWELL, 'left')
    this.#setState({ kind: 'closed', reason })
  }

  #connect(): void {
    clearTimeout(this.#timer)
    this.#refusal = null
    this.#setState({ kind: 'connecting' })
    this.#timer = setTimeout(
      () => this.#fail('the signaling server does not answer'),
      JOIN_TIMEOUT_MS,
    )
    try {
      this.#socket = this.#options.openSocket(this.#options.url, {
        onOpen: () => {
          const { room } = this
          this.#write({ type: 'join', version: SIGNAL_PROTOCOL_VERSION, room, token: this.#token })
        },
        onData: (data) => this.#onText(data),
        onClose: (code) => {
          this.#socket = null
          this.#retry(this.#refusal?.message ?? `signaling connection closed (${code})`)
        },
      })
    } catch (error) {
      this.#retry(`cannot open ${this.#options.url}: ${String(error)}`)
    }
  }

  #onText(data: unknown): void {
    const message = typeof data === 'string' ? parseServerMessage(data) : null
    if (message === null) {
      this.#fail('the signaling server does not speak the protocol')
      return
    }
    switch (message.type) {
      case 'peers':
        this.#onJoined(message.peers)
        break
      case 'relay':
        this.#onRelay(message)
        break
      case 'gone':
        this.#peers = this.#peers.filter((one) => one.peer !== message.peer)
        this.onGone(message.peer, message.reason)
        break
      case 'error':
        // The socket's close follows when it is fatal, and then this is its reason.
        this.#refusal = message
        break
      case 'pong':
        this.#schedulePing()
        break
    }
  }

  #onJoined(peers: readonly RoomPeer[]): void {
    this.#peers = peers
    this.#refusal = null
    const isFirst = this.#state.kind !== 'joined'
    if (isFirst) {
      this.#backoff.reset()
      this.#schedulePing()
      this.#setState({ kind: 'joined' })
    }
    this.onPeers(peers, isFirst)
  }

  #onRelay(message: Extract<ServerMessage, { type: 'relay' }>): void {
    const sealed = fromBase64(message.body)
    if (sealed === null || this.#openingCount >= PENDING_MAX) {
      this.#options.onRefused?.(message.from, sealed === null ? 'malformed' : 'too many messages')
      return
    }
    this.#openingCount++
    this.#opening = this.#opening
      .then(() => this.#envelope.open(message.from, sealed))
      .then(
        (bytes) => this.#deliver(message.from, bytes),
        (error: unknown) => {
          const reason = error instanceof EnvelopeError ? error.message : String(error)
          this.#options.onRefused?.(message.from, reason)
        },
      )
      .finally(() => {
        this.#openingCount--
      })
  }

  #deliver(from: PeerId, message: Uint8Array): void {
    // A full inbox loses the oldest: what is newest is likeliest to be still of use.
    if (this.#inbox.length >= INBOX_MAX) this.#inbox.popFront()
    this.#inbox.pushBack({ from, message })
    if (this.#onMessage !== null) this.#deliverInbox()
  }

  #deliverInbox(): void {
    while (this.#state.kind !== 'closed') {
      const next = this.#inbox.popFront()
      if (next === undefined) return
      this.#onMessage?.(next.from, next.message)
    }
  }

  #schedulePing(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#write({ type: 'ping' })
      this.#timer = setTimeout(() => this.#fail('the signaling server is silent'), PONG_TIMEOUT_MS)
    }, PING_INTERVAL_MS)
  }

  #write(message: ClientMessage): void {
    const socket = this.#socket
    if (socket === null || socket.bufferedBytes > SOCKET_BUFFER_MAX_BYTES) return
    const text = JSON.stringify(message)
    if (text.length <= SIGNAL_LIMITS.messageBytesMax) socket.send(text)
  }

  /** The socket is of no use: forget it and try again. */
  #fail(reason: string): void {
    this.#detach()?.close()
    this.#retry(reason)
  }

  #retry(reason: string): void {
    if (this.#state.kind === 'closed') return
    clearTimeout(this.#timer)
    const lasting = this.#refusal !== null && LASTING.has(this.#refusal.code)
    const retryInMs = lasting ? this.#backoff.longestMs() : this.#backoff.nextMs()
    this.#timer = setTimeout(() => this.#connect(), retryInMs)
    this.#setState({ kind: 'waiting', reason, retryInMs })
  }

  #detach(): SignalSocket | null {
    const socket = this.#socket
    this.#socket = null
    clearTimeout(this.#timer)
    return socket
  }

  #setState(state: SignalingState): void {
    this.#state = state
    this.onState(state)
  }
}
