/** Stands where the member's worker stands: owns the channels, signs, answers. */

import { decodeUtf8, encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { toHex } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/sha256.ts'
import { openChannelLink } from '../../../src/adapters/webrtc/channel-link.ts'
import { ClientMux } from '../../../src/adapters/webrtc/client-mux.ts'
import type { Link } from '../../../src/ports/link.ts'
import type { FromWorker, LinkReport, ToWorker, WorkerRequest } from './transport.protocol.ts'

const scope = globalThis as unknown as {
  postMessage(message: FromWorker): void
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null
}

const ASK_DIGEST = 1
const DIGEST = 2

interface Entry {
  readonly link: Link
  readonly carrier: 'channel' | 'port'
  readonly mux: ClientMux | null
  closed: string | null
  readonly digests: string[]
  waiting: (() => void)[]
}

const entries = new Map<string, Entry>()
const keys = crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])

scope.onmessage = ({ data }) => {
  if (data.kind === 'channel') {
    adopt(data.link, data.label, data.source)
    return
  }
  answer(data.request).then(
    (value) => scope.postMessage({ id: data.id, value }),
    (error: unknown) => scope.postMessage({ id: data.id, error: String(error) }),
  )
}

function adopt(name: string, label: string, source: RTCDataChannel | MessagePort): void {
  const link = openChannelLink(source)
  const carrier = source instanceof MessagePort ? 'port' : 'channel'
  const mux = label === 'client' ? new ClientMux(link) : null
  const entry: Entry = { link, carrier, mux, closed: null, digests: [], waiting: [] }
  entries.set(`${name}/${label}`, entry)
  if (mux !== null) {
    mux.onOpen = (connection) => {
      connection.onMessage = (message) => {
        connection.send(encodeUtf8(`${decodeUtf8(connection.info)}:${decodeUtf8(message)}`))
      }
    }
    mux.onClose = (reason) => {
      entry.closed = reason
    }
    return
  }
  link.onMessage = (message) => onQuorumMessage(entry, message)
  link.onClose = (reason) => {
    entry.closed = reason
    for (const wake of entry.waiting.splice(0)) wake()
  }
}

function onQuorumMessage(entry: Entry, message: Uint8Array): void {
  const digest = toHex(sha256(message.subarray(1)))
  if (message[0] === ASK_DIGEST) {
    entry.link.send(new Uint8Array([DIGEST, ...encodeUtf8(digest)]))
    return
  }
  entry.digests.push(decodeUtf8(message.subarray(1)))
  for (const wake of entry.waiting.splice(0)) wake()
}

async function answer(request: WorkerRequest): Promise<unknown> {
  switch (request.kind) {
    case 'identity': {
      const { publicKey } = await keys
      const raw = new Uint8Array(await crypto.subtle.exportKey('raw', publicKey))
      return { publicKey: raw, incarnation: toHex(sha256(raw)).slice(0, 32) }
    }
    case 'sign': {
      const { privateKey } = await keys
      const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
      const bytes = new Uint8Array(request.bytes)
      return new Uint8Array(await crypto.subtle.sign(algorithm, privateKey, bytes))
    }
    case 'roundtrip':
      return burst(request.link, 1, request.bytes)
    case 'burst':
      return burst(request.link, request.count, request.bytes)
    case 'closeLink':
      entryOf(request.link, 'quorum').link.close('closed by the test')
      return null
    case 'links':
      return [...entries].map(([key, entry]): LinkReport => {
        const [link = '', label = ''] = key.split('/')
        return { link, label, carrier: entry.carrier, closed: entry.closed }
      })
    case 'muxEcho':
      return muxEcho(request.link, request.texts)
  }
}

/** true when every digest came back right and in order. */
async function burst(name: string, count: number, bytes: number): Promise<boolean> {
  const entry = entryOf(name, 'quorum')
  const expected: string[] = []
  entry.digests.length = 0
  for (let i = 0; i < count; i++) {
    const message = new Uint8Array(bytes + 1)
    for (let at = 0; at < message.length; at += 97) message[at] = (at * 31 + i * 7) & 0xff
    message[0] = ASK_DIGEST
    expected.push(toHex(sha256(message.subarray(1))))
    entry.link.send(message)
    if (entry.link.bufferedBytes > 256 * 1024) {
      await new Promise<void>((resolve) => {
        entry.link.onWritable = resolve
      })
    }
  }
  while (entry.digests.length < count && entry.closed === null) {
    await new Promise<void>((resolve) => entry.waiting.push(resolve))
  }
  return entry.digests.join() === expected.join()
}

async function muxEcho(name: string, texts: readonly string[]): Promise<string[]> {
  const { mux } = entryOf(name, 'client')
  if (mux === null) throw new Error('no mux')
  const connection = mux.open(encodeUtf8('hello'))
  const replies: string[] = []
  await new Promise<void>((resolve) => {
    connection.onMessage = (message) => {
      replies.push(decodeUtf8(message))
      if (replies.length === texts.length) resolve()
    }
    connection.onClose = () => resolve()
    for (const text of texts) connection.send(encodeUtf8(text))
  })
  connection.close('done')
  return replies
}

function entryOf(name: string, label: string): Entry {
  const entry = entries.get(`${name}/${label}`)
  if (entry === undefined) throw new Error(`no link ${name}/${label}`)
  return entry
}
