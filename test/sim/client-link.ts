/** One connection of a client to a server: ordered both ways, cut like everything else. */
import type { ConnectionId } from '../../src/core/server/effect.ts'
import { within } from './draw.ts'
import type { Prng } from '../../src/core/base/prng.ts'
import type { ClientEnd, ClientServer } from './client-server.ts'
import type { SimContext } from './sim-context.ts'

/** ms until one side hears that the other closed. */
const CLOSE_NOTICE_MS: readonly [number, number] = [1, 60]

export interface ClientLinkUser {
  received(link: ClientLink, bytes: Uint8Array): void
  lost(link: ClientLink, reason: string): void
}

export class ClientLink implements ClientEnd {
  readonly host: ClientServer
  readonly #context: SimContext
  readonly #user: ClientLinkUser
  readonly #prng: Prng
  #connection: ConnectionId | null = null
  #isClosed = false
  /** Silent both ways from here on; nobody is told. */
  #isDead = false
  #towardsServerMs = 0
  #towardsClientMs = 0

  constructor(context: SimContext, host: ClientServer, user: ClientLinkUser, prng: Prng) {
    this.#context = context
    this.host = host
    this.#user = user
    this.#prng = prng
    const { life } = host
    this.#up(() => {
      if (host.life !== life || !host.isUp) this.closed('connection refused')
      else this.#connection = host.clientOpen(this)
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  send(bytes: Uint8Array): void {
    const { host } = this
    this.#up(() => {
      if (this.#connection !== null) host.clientData(this.#connection, bytes)
    })
  }

  /** The client goes. The server may never hear of it. */
  close(isNoticed: boolean): void {
    if (this.#isClosed) return
    if (isNoticed) {
      this.#up(() => {
        if (this.#connection !== null) this.host.clientClosed(this.#connection)
      }, true)
    }
    this.#isClosed = true
  }

  goSilent(): void {
    this.#isDead = true
  }

  // --- as the server sees it --------------------------------------------------------------------

  receive(bytes: Uint8Array): void {
    this.#down(0, () => this.#user.received(this, bytes))
  }

  closed(reason: string): void {
    this.#down(within(this.#prng, CLOSE_NOTICE_MS), () => {
      this.#isClosed = true
      this.#user.lost(this, reason)
    })
  }

  #up(run: () => void, evenIfClosed = false): void {
    if (this.#isDead || this.#isClosed) return
    const { timeline, draw } = this.#context
    const delayMs = within(this.#prng, draw.linkDelayMs)
    this.#towardsServerMs = Math.max(timeline.nowMs + delayMs, this.#towardsServerMs)
    timeline.at(this.#towardsServerMs, () => {
      if (!this.#isDead && (evenIfClosed || !this.#isClosed)) run()
    })
  }

  #down(extraMs: number, run: () => void): void {
    if (this.#isDead || this.#isClosed) return
    const { timeline, draw } = this.#context
    const delayMs = within(this.#prng, draw.linkDelayMs) + extraMs
    this.#towardsClientMs = Math.max(timeline.nowMs + delayMs, this.#towardsClientMs)
    timeline.at(this.#towardsClientMs, () => {
      if (!this.#isDead && !this.#isClosed) run()
    })
  }
}
