/**
 * The client port: accepts connections, answers four-letter words, and hands everything else on as
 * channels (W1, W6, S-rows on connection limits).
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { X509Certificate } from 'node:crypto'
import type { ClientChannel } from '../../ports/client-channel.ts'
import { SocketChannel, UNREAD_BYTES_PAUSE } from './socket-channel.ts'
import { TlsAcceptor, type Handshakes, type TlsSide } from './tls-side.ts'

export interface ClientListenerOptions {
  /** Default every address of this machine, as ZooKeeper does (clientPortAddress). */
  readonly host?: string
  /** 0 = any free one. */
  readonly port: number
  /** clientPortListenBacklog: connections that the system lets wait; default its own. */
  readonly backlog?: number
  /** Default: without TLS. */
  readonly tls?: TlsSide
  readonly onClient: (channel: ClientChannel, from: ClientEnd) => void
  /**
   * The answer to a four-letter word, or null when it is none. Called once per connection, with
   * what came behind the word: `stmk` has an argument.
   */
  readonly onWord: (word: string, from: RemoteEnd, rest: Uint8Array) => string | null
  /** maxClientCnxns: connections of one address at once; 0 = no limit. Default 60. */
  readonly perAddressMax?: number
  /** maxCnxns: connections at once; 0 = no limit. Default 0. */
  readonly connectionsMax?: number
  readonly maxFrameBytes?: number
  /** How long a connection may keep silent before its first four bytes (S13). Default 10 s. */
  readonly silenceLimitMs?: number
  /** Told when a connection is refused for a limit; for logs and metrics. */
  readonly onRefused?: (address: string, reason: string) => void
  /** Told when a client is cut off for what it sent or did not read. */
  readonly onDropped?: (address: string, reason: string) => void
}

/** The other end of a connection. */
export interface RemoteEnd {
  readonly address: string
  readonly port: number
}

export interface ClientEnd extends RemoteEnd {
  /** What it showed, and somebody vouches for; null: nothing, or there is no TLS. */
  readonly certificate: X509Certificate | null
  /** It came over TLS. */
  readonly isSecure: boolean
}

const PER_ADDRESS_MAX = 60
const WORD_BYTES = 4
/** Lower-case ASCII letters, as all words are; read as a length they are beyond every frame. */
const WORD = /^[a-z]{4}$/
const SILENCE_LIMIT_MS = 10_000
/** How long the answer to a word may take to leave, ms. Ours. */
const FAREWELL_MS = 1_000

export class ClientListener {
  readonly #options: ClientListenerOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #perAddress = new Map<string, number>()
  readonly #acceptor: TlsAcceptor | null

  private constructor(options: ClientListenerOptions) {
    this.#options = options
    const { tls, onRefused } = options
    this.#acceptor =
      tls === undefined
        ? null
        : new TlsAcceptor(tls, {
            onReady: (socket) => this.#readFirstBytes(socket),
            onRefused: (address, reason) => onRefused?.(plainAddress(address), reason),
          })
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
  }

  /** Rejects with what the operating system says: port in use, address not ours. */
  static async open(options: ClientListenerOptions): Promise<ClientListener> {
    const listener = new ClientListener(options)
    await new Promise<void>((resolve, reject) => {
      listener.#server.once('error', reject)
      const { port, host, backlog } = options
      listener.#server.listen({ port, host, backlog }, () => resolve())
    })
    return listener
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get host(): string {
    return (this.#server.address() as AddressInfo).address
  }

  get connections(): number {
    return this.#sockets.size
  }

  get handshakes(): Handshakes | null {
    return this.#acceptor?.handshakes ?? null
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #accept(socket: Socket): void {
    // An error before the channel listens would end the process.
    socket.on('error', ignore)
    const address = plainAddress(socket.remoteAddress)
    const refusal = this.#refusal(address)
    if (refusal !== null) {
      this.#options.onRefused?.(address, refusal)
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      const left = (this.#perAddress.get(address) ?? 1) - 1
      if (left > 0) this.#perAddress.set(address, left)
      else this.#perAddress.delete(address)
    })
    if (this.#acceptor === null) this.#readFirstBytes(socket)
    else this.#acceptor.accept(socket)
  }

  #refusal(address: string): string | null {
    const { connectionsMax = 0, perAddressMax = PER_ADDRESS_MAX } = this.#options
    if (connectionsMax > 0 && this.#sockets.size >= connectionsMax) {
      return `${connectionsMax} connections are open (maxCnxns)`
    }
    const count = this.#perAddress.get(address) ?? 0
    if (perAddressMax > 0 && count >= perAddressMax) {
      return `${count} connections of ${address} are open (maxClientCnxns)`
    }
    return null
  }

  /** A word or the length of a ConnectRequest: four bytes tell, in however many pieces. */
  #readFirstBytes(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress)
    let first: Uint8Array = new Uint8Array(0)
    const silent = setTimeout(
      () => socket.destroy(),
      this.#options.silenceLimitMs ?? SILENCE_LIMIT_MS,
    )
    socket.once('close', () => clearTimeout(silent))
    const read = (chunk: Uint8Array): void => {
      first = first.length === 0 ? chunk : Buffer.concat([first, chunk])
      if (first.length < WORD_BYTES) return
      clearTimeout(silent)
      socket.off('data', read)
      const word = String.fromCharCode(...first.subarray(0, WORD_BYTES))
      const from = { address, port: socket.remotePort ?? 0 }
      const rest = first.subarray(WORD_BYTES)
      const answer = WORD.test(word) ? this.#options.onWord(word, from, rest) : null
      if (answer !== null) return sayLast(socket, answer)
      const channel = new SocketChannel(socket, this.#options.maxFrameBytes, UNREAD_BYTES_PAUSE)
      channel.onFailure = (reason) => this.#options.onDropped?.(address, reason)
      const isSecure = socket instanceof TLSSocket
      this.#options.onClient(channel, { ...from, certificate: certificateOf(socket), isSecure })
      channel.receive(first)
    }
    socket.on('data', read)
  }
}

/** Whoever does not close behind it would keep the connection for ever. */
function sayLast(socket: Socket, answer: string): void {
  socket.end(answer)
  const cut = setTimeout(() => socket.destroy(), FAREWELL_MS)
  socket.once('close', () => clearTimeout(cut))
}

function certificateOf(socket: Socket): X509Certificate | null {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return null
  return socket.getPeerX509Certificate() ?? null
}

/** IPv4 as people and ACLs write it, also where the socket speaks both. */
function plainAddress(address: string | undefined): string {
  const known = address ?? ''
  return known.startsWith('::ffff:') ? known.slice('::ffff:'.length) : known
}

function ignore(): void {}
