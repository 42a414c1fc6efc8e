/** A port between servers: accepts, hears who it is within bounds, and hands the connection on. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { readFirst, type ParseFirst } from './first-message.ts'
import { UNKNOWN_CONNECTIONS_MAX } from './quorum-limits.ts'

export interface PeerPortOptions<T> {
  /** null: every address of this machine. */
  readonly host: string | null
  /** 0 = any free one. */
  readonly port: number
  readonly parse: ParseFirst<T>
  /** Paused; to be resumed by whoever takes it. */
  readonly onPeer: (socket: Socket, said: T, rest: Uint8Array) => void
  readonly onRefused: (address: string, reason: string) => void
}

export class PeerPort<T> {
  readonly #options: PeerPortOptions<T>
  readonly #server: Server
  readonly #unknown = new Set<Socket>()
  readonly #sockets = new Set<Socket>()

  private constructor(options: PeerPortOptions<T>) {
    this.#options = options
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
    this.#unknown.add(socket)
    readFirst(
      socket,
      this.#options.parse,
      (said, rest) => {
        this.#unknown.delete(socket)
        this.#options.onPeer(socket, said, rest)
      },
      (reason) => {
        this.#unknown.delete(socket)
        this.#options.onRefused(address, reason)
      },
    )
  }
}
