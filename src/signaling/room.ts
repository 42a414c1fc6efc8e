/**
 * The broker's rules, without sockets and clocks: `step(input, elapsedMs)` returns what to send and
 * whom to close. It knows room ids (hashes), peer ids, order of arrival and sealed messages; it
 * keeps nothing that must survive it, so a broker that restarts empty only makes pages join anew.
 *
 * Invariants: every collection is bounded by SignalLimits; a member of a room has exactly one
 * socket; no input, however malformed, throws.
 */

import type { GoneReason, PeerId, RoomPeer } from '../ports/signaling.ts'
import { SIGNAL_LIMITS, type SignalLimits } from './limits.ts'
import {
  parseClientMessage,
  peerIdOf,
  SIGNAL_PROTOCOL_VERSION,
  type ClientMessage,
  type ServerMessage,
  type SignalErrorCode,
} from './protocol.ts'

export type SocketId = number

export type RoomInput =
  | { readonly kind: 'opened'; readonly socket: SocketId }
  | { readonly kind: 'text'; readonly socket: SocketId; readonly text: string }
  /** `bytes` of earlier sends have left for the network. */
  | { readonly kind: 'drained'; readonly socket: SocketId; readonly bytes: number }
  | { readonly kind: 'closed'; readonly socket: SocketId; readonly clean: boolean }
  | { readonly kind: 'tick' }

export type RoomOutput =
  | { readonly kind: 'send'; readonly socket: SocketId; readonly text: string }
  /** Close codes of the 4xxx range are ours; the reason is an error code. */
  | {
      readonly kind: 'close'
      readonly socket: SocketId
      readonly code: number
      readonly reason: string
    }

export const CLOSE_LEFT = 4000
export const CLOSE_REFUSED = 4001
export const CLOSE_REPLACED = 4002

interface Member {
  readonly room: string
  readonly peer: PeerId
  readonly order: number
}

interface SocketState {
  readonly openedAtMs: number
  tokens: number
  refilledAtMs: number
  strikes: number
  queuedBytes: number
  member: Member | null
}

interface Room {
  /** In order of arrival: a Map keeps the order of insertion. */
  readonly sockets: Map<PeerId, SocketId>
  nextOrder: number
}

const REFUSALS: Readonly<Record<SignalErrorCode, string>> = {
  'bad-message': 'not a message of the signaling protocol',
  version: `this broker speaks version ${SIGNAL_PROTOCOL_VERSION} of the signaling protocol`,
  'not-joined': 'join a room first',
  'already-joined': 'this socket is in a room already',
  'no-peer': 'that peer is not in the room',
  'room-full': 'the room is full',
  'rooms-full': 'the broker has no place for another room',
  'sockets-full': 'the broker has no place for another connection',
  'too-fast': 'too many messages',
  busy: 'the receiver has too much waiting',
  'too-slow': 'this connection does not keep up',
  replaced: 'the same peer joined on another connection',
  'join-timeout': 'no room was joined in time',
}

export class RoomBroker {
  readonly #limits: SignalLimits
  readonly #sockets: Map<SocketId, SocketState> = new Map()
  readonly #rooms: Map<string, Room> = new Map()
  #outputs: RoomOutput[] = []

  constructor(limits: SignalLimits = SIGNAL_LIMITS) {
    this.#limits = limits
  }

  get socketCount(): number {
    return this.#sockets.size
  }

  get roomCount(): number {
    return this.#rooms.size
  }

  step(input: RoomInput, elapsedMs: number): readonly RoomOutput[] {
    this.#outputs = []
    switch (input.kind) {
      case 'opened':
        this.#onOpened(input.socket, elapsedMs)
        break
      case 'text':
        this.#onText(input.socket, input.text, elapsedMs)
        break
      case 'drained':
        this.#onDrained(input.socket, input.bytes)
        break
      case 'closed':
        this.#forget(input.socket, input.clean ? 'left' : 'dropped')
        break
      case 'tick':
        this.#onTick(elapsedMs)
        break
    }
    return this.#outputs
  }

