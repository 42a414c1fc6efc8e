/** Members behind the `client` channels that this very page keeps: the way of a client-only tab. */
import type { ClientMux, MuxConnection } from '../adapters/webrtc/client-mux.ts'
import type {
  ClientConnection,
  ClientHost,
  ClientTransport,
  ReconnectPace,
} from '../client/transport.ts'

/** As over ports: a room has few clients, and a channel costs nothing. */
const PACE: ReconnectPace = { reconnectDelayMaxMs: 100, roundPauseMs: 250 }

export class MuxTransport implements ClientTransport {
  readonly pace: ReconnectPace = PACE
  readonly #voters: () => ReadonlyMap<number, ClientMux>

  /** `voters`: those that can be reached now, by server id. Asked before each attempt. */
  constructor(voters: () => ReadonlyMap<number, ClientMux>) {
    this.#voters = voters
  }

  hosts(): readonly ClientHost[] {
    return [...this.#voters().keys()]
      .sort((a, b) => a - b)
      .map((sid) => ({ id: String(sid), label: `machine ${sid}`, isLocal: false }))
  }

  async connect(host: ClientHost, signal: AbortSignal): Promise<ClientConnection> {
    signal.throwIfAborted()
    const mux = this.#voters().get(Number(host.id))
    if (mux === undefined) throw new Error(`no link to ${host.label}`)
    return new MuxClientConnection(mux.open())
  }
}

class MuxClientConnection implements ClientConnection {
  /** A page with a data channel keeps timers of a second when it is hidden: enough for pings. */
  onTick: () => void = () => {}
  readonly #connection: MuxConnection
  #isClosed = false

  constructor(connection: MuxConnection) {
    this.#connection = connection
  }

  get onMessage(): (bytes: Uint8Array) => void {
    return this.#connection.onMessage
  }

  set onMessage(listen: (bytes: Uint8Array) => void) {
    this.#connection.onMessage = (bytes) => {
      if (!this.#isClosed) listen(bytes)
    }
  }

  get onClose(): (reason: string) => void {
    return this.#connection.onClose
  }

  /** The other side may have ended it before anybody listened: then it is told at once. */
  set onClose(listen: (reason: string) => void) {
    this.#connection.onClose = (reason) => {
      if (!this.#isClosed) listen(reason)
      this.#isClosed = true
    }
  }

  send(bytes: Uint8Array): void {
    this.#connection.send(bytes)
  }

  close(reason: string): void {
    this.#isClosed = true
    this.#connection.close(reason)
  }
}
