// Real ZooKeeper servers of ours behind a transport whose links can be cut, on virtual time.
import { ZooKeeperClient, type ZooKeeperClientOptions } from '../../src/client/zookeeper-client.ts'
import type { ClientConnection, ClientHost, ClientTransport } from '../../src/client/transport.ts'
import { FakeEnsemble, type FakeOptions } from '../core/server/fake-ensemble.ts'
import type { TestClient } from '../core/server/test-client.ts'
import { ManualTicker, settle } from './manual-ticker.ts'

const STEP_MS = 250
/** Away from the numbers that FakeEnsemble gives out itself. */
const FIRST_CONNECTION = 1_000_000

export class BenchConnection implements ClientConnection {
  onMessage: (bytes: Uint8Array) => void = () => {}
  onClose: (reason: string) => void = () => {}
  onTick: () => void = () => {}
  readonly member: number
  isOpen = true
  /** Messages that still get through from the server. */
  hears = Infinity
  readonly #send: (bytes: Uint8Array) => void
  readonly #closed: () => void

  constructor(member: number, send: (bytes: Uint8Array) => void, closed: () => void) {
    this.member = member
    this.#send = send
    this.#closed = closed
  }

  send(bytes: Uint8Array): void {
    queueMicrotask(() => {
      if (this.isOpen) this.#send(bytes)
    })
  }

  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.#closed()
  }

  receive(bytes: Uint8Array): void {
    queueMicrotask(() => {
      if (this.isOpen && this.hears-- > 0) this.onMessage(bytes)
    })
  }

  /** From the other side, or from the link. */
  fail(reason: string): void {
    queueMicrotask(() => {
      if (!this.isOpen) return
      this.isOpen = false
      this.onClose(reason)
    })
  }
}

/** Servers that clients under test can reach, on one virtual clock. */
export interface ClientBench {
  readonly ticker: ManualTicker
  readonly memberCount: number
  transport(localMember: number): BenchTransport
  open(member: number): BenchConnection
  pass(ms: number): Promise<void>
}

/** The ways of one client. */
export class BenchTransport implements ClientTransport {
  readonly #bench: ClientBench
  readonly #localMember: number
  #isCrashed = false
  #connection: BenchConnection | null = null

  constructor(bench: ClientBench, localMember: number) {
    this.#bench = bench
    this.#localMember = localMember
  }

  hosts(): readonly ClientHost[] {
    return Array.from({ length: this.#bench.memberCount }, (_, index) => ({
      id: String(index),
      label: `machine ${index + 1}`,
      isLocal: index === this.#localMember,
    }))
  }

  async connect(host: ClientHost): Promise<ClientConnection> {
    if (this.#isCrashed) throw new Error('crashed')
    this.#connection = this.#bench.open(Number(host.id))
    return this.#connection
  }

  /** The page dies: nothing leaves it any more. */
  crash(): void {
    this.#isCrashed = true
    this.#connection?.fail('crashed')
    this.#connection?.close()
  }
}

export class EnsembleBench implements ClientBench {
  readonly ensemble: FakeEnsemble
  readonly ticker = new ManualTicker()
  readonly connections: BenchConnection[] = []
  /** Members that nobody can reach. */
  readonly cut = new Set<number>()
  #nextConnection = FIRST_CONNECTION

  constructor(options: FakeOptions = {}) {
    this.ensemble = new FakeEnsemble(options)
  }

  get memberCount(): number {
    return this.ensemble.members.length
  }

  client(options: Partial<ZooKeeperClientOptions> = {}): ZooKeeperClient {
    return new ZooKeeperClient({
      transport: this.transport(),
      ticker: this.ticker,
      random: () => 0.5,
      sessionTimeoutMs: 10_000,
      ...options,
    })
  }

  async connected(options: Partial<ZooKeeperClientOptions> = {}): Promise<ZooKeeperClient> {
    const client = this.client(options)
    await client.connected()
    return client
  }

  transport(localMember = 0): BenchTransport {
    return new BenchTransport(this, localMember)
  }

  /** Time for servers and clients alike. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.ensemble.pass(STEP_MS)
      await this.ticker.advance(STEP_MS)
    }
    await settle()
  }

  /** Loses every connection of a member. */
  lose(member: number): void {
    for (const connection of this.connections) {
      if (connection.member === member) this.#loseOne(connection)
    }
  }

  #loseOne(connection: BenchConnection): void {
    connection.fail('link lost')
  }

  /** Only so many messages of this member still reach its clients. */
  deafen(member: number, messages: number): void {
    for (const connection of this.connections) {
      if (connection.member === member) connection.hears = messages
    }
  }

  open(member: number): BenchConnection {
    if (this.cut.has(member)) throw new Error('no way there')
    const id = this.#nextConnection++
    const { server, clients } = this.ensemble.member(member)
    const connection = new BenchConnection(
      member,
      (bytes) => {
        server.clientData(id, bytes, this.ensemble.at)
        this.ensemble.commit(0)
      },
      () => {
        server.clientClosed(id, this.ensemble.at)
        clients.delete(id)
      },
    )
    const ears = {
      onBytes: (bytes: Uint8Array) => connection.receive(bytes.slice()),
      onClosed: (reason: string) => connection.fail(reason),
    }
    clients.set(id, ears as unknown as TestClient)
    server.clientOpen(id, 'page', this.ensemble.at)
    this.ensemble.commit(0)
    this.connections.push(connection)
    return connection
  }
}
