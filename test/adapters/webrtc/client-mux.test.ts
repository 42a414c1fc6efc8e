import { describe, expect, it } from 'vitest'
import { openChannelLink } from '../../../src/adapters/webrtc/channel-link.ts'
import { ClientMux, type MuxConnection } from '../../../src/adapters/webrtc/client-mux.ts'
import {
  MUX_CONNECTIONS_MAX,
  MUX_QUEUE_MAX_BYTES,
  MUX_WINDOW_BYTES,
} from '../../../src/adapters/webrtc/limits.ts'
import { decodeUtf8, encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { fakeChannels, settled, type FakeChannel } from './fake-channel.ts'

interface Pair {
  readonly a: FakeChannel
  readonly b: FakeChannel
  readonly left: ClientMux
  readonly right: ClientMux
}

function connect(): Pair {
  const [a, b] = fakeChannels()
  const [left, right] = [
    new ClientMux(openChannelLink(a.rtc)),
    new ClientMux(openChannelLink(b.rtc)),
  ]
  a.open()
  b.open()
  return { a, b, left, right }
}

function echo(mux: ClientMux, name: string): void {
  mux.onOpen = (connection) => {
    connection.onMessage = (message) => {
      connection.send(encodeUtf8(`${name} ${decodeUtf8(connection.info)} ${decodeUtf8(message)}`))
    }
  }
}

function listen(connection: MuxConnection): string[] {
  const told: string[] = []
  connection.onMessage = (message) => told.push(decodeUtf8(message))
  connection.onClose = (reason) => told.push(`closed: ${reason}`)
  return told
}

describe('client connections over one link', () => {
  it('are opened from both sides at once, with the same numbers', async () => {
    const { left, right } = connect()
    echo(left, 'left')
    echo(right, 'right')
    const told = [left.open(encodeUtf8('1')), left.open(encodeUtf8('2')), right.open()].map(
      (connection, index) => {
        connection.send(encodeUtf8(String(index)))
        return listen(connection)
      },
    )
    await settled()
    expect(told).toEqual([['right 1 0'], ['right 2 1'], ['left  2']])
    expect([left.connectionCount, right.connectionCount]).toEqual([3, 3])
  })

  it('end alone, for both sides, with the reason', async () => {
    const { left, right } = connect()
    let opened: MuxConnection | null = null
    right.onOpen = (connection) => (opened = connection)
    const [one, two] = [left.open(), left.open()]
    const told = [listen(one), listen(two)]
    await settled()
    opened!.close('session expired')
    opened!.send(encodeUtf8('too late'))
    await settled()
    expect(told).toEqual([[], ['closed: session expired']])
    two.send(encodeUtf8('nothing happens'))
    two.close('again')
    await settled()
    expect([left.connectionCount, right.connectionCount]).toEqual([1, 1])
  })

  it('all end with the link, once each', async () => {
    const { a, left, right } = connect()
    right.onOpen = (connection) => void listen(connection)
    const told = listen(left.open())
    let ends = 0
    left.onClose = () => ends++
    await settled()
    a.close()
    await settled()
    expect([told, ends, left.connectionCount]).toEqual([['closed: channel closed'], 1, 0])
    expect(listen(left.open())).toEqual([])
    const late = left.open()
    const reason = await new Promise((resolve) => (late.onClose = resolve))
    expect(reason).toBe('link closed')
  })

  it('wait for whoever listens late', async () => {
    const { left, right } = connect()
    const connection = left.open(encodeUtf8('late'))
    connection.send(encodeUtf8('hello'))
    const told = listen(connection)
    await settled()
    echo(right, 'right')
    await settled()
    expect(told).toEqual(['right late hello'])
  })

  it('are bounded in number', async () => {
    const { left, right } = connect()
    right.onOpen = () => {}
    const connections = Array.from({ length: MUX_CONNECTIONS_MAX + 1 }, () => left.open())
    const reason = await new Promise((resolve) => (connections.at(-1)!.onClose = resolve))
    expect(reason).toBe('too many connections on this link')
    await settled()
    expect(right.connectionCount).toBe(MUX_CONNECTIONS_MAX)
  })

  it('have a window each: one that nobody reads does not stop another', async () => {
    const { left, right } = connect()
    const opened: MuxConnection[] = []
    right.onOpen = (connection) => opened.push(connection)
    const [stuck, free] = [left.open(), left.open()]
    for (let i = 0; i < 40; i++) stuck.send(new Uint8Array(100_000))
    for (let i = 0; i < 50; i++) await settled()
    expect(stuck.bufferedBytes).toBeGreaterThanOrEqual(4_000_000 - MUX_WINDOW_BYTES - 100_000)
    const received = listen(opened[1]!)
    free.send(encodeUtf8('through'))
    await settled()
    expect(received).toEqual(['through'])
    let bytes = 0
    let writable = 0
    stuck.onWritable = () => writable++
    opened[0]!.onMessage = (message) => (bytes += message.length)
    for (let i = 0; i < 200; i++) await settled()
    expect([bytes, stuck.bufferedBytes, writable]).toEqual([4_000_000, 0, 1])
  })

  it('end when their own queue is full; the link goes on', async () => {
    const { left, right } = connect()
    right.onOpen = () => {}
    const connection = left.open()
    const told = listen(connection)
    for (let sent = 0; sent < MUX_QUEUE_MAX_BYTES + 3_000_000; sent += 1_000_000) {
      connection.send(new Uint8Array(1_000_000))
    }
    for (let i = 0; i < 50; i++) await settled()
    expect(told).toEqual(['closed: too much waits to be sent'])
    expect(right.connectionCount).toBe(0)
  })

  it.each([
    ['a short frame', [1, 0, 0]],
    ['an unknown kind', [9, 0, 0, 0, 1]],
    ['an open of a number in use', [1, 0, 0, 0, 1]],
    ['a credit without a number', [4, 0, 0, 0, 1, 0]],
    ['an open in the other number space', [0x81, 0, 0, 0, 7]],
  ])('the link ends on %s', async (_name, frame) => {
    const { b, left, right } = connect()
    right.onOpen = () => {}
    left.open()
    await settled()
    let reason = ''
    right.onClose = (why) => (reason = why)
    b.onmessage?.({ data: Uint8Array.of(1, ...frame).buffer })
    await settled()
    expect(reason).toMatch(/malformed|unknown/)
  })

  it('ignore frames that crossed a close', async () => {
    const { b, right } = connect()
    let reason = ''
    right.onClose = (why) => (reason = why)
    b.onmessage?.({ data: Uint8Array.of(1, 2, 0, 0, 0, 9, 1, 2).buffer })
    b.onmessage?.({ data: Uint8Array.of(1, 3, 0, 0, 0, 9).buffer })
    await settled()
    expect(reason).toBe('')
  })
})
