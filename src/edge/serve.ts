/** One HTTP server for the built pages and, on the same port, the signaling. */

import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { attachSignaling, type SignalServer } from '../signaling/server.ts'
import type { SignalLimits } from '../signaling/limits.ts'
import type { ServerCertificate } from './certificate.ts'
import type { IceSettings } from '../adapters/webrtc/ice-settings.ts'
import { serveIceFile } from './ice-file.ts'
import { serveFile } from './static-files.ts'

/** Slow senders of headers are cut: a static server has nothing to wait for. */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000

export interface ServerOptions {
  /** Address to listen on; default 127.0.0.1, so that nothing is published by accident. */
  readonly host?: string
  /** 0 takes any free port. */
  readonly port: number
  /** Folder of the built pages; without it only signaling is served. */
  readonly staticDir?: string
  /** STUN and TURN servers for these pages. Readable by whoever may open them. */
  readonly iceSettings?: IceSettings
  /** Default true. */
  readonly signal?: boolean
  readonly signalLimits?: SignalLimits
  /** Serve https and wss with it. */
  readonly tls?: ServerCertificate
}

export interface RunningServer {
  readonly host: string
  readonly port: number
  readonly signaling: SignalServer | null
  close(): Promise<void>
}

/** Why no server runs, in a sentence that can be printed as it is. */
export class StartError extends Error {
  /** The system's code: EADDRINUSE, EACCES, … */
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartError'
    this.code = code
  }
}

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const host = options.host ?? '127.0.0.1'
  const { staticDir } = options
  const server = create(options.tls, (request, response) => {
    if (staticDir !== undefined) {
      if (serveIceFile(request, response, options.iceSettings)) return
      void serveFile(staticDir, request, response)
      return
    }
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' })
    response.end('zabra signaling\n')
  })
  server.headersTimeout = HEADERS_TIMEOUT_MS
  server.requestTimeout = REQUEST_TIMEOUT_MS
  server.on('clientError', (_error, socket) => socket.destroy())
  await listen(server, host, options.port)
  const signaling =
    options.signal === false
      ? null
      : attachSignaling(
          server,
          options.signalLimits === undefined ? {} : { limits: options.signalLimits },
        )
  if (signaling === null) server.on('upgrade', (_request, socket) => socket.destroy())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  return { host, port, signaling, close: () => closeServer(server, signaling) }
}

function create(tls: ServerCertificate | undefined, answer: RequestListener): Server {
  if (tls === undefined) return createServer(answer)
  const { certificate: cert, privateKey: key } = tls
  const server = createSecureServer({ cert, key, minVersion: 'TLSv1.2' }, answer)
  // A browser that shows its warning first hangs up in the handshake: no event for anybody.
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  return server
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(startError(error, host, port))
    server.once('error', onError)
    server.listen(port, host, () => {
      server.off('error', onError)
      resolve()
    })
  })
}

function startError(error: NodeJS.ErrnoException, host: string, port: number): StartError {
  return new StartError(error.code ?? 'EUNKNOWN', inWords(error, host, port), { cause: error })
}

function inWords(error: NodeJS.ErrnoException, host: string, port: number): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is in use. End what uses it, or choose another with PORT=…`
    case 'EACCES':
      return `Port ${port} needs rights that you do not have. Choose one above 1023 with PORT=…`
    case 'ENOTFOUND':
    case 'EADDRNOTAVAIL':
      return `This machine has no address ${host}.`
    default:
      return `Cannot listen on ${host}:${port}: ${error.message}`
  }
}

async function closeServer(server: Server, signaling: SignalServer | null): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  await signaling?.close()
  server.closeAllConnections()
  await closed
}
