/** A TCP proxy on loopback that shows every connection's bytes to a tap. */

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** Reads along on one connection. */
export interface Tap {
  /** From whoever connected. */
  onInitiator(chunk: Uint8Array): void
  /** From the server behind the proxy. */
  onAcceptor(chunk: Uint8Array): void
}

export class RecordingProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  /** Listens at `port` and passes on to `targetPort`. */
  static async listen(
    port: number,
    targetPort: number,
    newTap: () => Tap,
  ): Promise<RecordingProxy> {
    const server = createServer({ allowHalfOpen: true })
    const proxy = new RecordingProxy(server)
    server.on('connection', (socket) => {
      proxy.#join(socket, connect({ port: targetPort, allowHalfOpen: true }), newTap())
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return proxy
  }

  /** Cuts every connection, as a failing network would. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): void {
    this.#server.close()
    this.dropConnections()
  }

  #join(initiator: Socket, acceptor: Socket, tap: Tap): void {
    for (const [from, to] of [
      [initiator, acceptor],
      [acceptor, initiator],
    ] as const) {
      from.setNoDelay(true)
      this.#sockets.add(from)
      from.on('data', (chunk: Uint8Array) => {
        if (from === initiator) tap.onInitiator(new Uint8Array(chunk))
        else tap.onAcceptor(new Uint8Array(chunk))
        to.write(chunk)
      })
      from.on('end', () => to.end())
      // A reset is what tests here provoke; the close that follows is what counts.
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
    }
  }
}
