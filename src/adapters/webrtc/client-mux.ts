/**
 * Many client connections over one `client` link: a tab without a serving member of its own reaches
 * another tab's member, in both directions at once.
 *
 * A frame is kind u8 | id u32 | bytes. Each side numbers the connections that it opens, and the
 * kind says whose number it is (FROM_OPENER or TO_OPENER), so the two sides need no roles. Each
 * direction of a connection has a window: what was sent counts until the other side took it
 * (CREDIT), so one connection cannot fill the link for the others; and while the link itself is
 * above its high watermark connections queue and take turns.
 *
 * Invariants: a connection's onClose fires once, whoever ended it, never inside a call of its own;
 * a frame of an unknown connection is ignored (it crossed a close); a malformed frame ends the
 * link.
 */

import { Deque } from '../../core/base/deque.ts'
import { EMPTY_BYTES } from '../../core/base/bytes.ts'
import { decodeUtf8, encodeUtf8 } from '../../core/base/utf8.ts'
import type { ClientChannel, ClientMultiplexer } from '../../ports/client-channel.ts'
import { LINK_HIGH_WATERMARK_BYTES, LINK_MESSAGE_MAX_BYTES, type Link } from '../../ports/link.ts'
import {
  MUX_CONNECTIONS_MAX,
  MUX_INFO_MAX_BYTES,
  MUX_QUEUE_MAX_BYTES,
  MUX_WINDOW_BYTES,
} from './limits.ts'

const OPEN = 1
const DATA = 2
const CLOSE = 3
const CREDIT = 4
/** Set in the kind when the id is one that the RECEIVER of the frame gave. */
const TO_OPENER = 0x80
const HEAD_BYTES = 5
const REASON_MAX = 200
/** Credits are saved up: one per message would double the messages of a request and its answer. */
const CREDITS_PER_WINDOW = 4

export interface MuxConnection {
  /** What the opener said with `open`. */
  readonly info: Uint8Array
  send(message: Uint8Array): void
  readonly bufferedBytes: number
  /** What arrives before it is assigned is kept, within the window. */
  onMessage: (message: Uint8Array) => void
  onWritable: () => void
  onClose: (reason: string) => void
  close(reason: string): void
}

/** As members take their clients: with what the opener said left out. */
export function multiplexerOf(mux: ClientMux): ClientMultiplexer {
  return {
    open: () => mux.open(),
    set onOpen(listen: (channel: ClientChannel) => void) {
      mux.onOpen = listen
    },
  }
}

export class ClientMux {
  readonly #link: Link
  readonly #connections: Map<string, Connection> = new Map()
  readonly #waiting: Connection[] = []
  #onOpen: ((connection: MuxConnection) => void) | null = null
  #nextId = 1
  #isClosed = false
  onClose: (reason: string) => void = () => {}

