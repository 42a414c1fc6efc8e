/**
 * The Link port over a data channel, in the scope that owns the channel: normally the member's
 * worker. Made at once when the channel arrives, still connecting; messages wait for its `open`.
 *
 * Invariants: nothing throws to the caller; `#queue` is not empty ⇒ the carrier is full or not
 * open; after `#closed` no handler but the one `onClose` runs.
 */

import { Deque } from '../../core/base/deque.ts'
import {
  LINK_HIGH_WATERMARK_BYTES,
  LINK_LOW_WATERMARK_BYTES,
  LINK_MESSAGE_MAX_BYTES,
  type Link,
} from '../../ports/link.ts'
import { DataChannelCarrier, type Carrier, type CarrierEvents } from './carrier.ts'
import { PortCarrier } from './channel-relay.ts'
import { LINK_INBOX_MAX_BYTES, LINK_QUEUE_MAX_BYTES } from './limits.ts'
import { cutMessage, PieceError, PieceJoiner } from './piece.ts'

export interface ChannelLinkOptions {
  /**
   * Fault injection for tests: what it returns is used instead. A wrapper must keep the Link
   * contract, so it assigns the inner handlers when its own are assigned.
   */
  readonly wrapLink?: (link: Link) => Link
}

/** A channel that was transferred here, or the port of its relay. */
export function openChannelLink(
  source: RTCDataChannel | MessagePort,
  options: ChannelLinkOptions = {},
): Link {
  const link = new ChannelLink((events) =>
    source instanceof MessagePort
      ? new PortCarrier(source, events)
      : new DataChannelCarrier(source, events),
  )
  return options.wrapLink === undefined ? link : options.wrapLink(link)
}

export class ChannelLink implements Link {
  readonly #carrier: Carrier
  readonly #joiner: PieceJoiner = new PieceJoiner()
  readonly #queue: Deque<Uint8Array> = new Deque()
  #queuedBytes = 0
  /** Above the high watermark since the last `onWritable`. */
  #isCongested = false
  #isClosed = false
  /** Reason, once the close was due and while nobody listens to it. */
  #closeReason: string | null = null
  readonly #inbox: Deque<Uint8Array> = new Deque()
  #inboxBytes = 0
  #onMessage: ((message: Uint8Array) => void) | null = null
  #onClose: ((reason: string) => void) | null = null

  onWritable: () => void = () => {}

  constructor(openCarrier: (events: CarrierEvents) => Carrier) {
    this.#carrier = openCarrier({
      onOpen: () => this.#onDrained(),
      onPiece: (piece) => this.#onPiece(piece),
      onDrained: () => this.#onDrained(),
      onClose: (reason) => this.#finish(reason),
    })
  }

  get onMessage(): (message: Uint8Array) => void {
    return this.#onMessage ?? (() => {})
  }

  set onMessage(listen: (message: Uint8Array) => void) {
    const isFirst = this.#onMessage === null
    this.#onMessage = listen
    // Not inside the assignment: the owner may still be setting up.
    if (isFirst && this.#inbox.length > 0) queueMicrotask(() => this.#deliverInbox())
  }

  get onClose(): (reason: string) => void {
    return this.#onClose ?? (() => {})
  }

  set onClose(listen: (reason: string) => void) {
    this.#onClose = listen
    if (this.#closeReason !== null) queueMicrotask(() => this.#tellClosed())
  }

  get bufferedBytes(): number {
    return this.#isClosed ? 0 : this.#queuedBytes + this.#carrier.bufferedBytes
  }

  send(message: Uint8Array): void {
    if (this.#isClosed) return
    if (message.length > LINK_MESSAGE_MAX_BYTES) {
      this.close(`message of ${message.length} bytes is above ${LINK_MESSAGE_MAX_BYTES}`)
      return
    }
    if (this.#queuedBytes + message.length > LINK_QUEUE_MAX_BYTES) {
      this.close(`more than ${LINK_QUEUE_MAX_BYTES} bytes wait to be sent`)
      return
    }
    for (const piece of cutMessage(message)) {
      this.#queue.pushBack(piece)
      this.#queuedBytes += piece.length
    }
    this.#pump()
    if (this.bufferedBytes > LINK_HIGH_WATERMARK_BYTES) this.#isCongested = true
  }

  close(reason: string): void {
    if (this.#isClosed) return
    this.#finish(reason)
    this.#carrier.close()
  }

  #pump(): void {
    if (this.#isClosed || !this.#carrier.isOpen) return
    try {
      while (this.#queue.length > 0 && this.#carrier.bufferedBytes < LINK_HIGH_WATERMARK_BYTES) {
        const piece = this.#queue.popFront()
        if (piece === undefined) break
        this.#queuedBytes -= piece.length
        this.#carrier.send(piece)
      }
    } catch (error) {
      // A piece may be lost, and a link with a hole is no link (Q82).
      this.close(`sending failed: ${String(error)}`)
    }
  }

  #onDrained(): void {
    this.#pump()
    if (this.#isClosed) return
    if (this.#isCongested && this.bufferedBytes <= LINK_LOW_WATERMARK_BYTES) {
      this.#isCongested = false
      this.onWritable()
    }
  }

  #onPiece(piece: Uint8Array): void {
    if (this.#isClosed) return
    let message: Uint8Array | null
    try {
      message = this.#joiner.push(piece)
    } catch (error) {
      if (!(error instanceof PieceError)) throw error
      this.close(`malformed: ${error.message}`)
      return
    }
    if (message !== null) this.#receive(message)
  }

  #receive(message: Uint8Array): void {
    if (this.#onMessage !== null && this.#inbox.length === 0) {
      this.#onMessage(message)
      return
    }
    this.#inboxBytes += message.length
    if (this.#inboxBytes > LINK_INBOX_MAX_BYTES) {
      this.close('too much arrived before anybody listened')
      return
    }
    this.#inbox.pushBack(message)
  }

  #deliverInbox(): void {
    while (!this.#isClosed) {
      const message = this.#inbox.popFront()
      if (message === undefined) break
      this.#inboxBytes -= message.length
      this.#onMessage?.(message)
    }
  }

  #finish(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#closeReason = reason
    this.#queue.clear()
    this.#inbox.clear()
    this.#queuedBytes = 0
    if (this.#onClose !== null) queueMicrotask(() => this.#tellClosed())
  }

  #tellClosed(): void {
    const reason = this.#closeReason
    if (reason === null || this.#onClose === null) return
    this.#closeReason = null
    this.#onClose(reason)
  }
}
