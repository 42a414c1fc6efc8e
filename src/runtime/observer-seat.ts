/**
 * A newcomer's side: it asks the voters for a place as an observer until it has one, and asks anew
 * when it lost it.
 *
 * Invariant: a grant is used by the life of the page that asked for it, once.
 */
import { Backoff } from '../core/base/backoff.ts'
import type { Clock } from '../ports/clock.ts'
import type { ObserverGrant, PageMessage } from './page-message.ts'
import type { PeerLink } from './peer-table.ts'

/**
 * Delays between askings. Ours: a grant is one write; without a leader there is none, and a new
 * leader answers whoever asked it before it led.
 */
const ASK_FIRST_MS = 1_000
const ASK_CAP_MS = 15_000
/** A place gets free when an observer leaves: the same as for links (REFUSED_RETRY_MS). */
const NO_PLACE_RETRY_MS = 15_000
const CHECK_INTERVAL_MS = 250

export interface SeatHost {
  readonly clock: Clock
  readonly every: (intervalMs: number, run: () => void) => () => void
  /** Opened links to voters. */
  readonly voters: () => readonly PeerLink[]
  readonly say: (link: PeerLink, message: PageMessage) => void
  readonly start: (grant: ObserverGrant) => void
  /** The place is gone: end the member; `start` follows when there is another one. */
  readonly end: (reason: string) => void
  readonly random: () => number
}

export class ObserverSeat {
  readonly #host: SeatHost
  readonly #backoff: Backoff
  readonly #stopChecks: () => void
  #grant: ObserverGrant | null = null
  /** The member runs under the grant. */
  #isRunning = false
  #refusal: string | null = null
  #askAtMs = 0

  constructor(host: SeatHost) {
    this.#host = host
    this.#backoff = new Backoff({ firstMs: ASK_FIRST_MS, capMs: ASK_CAP_MS }, host.random)
    this.#stopChecks = host.every(CHECK_INTERVAL_MS, () => this.#check())
  }

  get text(): string {
    if (this.#grant !== null) return 'observing: starting'
    if (this.#refusal !== null) return `${this.#refusal}: a client only until one leaves`
    if (this.#host.voters().length === 0) return 'this tab has no vote; it waits for a voter'
    return 'this tab has no vote; it asks for a place as an observer'
  }

  /** A link to a voter can be used. */
  onLink(link: PeerLink): void {
    if (this.#grant === null) this.#host.say(link, { kind: 'observe' })
    else if (this.#isRunning) this.#host.say(link, { kind: 'observing', grant: this.#grant })
  }

  /** The member runs: voters may use its links. */
  onRunning(): void {
    this.#isRunning = true
    for (const link of this.#host.voters()) this.onLink(link)
  }

  /** From a voter. */
  onMessage(message: PageMessage): void {
    if (message.kind === 'grant') this.#onGrant(message.grant)
    else if (message.kind === 'no-place') this.#onNoPlace(message.reason)
    else if (message.kind === 'place-lost') this.#onLost(message.grant)
  }

  stop(): void {
    this.#stopChecks()
  }

  #onGrant(grant: ObserverGrant): void {
    if (this.#grant !== null) return
    this.#grant = grant
    this.#refusal = null
    this.#backoff.reset()
    this.#host.start(grant)
  }

  #onNoPlace(reason: string): void {
    if (this.#grant !== null) return
    this.#refusal = reason
    this.#askAtMs = this.#nowMs + NO_PLACE_RETRY_MS
  }

  #onLost(lost: ObserverGrant): void {
    const held = this.#grant
    if (held?.sid !== lost.sid || held.sessionBase !== lost.sessionBase) return
    this.#grant = null
    this.#isRunning = false
    this.#host.end('its place as an observer was given to another tab')
    this.#ask()
  }

  #check(): void {
    if (this.#grant === null && this.#nowMs >= this.#askAtMs) this.#ask()
  }

  #ask(): void {
    this.#askAtMs = this.#nowMs + this.#backoff.nextMs()
    for (const link of this.#host.voters()) this.onLink(link)
  }

  get #nowMs(): number {
    return this.#host.clock.now().elapsedMs
  }
}
