/** The broker on real sockets, and the client against it. Loopback only. */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { WebSocket as NodeSocket } from 'ws'
import { socketOpener } from '../../src/adapters/websocket/signal-socket.ts'
import { decodeUtf8, encodeUtf8 } from '../../src/core/base/utf8.ts'
import type { RoomPeer } from '../../src/ports/signaling.ts'
import { joinRoom, type SignalingClient } from '../../src/signaling/client.ts'
import { SIGNAL_LIMITS } from '../../src/signaling/limits.ts'
import { SIGNAL_PATH, SIGNAL_PROTOCOL_VERSION } from '../../src/signaling/protocol.ts'
import {
  attachSignaling,
  type SignalServer,
  type SignalServerOptions,
} from '../../src/signaling/server.ts'
import { eventually } from '../eventually.ts'

const SECRET = 'AAAAAAAAAAAAAAAAAAAAAA'
const openSocket = socketOpener((url) => new NodeSocket(url) as unknown as WebSocket)

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Broker {
  readonly http: Server
  readonly signal: SignalServer
  readonly port: number
  readonly url: string
  stop(): Promise<void>
}

async function startBroker(port = 0, options: SignalServerOptions = {}): Promise<Broker> {
  const http = createServer()
  const signal = attachSignaling(http, options)
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve))
  const bound = (http.address() as AddressInfo).port
  let stopped: Promise<void> | null = null
  const stop = (): Promise<void> =>
    (stopped ??= (async () => {
      await signal.close()
      await new Promise((resolve) => http.close(resolve))
    })())
  cleanups.push(stop)
  return { http, signal, port: bound, url: `ws://127.0.0.1:${bound}${SIGNAL_PATH}`, stop }
}

interface Guest {
  readonly client: SignalingClient
  readonly messages: string[]
  readonly gone: string[]
  readonly refused: string[]
  lists: (readonly RoomPeer[])[]
}

async function enter(url: string, secret = SECRET, signal?: AbortSignal): Promise<Guest> {
  const refused: string[] = []
  const client = await joinRoom({
    ...{ url, secret, openSocket, room: 'zoo' },
    ...(signal === undefined ? {} : { signal }),
    onRefused: (_from, reason) => refused.push(reason),
  })
  const guest: Guest = { client, messages: [], gone: [], refused, lists: [] }
  client.onPeers = (peers) => guest.lists.push(peers)
  client.onGone = (peer, reason) => guest.gone.push(`${peer} ${reason}`)
  client.onMessage = (from, message) => guest.messages.push(`${from} ${decodeUtf8(message)}`)
  cleanups.push(() => client.close('test over'))
  return guest
}

function sees(guest: Guest, count: number): Promise<void> {
  return vi.waitFor(
    () => expect([guest.client.state.kind, guest.client.peers.length]).toEqual(['joined', count]),
    { timeout: 10_000 },
  )
}

/** A socket without our client: what it is told, and how it ends. */
async function rawSocket(url: string): Promise<{
  readonly socket: NodeSocket
  readonly told: string[]
  readonly closed: Promise<{ code: number; reason: string }>
}> {
  const socket = new NodeSocket(url)
  const told: string[] = []
  socket.on('message', (data) => told.push((data as Buffer).toString('utf8')))
  socket.on('error', () => {})
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  cleanups.push(() => socket.terminate())
  await new Promise((resolve) => socket.once('open', resolve))
  return { socket, told, closed }
}

