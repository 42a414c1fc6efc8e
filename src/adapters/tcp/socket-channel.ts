/** A TCP connection as a channel of whole frames, at either end of it. */
import type { Socket } from 'node:net'
import { JuteError } from '../../core/jute/jute-error.ts'
import type { ClientChannel } from '../../ports/client-channel.ts'
import { WholeFrames } from './whole-frames.ts'

/**
 * Bytes that may wait for a reader that does not read. Ours: several of the longest replies, and a
 * bound on what a stuck client can make us keep.
 */
export const UNREAD_BYTES_MAX: number = 64 * 1024 * 1024
/**
 * Beyond so many unread bytes a server reads nothing more of its client, which then asks for no
 * more. Ours: far beyond what is on its way to somebody who reads.
 */
export const UNREAD_BYTES_PAUSE: number = 1024 * 1024
/** What is said of a client that was cut off for what it left unread. */
export const DOES_NOT_READ = 'the other side does not read'
/** How long what was said last may take to leave before the socket is cut, ms. Ours. */
const FAREWELL_MS = 1_000
/** Frames that may come before anybody listens. Ours: a client waits for its session. */
const EARLY_MAX = 64

export class SocketChannel implements ClientChannel {
  onClose: (reason: string) => void = ignore
  /** The other side broke a rule, which is named, and is cut off; `onClose` follows. */
  onFailure: (reason: string) => void = ignore
  readonly #socket: Socket
  readonly #frames: WholeFrames
  readonly #pausesAtBytes: number
  #onMessage: ((bytes: Uint8Array) => void) | null = null
  #early: Uint8Array[] = []
  #isOpen = true
  #failure: string | null = null

  /**
   * `pausesAtBytes`: for the serving end only. Where both ends wait for the other to read, nobody
   * does.
   */
  constructor(socket: Socket, maxFrameBytes?: number, pausesAtBytes: number = Infinity) {
    this.#socket = socket
    this.#pausesAtBytes = pausesAtBytes
    this.#frames = new WholeFrames(maxFrameBytes)
    socket.setNoDelay(true)
    socket.on('data', (chunk: Uint8Array) => this.receive(chunk))
    socket.on('error', (error) => {
      this.#failure ??= error.message
    })
    // Half-open connections serve nobody: the other side said that it wants nothing more.
    socket.on('end', () => socket.destroy())
    socket.on('close', () => this.#closed(this.#failure ?? 'the connection was closed'))
  }

  set onMessage(listen: (bytes: Uint8Array) => void) {
    this.#onMessage = listen
    for (const message of this.#early.splice(0)) listen(message)
  }

  get onMessage(): (bytes: Uint8Array) => void {
    return this.#onMessage ?? ignore
  }

  send(bytes: Uint8Array): void {
    if (!this.#isOpen) return
    this.#socket.write(bytes)
    const unread = this.#socket.writableLength
    if (unread > UNREAD_BYTES_MAX) this.#fail(DOES_NOT_READ)
    else if (unread > this.#pausesAtBytes && !this.#socket.isPaused()) {
      this.#socket.pause()
      this.#socket.once('drain', () => this.#socket.resume())
    }
  }

  close(reason: string): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#failure ??= reason
    this.#socket.end()
    const cut = setTimeout(() => this.#socket.destroy(), FAREWELL_MS)
    cut.unref()
    this.#socket.once('close', () => clearTimeout(cut))
  }

  /** For bytes that somebody else had read from the socket before it became a channel. */
  receive(chunk: Uint8Array): void {
    if (!this.#isOpen) return
    try {
      // Plain bytes: Node's Buffer shares memory where `slice` should copy.
      const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      for (const message of this.#frames.push(bytes)) this.#deliver(message)
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
      this.#fail(error.message)
    }
  }

  #deliver(message: Uint8Array): void {
    if (!this.#isOpen) return
    if (this.#onMessage !== null) this.#onMessage(message)
    else if (this.#early.push(message) > EARLY_MAX) this.#fail('too much before an answer')
  }

  #fail(reason: string): void {
    if (this.#failure !== null) return
    this.#failure = reason
    this.#socket.destroy()
    this.onFailure(reason)
  }

  #closed(reason: string): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.onClose(reason)
  }
}

function ignore(): void {}
