/**
 * What a ChannelLink needs of what is below it: a data channel that lives in this scope, or a port
 * to one in the page. Messages are at most PIECE_MAX_BYTES long.
 */

import { LINK_LOW_WATERMARK_BYTES } from '../../ports/link.ts'

export interface CarrierEvents {
  onOpen(): void
  onPiece(bytes: Uint8Array): void
  /** `bufferedBytes` fell to the low watermark. */
  onDrained(): void
  /** Once; the last event. */
  onClose(reason: string): void
}

export interface Carrier {
  readonly isOpen: boolean
  readonly bufferedBytes: number
  /** May throw; only when open. The bytes must not change afterwards. */
  send(piece: Uint8Array): void
  /** What was sent before still leaves. */
  close(): void
}

export class DataChannelCarrier implements Carrier {
  readonly #channel: RTCDataChannel

  constructor(channel: RTCDataChannel, events: CarrierEvents) {
    this.#channel = channel
    channel.binaryType = 'arraybuffer'
    channel.bufferedAmountLowThreshold = LINK_LOW_WATERMARK_BYTES
    channel.onopen = () => events.onOpen()
    channel.onbufferedamountlow = () => events.onDrained()
    channel.onmessage = (event: MessageEvent<unknown>) => {
      // A text is no piece of ours: an empty one is refused above.
      const { data } = event
      events.onPiece(data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0))
    }
    channel.onclose = () => this.#onClose(events, 'channel closed')
    channel.onerror = (event) => {
      // Named by its shape: the library types of workers lack RTCErrorEvent.
      const { error } = event as Event & { readonly error?: { readonly message: string } }
      this.#onClose(events, error?.message ?? 'channel error')
    }
    // Moved here late: no event will come for what happened on the way.
    if (channel.readyState === 'closed') {
      queueMicrotask(() => this.#onClose(events, 'channel closed'))
    }
  }

  get isOpen(): boolean {
    return this.#channel.readyState === 'open'
  }

  get bufferedBytes(): number {
    return this.#channel.bufferedAmount
  }

  send(piece: Uint8Array): void {
    this.#channel.send(piece as Uint8Array<ArrayBuffer>)
  }

  close(): void {
    this.#channel.close()
  }

  #onClose(events: CarrierEvents, reason: string): void {
    const channel = this.#channel
    channel.onopen = null
    channel.onbufferedamountlow = null
    channel.onmessage = null
    channel.onclose = null
    channel.onerror = null
    // After an error some browsers leave it open, and the other side would never know.
    channel.close()
    events.onClose(reason)
  }
}
