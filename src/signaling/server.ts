/**
 * The broker on a Node HTTP server: WebSockets at /signal, driving the rules of room.ts.
 *
 * Any origin may connect. A room id is a hash of a secret of 128 bits and admits by itself, cookies
 * play no part, and everything relayed is sealed; so an origin check would protect nothing and
 * would stop pages that use a broker elsewhere.
 */

import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { SIGNAL_LIMITS, type SignalLimits } from './limits.ts'
import { SIGNAL_PATH } from './protocol.ts'
import { RoomBroker, type RoomInput, type SocketId } from './room.ts'

/**
 * A socket that answered no ping for two intervals is dead, and its page a crash hint. A killed
 * browser's socket is reset at once; this finds the ones whose network went.
 */
const HEARTBEAT_INTERVAL_MS = 5_000
/** Time for close frames to leave before the sockets are cut. */
const CLOSE_GRACE_MS = 500
const GOING_AWAY = 1001
const NORMAL = 1000

export interface SignalServerOptions {
  readonly path?: string
  readonly limits?: SignalLimits
  readonly heartbeatMs?: number
}

export interface SignalServer {
  readonly socketCount: number
  readonly roomCount: number
  /** Closes every socket; pages try again by themselves. */
  close(): Promise<void>
}

export function attachSignaling(server: Server, options: SignalServerOptions = {}): SignalServer {
  return new Attachment(server, options)
}

class Attachment implements SignalServer {
  readonly #server: Server
  readonly #path: string
  readonly #webSockets: WebSocketServer
  readonly #broker: RoomBroker
  readonly #sockets: Map<SocketId, WebSocket> = new Map()
  readonly #silent: Set<SocketId> = new Set()
  readonly #heartbeat: ReturnType<typeof setInterval>
  readonly #onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  #nextSocket = 1

  constructor(server: Server, options: SignalServerOptions) {
    const limits = options.limits ?? SIGNAL_LIMITS
    this.#server = server
    this.#path = options.path ?? SIGNAL_PATH
    this.#broker = new RoomBroker(limits)
    this.#webSockets = new WebSocketServer({
      noServer: true,
      maxPayload: limits.messageBytesMax,
      // Sealed bytes do not shrink, and each deflate context costs memory.
      perMessageDeflate: false,
      clientTracking: false,
    })
    this.#onUpgrade = (request, socket, head) => this.#upgrade(request, socket, head)
    server.on('upgrade', this.#onUpgrade)
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs ?? HEARTBEAT_INTERVAL_MS)
    this.#heartbeat.unref()
  }

  get socketCount(): number {
    return this.#broker.socketCount
  }

  get roomCount(): number {
    return this.#broker.roomCount
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat)
    this.#server.off('upgrade', this.#onUpgrade)
    const open = [...this.#sockets.values()]
    const closed = open.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
    for (const socket of open) socket.close(GOING_AWAY, 'server is stopping')
    const cut = setTimeout(() => {
      for (const socket of open) socket.terminate()
    }, CLOSE_GRACE_MS)
    await Promise.all(closed)
    clearTimeout(cut)
    this.#webSockets.close()
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = (request.url ?? '/').split('?', 1)[0]
    if (path !== this.#path) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    // A client that vanishes during the handshake is no event for anybody.
    socket.on('error', () => socket.destroy())
    this.#webSockets.handleUpgrade(request, socket, head, (opened) => this.#adopt(opened))
  }

  #adopt(socket: WebSocket): void {
    const id = this.#nextSocket++
    this.#sockets.set(id, socket)
    socket.on('message', (data, isBinary) => {
      // Binary is no message of ours: an empty text is refused by the rules like any other.
      const text = isBinary ? '' : (data as Buffer).toString('utf8')
      this.#step({ kind: 'text', socket: id, text })
    })
    socket.on('pong', () => this.#silent.delete(id))
    // Oversized or malformed frames: ws closes the socket itself and the close event follows.
    socket.on('error', () => {})
    socket.on('close', (code) => {
      this.#sockets.delete(id)
      this.#silent.delete(id)
      const clean = code === NORMAL || code === GOING_AWAY
      this.#step({ kind: 'closed', socket: id, clean })
    })
    this.#step({ kind: 'opened', socket: id })
  }

  #step(input: RoomInput): void {
    for (const output of this.#broker.step(input, performance.now())) {
      const socket = this.#sockets.get(output.socket)
      if (socket === undefined) continue
      if (output.kind === 'close') {
        socket.close(output.code, output.reason)
        continue
      }
      const { text } = output
      socket.send(text, () => {
        this.#step({ kind: 'drained', socket: output.socket, bytes: text.length })
      })
    }
  }

  #beat(): void {
    for (const [id, socket] of this.#sockets) {
      if (this.#silent.has(id)) {
        socket.terminate()
        continue
      }
      this.#silent.add(id)
      socket.ping()
    }
    this.#step({ kind: 'tick' })
  }
}
