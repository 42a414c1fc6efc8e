// Tabs of the scenario on an ensemble in memory and virtual time, each with faults of its own.
import { ZooKeeperClient } from '../../../src/client/zookeeper-client.ts'
import type {
  ClientConnection,
  ClientHost,
  ClientTransport,
} from '../../../src/client/transport.ts'
import { decodeUtf8 } from '../../../src/core/base/utf8.ts'
import { Pace } from '../../../demo/scenario/pace.ts'
import { ScenarioTab } from '../../../demo/scenario/scenario-tab.ts'
import type { ScenarioState, ScenarioView, Step } from '../../../demo/scenario/scenario-view.ts'
import {
  EnsembleBench,
  type BenchConnection,
  type BenchTransport,
} from '../../client/ensemble-bench.ts'
import { settle } from '../../client/manual-ticker.ts'

export const SESSION_TIMEOUT_MS = 6_000
const STEP_MS = 250

/** What happens to one tab, once. */
export interface Fault {
  /** crash: the tab dies. loss: its connection does, and the session goes on. */
  readonly what: 'crash' | 'loss'
  /** `message`: the n-th that it sends; `step`: the n-th that it shows. From 1. */
  readonly at: 'message' | 'step'
  readonly count: number
  /** Of a message: whether the server still gets it. */
  readonly arrives?: boolean
}

export class BenchTab {
  readonly tab: ScenarioTab
  readonly steps: Step[] = []
  readonly outcomes: string[] = []
  readonly states: ScenarioState[] = []
  readonly said: string[] = []
  readonly pauses: number[] = []
  readonly clients: ZooKeeperClient[] = []
  messages = 0
  isDead = false
  readonly #bench: EnsembleBench
  readonly #member: number
  readonly #transports: BenchTransport[] = []
  #fault: Fault | null
  #life: Promise<void> | null = null

  constructor(bench: EnsembleBench, sid: number | null, fault: Fault | null, size = 3) {
    this.#bench = bench
    this.#member = (sid ?? 1) - 1
    this.#fault = fault
    const pace = new Pace()
    pace.set(0)
    this.tab = new ScenarioTab({
      openClient: () => this.#open(),
      place: Promise.resolve({ sid, size, incarnation: 'abcdef0123' }),
      view: this.#view(),
      pace,
      newRunId: () => `run${bench.ticker.now()}-${sid ?? 0}-${this.messages}`,
      wait: (ms, signal) => waitOn(bench, ms, signal),
    })
  }

  start(): this {
    this.#life = this.tab.live()
    return this
  }

  /** What a closed or crashed page does: nothing more. */
  crash(): void {
    if (this.isDead) return
    this.isDead = true
    for (const transport of this.#transports) transport.crash()
    this.tab.end()
  }

  /** After a crash: all of it ended, and nothing is left running. */
  async ended(): Promise<void> {
    await this.#life
  }

  get state(): string {
    return this.states.at(-1)?.kind ?? 'none'
  }

  get sessionId(): bigint {
    return this.clients.at(-1)?.sessionId ?? 0n
  }

  texts(role?: string): string[] {
    return this.steps
      .filter((step) => role === undefined || step.role === role)
      .map(({ text }) => text)
  }

  /** Of a test that ends. */
  end(): void {
    this.crash()
  }

  #open(): ZooKeeperClient {
    const inner = this.#bench.transport(this.#member)
    this.#transports.push(inner)
    const client = new ZooKeeperClient({
      transport: new FaultyTransport(inner, this.#member, (deliver, connection) =>
        this.#onSend(deliver, connection),
      ),
      ticker: this.#bench.ticker,
      random: () => 0.5,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
    })
    this.clients.push(client)
    return client
  }

