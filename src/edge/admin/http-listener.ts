/** A small HTTP server for administrators: bounded in every direction, and it never throws. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { pipeline } from 'node:stream/promises'
import type { Readable } from 'node:stream'
import { TlsAcceptor, type TlsSide } from '../../adapters/tcp/tls-side.ts'

export interface HttpRequest {
  readonly method: string
  /** Without what stands behind a question mark. */
  readonly path: string
  readonly query: URLSearchParams
  readonly authorization: string | null
  /** Of the other end, IPv4 as people write it. */
  readonly address: string
  /** Resolves to null when it is longer than that. Rejects when it does not come. */
  body(bytesMax: number): Promise<Uint8Array | null>
}

export interface HttpAnswer {
  readonly status: number
  readonly type: string
  readonly body: string | Readable
  readonly headers?: Readonly<Record<string, string>>
}

export interface HttpListenerOptions {
  /** Null: every address of this machine. */
  readonly host: string | null
  /** 0 = any free one. */
  readonly port: number
  readonly idleTimeoutMs: number
  readonly methods: readonly string[]
  readonly answer: (request: HttpRequest) => Promise<HttpAnswer>
  /** An answer failed, which is an error of ours. */
  readonly onFailure?: (path: string, error: unknown) => void
  /** Default: without. */
  readonly tls?: TlsSide | null
  /** A connection came without TLS where it may. */
  readonly onPlain?: () => void
}

/** Connections at once. Ours: a few monitors, and whoever looks. */
const CONNECTIONS_MAX = 64
/** Lines of a request's head, and how long the head may take, ms. Ours. */
const HEADERS_MAX = 100
const HEAD_TIMEOUT_MS = 10_000
/** A whole request, ms; a snapshot comes in one. Node's default. */
const REQUEST_TIMEOUT_MS = 300_000
const MAPPED = '::ffff:'
/** A day, as ZooKeeper says: browsers that came by https once come so again. */
const STRICT = { 'strict-transport-security': 'max-age=86400; includeSubDomains' }

export interface HttpListener {
  readonly port: number
  close(): Promise<void>
}

/** Rejects with what the operating system says: port in use, address not ours. */
export async function openHttp(options: HttpListenerOptions): Promise<HttpListener> {
  const server = createServer(
    {
      headersTimeout: HEAD_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: options.idleTimeoutMs,
    },
    (request, response) => void respond(options, request, response),
  )
  server.maxConnections = CONNECTIONS_MAX
  server.maxHeadersCount = HEADERS_MAX
  server.timeout = options.idleTimeoutMs
  if (options.tls) secure(server, options.tls, options.onPlain)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host ?? undefined, () => resolve())
  })
  const { port } = server.address() as AddressInfo
  return { port, close: () => close(server) }
}

/** What the server does with a connection, it does when that is ready to be read. */
function secure(server: Server, side: TlsSide, onPlain?: () => void): void {
  const listeners = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')
  const acceptor = new TlsAcceptor(side, {
    onReady: (socket) => {
      if (!(socket instanceof TLSSocket)) onPlain?.()
      for (const listener of listeners) listener.call(server, socket)
    },
    onRefused: () => undefined,
  })
  server.on('connection', (socket) => acceptor.accept(socket))
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

async function respond(
  options: HttpListenerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const method = request.method ?? ''
  const url = urlOf(request.url)
  try {
    if (!options.methods.includes(method)) {
      response.writeHead(405, { allow: options.methods.join(', ') }).end()
    } else if (url === null) response.writeHead(400).end()
    else {
      if (request.socket instanceof TLSSocket) response.setHeaders(new Map(Object.entries(STRICT)))
      await send(response, await options.answer(requestOf(request, method, url)), method)
    }
  } catch (error) {
    options.onFailure?.(url?.pathname ?? '', error)
    if (response.headersSent) response.destroy()
    else response.writeHead(500, { 'content-type': 'text/plain' }).end('internal error\n')
  }
}

async function send(response: ServerResponse, answer: HttpAnswer, method: string): Promise<void> {
  const { status, type, body, headers = {} } = answer
  if (typeof body === 'string') {
    const length = String(Buffer.byteLength(body))
    response.writeHead(status, { 'content-type': type, 'content-length': length, ...headers })
    response.end(method === 'HEAD' ? '' : body)
    return
  }
  response.writeHead(status, { 'content-type': type, ...headers })
  await pipeline(body, response)
}

function requestOf(request: IncomingMessage, method: string, url: URL): HttpRequest {
  const { remoteAddress = '' } = request.socket
  return {
    method,
    path: url.pathname,
    query: url.searchParams,
    authorization: request.headers.authorization ?? null,
    address: remoteAddress.startsWith(MAPPED) ? remoteAddress.slice(MAPPED.length) : remoteAddress,
    body: (bytesMax) => bodyOf(request, bytesMax),
  }
}

async function bodyOf(request: IncomingMessage, bytesMax: number): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of request) {
    bytes += (part as Uint8Array).length
    if (bytes > bytesMax) return null
    parts.push(part as Uint8Array)
  }
  return Buffer.concat(parts)
}

function urlOf(text: string | undefined): URL | null {
  try {
    return new URL(text ?? '', 'http://admin')
  } catch {
    return null
  }
}
