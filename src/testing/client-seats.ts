/** The clients of an ensemble under test: each on a process and ways of its own. */
import type { ClientTransport } from '../client/transport.ts'
import { ZooKeeperClient, type ZooKeeperClientOptions } from '../client/zookeeper-client.ts'
import type { EnsembleLog } from './ensemble-log.ts'
import type { EnsembleParts, Why } from './ensemble-parts.ts'
import { VirtualClient, type ClientSurroundings, type ConnectionWatcher } from './virtual-client.ts'
import type { VirtualMember } from './virtual-member.ts'

/** As `room.openClient()` asks for, in ms. */
const SESSION_TIMEOUT_MS = 10_000
/** Virtual ms in which a handle that nobody closed comes to its end: sessions, and their calls. */
const LAST_MS = 60_000
/** The shortest session there is, in ms: 2 ticks (S4). */
const PROBE_TIMEOUT_MS = 4000
/** Numbers of the kit's own handles. */
const FIRST_PROBE = 1001

export interface SeatOptions {
  /** For messages; default `client 1` and so on. Must be its own. */
  readonly name?: string
  /** The member of its own tab, which it tries first; default: any. */
  readonly member?: number
}

export type TestClientOptions = SeatOptions &
  Omit<ZooKeeperClientOptions, 'transport' | 'ticker' | 'random'>

export type SeatedOptions = Required<
  Pick<ZooKeeperClientOptions, 'transport' | 'ticker' | 'random' | 'sessionTimeoutMs'>
>

interface ProbeSeat {
  readonly seat: VirtualClient
  readonly client: ZooKeeperClient
}

export class ClientSeats {
  readonly #parts: EnsembleParts
  readonly #around: ClientSurroundings
  readonly #record: (client: number) => ConnectionWatcher
  readonly #seats: VirtualClient[] = []
  readonly #probes: VirtualClient[] = []
  readonly #ofClient = new WeakMap<object, VirtualClient>()
  readonly #clients = new Set<ZooKeeperClient>()

  constructor(parts: EnsembleParts, log: EnsembleLog) {
    this.#parts = parts
    const { time, network, prng, members } = parts
    const onBytes: ClientSurroundings['onBytes'] = (client, way, bytes) => {
      log.passed(client, way, bytes)
    }
    this.#record = (client) => log.record.client(client)
    this.#around = { time, network, prng, members, onBytes }
  }

  options(options: SeatOptions): SeatedOptions {
    const number = this.#seats.length + 1
    const { name = `client ${number}`, member = null } = options
    if (this.#seats.some((seat) => seat.name === name)) throw new Error(`two clients named ${name}`)
    if (member !== null) this.#parts.member(member)
    const seat = new VirtualClient(
      this.#around,
      { number, name, home: member },
      this.#record(number),
    )
    this.#seats.push(seat)
    this.#ofClient.set(seat, seat)
    return seatedAt(seat)
  }

  /** A handle of the kit's own, which asks one member. */
  probe(at: VirtualMember): ProbeSeat {
    const number = FIRST_PROBE + this.#probes.length
    const seat = new VirtualClient(this.#around, { number, name: `probe ${number}`, home: null })
    seat.only = at
    const options = { ...seatedAt(seat), sessionTimeoutMs: PROBE_TIMEOUT_MS }
    const client = new ZooKeeperClient(options)
    this.#probes.push(seat)
    this.#clients.add(client)
    return { seat, client }
  }

  /** A handle that begins to connect. */
  open(options: TestClientOptions): ZooKeeperClient {
    const { name, member, ...rest } = options
    const seated = this.options({
      ...(name === undefined ? {} : { name }),
      ...(member === undefined ? {} : { member }),
    })
    const client = new ZooKeeperClient({ ...seated, ...rest })
    this.#ofClient.set(client, this.of(seated.transport))
    this.#clients.add(client)
    return client
  }

  of(client: ZooKeeperClient | ClientTransport): VirtualClient {
    const seat = this.#ofClient.get(client)
    if (seat !== undefined) return seat
    throw new Error('this client is not of this ensemble: pass its transport, if the app made it')
  }

  /** Words for what is not quiet yet; null when all is. */
  whyNotQuiet(): Why | null {
    const waiting = this.#seats.find((seat) => seat.waitingCalls > 0)
    if (waiting === undefined) return null
    return () => `${waiting.name} waits for ${waiting.waitingCalls} answers`
  }

  /** Every call of every handle settles. */
  async close(): Promise<void> {
    const { time } = this.#parts
    for (const seat of [...this.#seats, ...this.#probes]) seat.leave()
    const hasOthers = this.#seats.length + this.#probes.length > this.#clients.size
    const closing = [...this.#clients].map((client) => client.close())
    time.want(time.nowMs + LAST_MS)
    await Promise.all(closing)
    if (!hasOthers) return
    // Handles that the program made: what they wait for is over when their sessions are.
    await new Promise<void>((resolve) => void time.after(LAST_MS, resolve))
  }
}

function seatedAt(seat: VirtualClient): SeatedOptions {
  const { ticker, random } = seat
  return { transport: seat, ticker, random, sessionTimeoutMs: SESSION_TIMEOUT_MS }
}
