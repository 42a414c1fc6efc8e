/** A client made of our own codecs: sends what Apache's client would never send. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connectRequestRecord, requestHeaderRecord } from '../../src/core/jute/connect-records.ts'
import { frame } from '../../src/core/jute/framing.ts'
import type { JuteRecord } from '../../src/core/jute/record.ts'
import { JuteWriter } from '../../src/core/jute/writer.ts'
import { FrameSplitter } from '../core/jute/frame-splitter.ts'

const CONNECT = {
  protocolVersion: 0,
  lastZxidSeen: 0n,
  timeOut: 10_000,
  sessionId: 0n,
  passwd: new Uint8Array(16),
}

export class RawClient {
  readonly #socket: Socket
  readonly #splitter = new FrameSplitter()
  readonly #frames: Uint8Array[] = []
  #wake: () => void = () => undefined
  #closed = false
  #xid = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Uint8Array) => {
      this.#frames.push(...this.#splitter.push(new Uint8Array(chunk)))
      this.#wake()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#closed = true
      this.#wake()
    })
  }

  /** Connects and takes a session. */
  static async open(port: number, readOnly: boolean | undefined): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const client = new RawClient(socket)
    const w = new JuteWriter()
    connectRequestRecord.write(w, { ...CONNECT, readOnly })
    socket.write(frame(w.finish()))
    await client.#next()
    return client
  }

  /** Sends a request with a body in bytes; returns the answer, null when the server hangs up. */
  async send(type: number, body: Uint8Array = new Uint8Array(0)): Promise<Uint8Array | null> {
    const w = new JuteWriter()
    requestHeaderRecord.write(w, { xid: ++this.#xid, type })
    w.raw(body)
    this.#socket.write(frame(w.finish()))
    return this.#next()
  }

  async request<T>(type: number, record: JuteRecord<T>, value: T): Promise<Uint8Array | null> {
    const w = new JuteWriter()
    record.write(w, value)
    return this.send(type, w.finish())
  }

  close(): void {
    this.#socket.destroy()
  }

  async #next(): Promise<Uint8Array | null> {
    while (this.#frames.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#frames.shift() ?? null
  }
}
