/**
 * For browsers that cannot transfer a data channel: the page keeps it and relays to the worker
 * through a MessagePort.
 *
 * Credits flow against the data. Worker to page: each piece counts as buffered in the worker until
 * the page handed it to the channel, which it does only while the channel is below its high
 * watermark, so the worker sees the channel's back-pressure. Page to worker: the page counts what
 * the worker has not taken; nothing can slow the remote sender, so beyond the bound the link ends.
 */

import { Deque } from '../../core/base/deque.ts'
import { LINK_HIGH_WATERMARK_BYTES, LINK_LOW_WATERMARK_BYTES } from '../../ports/link.ts'
import { DataChannelCarrier, type Carrier, type CarrierEvents } from './carrier.ts'
import { RELAY_INBOUND_MAX_BYTES, RELAY_OUTBOUND_MAX_BYTES } from './limits.ts'

/** Between our own page and worker, one build: checked by the type only. */
type RelayMessage =
  | { readonly kind: 'open' }
  | { readonly kind: 'piece'; readonly bytes: Uint8Array }
  /** Bytes that the other end took: its credit. */
  | { readonly kind: 'credit'; readonly bytes: number }
  | { readonly kind: 'close'; readonly reason: string }

/** The worker's end. */
export class PortCarrier implements Carrier {
  readonly #port: MessagePort
  readonly #events: CarrierEvents
  #isOpen = false
  #isClosed = false
  #bufferedBytes = 0

  constructor(port: MessagePort, events: CarrierEvents) {
    this.#port = port
    this.#events = events
    port.onmessage = (event: MessageEvent<RelayMessage>) => this.#onMessage(event.data)
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#isClosed
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  send(piece: Uint8Array): void {
    this.#bufferedBytes += piece.length
    post(this.#port, { kind: 'piece', bytes: piece }, piece)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    post(this.#port, { kind: 'close', reason: 'closed' })
    this.#port.close()
  }

  #onMessage(message: RelayMessage): void {
    if (this.#isClosed) return
    switch (message.kind) {
      case 'open':
        this.#isOpen = true
        this.#events.onOpen()
        break
      case 'piece': {
        // Read first: who gets the bytes may move them on.
        const { length } = message.bytes
        this.#events.onPiece(message.bytes)
        post(this.#port, { kind: 'credit', bytes: length })
        break
      }
      case 'credit': {
        const wasAbove = this.#bufferedBytes > LINK_LOW_WATERMARK_BYTES
        this.#bufferedBytes = Math.max(0, this.#bufferedBytes - message.bytes)
        if (wasAbove && this.#bufferedBytes <= LINK_LOW_WATERMARK_BYTES) this.#events.onDrained()
        break
      }
      case 'close':
        this.#isClosed = true
        this.#port.close()
        this.#events.onClose(message.reason)
        break
    }
  }
}

/** The page's end: relays until either side closes. */
export function relayChannel(channel: RTCDataChannel, port: MessagePort): void {
  new Relay(channel, port)
}

class Relay {
  readonly #port: MessagePort
  readonly #channel: Carrier
  readonly #outbound: Deque<Uint8Array> = new Deque()
  #outboundBytes = 0
  /** Given to the worker and not yet taken by it. */
  #inboundBytes = 0
  #isClosed = false

  constructor(channel: RTCDataChannel, port: MessagePort) {
    this.#port = port
    this.#channel = new DataChannelCarrier(channel, {
      onOpen: () => {
        post(this.#port, { kind: 'open' })
        this.#pump()
      },
      onPiece: (bytes) => this.#toWorker(bytes),
      onDrained: () => this.#pump(),
      onClose: (reason) => this.#close(reason),
    })
    port.onmessage = (event: MessageEvent<RelayMessage>) => this.#onMessage(event.data)
  }

  #onMessage(message: RelayMessage): void {
    if (this.#isClosed) return
    switch (message.kind) {
      case 'piece':
        this.#outbound.pushBack(message.bytes)
        this.#outboundBytes += message.bytes.length
        this.#pump()
        if (this.#outboundBytes > RELAY_OUTBOUND_MAX_BYTES) this.#close('relay is full')
        break
      case 'credit':
        this.#inboundBytes -= message.bytes
        break
      case 'close':
        this.#drain()
        this.#close(message.reason)
        break
      case 'open':
        break
    }
  }

  #toWorker(bytes: Uint8Array): void {
    if (this.#isClosed) return
    this.#inboundBytes += bytes.length
    if (this.#inboundBytes > RELAY_INBOUND_MAX_BYTES) {
      this.#close('the worker does not keep up')
      return
    }
    post(this.#port, { kind: 'piece', bytes }, bytes)
  }

  #pump(): void {
    while (this.#channel.isOpen && this.#channel.bufferedBytes < LINK_HIGH_WATERMARK_BYTES) {
      const piece = this.#outbound.popFront()
      if (piece === undefined) return
      this.#outboundBytes -= piece.length
      const { length } = piece
      if (!this.#hand(piece)) return
      post(this.#port, { kind: 'credit', bytes: length })
    }
  }

  /** What the worker sent before it closed still leaves, as on a channel of its own. */
  #drain(): void {
    while (this.#channel.isOpen) {
      const piece = this.#outbound.popFront()
      if (piece === undefined || !this.#hand(piece)) return
    }
  }

  #hand(piece: Uint8Array): boolean {
    try {
      this.#channel.send(piece)
      return true
    } catch (error) {
      this.#close(`sending failed: ${String(error)}`)
      return false
    }
  }

  #close(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#outbound.clear()
    this.#channel.close()
    post(this.#port, { kind: 'close', reason })
    this.#port.close()
  }
}

/** Pieces own their buffer, so it moves instead of being copied. */
function post(port: MessagePort, message: RelayMessage, moved?: Uint8Array): void {
  port.postMessage(message, moved === undefined ? [] : [moved.buffer as ArrayBuffer])
}
