/**
 * Gets an election connection to one member and keeps it. One connection per pair, opened by the
 * member with the larger id (Q21); the other one connects only to be called back.
 */
import type { Socket } from 'node:net'
import { Backoff } from '../../core/base/backoff.ts'
import type { ServerId } from '../../core/base/zxid.ts'
import { ELECTION_RETRY, PROMPT_AFTER_MS } from './quorum-limits.ts'
import { AddressTurns, type QuorumMember } from './quorum-member.ts'
import { dial, type TlsSide } from './tls-side.ts'

export interface DialerOptions {
  readonly sid: ServerId
  readonly peer: QuorumMember
  /** null: without TLS. */
  readonly tls: TlsSide | null
  /** What this member says first. */
  readonly greeting: Uint8Array
  readonly connectTimeoutMs: number
  /** A connection that may stay, greeted. */
  readonly onConnected: (socket: Socket) => void
}

export class ElectionDialer {
  readonly #options: DialerOptions
  readonly #backoff = new Backoff(ELECTION_RETRY, Math.random)
  #timer: ReturnType<typeof setTimeout> | null = null
  #socket: Socket | null = null
  readonly #addresses: AddressTurns
  #isStopped = false

  constructor(options: DialerOptions) {
    this.#options = options
    this.#addresses = new AddressTurns(options.peer)
  }

  /** There is no connection: get one. */
  want(): void {
    if (this.#isStopped || this.#timer !== null || this.#socket !== null) return
    const waitMs = this.#isCaller ? 0 : PROMPT_AFTER_MS
    this.#schedule(this.#backoff.failures === 0 ? waitMs : this.#backoff.nextMs())
  }

  /** The peer asks to be called: it is there. */
  callNow(): void {
    if (this.#isStopped || this.#socket !== null) return
    this.#clearTimer()
    this.#backoff.reset()
    this.#dial()
  }

  reset(): void {
    this.#backoff.reset()
  }

  /** There is a connection, whoever opened it. */
  satisfied(): void {
    this.#clearTimer()
    this.#drop()
  }

  stop(): void {
    this.#isStopped = true
    this.#clearTimer()
    this.#drop()
  }

  get #isCaller(): boolean {
    return this.#options.sid > this.#options.peer.sid
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#dial()
    }, delayMs)
  }

  #dial(): void {
    const { tls, greeting, connectTimeoutMs, onConnected } = this.#options
    const { host, electionPort } = this.#addresses.current
    const { socket, readyOn } = dial(host, electionPort, tls)
    this.#socket = socket
    const limit = setTimeout(() => socket.destroy(), connectTimeoutMs)
    // It says the same as 'close'; without a listener it would end the process.
    socket.on('error', () => undefined)
    const onClose = (): void => {
      clearTimeout(limit)
      if (this.#socket !== socket) return
      this.#socket = null
      this.#addresses.next()
      if (!this.#isStopped) this.#schedule(this.#backoff.nextMs())
    }
    socket.once('close', onClose)
    socket.once(readyOn, () => {
      socket.write(greeting)
      if (!this.#isCaller) {
        // It hangs up when it has read who wants to be called; the limit does if it does not.
        socket.resume()
        return
      }
      clearTimeout(limit)
      socket.off('close', onClose)
      this.#socket = null
      onConnected(socket)
    })
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #drop(): void {
    const socket = this.#socket
    this.#socket = null
    socket?.destroy()
  }
}
