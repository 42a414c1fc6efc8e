/** A connection that asks one thing at a time and keeps what the server says, word for word. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  connectRequestRecord,
  connectResponseRecord,
  requestHeaderRecord,
} from '../../src/core/jute/connect-records.ts'
import { frame } from '../../src/core/jute/framing.ts'
import { OpCode, SpecialXid } from '../../src/core/jute/op-code.ts'
import { JuteReader } from '../../src/core/jute/reader.ts'
import { JuteWriter } from '../../src/core/jute/writer.ts'
import { readHeader } from './reply-text.ts'
import { FrameSplitter } from '../core/jute/frame-splitter.ts'

export interface SessionKeys {
  readonly id: bigint
  readonly password: Uint8Array
}

export const NEW_SESSION: SessionKeys = { id: 0n, password: new Uint8Array(16) }
const SESSION_TIMEOUT_MS = 20_000
const ANSWER_LIMIT_MS = 10_000

const XIDS: ReadonlyMap<number, number> = new Map([
  [OpCode.ping, SpecialXid.ping],
  [OpCode.auth, SpecialXid.auth],
  [OpCode.setWatches, SpecialXid.setWatches],
])

export class WireClient {
  readonly session: SessionKeys
  readonly #socket: Socket
  readonly #inbox: Inbox
  #xid = 0

  private constructor(socket: Socket, inbox: Inbox, session: SessionKeys) {
    this.#socket = socket
    this.#inbox = inbox
    this.session = session
  }

  static async open(
    port: number,
    session: SessionKeys = NEW_SESSION,
    timeOut = SESSION_TIMEOUT_MS,
  ): Promise<WireClient> {
    const socket = connect(port, '127.0.0.1')
    const inbox = new Inbox(socket)
    await once(socket, 'connect')
    const w = new JuteWriter()
    connectRequestRecord.write(w, {
      protocolVersion: 0,
      lastZxidSeen: 0n,
      timeOut,
      sessionId: session.id,
      passwd: session.password,
      readOnly: false,
    })
    socket.write(frame(w.finish()))
    const payload = await inbox.next()
    if (payload === null) throw new Error('the server hung up on a ConnectRequest')
    const { sessionId, passwd } = connectResponseRecord.read(new JuteReader(payload))
    return new WireClient(socket, inbox, {
      id: sessionId,
      password: passwd?.slice() ?? NEW_SESSION.password,
    })
  }

  /** Events that came meanwhile, then the answer; null when the server hung up instead. */
  async ask(
    type: number,
    body: Uint8Array,
  ): Promise<{ events: Uint8Array[]; answer: Uint8Array | null }> {
    const w = new JuteWriter()
    requestHeaderRecord.write(w, { xid: XIDS.get(type) ?? ++this.#xid, type })
    w.raw(body)
    this.#socket.write(frame(w.finish()))
    const events: Uint8Array[] = []
    for (;;) {
      const payload = await this.#inbox.next()
      if (payload === null) return { events, answer: null }
      if (readHeader(payload).xid !== SpecialXid.notification) return { events, answer: payload }
      events.push(payload)
    }
  }

  drop(): void {
    this.#socket.destroy()
  }
}

class Inbox {
  readonly #splitter = new FrameSplitter()
  readonly #payloads: Uint8Array[] = []
  #isClosed = false
  #wake: () => void = () => undefined

  constructor(socket: Socket) {
    socket.setNoDelay(true)
    socket.on('data', (chunk: Uint8Array) => {
      this.#payloads.push(...this.#splitter.push(new Uint8Array(chunk)))
      this.#wake()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#isClosed = true
      this.#wake()
    })
  }

  async next(): Promise<Uint8Array | null> {
    const limit = setTimeout(() => this.#wake(), ANSWER_LIMIT_MS)
    const startedMs = performance.now()
    while (this.#payloads.length === 0 && !this.#isClosed) {
      if (performance.now() - startedMs >= ANSWER_LIMIT_MS) throw new Error('no answer in time')
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    clearTimeout(limit)
    return this.#payloads.shift() ?? null
  }
}
