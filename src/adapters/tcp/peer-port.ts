/** A port between servers: accepts, hears who it is within bounds, and hands the connection on. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { readFirst, type ParseFirst } from './first-message.ts'
import { UNKNOWN_CONNECTIONS_MAX } from './quorum-limits.ts'
import { TlsAcceptor, type TlsSide } from './tls-side.ts'

export interface PeerPortOptions<T> {
  /** null: every address of this machine. */
  readonly host: string | null
  /** 0 = any free one. */
  readonly port: number
  /** null: connections are as they come. */
  readonly tls: TlsSide | null
  readonly parse: ParseFirst<T>
  /** Paused; to be resumed by whoever takes it. */
  readonly onPeer: (socket: Socket, said: T, rest: Uint8Array) => void
  readonly onRefused: (address: string, reason: string) => void
}

export class PeerPort<T> {
  readonly #options: PeerPortOptions<T>
  readonly #server: Server
  /** Ends of connections that have not said who they are. */
  readonly #unknown = new Set<string>()
  readonly #sockets = new Set<Socket>()
  readonly #acceptor: TlsAcceptor | null

  private constructor(options: PeerPortOptions<T>) {
    this.#options = options
    const { tls, onRefused } = options
    const hooks = { onReady: (socket: Socket) => this.#hear(socket), onRefused }
    this.#acceptor = tls === null ? null : new TlsAcceptor(tls, hooks)
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
  }

  /** Rejects with what the operating system says: port in use, address not ours. */
  static async open<T>(options: PeerPortOptions<T>): Promise<PeerPort<T>> {
    const port = new PeerPort(options)
    await new Promise<void>((resolve, reject) => {
      port.#server.once('error', reject)
      port.#server.listen(options.port, options.host ?? undefined, () => resolve())
    })
    return port
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #accept(socket: Socket): void {
    const address = socket.remoteAddress ?? 'somewhere'
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    if (this.#unknown.size >= UNKNOWN_CONNECTIONS_MAX) {
      socket.on('error', () => undefined)
      socket.destroy()
      this.#options.onRefused(address, `${UNKNOWN_CONNECTIONS_MAX} have not said who they are`)
      return
    }
    const end = endOf(socket)
    this.#unknown.add(end)
    socket.once('close', () => this.#unknown.delete(end))
    if (this.#acceptor === null) this.#hear(socket)
    else this.#acceptor.accept(socket)
  }

  #hear(socket: Socket): void {
    const address = socket.remoteAddress ?? 'somewhere'
    const end = endOf(socket)
    readFirst(
      socket,
      this.#options.parse,
      (said, rest) => {
        this.#unknown.delete(end)
        this.#options.onPeer(socket, said, rest)
      },
      (reason) => {
        this.#unknown.delete(end)
        this.#options.onRefused(address, reason)
      },
    )
  }
}

/** The same for a socket and for the one with TLS that is made of it. */
function endOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
