/**
 * One connection of the load generator: bytes that were encoded before, and of each answer no more
 * than its header. What it costs must be small beside what a server needs for the same request.
 */
import { connect, type Socket } from 'node:net'
import {
  connectRequestRecord,
  requestHeaderRecord,
} from '../../../src/core/jute/connect-records.ts'
import { frame } from '../../../src/core/jute/framing.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { encode, type JuteRecord } from '../../../src/core/jute/record.ts'
import { JuteWriter } from '../../../src/core/jute/writer.ts'

const SESSION_TIMEOUT_MS = 30_000
const PASSWORD_BYTES = 16
const OPEN_LIMIT_MS = 3_000
/** Length, xid, zxid, error. */
const REPLY_BYTES_MIN = 20
const XID_AT = 4
export const EVENT_XID = -1
const NO_BYTES = Buffer.alloc(0)

/** A whole request whose xid is filled in when it is sent. */
export type Template = Buffer

export function template<T>(type: number, record: JuteRecord<T> | null, value?: T): Template {
  const w = new JuteWriter()
  requestHeaderRecord.write(w, { xid: 0, type })
  if (record !== null) w.raw(encode(record, value as T))
  return Buffer.from(frame(w.finish()))
}

const CLOSE = template(OpCode.closeSession, null)

export class LoadClient {
  /** Of each answer or event: where in `bytes` its payload is. */
  onReply: (xid: number, err: number, bytes: Buffer, at: number, end: number) => void = ignore
  /** All answers of one chunk were told: the moment to ask for more in one write. */
  onChunk: () => void = ignore
  onClose: () => void = ignore
  readonly #socket: Socket
  #rest: Buffer = NO_BYTES
  #nextXid = 1
  #isConnected = false
  #connected: (isAccepted: boolean) => void = ignore

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', ignore)
    socket.on('close', () => {
      this.#connected(false)
      this.onClose()
    })
  }

  /** Rejects when the server refuses the session or hangs up. */
  static async open(port: number): Promise<LoadClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const client = new LoadClient(socket)
    const accepted = new Promise<boolean>((resolve) => {
      client.#connected = resolve
    })
    const request = encode(connectRequestRecord, {
      protocolVersion: 0,
      lastZxidSeen: 0n,
      timeOut: SESSION_TIMEOUT_MS,
      sessionId: 0n,
      passwd: new Uint8Array(PASSWORD_BYTES),
      readOnly: false,
    })
    socket.write(frame(request))
    // A server that is just starting may take a connection and forget it.
    const late = setTimeout(() => socket.destroy(), OPEN_LIMIT_MS)
    const isAccepted = await accepted
    clearTimeout(late)
    if (!isAccepted) throw new Error(`the server at port ${port} gave no session`)
    return client
  }

  /** `count` requests in one write; `choose` says which is next. */
  send(count: number, choose: () => Template): void {
    const parts: Template[] = []
    let length = 0
    for (let i = 0; i < count; i++) {
      const part = choose()
      parts.push(part)
      length += part.length
    }
    const bytes = Buffer.allocUnsafe(length)
    let at = 0
    for (const part of parts) {
      bytes.set(part, at)
      bytes.writeInt32BE(this.#nextXid++, at + XID_AT)
      at += part.length
    }
    this.#socket.write(bytes)
  }

  /** One request; resolves with its error code and a copy of the answer's body. */
  ask(request: Template): Promise<{ readonly err: number; readonly body: Buffer }> {
    return new Promise((resolve, reject) => {
      this.onClose = () => reject(new Error('the server hung up'))
      this.onReply = (xid, err, bytes, at, end) => {
        if (xid === EVENT_XID) return
        this.onReply = ignore
        resolve({ err, body: Buffer.from(bytes.subarray(at + REPLY_BYTES_MIN - 4, end)) })
      }
      this.send(1, () => request)
    })
  }

  async closeSession(): Promise<void> {
    await this.ask(CLOSE).catch(ignore)
    this.onClose = ignore
    this.#socket.end()
  }

  drop(): void {
    this.onClose = ignore
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (bytes.length - at >= 4) {
      const end = at + 4 + bytes.readInt32BE(at)
      if (end > bytes.length) break
      if (this.#isConnected) {
        this.onReply(bytes.readInt32BE(at + 4), bytes.readInt32BE(at + 16), bytes, at + 4, end)
      } else this.#onConnectResponse(bytes, at + 4)
      at = end
    }
    this.#rest = at === bytes.length ? NO_BYTES : bytes.subarray(at)
    this.onChunk()
  }

  /** protocolVersion, then the time-out: 0 is a refusal. */
  #onConnectResponse(bytes: Buffer, at: number): void {
    this.#isConnected = true
    this.#connected(bytes.readInt32BE(at + 4) > 0)
  }
}

function ignore(): void {}
