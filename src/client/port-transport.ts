/**
 * Members behind MessagePorts: the worker of this tab bridges each port to its own member, or over
 * a data channel to another one.
 *
 * What goes over a port, either way: `{ data }` with whole frames, its buffer transferred, and
 * `{ kind: 'close', reason }`. From the worker also `{ kind: 'tick' }`, about twice a second: its
 * timers go on in a hidden tab, so heartbeats do.
 */

import type { ClientConnection, ClientHost, ClientTransport, ReconnectPace } from './transport.ts'

/** A member by its number, or the one of the own tab. */
export type PortTarget = number | 'local'

export type PortMessage =
  | { readonly data: Uint8Array }
  | { readonly kind: 'close'; readonly reason: string }
  | { readonly kind: 'tick' }

export interface PortTransportOptions {
  /** Who can be reached now. Asked before each attempt. */
  readonly members: () => readonly PortTarget[]
  /** Rejects when there is no way to that member. */
  readonly openPort: (target: PortTarget) => MessagePort | Promise<MessagePort>
}

/**
 * Ours. ZooKeeper waits a second each, so that thousands of clients do not come back at once; a
 * room has a few, and a port costs nothing. A failover should not be longer than the election.
 */
export const PORT_PACE: ReconnectPace = { reconnectDelayMaxMs: 100, roundPauseMs: 250 }

export class PortTransport implements ClientTransport {
  readonly pace: ReconnectPace = PORT_PACE
  readonly #options: PortTransportOptions

  constructor(options: PortTransportOptions) {
    this.#options = options
  }

  /** The own tab's member first, then by number. */
  hosts(): readonly ClientHost[] {
    return [...new Set(this.#options.members())].sort(byTarget).map((target) => ({
      id: String(target),
      label: target === 'local' ? 'this tab' : `machine ${target}`,
      isLocal: target === 'local',
    }))
  }

  async connect(host: ClientHost, signal: AbortSignal): Promise<ClientConnection> {
    const target = host.id === 'local' ? 'local' : Number(host.id)
    const port = await this.#options.openPort(target)
    if (signal.aborted) {
      port.postMessage({ kind: 'close', reason: 'not wanted any more' } satisfies PortMessage)
      port.close()
      signal.throwIfAborted()
    }
    return new PortConnection(port)
  }
}

export class PortConnection implements ClientConnection {
  onMessage: (bytes: Uint8Array) => void = ignore
  onClose: (reason: string) => void = ignore
  onTick: () => void = ignore
  readonly #port: MessagePort
  #isOpen = true

  constructor(port: MessagePort) {
    this.#port = port
    port.addEventListener('message', (event) => this.#onPortMessage(event.data))
    port.addEventListener('messageerror', () => this.#fail('unreadable message from the worker'))
    // Where browsers tell that the other side of a port is gone.
    port.addEventListener('close', () => this.#fail('port closed'))
    // Messages are tasks of their own: the handlers are set before the first one comes.
    port.start()
  }

  send(bytes: Uint8Array): void {
    if (!this.#isOpen) return
    // A view must not take the rest of its buffer along.
    const isWhole = bytes.byteLength === bytes.buffer.byteLength
    const data = isWhole ? bytes : bytes.slice()
    this.#port.postMessage({ data } satisfies PortMessage, [data.buffer as ArrayBuffer])
  }

  close(reason: string): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#port.postMessage({ kind: 'close', reason } satisfies PortMessage)
    this.#port.close()
  }

  #onPortMessage(message: unknown): void {
    if (!this.#isOpen) return
    const known = readMessage(message)
    if (known === null) return this.#fail('message of unknown form from the worker')
    if ('data' in known) this.onMessage(known.data)
    else if (known.kind === 'tick') this.onTick()
    else this.#fail(known.reason)
  }

  #fail(reason: string): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#port.close()
    this.onClose(reason)
  }
}

/** null when it is none of ours. */
export function readMessage(message: unknown): PortMessage | null {
  if (typeof message !== 'object' || message === null) return null
  if ('data' in message) return message.data instanceof Uint8Array ? { data: message.data } : null
  if (!('kind' in message)) return null
  if (message.kind === 'tick') return { kind: 'tick' }
  if (message.kind !== 'close') return null
  const reason = 'reason' in message && typeof message.reason === 'string' ? message.reason : ''
  return { kind: 'close', reason }
}

function byTarget(a: PortTarget, b: PortTarget): number {
  return rank(a) - rank(b)
}

function rank(target: PortTarget): number {
  return target === 'local' ? -1 : target
}

function ignore(): void {}