  #onOpened(socket: SocketId, elapsedMs: number): void {
    if (this.#sockets.size >= this.#limits.socketsMax) {
      this.#outputs.push(errorTo(socket, 'sockets-full'))
      this.#outputs.push({ kind: 'close', socket, code: CLOSE_REFUSED, reason: 'sockets-full' })
      return
    }
    this.#sockets.set(socket, {
      openedAtMs: elapsedMs,
      tokens: this.#limits.messageBurst,
      refilledAtMs: elapsedMs,
      strikes: 0,
      queuedBytes: 0,
      member: null,
    })
  }

  #onText(socket: SocketId, text: string, elapsedMs: number): void {
    const state = this.#sockets.get(socket)
    if (state === undefined) return
    if (!this.#takeToken(socket, state, elapsedMs)) return
    // A UTF-16 unit is at most three bytes of UTF-8; what passes here is checked by bytes before
    // it is parsed at the socket (maxPayload), so the shorter measure is enough.
    const message = text.length > this.#limits.messageBytesMax ? null : parseClientMessage(text)
    if (message === null) {
      this.#refuse(socket, 'bad-message')
      return
    }
    this.#onMessage(socket, state, message)
  }

  #onMessage(socket: SocketId, state: SocketState, message: ClientMessage): void {
    switch (message.type) {
      case 'join':
        this.#onJoin(socket, state, message)
        break
      case 'relay':
        this.#onRelay(socket, state, message)
        break
      case 'leave':
        this.#drop(socket, 'left', CLOSE_LEFT, 'left')
        break
      case 'ping':
        this.#send(socket, { type: 'pong' })
        break
    }
  }

  #onJoin(
    socket: SocketId,
    state: SocketState,
    message: Extract<ClientMessage, { type: 'join' }>,
  ): void {
    if (message.version !== SIGNAL_PROTOCOL_VERSION) {
      this.#refuse(socket, 'version')
      return
    }
    if (state.member !== null) {
      this.#refuse(socket, 'already-joined')
      return
    }
    const peer = peerIdOf(message.token)
    const room = this.#rooms.get(message.room)
    if (room === undefined && this.#rooms.size >= this.#limits.roomsMax) {
      this.#refuse(socket, 'rooms-full')
      return
    }
    const before = room?.sockets.get(peer)
    if (
      room !== undefined &&
      before === undefined &&
      room.sockets.size >= this.#limits.membersPerRoomMax
    ) {
      this.#refuse(socket, 'room-full')
      return
    }
    this.#enter(socket, state, message.room, peer, before)
  }

  /** `before` is the peer's older socket, half-open after a network change: its place goes on. */
  #enter(
    socket: SocketId,
    state: SocketState,
    roomId: string,
    peer: PeerId,
    before: SocketId | undefined,
  ): void {
    const room = this.#rooms.get(roomId) ?? { sockets: new Map<PeerId, SocketId>(), nextOrder: 1 }
    this.#rooms.set(roomId, room)
    let order = before === undefined ? null : (this.#sockets.get(before)?.member?.order ?? null)
    if (before !== undefined) {
      this.#send(before, { type: 'error', code: 'replaced', message: REFUSALS.replaced })
      this.#sockets.delete(before)
      this.#outputs.push({
        kind: 'close',
        socket: before,
        code: CLOSE_REPLACED,
        reason: 'replaced',
      })
    }
    order ??= room.nextOrder++
    state.member = { room: roomId, peer, order }
    room.sockets.set(peer, socket)
    this.#tellRoom(room)
  }

  #tellRoom(room: Room): void {
    const peers: RoomPeer[] = []
    for (const [peer, socket] of room.sockets) {
      peers.push({ peer, order: this.#sockets.get(socket)?.member?.order ?? 0 })
    }
    for (const socket of [...room.sockets.values()]) this.#send(socket, { type: 'peers', peers })
  }

  #onRelay(
    socket: SocketId,
    state: SocketState,
    message: Extract<ClientMessage, { type: 'relay' }>,
  ): void {
    if (state.member === null) {
      this.#refuse(socket, 'not-joined')
      return
    }
    const target = this.#rooms.get(state.member.room)?.sockets.get(message.to)
    const receiver = target === undefined ? undefined : this.#sockets.get(target)
    if (target === undefined || receiver === undefined) {
      this.#send(socket, { type: 'error', code: 'no-peer', message: REFUSALS['no-peer'] })
      return
    }
    // A receiver that does not read costs its senders a retry, not the broker its memory.
    if (receiver.queuedBytes + message.body.length > this.#limits.relayQueueBytesMax) {
      this.#send(socket, { type: 'error', code: 'busy', message: REFUSALS.busy })
      return
    }
    this.#send(target, { type: 'relay', from: state.member.peer, body: message.body })
  }

  #onDrained(socket: SocketId, bytes: number): void {
    const state = this.#sockets.get(socket)
    if (state !== undefined) state.queuedBytes = Math.max(0, state.queuedBytes - bytes)
  }

  #onTick(elapsedMs: number): void {
    for (const [socket, state] of [...this.#sockets]) {
      const idleMs = elapsedMs - state.openedAtMs
      if (state.member === null && idleMs >= this.#limits.joinTimeoutMs) {
        this.#refuse(socket, 'join-timeout')
      }
    }
  }

  #takeToken(socket: SocketId, state: SocketState, elapsedMs: number): boolean {
    const { messageBurst, messagesPerSecond, strikesMax } = this.#limits
    const refill = (Math.max(0, elapsedMs - state.refilledAtMs) / 1000) * messagesPerSecond
    state.tokens = Math.min(messageBurst, state.tokens + refill)
    state.refilledAtMs = Math.max(elapsedMs, state.refilledAtMs)
    if (state.tokens === messageBurst) state.strikes = 0
    if (state.tokens >= 1) {
      state.tokens -= 1
      return true
    }
    state.strikes++
    // One notice per emptying of the bucket: an answer to each message would amplify the flood.
    if (state.strikes === 1) {
      this.#send(socket, { type: 'error', code: 'too-fast', message: REFUSALS['too-fast'] })
    } else if (state.strikes > strikesMax) {
      this.#refuse(socket, 'too-fast')
    }
    return false
  }

  #send(socket: SocketId, message: ServerMessage): void {
    const state = this.#sockets.get(socket)
    if (state === undefined) return
    const text = JSON.stringify(message)
    // Server messages are ASCII but for peers' bodies, which are base64: units are bytes.
    if (state.queuedBytes + text.length > this.#limits.queueBytesMax) {
      this.#drop(socket, 'dropped', CLOSE_REFUSED, 'too-slow')
      return
    }
    state.queuedBytes += text.length
    this.#outputs.push({ kind: 'send', socket, text })
  }

  #refuse(socket: SocketId, code: SignalErrorCode): void {
    this.#send(socket, { type: 'error', code, message: REFUSALS[code] })
    this.#drop(socket, 'dropped', CLOSE_REFUSED, code)
  }

  #drop(socket: SocketId, gone: GoneReason, code: number, reason: string): void {
    if (!this.#sockets.has(socket)) return
    this.#outputs.push({ kind: 'close', socket, code, reason })
    this.#forget(socket, gone)
  }

  #forget(socket: SocketId, reason: GoneReason): void {
    const state = this.#sockets.get(socket)
    if (state === undefined) return
    this.#sockets.delete(socket)
    if (state.member === null) return
    const { room: roomId, peer } = state.member
    const room = this.#rooms.get(roomId)
    if (room?.sockets.get(peer) !== socket) return
    room.sockets.delete(peer)
    if (room.sockets.size === 0) this.#rooms.delete(roomId)
    for (const other of [...room.sockets.values()])
      this.#send(other, { type: 'gone', peer, reason })
  }
}

function errorTo(socket: SocketId, code: SignalErrorCode): RoomOutput {
  const message: ServerMessage = { type: 'error', code, message: REFUSALS[code] }
  return { kind: 'send', socket, text: JSON.stringify(message) }
}
