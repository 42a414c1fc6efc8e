/**
 * What a client under test runs on: its own process, and ways over the virtual network. The client
 * itself is the one of the product, bytes and all.
 */
import { PORT_PACE } from '../client/port-transport.ts'
import type { Ticker } from '../client/ticker.ts'
import type {
  ClientConnection,
  ClientHost,
  ClientTransport,
  ReconnectPace,
} from '../client/transport.ts'
import type { Prng } from '../core/base/prng.ts'
import { CallCounter } from './call-counter.ts'
import type { PipeEnd } from './pipe-end.ts'
import type { VirtualMember } from './virtual-member.ts'
import type { Station } from './station.ts'
import type { VirtualNetwork } from './virtual-network.ts'
import { VirtualProcess } from './virtual-process.ts'
import type { VirtualTime } from './virtual-time.ts'

/** Hears what passes at a client: a ClientRecorder does. */
export interface ConnectionWatcher {
  opened(server: number): void
  sent(message: Uint8Array, atMs: number): void
  received(message: Uint8Array, atMs: number): void
  closed(reason: string, atMs: number): void
}

export interface ClientSurroundings {
  readonly time: VirtualTime
  readonly network: VirtualNetwork
  readonly prng: Prng
  readonly members: readonly VirtualMember[]
  /** Bytes pass at one of the client's connections. */
  readonly onBytes: (client: VirtualClient, way: 'in' | 'out', bytes: Uint8Array) => void
}

export interface ClientIdentity {
  readonly number: number
  readonly name: string
  /** The member of its own tab: tried first. */
  readonly home: number | null
}

export class VirtualClient implements Station, ClientTransport {
  readonly pace: ReconnectPace = PORT_PACE
  readonly number: number
  readonly name: string
  readonly process: VirtualProcess
  readonly random: () => number
  readonly ticker: Ticker
  /** The one member that it may ask; null: all. */
  only: VirtualMember | null = null
  readonly #watcher: ConnectionWatcher | null
  readonly #around: ClientSurroundings
  readonly #home: number | null
  readonly #calls = new CallCounter()
  #hasLeft = false
  #connection: PipeEnd | null = null

  constructor(
    around: ClientSurroundings,
    { number, name, home }: ClientIdentity,
    watcher: ConnectionWatcher | null = null,
  ) {
    this.#around = around
    this.number = number
    this.name = name
    this.#home = home
    this.#watcher = watcher
    const prng = around.prng.fork(`client ${number}`)
    this.process = new VirtualProcess(around.time, prng)
    this.random = () => prng.next()
    this.ticker = {
      now: () => around.time.nowMs,
      after: (ms, call) => this.process.after(ms, call),
    }
  }

  /** Of the connection that stands. */
  get connection(): PipeEnd | null {
    return this.#connection?.isOpen === true ? this.#connection : null
  }

  /** Answers that its connection owes it. */
  get waitingCalls(): number {
    return this.#calls.waiting
  }

  /** It asks nobody any more. */
  leave(): void {
    this.#hasLeft = true
    if (this.process.isFrozen) this.process.thaw()
    this.drop()
  }

  hosts(): readonly ClientHost[] {
    if (this.#hasLeft) return []
    const members = this.#around.members.filter((each) => this.only === null || each === this.only)
    return members.map(({ number, name }) => ({
      id: String(number),
      label: name,
      isLocal: number === this.#home,
    }))
  }

  connect(host: ClientHost, signal: AbortSignal): Promise<ClientConnection> {
    const member = this.#around.members.find(({ number }) => String(number) === host.id)
    return new Promise((resolve, reject) => {
      const refuse = (): void => reject(new Error(`${host.label} is not there`))
      if (member === undefined) return refuse()
      signal.addEventListener('abort', () => reject(reasonOf(signal)), { once: true })
      const { network } = this.#around
      // There and back; nothing comes back from where nothing gets to.
      const tripMs = network.tripMs(this, member) + network.tripMs(member, this)
      this.process.after(tripMs, () => {
        if (signal.aborted || !network.canMeet(this, member)) return
        if (!member.isUp) refuse()
        else resolve(this.#open(member))
      })
    })
  }

  /** The connection breaks; both sides hear of it. */
  drop(): void {
    this.connection?.reset('connection reset')
  }

  #open(member: VirtualMember): PipeEnd {
    const { network, time, onBytes } = this.#around
    const [end, memberEnd] = network.connect(this, member)
    this.#connection = end
    this.#calls.opened()
    this.#watcher?.opened(member.number)
    end.onPassing = (way, bytes) => {
      onBytes(this, way, bytes)
      if (this.#calls.passed(way, bytes)) time.touch()
      if (way === 'out') this.#watcher?.sent(bytes, time.nowMs)
      else this.#watcher?.received(bytes, time.nowMs)
    }
    end.onEnded = (reason) => this.#closed(end, reason)
    member.process.run(() => member.attachClient(memberEnd))
    return end
  }

  #closed(end: PipeEnd, reason: string): void {
    if (this.#connection !== end) return
    this.#connection = null
    this.#calls.opened()
    this.#watcher?.closed(reason, this.#around.time.nowMs)
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason))
}
