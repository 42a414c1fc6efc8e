/**
 * Performs the effects of a ClientSession: connections, timers, promises and watchers.
 *
 * Order (N22): promises are settled and watchers called in the order in which replies and events
 * came. A settled promise runs its continuation one microtask later, so callbacks are put into the
 * microtask queue as well; a stream is fed at once because its reader is a continuation itself.
 */

import { assert } from '../core/base/assert.ts'
import { messageOf } from '../core/base/message-of.ts'
import { CLOSE_WAIT_MS, TICK_MS } from './limits.ts'
import { ClientSession } from './session.ts'
import {
  isAlive,
  type ClientState,
  type SessionConfig,
  type SessionEffect,
  type SessionInput,
  type SessionRequest,
  type Settlement,
} from './session-protocol.ts'
import type { Ticker } from './ticker.ts'
import type { ClientConnection, ClientHost, ClientTransport } from './transport.ts'
import { tell, type WatchedEvent, type Watcher } from './watched-event.ts'

export type Settle = (settlement: Settlement) => void

export interface DriverOptions {
  readonly transport: ClientTransport
  readonly ticker: Ticker
  readonly config: Omit<SessionConfig, 'hosts' | 'closeWaitMs' | 'firstXid'>
  /** A session event, with the watchers that are registered for nodes: all hear of it (N33). */
  readonly onSessionEvent: (event: WatchedEvent, watchers: readonly Watcher[]) => void
  readonly onStateChange: (state: ClientState) => void
  /** Server path to the caller's (W61). */
  readonly toClientPath: (path: string) => string
}

export class SessionDriver {
  readonly #options: DriverOptions
  readonly #session: ClientSession
  readonly #waiting = new Map<number, Settle>()
  #nextId = 1
  #connection: { readonly attempt: number; readonly link: ClientConnection } | null = null
  #opening: { readonly attempt: number; readonly abort: AbortController } | null = null
  #cancelTick: () => void = () => {}
  #cancelAttempt: () => void = () => {}
  #isFlushQueued = false
  #isPerforming = false

  constructor(options: DriverOptions) {
    this.#options = options
    const { config, ticker, transport } = options
    this.#session = new ClientSession(
      { ...config, hosts: () => transport.hosts(), closeWaitMs: CLOSE_WAIT_MS, firstXid: 1 },
      ticker.now(),
    )
    this.#tick()
  }

  get session(): ClientSession {
    return this.#session
  }

  now(): number {
    return this.#options.ticker.now()
  }

  /** The id under which the request can be cancelled. */
  submit(request: Omit<SessionRequest, 'id'>, settle: Settle): number {
    const id = this.#nextId++
    this.#waiting.set(id, settle)
    this.#step({ kind: 'submit', request: { ...request, id } })
    this.#flushSoon()
    return id
  }

  addAuth(scheme: string, auth: Uint8Array | null, settle: Settle): number {
    const id = this.#nextId++
    this.#waiting.set(id, settle)
    this.#step({ kind: 'auth', info: { id, scheme, auth } })
    return id
  }

  /** Nobody waits for it any more. */
  cancel(id: number): void {
    if (this.#waiting.delete(id)) this.#step({ kind: 'cancel', id })
  }

  close(): void {
    this.#step({ kind: 'close' })
  }

  rebalance(): void {
    this.#step({ kind: 'rebalance' })
  }

  /** Everything that is submitted in one task leaves in one message. */
  #flushSoon(): void {
    if (this.#isFlushQueued) return
    this.#isFlushQueued = true
    queueMicrotask(() => {
      this.#isFlushQueued = false
      this.#step({ kind: 'flush' })
    })
  }

  #tick(): void {
    this.#step({ kind: 'tick' })
    if (!isAlive(this.#session.state)) return
    this.#cancelTick = this.#options.ticker.after(TICK_MS, () => this.#tick())
  }

  #step(input: SessionInput): void {
    this.#session.step(input, this.now())
    if (!this.#isPerforming) this.#perform()
  }

  #perform(): void {
    this.#isPerforming = true
    try {
      for (;;) {
        const effects = this.#session.takeEffects()
        if (effects.length === 0) break
        for (const effect of effects) this.#performOne(effect)
      }
    } finally {
      this.#isPerforming = false
    }
    this.#awaitAttempt()
  }

  #performOne(effect: SessionEffect): void {
    switch (effect.kind) {
      case 'connect':
        return this.#connect(effect.attempt, effect.host)
      case 'send':
        if (this.#connection?.attempt === effect.attempt) this.#connection.link.send(effect.bytes)
        return
      case 'disconnect':
        return this.#disconnect(effect.attempt, effect.reason)
      case 'settle': {
        const settle = this.#waiting.get(effect.id)
        this.#waiting.delete(effect.id)
        return settle?.(effect.settlement)
      }
      case 'event':
        return this.#tell(effect.event, effect.watchers)
      case 'state':
        if (!isAlive(effect.state)) this.#cancelTick()
        return this.#options.onStateChange(effect.state)
    }
  }

  #tell(event: WatchedEvent, watchers: readonly Watcher[]): void {
    const path = event.path === null ? null : this.#options.toClientPath(event.path)
    const told: WatchedEvent = { ...event, path }
    if (path === null) return this.#options.onSessionEvent(told, watchers)
    for (const watcher of watchers) tell(watcher, told)
  }

  #connect(attempt: number, host: ClientHost): void {
    assert(this.#connection === null, 'one connection at a time')
    const abort = new AbortController()
    this.#opening = { attempt, abort }
    this.#options.transport.connect(host, abort.signal).then(
      (link) => this.#onOpened(attempt, link),
      (error: unknown) => {
        if (this.#opening?.attempt === attempt) this.#opening = null
        this.#step({ kind: 'closed', attempt, reason: messageOf(error) })
      },
    )
  }

  #onOpened(attempt: number, link: ClientConnection): void {
    if (this.#opening?.attempt !== attempt) {
      link.onClose = ignore
      link.close('superseded')
      return
    }
    this.#opening = null
    this.#connection = { attempt, link }
    link.onMessage = (bytes) => this.#step({ kind: 'message', attempt, bytes })
    link.onTick = () => this.#step({ kind: 'tick' })
    link.onClose = (reason) => {
      if (this.#connection?.link === link) this.#connection = null
      this.#step({ kind: 'closed', attempt, reason })
    }
    this.#step({ kind: 'opened', attempt })
  }

  #disconnect(attempt: number, reason: string): void {
    if (this.#opening?.attempt === attempt) {
      this.#opening.abort.abort(new Error(reason))
      this.#opening = null
    }
    if (this.#connection?.attempt !== attempt) return
    const { link } = this.#connection
    this.#connection = null
    link.onClose = ignore
    link.onMessage = ignore
    link.close(reason)
  }

  /** A tick is soon enough for everything but the next attempt, which should not wait for one. */
  #awaitAttempt(): void {
    this.#cancelAttempt()
    this.#cancelAttempt = ignore
    const dueMs = this.#session.nextAttemptMs
    if (dueMs === null) return
    const delayMs = Math.max(0, dueMs - this.now())
    if (delayMs >= TICK_MS) return
    this.#cancelAttempt = this.#options.ticker.after(delayMs, () => this.#step({ kind: 'flush' }))
  }
}

function ignore(): void {}
