/** The Link port with faults in both directions; but for those it keeps the port's contract. */
import type { Prng } from '../core/base/prng.ts'
import { LINK_HIGH_WATERMARK_BYTES, LINK_LOW_WATERMARK_BYTES, type Link } from '../ports/link.ts'
import { FaultyLane, type LaneClock } from './faulty-lane.ts'
import type { LinkDirection, LinkRule } from './link-rules.ts'

export interface FaultyLinkOptions {
  readonly link: Link
  readonly clock: LaneClock
  readonly prng: Prng
  readonly rule: (direction: LinkDirection) => LinkRule
  readonly onEnded: () => void
}

export class FaultyLink implements Link {
  readonly #link: Link
  readonly #inbound: FaultyLane
  readonly #outbound: FaultyLane
  readonly #onEnded: () => void
  #isCongested = false
  #onMessage: ((message: Uint8Array) => void) | null = null
  #onClose: ((reason: string) => void) | null = null

  onWritable: () => void = () => {}

  constructor(options: FaultyLinkOptions) {
    const { link, clock, prng, rule } = options
    this.#link = link
    this.#onEnded = options.onEnded
    const onLost = (): void => this.#endLanes()
    this.#inbound = new FaultyLane({
      ...{ clock, onLost, prng: prng.fork('inbound') },
      rule: () => rule('inbound'),
      pass: (message) => this.#onMessage?.(message),
    })
    this.#outbound = new FaultyLane({
      ...{ clock, onLost, prng: prng.fork('outbound') },
      rule: () => rule('outbound'),
      pass: (message) => link.send(message),
    })
    link.onWritable = () => this.#tellWritable()
  }

  get onMessage(): (message: Uint8Array) => void {
    return this.#onMessage ?? (() => {})
  }

  /** What came before waits in the link below. */
  set onMessage(listen: (message: Uint8Array) => void) {
    this.#onMessage = listen
    this.#link.onMessage = (message) => this.#inbound.push(message)
  }

  get onClose(): (reason: string) => void {
    return this.#onClose ?? (() => {})
  }

  set onClose(listen: (reason: string) => void) {
    this.#onClose = listen
    this.#link.onClose = (reason) => {
      this.#end()
      this.#onClose?.(reason)
    }
  }

  get bufferedBytes(): number {
    return this.#link.bufferedBytes + this.#outbound.waitingBytes
  }

  send(message: Uint8Array): void {
    this.#outbound.push(message)
    if (this.bufferedBytes > LINK_HIGH_WATERMARK_BYTES) this.#isCongested = true
  }

  close(reason: string): void {
    this.#end()
    this.#link.close(reason)
  }

  /** The rules have changed. */
  pump(): void {
    this.#inbound.pump()
    this.#outbound.pump()
    this.#tellWritable()
  }

  #tellWritable(): void {
    if (!this.#isCongested || this.bufferedBytes > LINK_LOW_WATERMARK_BYTES) return
    this.#isCongested = false
    this.onWritable()
  }

  /** Open and mute in both directions: silence is how its ends find out. */
  #endLanes(): void {
    this.#inbound.end()
    this.#outbound.end()
  }

  #end(): void {
    this.#endLanes()
    this.#onEnded()
  }
}
