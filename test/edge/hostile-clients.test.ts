/** Slow, silent, broken and many clients on real sockets: the others are served all the same. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { concat } from '../../src/core/base/bytes.ts'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import { connectRequestRecord, requestHeaderRecord } from '../../src/core/jute/connect-records.ts'
import { frame } from '../../src/core/jute/framing.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import * as proto from '../../src/core/jute/proto-records.ts'
import { encode, type JuteRecord } from '../../src/core/jute/record.ts'
import { JuteWriter } from '../../src/core/jute/writer.ts'
import { UNREAD_BYTES_PAUSE } from '../../src/adapters/tcp/socket-channel.ts'
import { createLog } from '../../src/edge/admin/log.ts'
import { NodeServer } from '../../src/edge/node-server.ts'
import { serverSettings } from '../../src/edge/settings.ts'
import { OPEN_ACL } from '../differential/acl-lists.ts'
import { readHeader } from '../differential/reply-text.ts'
import { WireClient } from '../differential/wire-client.ts'
import { FrameSplitter } from '../core/jute/frame-splitter.ts'

const MEGABYTE = 1024 * 1024
const TICK_TIME_MS = 200
/** Longer than this process is kept from reading when the machine is busy. */
const SILENCE_LIMIT_MS = 6_000

let directory = ''
let server: NodeServer
let good: WireClient
const dropped: string[] = []
const logged: string[] = []
const sockets: Socket[] = []

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'zabra-hostile-'))
  dropped.length = 0
  const settings = serverSettings({
    dataDirectory: directory,
    clientPort: 0,
    clientAddress: '127.0.0.1',
    preallocateBytes: 64 * 1024,
    connectionsPerAddressMax: 0,
    tickTimeMs: TICK_TIME_MS,
    sessionTimeoutMaxMs: 60_000,
    sessionlessTimeoutMs: SILENCE_LIMIT_MS,
    wordsAllowed: ['ruok', 'mntr'],
    adminEnabled: false,
  })
  logged.length = 0
  const log = createLog({
    write: (line) => void logged.push(line),
    isTerminal: false,
    level: 'warn',
    wallNow: () => 0,
  })
  server = await NodeServer.open(settings, {
    log,
    onDropped: (_, reason) => dropped.push(reason),
  })
  good = await WireClient.open(server.clientPort)
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  good.drop()
  await server.close()
  rmSync(directory, { recursive: true, force: true })
})

async function dial(): Promise<Socket> {
  const socket = connect(server.clientPort, '127.0.0.1')
  socket.on('error', () => undefined)
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}

/** Resolves when the server has hung up. */
async function closed(socket: Socket): Promise<void> {
  socket.resume()
  if (!socket.closed) await once(socket, 'close')
}

function connectFrame(timeOut = 30_000): Uint8Array {
  const [protocolVersion, lastZxidSeen, sessionId] = [0, 0n, 0n] as const
  const passwd = new Uint8Array(16)
  const request = { protocolVersion, lastZxidSeen, timeOut, sessionId, passwd, readOnly: false }
  return frame(encode(connectRequestRecord, request))
}

function request<T>(xid: number, type: number, record: JuteRecord<T>, value: T): Uint8Array {
  const w = new JuteWriter()
  requestHeaderRecord.write(w, { xid, type })
  w.raw(encode(record, value))
  return frame(w.finish())
}

async function create(path: string, bytes: number, flags = 0): Promise<void> {
  const value = { path, data: new Uint8Array(bytes), acl: OPEN_ACL, flags }
  const { answer } = await good.ask(OpCode.create, encode(proto.createRequestRecord, value))
  expect(answer === null ? null : readHeader(answer).err).toBe(0)
}

