/**
 * For handles with `canBeReadOnly`: a transport around another one. While its client is at a
 * read-only server it asks the others one after the other, ever more rarely, and ends the
 * connection as soon as one of them writes; the client goes there next (S41). Apart from the
 * client, since few need it:
 *
 *     new ZooKeeperClient({ transport: new ReadWriteSearch(transport), canBeReadOnly: true })
 */

import { decodeUtf8, encodeUtf8 } from '../core/base/utf8.ts'
import { readConnectResponse } from '../core/jute/connect-records.ts'
import { splitFrames } from '../core/jute/framing.ts'
import { JuteError } from '../core/jute/jute-error.ts'
import { decode } from '../core/jute/record.ts'
import { platformTicker, type Ticker } from './ticker.ts'
import type { ClientConnection, ClientHost, ClientTransport, ReconnectPace } from './transport.ts'

/** Between one question and the next, from – doubled each time – to, in ms: ClientCnxn's (S41). */
const SEARCH_DELAY_MIN_MS = 100
const SEARCH_DELAY_MAX_MS = 60_000
/** For one answer, ms. Ours: who is slower is no better than the one there is. */
const ANSWER_WAIT_MS = 2_000

export class ReadWriteSearch implements ClientTransport {
  readonly pace?: ReconnectPace
  readonly #transport: ClientTransport
  readonly #ticker: Ticker
  /** Where the next connection goes. */
  #found: ClientHost | null = null

  constructor(transport: ClientTransport, ticker: Ticker = platformTicker) {
    this.#transport = transport
    this.#ticker = ticker
    if (transport.pace !== undefined) this.pace = transport.pace
  }

  hosts(): readonly ClientHost[] {
    return this.#found === null ? this.#transport.hosts() : [this.#found]
  }

  async connect(host: ClientHost, signal: AbortSignal): Promise<ClientConnection> {
    this.#found = null
    const connection = await this.#transport.connect(host, signal)
    return new SearchingConnection(connection, (search) => {
      this.#askLater(host.id, SEARCH_DELAY_MIN_MS, 0, search)
    })
  }

  #askLater(current: string, delayMs: number, turn: number, search: SearchingConnection): void {
    const ask = (): void => {
      const others = this.#transport.hosts().filter(({ id }) => id !== current)
      const host = others[turn % Math.max(1, others.length)]
      const goOn = (isReadWrite: boolean): void => {
        if (search.isOver) return
        const nextMs = Math.min(2 * delayMs, SEARCH_DELAY_MAX_MS)
        if (!isReadWrite || host === undefined) {
          this.#askLater(current, nextMs, turn + 1, search)
          return
        }
        this.#found = host
        search.lose(`${host.label} is a read/write server`)
      }
      if (host === undefined) goOn(false)
      else this.#isReadWrite(host).then(goOn, () => goOn(false))
    }
    search.cancelTimer = this.#ticker.after(delayMs, ask)
  }

  async #isReadWrite(host: ClientHost): Promise<boolean> {
    const abort = new AbortController()
    const late = this.#ticker.after(ANSWER_WAIT_MS, () => abort.abort(new Error('no answer')))
    try {
      const transport = this.#transport
      const asked = transport.isReadWrite?.(host, abort.signal)
      return await (asked ?? askByMessage(transport, host, abort.signal))
    } finally {
      late()
    }
  }
}

/** The word `isro` as the one message of a connection, and its answer as the other one. */
async function askByMessage(
  transport: ClientTransport,
  host: ClientHost,
  signal: AbortSignal,
): Promise<boolean> {
  const connection = await transport.connect(host, signal)
  return new Promise((resolve) => {
    const end = (isReadWrite: boolean): void => {
      connection.onMessage = connection.onClose = (): void => {}
      connection.close('asked')
      resolve(isReadWrite)
    }
    connection.onMessage = (bytes) => end(decodeUtf8(bytes) === 'rw')
    connection.onClose = () => end(false)
    signal.addEventListener('abort', () => end(false), { once: true })
    connection.send(encodeUtf8('isro'))
  })
}

class SearchingConnection implements ClientConnection {
  isOver = false
  cancelTimer: () => void = () => {}
  onMessage: (bytes: Uint8Array) => void = () => {}
  onClose: (reason: string) => void = () => {}
  readonly #inner: ClientConnection

  constructor(inner: ClientConnection, search: (self: SearchingConnection) => void) {
    this.#inner = inner
    inner.onMessage = (first) => {
      inner.onMessage = (bytes) => this.onMessage(bytes)
      this.onMessage(first)
      if (!this.isOver && isReadOnly(first)) search(this)
    }
    inner.onClose = (reason) => {
      this.#end()
      this.onClose(reason)
    }
  }

  get onTick(): () => void {
    return this.#inner.onTick
  }

  set onTick(listen: () => void) {
    this.#inner.onTick = listen
  }

  send(bytes: Uint8Array): void {
    this.#inner.send(bytes)
  }

  close(reason: string): void {
    this.#end()
    this.#inner.close(reason)
  }

  /** For the client it is as if the server had gone. */
  lose(reason: string): void {
    this.close(reason)
    this.onClose(reason)
  }

  #end(): void {
    this.isOver = true
    this.cancelTimer()
  }
}

/** The first message of a server begins with its ConnectResponse. */
function isReadOnly(message: Uint8Array): boolean {
  try {
    const [payload] = splitFrames(message)
    const record = { name: 'ConnectResponse', read: readConnectResponse }
    return payload !== undefined && decode(record, payload).readOnly === true
  } catch (error) {
    if (error instanceof JuteError) return false
    throw error
  }
}