  #onSend(deliver: () => void, connection: BenchConnection): void {
    this.messages++
    const fault = this.#fault
    if (fault?.at !== 'message' || this.messages !== fault.count) return deliver()
    this.#fault = null
    if (fault.arrives === true) deliver()
    connection.hears = 0
    // After the microtask that delivers, so that the server has it.
    queueMicrotask(() => (fault.what === 'crash' ? this.crash() : connection.fail('link lost')))
  }

  #view(): ScenarioView {
    return {
      state: (state) => void this.states.push(state),
      clear: () => void this.steps.splice(0),
      step: (step) => {
        this.steps.push(step)
        const fault = this.#fault
        if (fault?.at !== 'step' || this.steps.length !== fault.count) return
        this.#fault = null
        this.crash()
      },
      outcome: (_role, text) => void this.outcomes.push(text),
      say: (text) => void (text !== null && this.said.push(text)),
      pace: (pauseMs) => void this.pauses.push(pauseMs),
    }
  }
}

/** The own machine first and, when it cannot be reached, the others. */
class FaultyTransport implements ClientTransport {
  readonly #inner: BenchTransport
  readonly #onSend: (deliver: () => void, connection: BenchConnection) => void
  readonly #member: number

  constructor(
    inner: BenchTransport,
    member: number,
    onSend: (deliver: () => void, connection: BenchConnection) => void,
  ) {
    this.#inner = inner
    this.#member = member
    this.#onSend = onSend
  }

  hosts(): readonly ClientHost[] {
    return this.#inner.hosts().filter(({ id }) => id === String(this.#member))
  }

  async connect(host: ClientHost): Promise<ClientConnection> {
    const connection = (await this.#inner.connect(host)) as BenchConnection
    const send = connection.send.bind(connection)
    connection.send = (bytes) => this.#onSend(() => send(bytes), connection)
    return connection
  }
}

function waitOn(bench: EnsembleBench, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = bench.ticker.after(ms, resolve)
    signal.addEventListener('abort', () => {
      cancel()
      reject(signal.reason as Error)
    })
  })
}

export class ScenarioBench {
  readonly ensemble = new EnsembleBench({ followers: 2 })
  readonly tabs: BenchTab[] = []

  open(sid: number | null, fault: Fault | null = null, size = 3): BenchTab {
    const tab = new BenchTab(this.ensemble, sid, fault, size).start()
    this.tabs.push(tab)
    return tab
  }

  /** Three machines with a session each, in order. */
  async three(faults: Readonly<Record<number, Fault>> = {}): Promise<BenchTab[]> {
    const tabs: BenchTab[] = []
    for (const sid of [1, 2, 3]) {
      tabs.push(this.open(sid, faults[sid] ?? null))
      await settle()
    }
    await this.until(() => tabs.every((tab) => tab.state === 'idle' || tab.isDead))
    return tabs
  }

  /** Lets virtual time pass until it is so; false after the limit. */
  async until(isSo: () => boolean, limitMs = 60_000): Promise<boolean> {
    for (let passedMs = 0; passedMs < limitMs; passedMs += STEP_MS) {
      await settle()
      if (isSo()) return true
      await this.ensemble.pass(STEP_MS)
    }
    return isSo()
  }

  /** All nodes but ZooKeeper's own, as a person with a terminal would find them. */
  async tree(): Promise<Record<string, string>> {
    const client = await this.ensemble.connected({ transport: this.ensemble.transport(2) })
    const found: Record<string, string> = {}
    const visit = async (path: string): Promise<void> => {
      const { data } = await client.getData(path)
      found[path] = data === null ? '' : decodeUtf8(data)
      for (const name of await client.getChildren(path)) await visit(`${path}/${name}`)
    }
    for (const name of await client.getChildren('/')) {
      if (name !== 'zookeeper') await visit(`/${name}`)
    }
    await client.close()
    return found
  }

  /** Who owns the ephemerals. */
  async owners(): Promise<Record<string, bigint>> {
    const client = await this.ensemble.connected({ transport: this.ensemble.transport(2) })
    const found: Record<string, bigint> = {}
    for (const path of Object.keys(await this.tree())) {
      const owner = (await client.exists(path))?.ephemeralOwner ?? 0n
      if (owner !== 0n) found[path] = owner
    }
    await client.close()
    return found
  }

  async end(): Promise<void> {
    for (const tab of this.tabs) tab.end()
    for (const tab of this.tabs) await tab.ended()
  }
}