describe('client and server', () => {
  it('two pages of a room find each other and exchange sealed messages in order', async () => {
    const { url } = await startBroker()
    const [one, two] = [await enter(url), await enter(url)]
    await sees(one, 2)
    await sees(two, 2)
    for (let i = 0; i < 50; i++) one.client.send(two.client.peer, encodeUtf8(String(i)))
    await eventually(() => expect(two.messages).toHaveLength(50))
    const expected = Array.from({ length: 50 }, (_, i) => `${one.client.peer} ${i}`)
    expect(two.messages).toEqual(expected)
    expect(one.client.peers.map((peer) => peer.order)).toEqual([1, 2])
  })

  it('keeps what comes before anybody listens, in order', async () => {
    const { url } = await startBroker()
    const one = await enter(url)
    const two = await joinRoom({ url, openSocket, room: 'zoo', secret: SECRET })
    cleanups.push(() => two.close('test over'))
    await sees(one, 2)
    for (let i = 0; i < 3; i++) one.client.send(two.peer, encodeUtf8(String(i)))
    // An answer of its own proves that what was sent before it has been opened.
    const echoed = eventually(() => expect(one.messages).toHaveLength(1))
    two.send(one.client.peer, encodeUtf8('after'))
    await echoed
    await new Promise((resolve) => setTimeout(resolve, 50))
    const messages: string[] = []
    two.onMessage = (_from, message) => messages.push(decodeUtf8(message))
    expect(messages).toEqual([])
    await eventually(() => expect(messages).toEqual(['0', '1', '2']))
  })

  it('another secret never meets', async () => {
    const { url, signal } = await startBroker()
    const [one, two] = [await enter(url), await enter(url, 'AAAAAAAAAAAAAAAAAAAAAB')]
    await sees(one, 1)
    await sees(two, 1)
    expect(signal.roomCount).toBe(2)
    one.client.send(two.client.peer, encodeUtf8('hello'))
    one.client.send(one.client.peer, encodeUtf8('to myself'))
    await eventually(() => expect(one.messages).toHaveLength(1))
    expect(two.messages).toEqual([])
  })

  it('a farewell is left, a torn socket is dropped', async () => {
    const { url } = await startBroker()
    const [stays, leaves] = [await enter(url), await enter(url)]
    await sees(stays, 2)
    leaves.client.close('bye')
    await eventually(() => expect(stays.gone).toEqual([`${leaves.client.peer} left`]))
    expect(leaves.client.state).toEqual({ kind: 'closed', reason: 'bye' })
    const raw = await rawSocket(url)
    const room = stays.client.room
    const token = 'e'.repeat(32)
    raw.socket.send(JSON.stringify({ type: 'join', version: SIGNAL_PROTOCOL_VERSION, room, token }))
    await sees(stays, 2)
    raw.socket.terminate()
    await eventually(() => expect(stays.gone[1]).toMatch(/ dropped$/))
  })

  it('finds everybody again after the broker died and came back empty', async () => {
    const first = await startBroker()
    const [one, two] = [await enter(first.url), await enter(first.url)]
    await sees(one, 2)
    await first.stop()
    await eventually(() => expect(one.client.state.kind).toBe('waiting'))
    one.client.send(two.client.peer, encodeUtf8('lost'))
    await startBroker(first.port)
    await sees(one, 2)
    await sees(two, 2)
    one.client.send(two.client.peer, encodeUtf8('again'))
    await eventually(() => expect(two.messages).toEqual([`${one.client.peer} again`]))
  })

  it('joins a broker that starts later, at once when told to try', async () => {
    const first = await startBroker()
    await first.stop()
    const guest = await enter(first.url)
    await eventually(() => expect(guest.client.state.kind).toBe('waiting'))
    await startBroker(first.port)
    guest.client.retryNow()
    await sees(guest, 1)
  })

  it('ends by its AbortSignal', async () => {
    const { url, signal } = await startBroker()
    const abort = new AbortController()
    const guest = await enter(url, SECRET, abort.signal)
    await sees(guest, 1)
    abort.abort()
    expect(guest.client.state.kind).toBe('closed')
    await eventually(() => expect(signal.socketCount).toBe(0))
    await expect(enter(url, SECRET, abort.signal)).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('says why a full room keeps it out, and does not hurry', async () => {
    const limits = { ...SIGNAL_LIMITS, membersPerRoomMax: 1 }
    const { url } = await startBroker(0, { limits })
    await sees(await enter(url), 1)
    const late = await enter(url)
    await eventually(() => expect(late.client.state.kind).toBe('waiting'))
    expect(late.client.state).toMatchObject({ reason: 'the room is full' })
    expect((late.client.state as { retryInMs: number }).retryInMs).toBeGreaterThanOrEqual(2_500)
  })
})

describe('the server alone', () => {
  it('closes a socket that sends too long a message', async () => {
    const { url, signal } = await startBroker()
    const raw = await rawSocket(url)
    raw.socket.send('x'.repeat(SIGNAL_LIMITS.messageBytesMax + 1))
    expect((await raw.closed).code).toBe(1009)
    await eventually(() => expect(signal.socketCount).toBe(0))
  })

  it('closes a socket that sends bytes, or nonsense', async () => {
    const { url } = await startBroker()
    const [bytes, nonsense] = [await rawSocket(url), await rawSocket(url)]
    bytes.socket.send(Buffer.from([1, 2, 3]))
    nonsense.socket.send('hello')
    expect((await bytes.closed).reason).toBe('bad-message')
    expect((await nonsense.closed).reason).toBe('bad-message')
    expect(nonsense.told.join()).toContain('bad-message')
  })

  it('survives a flood, and others of the room are served meanwhile', async () => {
    const { url } = await startBroker()
    const [one, two] = [await enter(url), await enter(url)]
    await sees(one, 2)
    await sees(two, 2)
    const flood = await rawSocket(url)
    const { room } = one.client
    const join = { type: 'join', version: SIGNAL_PROTOCOL_VERSION, room, token: 'd'.repeat(32) }
    flood.socket.send(JSON.stringify(join))
    const relay = JSON.stringify({ type: 'relay', to: two.client.peer, body: 'A'.repeat(400) })
    for (let i = 0; i < 5_000; i++) flood.socket.send(relay)
    one.client.send(two.client.peer, encodeUtf8('through'))
    await vi.waitFor(() => expect(two.messages).toEqual([`${one.client.peer} through`]), {
      timeout: 5_000,
    })
    expect((await flood.closed).reason).toBe('too-fast')
    // What got through was refused by the cipher, not believed.
    expect(new Set(two.refused)).toEqual(new Set(['not an envelope: 300 bytes']))
  })

  it('serves no other path', async () => {
    const { port } = await startBroker()
    const socket = new NodeSocket(`ws://127.0.0.1:${port}/other`)
    const error = await new Promise<Error>((resolve) => socket.once('error', resolve))
    expect(error.message).toContain('404')
  })

  it('finds a socket that went silent', async () => {
    const { url, signal } = await startBroker(0, { heartbeatMs: 20 })
    const raw = await rawSocket(url)
    await eventually(() => expect(signal.socketCount).toBe(1))
    raw.socket.pause()
    await eventually(() => expect(signal.socketCount).toBe(0))
  })
})
