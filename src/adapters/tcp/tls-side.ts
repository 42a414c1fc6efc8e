/** TLS on sockets of both directions. How keys come out of files is not this folder's business. */
import { connect, isIP, type Socket } from 'node:net'
import {
  checkServerIdentity,
  connect as connectSecurely,
  createServer,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from 'node:tls'

export interface TlsSide {
  /** Keys, authorities, versions, ciphers. Another object when they have changed. */
  readonly context: SecureContextOptions
  /** none: no certificate is asked for; want: it may be missing; need: it may not. */
  readonly clientAuth: 'none' | 'want' | 'need'
  /** From the connection to the end of the handshake. */
  readonly handshakeMs: number
  /** Whoever is called has to show a certificate for the name that was called. */
  readonly checksServerName: boolean
  /** The certificate of who calls must be for one of these hosts; null: any good one will do. */
  readonly clientHosts: readonly string[] | null
  /** Connections without TLS are taken as well. */
  readonly takesPlain: boolean
}

/** Of every TLS connection the first byte: a record of the handshake. No frame begins so. */
const HANDSHAKE_RECORD = 22

/** A connection that is being made, and the event at which it is. */
export interface Dialled {
  readonly socket: Socket
  readonly readyOn: 'connect' | 'secureConnect'
}

/** `tls` null: without. */
export function dial(host: string, port: number, tls: TlsSide | null): Dialled {
  if (tls === null) {
    return { socket: connect({ host, port, noDelay: true }), readyOn: 'connect' }
  }
  const socket = connectSecurely({
    ...tls.context,
    host,
    port,
    // An address is no server name in TLS.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(tls.checksServerName ? {} : { checkServerIdentity: () => undefined }),
  })
  socket.setNoDelay(true)
  return { socket, readyOn: 'secureConnect' }
}

export interface AcceptorHooks {
  /** It may be written to, and read from. A socket without TLS only where that is allowed. */
  readonly onReady: (socket: Socket | TLSSocket) => void
  /** Destroyed; the reason is for people. */
  readonly onRefused: (address: string, reason: string) => void
}

/** Those that are under way, and how many came to nothing so far. */
export interface Handshakes {
  readonly pending: number
  readonly failed: number
}

/** Makes of accepted connections those that may be used. */
export class TlsAcceptor {
  readonly #side: TlsSide
  readonly #hooks: AcceptorHooks
  /** Listens nowhere: it is given its connections. */
  readonly #server: Server
  #context: SecureContextOptions
  #begun = 0
  /** Each ends once: in a connection or in an error, also that of a client which went. */
  #ended = 0
  #failed = 0

  constructor(side: TlsSide, hooks: AcceptorHooks) {
    this.#side = side
    this.#hooks = hooks
    this.#context = side.context
    this.#server = createServer({
      ...this.#context,
      requestCert: side.clientAuth !== 'none',
      rejectUnauthorized: side.clientAuth === 'need',
      handshakeTimeout: side.handshakeMs,
    })
    this.#server.on('secureConnection', (socket) => this.#onSecure(socket))
    this.#server.on('tlsClientError', (error, socket) => {
      const address = socket.remoteAddress ?? 'somewhere'
      this.#ended++
      socket.destroy()
      this.#refuse(address, error.message)
    })
  }

  get handshakes(): Handshakes {
    return { pending: this.#begun - this.#ended, failed: this.#failed }
  }

  accept(socket: Socket): void {
    // An error before anybody listens would end the process.
    socket.on('error', ignore)
    if (!this.#side.takesPlain) this.#begin(socket)
    else this.#tellApart(socket)
  }

  #tellApart(socket: Socket): void {
    const silent = setTimeout(() => socket.destroy(), this.#side.handshakeMs)
    const look = (): void => {
      const first = socket.read(1) as Uint8Array | null
      if (first === null) return
      clearTimeout(silent)
      socket.off('readable', look)
      socket.unshift(first)
      if (first[0] === HANDSHAKE_RECORD) this.#begin(socket)
      else this.#hooks.onReady(socket)
    }
    socket.on('readable', look)
    socket.once('close', () => clearTimeout(silent))
  }

  #begin(socket: Socket): void {
    this.#begun++
    const { context } = this.#side
    if (context !== this.#context) this.#server.setSecureContext(context)
    this.#context = context
    this.#server.emit('connection', socket)
  }

  #refuse(address: string, why: string): void {
    this.#failed++
    this.#hooks.onRefused(address, `TLS: ${why}`)
  }

  #onSecure(socket: TLSSocket): void {
    this.#ended++
    socket.on('error', ignore)
    const problem = this.#problem(socket)
    if (problem === null) return this.#hooks.onReady(socket)
    const address = socket.remoteAddress ?? 'somewhere'
    socket.destroy()
    this.#refuse(address, problem)
  }

  /** What the handshake lets pass and this side does not. */
  #problem(socket: TLSSocket): string | null {
    const { clientAuth, clientHosts } = this.#side
    const certificate = socket.getPeerCertificate()
    const isShown = Object.keys(certificate).length > 0
    if (clientAuth === 'none' || !isShown) return null
    if (!socket.authorized) return `a certificate that nobody vouches for: ${whyNot(socket)}`
    if (clientHosts === null) return null
    const isOurs = clientHosts.some((host) => checkServerIdentity(host, certificate) === undefined)
    return isOurs ? null : `a certificate for none of ${clientHosts.join(', ')}`
  }
}

function whyNot({ authorizationError }: TLSSocket): string {
  // Its type says Error; it is the code.
  return String(authorizationError)
}

function ignore(): void {}
