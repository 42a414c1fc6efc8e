/**
 * One connection between two election ports: length-prefixed messages both ways (Q21). Pulses, by
 * which members of ours notice a peer that hangs, travel as messages that Apache ZooKeeper reads
 * as a notification of an unknown state, and drops.
 */
import type { Socket } from 'node:net'
import { concat, EMPTY_BYTES } from '../../core/base/bytes.ts'
import { ELECTION_MESSAGE_BYTES_MAX } from './quorum-limits.ts'

const LENGTH_BYTES = 4
/** "zbra" where a notification has its state. */
const PULSE_STATE = 0x7a627261
/** A notification without a configuration. Its length tells its form, and 40 is an old one. */
const PULSE_HEAD_BYTES = 40
const VERSION_OFFSET = 36
const VERSION_WITHOUT_CONFIG = 1
const PULSE_BYTES = 9

export interface ElectionEvents {
  readonly onNotification: (message: Uint8Array) => void
  readonly onPulse: (pulse: Uint8Array) => void
  /** Once, also after `close`, never inside it. */
  readonly onClose: (reason: string) => void
}

export class ElectionConnection {
  readonly #socket: Socket
  readonly #events: ElectionEvents
  #held: Uint8Array = EMPTY_BYTES
  #isOpen = true
  #reason: string | null = null

  /** Behind the handshake. */
  constructor(socket: Socket, events: ElectionEvents) {
    this.#socket = socket
    this.#events = events
    socket.setNoDelay(true)
    socket.setTimeout(0)
    socket.on('data', (chunk: Uint8Array) => this.#receive(chunk))
    socket.on('error', (error) => {
      this.#reason ??= error.message
    })
    socket.on('end', () => socket.destroy())
    socket.on('close', () => {
      this.#isOpen = false
      this.#events.onClose(this.#reason ?? 'the connection was closed')
    })
  }

  /** `early` came with the handshake. */
  start(early: Uint8Array): void {
    if (early.length > 0) this.#receive(early)
    this.#socket.resume()
  }

  sendNotification(message: Uint8Array): void {
    if (!this.#isOpen) return
    const length = new Uint8Array(LENGTH_BYTES)
    new DataView(length.buffer).setInt32(0, message.length)
    this.#socket.write(concat([length, message]))
  }

  sendPulse(pulse: Uint8Array): void {
    const message = new Uint8Array(PULSE_HEAD_BYTES + pulse.length)
    const view = new DataView(message.buffer)
    view.setInt32(0, PULSE_STATE)
    view.setInt32(VERSION_OFFSET, VERSION_WITHOUT_CONFIG)
    message.set(pulse, PULSE_HEAD_BYTES)
    this.sendNotification(message)
  }

  close(reason: string): void {
    this.#isOpen = false
    this.#reason ??= reason
    this.#socket.destroy()
  }

  #receive(chunk: Uint8Array): void {
    if (!this.#isOpen) return
    this.#held = this.#held.length === 0 ? chunk : concat([this.#held, chunk])
    for (;;) {
      const view = new DataView(this.#held.buffer, this.#held.byteOffset, this.#held.byteLength)
      if (view.byteLength < LENGTH_BYTES) return
      const length = view.getInt32(0)
      if (length <= 0 || length > ELECTION_MESSAGE_BYTES_MAX) {
        this.close(`election message of ${length} bytes`)
        return
      }
      if (view.byteLength < LENGTH_BYTES + length) return
      // A copy: what is kept of it must not keep the chunk.
      const message = Uint8Array.from(this.#held.subarray(LENGTH_BYTES, LENGTH_BYTES + length))
      this.#held = this.#held.subarray(LENGTH_BYTES + length)
      this.#deliver(message)
      if (!this.#isOpen) return
    }
  }

  #deliver(message: Uint8Array): void {
    const isPulse =
      message.length === PULSE_HEAD_BYTES + PULSE_BYTES &&
      new DataView(message.buffer).getInt32(0) === PULSE_STATE
    if (isPulse) this.#events.onPulse(message.subarray(PULSE_HEAD_BYTES))
    else this.#events.onNotification(message)
  }
}
