/**
 * One end of a connection: a link between members, a member's side of a client's connection, or a
 * client's. The three ports differ in one thing only: a link tells its owner also of its own close.
 */
import type { ClientConnection } from '../client/transport.ts'
import type { ClientChannel } from '../ports/client-channel.ts'
import { LINK_LOW_WATERMARK_BYTES, type Link } from '../ports/link.ts'
import type { Station } from './station.ts'
import type { VirtualProcess } from './virtual-process.ts'

/** What carries messages from an end to the other. */
export interface Carrier {
  carry(end: PipeEnd, bytes: Uint8Array): void
  /** `end` was closed by its owner. */
  closed(end: PipeEnd, reason: string): void
  forget(end: PipeEnd): void
}

export class PipeEnd implements Link, ClientChannel, ClientConnection {
  readonly station: Station
  readonly peer: Station
  /** Of this life of the station: a later one knows nothing of it. */
  readonly process: VirtualProcess
  other: PipeEnd | null = null
  /** A message was lost on the way out: nothing after it arrives either. */
  isBroken = false
  /** Wait for the path to be whole again. */
  readonly held: Uint8Array[] = []
  lastArrivalMs = 0
  /** For a link. */
  tellsOwnClose = false
  onWritable: () => void = ignore
  onTick: () => void = ignore
  /** Everything that passes, for a recorder. */
  onPassing: (way: 'in' | 'out', bytes: Uint8Array) => void = ignore
  /** At once, whoever ended it. */
  onEnded: (reason: string) => void = ignore
  readonly #network: Carrier
  #bufferedBytes = 0
  #early: Uint8Array[] = []
  #onMessage: ((bytes: Uint8Array) => void) | null = null
  #onClose: ((reason: string) => void) | null = null
  #closedBecause: string | null = null
  #hasTold = false

  constructor(network: Carrier, station: Station, peer: Station) {
    this.#network = network
    this.station = station
    this.peer = peer
    this.process = station.process
  }

  get isOpen(): boolean {
    return this.#closedBecause === null
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  get onMessage(): (bytes: Uint8Array) => void {
    return this.#onMessage ?? ignore
  }

  set onMessage(listen: (bytes: Uint8Array) => void) {
    this.#onMessage = listen
    for (const bytes of this.#early.splice(0)) this.arrived(bytes)
  }

  get onClose(): (reason: string) => void {
    return this.#onClose ?? ignore
  }

  set onClose(listen: (reason: string) => void) {
    this.#onClose = listen
    if (this.#closedBecause !== null && !this.#hasTold) this.#tellLater()
  }

  send(bytes: Uint8Array): void {
    if (!this.isOpen) return
    this.#bufferedBytes += bytes.length
    this.onPassing('out', bytes)
    this.#network.carry(this, bytes)
  }

  close(reason: string): void {
    if (!this.isOpen) return
    this.#hasTold = !this.tellsOwnClose
    this.#end(reason)
    this.#network.closed(this, reason)
    if (!this.#hasTold) this.#tellLater()
  }

  /** Neither owner's doing: this one is told at once. */
  reset(reason: string): void {
    if (!this.isOpen) return
    this.#end(reason)
    this.#network.closed(this, reason)
    this.process.run(() => this.#tell())
  }

  // — as the network sees it —

  arrived(bytes: Uint8Array): void {
    if (!this.isOpen) return
    if (this.#onMessage === null) {
      this.#early.push(bytes)
      return
    }
    this.onPassing('in', bytes)
    this.#onMessage(bytes)
  }

  hasLeft(bytes: number): void {
    const wasFull = this.#bufferedBytes >= LINK_LOW_WATERMARK_BYTES
    this.#bufferedBytes -= bytes
    if (wasFull && this.#bufferedBytes < LINK_LOW_WATERMARK_BYTES && this.isOpen) this.onWritable()
  }

  /** The other side, or the path, is gone. */
  lost(reason: string): void {
    if (!this.isOpen) return
    this.#end(reason)
    this.#network.forget(this)
    this.#tell()
  }

  /** Its process ended: nobody is there to be told. */
  abandon(): void {
    this.#hasTold = true
    this.#end('its process ended')
    this.#network.forget(this)
  }

  #end(reason: string): void {
    this.#closedBecause ??= reason
    this.onEnded(reason)
  }

  /** Never inside the call that closed it. */
  #tellLater(): void {
    this.process.after(0, () => this.#tell())
  }

  #tell(): void {
    if (this.#hasTold || this.#onClose === null) return
    this.#hasTold = true
    this.#onClose(this.#closedBecause ?? '')
  }
}

function ignore(): void {}