  constructor(link: Link) {
    this.#link = link
    link.onMessage = (message) => this.#onFrame(message)
    link.onWritable = () => this.#flush()
    link.onClose = (reason) => this.#onLinkClose(reason)
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Hears of each connection that the other side opened, also of those before it was assigned. */
  set onOpen(listen: (connection: MuxConnection) => void) {
    this.#onOpen = listen
    queueMicrotask(() => {
      for (const connection of this.#waiting.splice(0)) this.#onOpen?.(connection)
    })
  }

  /** On a closed or full link the connection closes by itself, so there is one way to fail. */
  open(info: Uint8Array = EMPTY_BYTES): MuxConnection {
    const id = this.#nextId++
    const connection = new Connection(this.#wire(id, false), info)
    if (this.#isClosed || this.#connections.size >= MUX_CONNECTIONS_MAX) {
      connection.finish(this.#isClosed ? 'link closed' : 'too many connections on this link')
      return connection
    }
    if (info.length > MUX_INFO_MAX_BYTES) {
      connection.finish(`more than ${MUX_INFO_MAX_BYTES} bytes with an open`)
      return connection
    }
    this.#connections.set(keyOf(id, false), connection)
    this.#send(OPEN, id, info)
    return connection
  }

  close(reason: string): void {
    this.#link.close(reason)
  }

  /** `isTheirs`: the other side opened it, so its ids need TO_OPENER on our frames. */
  #wire(id: number, isTheirs: boolean): Wire {
    const flag = isTheirs ? TO_OPENER : 0
    return {
      canSend: () => !this.#isClosed && this.#link.bufferedBytes < LINK_HIGH_WATERMARK_BYTES,
      data: (bytes) => this.#send(DATA | flag, id, bytes),
      credit: (bytes) => this.#send(CREDIT | flag, id, u32(bytes)),
      close: (reason) => {
        this.#connections.delete(keyOf(id, isTheirs))
        this.#send(CLOSE | flag, id, encodeUtf8(reason.slice(0, REASON_MAX)))
      },
    }
  }

  #send(kind: number, id: number, bytes: Uint8Array): void {
    const frame = new Uint8Array(HEAD_BYTES + bytes.length)
    frame[0] = kind
    new DataView(frame.buffer).setUint32(1, id)
    frame.set(bytes, HEAD_BYTES)
    this.#link.send(frame)
  }

  #onFrame(frame: Uint8Array): void {
    if (frame.length < HEAD_BYTES) {
      this.#link.close('malformed client frame')
      return
    }
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
    const first = view.getUint8(0)
    const kind = first & ~TO_OPENER
    const isTheirs = (first & TO_OPENER) === 0
    const id = view.getUint32(1)
    const bytes = frame.subarray(HEAD_BYTES)
    if (kind === OPEN && isTheirs) {
      this.#onOpened(id, bytes)
      return
    }
    const connection = this.#connections.get(keyOf(id, isTheirs))
    switch (kind) {
      case DATA:
        connection?.receive(bytes)
        break
      case CREDIT:
        if (bytes.length === 4) connection?.credited(view.getUint32(HEAD_BYTES))
        else this.#link.close('malformed client credit')
        break
      case CLOSE:
        this.#connections.delete(keyOf(id, isTheirs))
        connection?.finish(decodeUtf8(bytes.subarray(0, REASON_MAX * 3)))
        break
      default:
        this.#link.close(`unknown client frame ${first}`)
    }
  }

  #onOpened(id: number, info: Uint8Array): void {
    const wire = this.#wire(id, true)
    if (this.#connections.has(keyOf(id, true)) || info.length > MUX_INFO_MAX_BYTES) {
      this.#link.close('malformed client open')
      return
    }
    const count = Math.max(this.#connections.size, this.#waiting.length)
    if (count >= MUX_CONNECTIONS_MAX) {
      wire.close('too many connections on this link')
      return
    }
    const connection = new Connection(wire, info)
    this.#connections.set(keyOf(id, true), connection)
    if (this.#onOpen === null) this.#waiting.push(connection)
    else this.#onOpen(connection)
  }

  /** Round after round, one message of each: nobody waits behind another's queue. */
  #flush(): void {
    let moved = true
    while (moved) {
      moved = false
      for (const connection of [...this.#connections.values()]) {
        if (connection.sendOne()) moved = true
      }
    }
    for (const connection of [...this.#connections.values()]) connection.tellWritable()
  }

  #onLinkClose(reason: string): void {
    this.#isClosed = true
    const connections = [...this.#connections.values()]
    this.#connections.clear()
    for (const connection of connections) connection.finish(reason)
    this.onClose(reason)
  }
}

/** What a connection may do on the link. */
interface Wire {
  canSend(): boolean
  data(bytes: Uint8Array): void
  credit(bytes: number): void
  close(reason: string): void
}

class Connection implements MuxConnection {
  readonly info: Uint8Array
  onWritable: () => void = () => {}
  readonly #wire: Wire
  readonly #queue: Deque<Uint8Array> = new Deque()
  #queuedBytes = 0
  /** Sent and not yet taken by the other side. */
  #inFlightBytes = 0
  #isBlocked = false
  #isClosed = false
  #closeReason: string | null = null
  #onClose: ((reason: string) => void) | null = null
  #onMessage: ((message: Uint8Array) => void) | null = null
  readonly #inbox: Deque<Uint8Array> = new Deque()
  #inboxBytes = 0
  /** Delivered and not yet credited. */
  #takenBytes = 0

  constructor(wire: Wire, info: Uint8Array) {
    this.#wire = wire
    this.info = info
  }

  get bufferedBytes(): number {
    return this.#queuedBytes
  }

  get onMessage(): (message: Uint8Array) => void {
    return this.#onMessage ?? (() => {})
  }

  set onMessage(listen: (message: Uint8Array) => void) {
    this.#onMessage = listen
    if (this.#inbox.length > 0) queueMicrotask(() => this.#deliverInbox())
  }

  get onClose(): (reason: string) => void {
    return this.#onClose ?? (() => {})
  }

  set onClose(listen: (reason: string) => void) {
    this.#onClose = listen
    if (this.#closeReason !== null) queueMicrotask(() => this.#tellClosed())
  }

  send(message: Uint8Array): void {
    if (this.#isClosed) return
    if (message.length > LINK_MESSAGE_MAX_BYTES - HEAD_BYTES) {
      this.close(`message of ${message.length} bytes is too long`)
      return
    }
    if (this.#queuedBytes + message.length > MUX_QUEUE_MAX_BYTES) {
      this.close('too much waits to be sent')
      return
    }
    this.#queue.pushBack(message)
    this.#queuedBytes += message.length
    while (this.sendOne());
    if (this.#queue.length > 0) this.#isBlocked = true
  }

  close(reason: string): void {
    if (this.#isClosed) return
    this.#wire.close(reason)
    this.#inbox.clear()
    this.finish(reason)
  }

  /** Sends the oldest message if window and link allow; one may overrun the window. */
  sendOne(): boolean {
    if (this.#isClosed || this.#inFlightBytes >= MUX_WINDOW_BYTES || !this.#wire.canSend()) {
      return false
    }
    const message = this.#queue.popFront()
    if (message === undefined) return false
    this.#queuedBytes -= message.length
    this.#inFlightBytes += message.length
    this.#wire.data(message)
    return true
  }

  credited(bytes: number): void {
    this.#inFlightBytes = Math.max(0, this.#inFlightBytes - bytes)
    while (this.sendOne());
    this.tellWritable()
  }

  tellWritable(): void {
    if (!this.#isBlocked || this.#queue.length > 0) return
    this.#isBlocked = false
    this.onWritable()
  }

  receive(bytes: Uint8Array): void {
    if (this.#isClosed) return
    if (this.#onMessage !== null && this.#inbox.length === 0) {
      this.#deliver(bytes)
      return
    }
    this.#inbox.pushBack(bytes)
    this.#inboxBytes += bytes.length
    if (this.#inboxBytes > MUX_WINDOW_BYTES + LINK_MESSAGE_MAX_BYTES) {
      this.close('the window was not kept')
    }
  }

  /** The end, told by whoever knows; nothing is sent. */
  finish(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#closeReason = reason
    this.#queue.clear()
    this.#queuedBytes = 0
    this.#inFlightBytes = 0
    if (this.#onClose !== null) queueMicrotask(() => this.#tellClosed())
  }

  #deliver(bytes: Uint8Array): void {
    const { length } = bytes
    this.#onMessage?.(bytes)
    this.#takenBytes += length
    if (this.#isClosed || this.#takenBytes < MUX_WINDOW_BYTES / CREDITS_PER_WINDOW) return
    this.#wire.credit(this.#takenBytes)
    this.#takenBytes = 0
  }

  #deliverInbox(): void {
    for (;;) {
      const bytes = this.#inbox.popFront()
      if (bytes === undefined) return
      this.#inboxBytes -= bytes.length
      this.#deliver(bytes)
    }
  }

  #tellClosed(): void {
    const reason = this.#closeReason
    if (reason === null || this.#onClose === null) return
    this.#closeReason = null
    this.#onClose(reason)
  }
}

function keyOf(id: number, isTheirs: boolean): string {
  return isTheirs ? `their ${id}` : `our ${id}`
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}
