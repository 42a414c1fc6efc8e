/**
 * Every byte between a handle and its members, told as it passes. What is recorded there is what
 * happened, whatever the app makes of it.
 */
import type { ClientConnection, ClientHost, ClientTransport } from '../../client/transport.ts'
import { toBase64 } from '../../core/base/bytes.ts'
import { SpecialXid } from '../../core/jute/op-code.ts'
import type { FrameNews } from './page-news.ts'

/** In a message, after the length of its frame. */
const XID_AT = 4

export interface Recorder {
  readonly nextClient: () => number
  /** Server id of the page's own member; 0: it has none. */
  readonly ownServer: () => number
  readonly tell: (news: FrameNews) => void
}

export function recordedTransport(transport: ClientTransport, recorder: Recorder): ClientTransport {
  const client = recorder.nextClient()
  return {
    ...(transport.pace === undefined ? {} : { pace: transport.pace }),
    hosts: () => transport.hosts(),
    connect: async (host, signal) => {
      const server = serverOf(host, recorder)
      const connection = await transport.connect(host, signal)
      recorder.tell({ kind: 'opened', client, server })
      return new RecordedConnection(connection, client, recorder)
    },
  }
}

function serverOf(host: ClientHost, recorder: Recorder): number {
  const sid = Number(host.id)
  return Number.isInteger(sid) ? sid : recorder.ownServer()
}

class RecordedConnection implements ClientConnection {
  onMessage: (bytes: Uint8Array) => void = () => {}
  onClose: (reason: string) => void = () => {}
  onTick: () => void = () => {}
  readonly #connection: ClientConnection
  readonly #client: number
  readonly #recorder: Recorder

  constructor(connection: ClientConnection, client: number, recorder: Recorder) {
    this.#connection = connection
    this.#client = client
    this.#recorder = recorder
    connection.onMessage = (bytes) => {
      if (!isPing(bytes)) this.#tell('received', bytes)
      this.onMessage(bytes)
    }
    connection.onClose = (reason) => {
      this.#closed(reason)
      this.onClose(reason)
    }
    connection.onTick = () => this.onTick()
  }

  send(bytes: Uint8Array): void {
    // Before: the connection takes the bytes over.
    if (!isPing(bytes)) this.#tell('sent', bytes)
    this.#connection.send(bytes)
  }

  close(reason: string): void {
    this.#closed(reason)
    this.#connection.close(reason)
  }

  #tell(kind: 'sent' | 'received', bytes: Uint8Array): void {
    this.#recorder.tell({ kind, client: this.#client, atMs: nowMs(), base64: toBase64(bytes) })
  }

  #closed(reason: string): void {
    this.#recorder.tell({ kind: 'closed', client: this.#client, atMs: nowMs(), reason })
  }
}

/** One frame, a ping or its answer: of those nothing is recorded (ClientRecorder). */
function isPing(bytes: Uint8Array): boolean {
  if (bytes.length < XID_AT + 4) return false
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isAlone = view.getInt32(0) === bytes.length - XID_AT
  return isAlone && view.getInt32(XID_AT) === SpecialXid.ping
}

/** Of the clock that all pages of one computer share, and finer than Date. */
function nowMs(): number {
  return performance.timeOrigin + performance.now()
}
