/** Serves the built pages of one folder, and nothing outside it. */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, sep } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
}

/** The bundler's `name-HASH.ext`: content never changes under such a name. */
const HASHED = /[.-][A-Za-z0-9_-]{8,}\.[a-z0-9]+$/
const HASHED_FOLDER = '/assets/'
const IMMUTABLE = 'public, max-age=31536000, immutable'
/** Asks each time, answered by 304: a page of old code would meet members of new code. */
const REVALIDATE = 'no-cache'

export async function serveFile(
  folder: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  setSecurityHeaders(response)
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD')
    sendText(response, 405, 'Only GET and HEAD are served here.\n')
    return
  }
  const path = parsePath(request.url ?? '/')
  if (path === null) {
    sendText(response, 400, 'Not a path.\n')
    return
  }
  const file = await findFile(folder, path)
  if (file === null) {
    sendText(response, 404, 'There is no such page.\n')
    return
  }
  response.setHeader('Content-Type', TYPES[extname(file.path)] ?? 'application/octet-stream')
  response.setHeader('ETag', file.etag)
  response.setHeader('Cache-Control', isHashed(path) ? IMMUTABLE : REVALIDATE)
  if (hasTag(request.headers['if-none-match'], file.etag)) {
    response.writeHead(304).end()
    return
  }
  response.setHeader('Content-Length', file.bytes)
  response.writeHead(200)
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  await pipe(file.path, response)
}

interface FoundFile {
  readonly path: string
  readonly bytes: number
  readonly etag: string
}

/** Links are followed before the folder is checked, so none leads out of it. */
async function findFile(folder: string, path: string): Promise<FoundFile | null> {
  try {
    const root = await realpath(folder)
    const wanted = path.endsWith('/') ? `${path}index.html` : path
    const real = await realpath(join(root, wanted))
    if (!real.startsWith(root + sep)) return null
    const facts = await stat(real)
    if (!facts.isFile()) return null
    const identity = `${real} ${facts.size} ${facts.mtimeMs}`
    const etag = `"${createHash('sha256').update(identity).digest('base64url').slice(0, 22)}"`
    return { path: real, bytes: facts.size, etag }
  } catch {
    // Absent, unreadable or a name the file system cannot have: the same answer to all.
    return null
  }
}

/** null for what is no path below `/`. Dots and disguised separators are refused, not resolved. */
function parsePath(url: string): string | null {
  const raw = url.split(/[?#]/, 1)[0] ?? ''
  let path: string
  try {
    path = decodeURIComponent(raw)
  } catch {
    return null
  }
  if (!path.startsWith('/') || /[\\\0]/.test(path)) return null
  // Names that begin with a dot are hidden files, `.` or `..`.
  return path.split('/').some((name) => name.startsWith('.')) ? null : path
}

function isHashed(path: string): boolean {
  return path.includes(HASHED_FOLDER) && HASHED.test(path)
}

function hasTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.setHeader('Cache-Control', 'no-store')
  response.writeHead(status).end(text)
}

function pipe(path: string, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const stream = createReadStream(path)
    // The head is out: all that can still be said is that the body is not whole.
    stream.on('error', () => response.destroy())
    response.on('close', () => {
      stream.destroy()
      resolve()
    })
    stream.pipe(response)
  })
}

/**
 * Scripts and workers of this server only, so data from a znode can never run; sockets anywhere,
 * as the broker may stand elsewhere. Camera and microphone are not forbidden: in a container with
 * nothing but a loopback interface WebRTC depends on that grant.
 */
function setSecurityHeaders(response: ServerResponse): void {
  const policy = [
    `default-src 'self'`,
    `script-src 'self'`,
    `worker-src 'self'`,
    `connect-src 'self' ws: wss:`,
    `style-src 'self' 'unsafe-inline'`,
    `img-src 'self' data: blob:`,
    `object-src 'none'`,
    `base-uri 'none'`,
    `form-action 'self'`,
    `frame-ancestors 'self'`,
  ]
  response.setHeader('Content-Security-Policy', policy.join('; '))
  response.setHeader('X-Content-Type-Options', 'nosniff')
  // The secret is in the fragment, which no referrer holds; the room's name is in the query.
  response.setHeader('Referrer-Policy', 'no-referrer')
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin')
}
