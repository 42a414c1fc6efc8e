/**
 * The worker's end of a client's MessagePort (its other end: client/port-transport.ts).
 * Messages: `{ data }` with whole frames either way, `{ kind: 'close', reason }` either way, and
 * `{ kind: 'tick' }` to the page, whose own timers are throttled when it is hidden.
 */
import type { ClientChannel } from '../../ports/client-channel.ts'

/** Fine enough for the shortest session (4 s: pings every 1.3 s) and cheap for an idle page. */
export const CLIENT_TICK_INTERVAL_MS = 500
/** Messages kept until somebody listens: a connect request and what a client sends behind it. */
const EARLY_MESSAGES_MAX = 1024

export function openClientPort(
  port: MessagePort,
  every: (intervalMs: number, run: () => void) => () => void,
): ClientChannel {
  return new ClientPort(port, every)
}

class ClientPort implements ClientChannel {
  readonly #port: MessagePort
  readonly #stopTicks: () => void
  #early: Uint8Array[] = []
  #onMessage: ((bytes: Uint8Array) => void) | null = null
  #closeReason: string | null = null
  #isClosed = false
  #onClose: ((reason: string) => void) | null = null

  constructor(port: MessagePort, every: (intervalMs: number, run: () => void) => () => void) {
    this.#port = port
    this.#stopTicks = every(CLIENT_TICK_INTERVAL_MS, () => port.postMessage({ kind: 'tick' }))
    port.addEventListener('message', (event: MessageEvent<unknown>) => this.#receive(event.data))
    // Where browsers tell that the page at the other end is gone.
    port.addEventListener('close', () => this.#end('the page is gone'))
    port.start()
  }

  get onMessage(): (bytes: Uint8Array) => void {
    return this.#onMessage ?? (() => {})
  }

  set onMessage(listen: (bytes: Uint8Array) => void) {
    this.#onMessage = listen
    for (const bytes of this.#early.splice(0)) listen(bytes)
  }

  get onClose(): (reason: string) => void {
    return this.#onClose ?? (() => {})
  }

  set onClose(listen: (reason: string) => void) {
    this.#onClose = listen
    if (this.#closeReason !== null) listen(this.#closeReason)
  }

  send(bytes: Uint8Array): void {
    if (this.#isClosed) return
    // A view is copied: its buffer may be shared with other replies or with the log.
    const isWhole = bytes.byteLength === bytes.buffer.byteLength
    const data = isWhole ? bytes : bytes.slice()
    this.#port.postMessage({ data })
  }

  close(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stopTicks()
    this.#port.postMessage({ kind: 'close', reason })
    this.#port.close()
  }

  #receive(message: unknown): void {
    if (this.#isClosed || typeof message !== 'object' || message === null) return
    if ('data' in message && message.data instanceof Uint8Array) {
      if (this.#onMessage !== null) this.#onMessage(message.data)
      else if (this.#early.length < EARLY_MESSAGES_MAX) this.#early.push(message.data)
      else this.close('too much before the connection was taken')
    } else if ('kind' in message && message.kind === 'close') this.#end('closed by the client')
  }

  #end(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stopTicks()
    this.#port.close()
    this.#closeReason = reason
    this.#onClose?.(reason)
  }
}