async function goodIsServed(path = '/'): Promise<number | null> {
  const body = encode(proto.existsRequestRecord, { path, watch: false })
  const { answer } = await good.ask(OpCode.exists, body)
  return answer === null ? null : readHeader(answer).err
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 30_000
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`not yet: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('a client that does not read', () => {
  it('is cut off at a bound, and told why, however much it asked for in one message', async () => {
    await create('/large', MEGABYTE - 1_000)
    const slow = await dial()
    slow.write(connectFrame())
    await once(slow, 'readable')
    const get = { path: '/large', watch: false }
    const gigabyte = Array.from({ length: 1_000 }, (_, i) =>
      request(i, OpCode.getData, proto.getDataRequestRecord, get),
    )
    slow.write(concat(gigabyte))
    await until('it is dropped', () => dropped.length > 0)
    expect(dropped).toEqual(['the other side does not read'])
    expect(logged.join('')).toMatch(/client-dropped.*does not read/)
    expect(server.administration.answerWord('mntr', { address: '127.0.0.1', port: 1 })).toContain(
      'zk_slow_clients_dropped_count\t1\n',
    )
    expect(await goodIsServed()).toBe(0)
    expect(server.connections).toBe(1)
  })

  it('is read no further until it reads, and then gets every answer in order', async () => {
    await create('/middle', 64 * 1024)
    const slow = await dial()
    slow.write(connectFrame())
    await once(slow, 'readable')
    const get = { path: '/middle', watch: false }
    const count = (8 * UNREAD_BYTES_PAUSE) / (64 * 1024)
    for (let i = 0; i < count; i++) {
      slow.write(request(i, OpCode.getData, proto.getDataRequestRecord, get))
    }
    expect(await goodIsServed()).toBe(0)
    const splitter = new FrameSplitter()
    const xids: number[] = []
    let isFirst = true
    slow.on('data', (chunk: Uint8Array) => {
      for (const payload of splitter.push(new Uint8Array(chunk))) {
        if (!isFirst) xids.push(readHeader(payload).xid)
        isFirst = false
      }
    })
    await until('all answers came', () => xids.length === count)
    expect(xids).toEqual(Array.from({ length: count }, (_, i) => i))
    expect(dropped).toEqual([])
  })
})

describe('a client that says nothing', () => {
  it('not even who it is: it is let go when its time is up (S13)', async () => {
    const silent = await dial()
    const half = await dial()
    half.write(connectFrame().subarray(0, 20))
    const word = await dial()
    word.write('ru')
    await Promise.all([closed(silent), closed(half), closed(word)])
    expect(await goodIsServed()).toBe(0)
  })

  it('after its session began: session and ephemerals end with the time-out', async () => {
    const silent = await dial()
    silent.write(connectFrame(10 * TICK_TIME_MS))
    await once(silent, 'readable')
    const { flag: flags } = CreateMode.EPHEMERAL
    const node = { path: '/mine', data: null, acl: OPEN_ACL, flags }
    silent.write(request(1, OpCode.create, proto.createRequestRecord, node))
    await until('the node is there', async () => (await goodIsServed('/mine')) === 0)
    await closed(silent)
    await until('the node is gone', async () => (await goodIsServed('/mine')) === -101)
  })

  it('behind a word: the connection does not outlive the answer', async () => {
    const asking = await dial()
    asking.allowHalfOpen = true
    asking.write('ruok')
    const [answer] = (await once(asking, 'data')) as [Buffer]
    expect(answer.toString()).toBe('imok')
    await until('the server forgot it', () => server.connections === 1)
  })
})

describe('a client that breaks off', () => {
  it('in the middle of a frame, in either way of closing: it is forgotten', async () => {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const broken = await dial()
      broken.write(connectFrame())
      await once(broken, 'readable')
      const get = { path: '/', watch: true }
      const whole = request(1, OpCode.getData, proto.getDataRequestRecord, get)
      broken.write(whole.subarray(0, whole.length - 2))
      broken[end]()
      await closed(broken)
    }
    await until('both are gone', () => server.connections === 1)
    expect(await goodIsServed()).toBe(0)
  })

  it('with a frame longer than any: it is cut off, nothing is allocated for it (W5)', async () => {
    for (const length of [0x10_0000, 0x7fff_ffff, -5]) {
      const liar = await dial()
      const bytes = new Uint8Array(8)
      new DataView(bytes.buffer).setInt32(0, length)
      liar.write(bytes)
      await closed(liar)
    }
    const later = await dial()
    later.write(connectFrame())
    await once(later, 'readable')
    later.write(new Uint8Array([0x7f, 0xff, 0xff, 0xff]))
    await closed(later)
    expect(dropped).toHaveLength(4)
    expect(dropped[3]).toContain('frame of 2147483647 bytes')
    expect(await goodIsServed()).toBe(0)
  })
})

describe('many and small', () => {
  it('a thousand connections at once all get their session, and their watch', async () => {
    await create('/seen', 0)
    const clients: WireClient[] = []
    for (let i = 0; i < 10; i++) {
      const some = Array.from({ length: 100 }, () => WireClient.open(server.clientPort))
      clients.push(...(await Promise.all(some)))
    }
    expect(server.connections).toBe(1_001)
    const watch = encode(proto.getDataRequestRecord, { path: '/seen', watch: true })
    await Promise.all(clients.map((client) => client.ask(OpCode.getData, watch)))
    const change = { path: '/seen', data: null, version: -1 }
    await good.ask(OpCode.setData, encode(proto.setDataRequestRecord, change))
    const asked = clients.map((client) => client.ask(OpCode.ping, new Uint8Array(0)))
    for (const { events } of await Promise.all(asked)) expect(events).toHaveLength(1)
    for (const client of clients) client.drop()
    await until('all are gone', () => server.connections === 1)
  })

  it('a request byte by byte is answered as a whole one', async () => {
    const patient = await dial()
    patient.setNoDelay(true)
    const node = { path: '/slow', data: new Uint8Array(50), acl: OPEN_ACL, flags: 0 }
    const all = concat([
      connectFrame(),
      request(7, OpCode.create, proto.createRequestRecord, node),
      request(8, OpCode.exists, proto.existsRequestRecord, { path: '/slow', watch: false }),
    ])
    const splitter = new FrameSplitter()
    const payloads: Uint8Array[] = []
    patient.on('data', (chunk: Uint8Array) => {
      payloads.push(...splitter.push(new Uint8Array(chunk)))
    })
    for (const byte of all) {
      patient.write(new Uint8Array([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until('three answers', () => payloads.length === 3)
    expect(payloads.slice(1).map((payload) => readHeader(payload))).toMatchObject([
      { xid: 7, err: 0 },
      { xid: 8, err: 0 },
    ])
  })
})
