/**
 * The load generator: a process of its own, the same for every server. It takes orders from its
 * parent and answers each with what it measured.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateMode } from '../../../src/core/jute/create-mode.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import * as proto from '../../../src/core/jute/proto-records.ts'
import { LoadClient, template } from './load-client.ts'
import { ROWS, type LoadOrder, type Measured } from './workloads.ts'

/** A writer that goes on at whatever member lets it, until it is told to stop. */
export interface FailoverOrder {
  readonly row: 'failover'
  readonly ports: readonly number[]
}

export type Order = LoadOrder | FailoverOrder | { readonly row: 'stop-failover' }

const RETRY_MS = 5
/** How long one attempt to get a session may take. */
const ATTEMPT_LIMIT_MS = 500

let failover: Failover | null = null

process.on('message', (order: Order) => {
  perform(order).then(
    (measured) => process.send?.({ measured }),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})

async function perform(order: Order): Promise<Measured> {
  if (order.row === 'failover') {
    failover = new Failover(order.ports)
    await failover.firstAcknowledged
    return { value: 0, operations: 0 }
  }
  if (order.row === 'stop-failover') return (failover as Failover).stop()
  return ROWS[order.row].run(order)
}

class Failover {
  readonly firstAcknowledged: Promise<void>
  readonly #ports: readonly number[]
  readonly #done: Promise<void>
  #isStopped = false
  #acknowledged = 0
  #lastMs = 0
  #longestGapMs = 0
  #onFirst: () => void = () => undefined

  constructor(ports: readonly number[]) {
    this.#ports = ports
    this.firstAcknowledged = new Promise((resolve) => {
      this.#onFirst = resolve
    })
    this.#done = this.#run()
  }

  /** The longest time between two acknowledged writes. */
  async stop(): Promise<Measured> {
    this.#isStopped = true
    await this.#done
    return { value: this.#longestGapMs, operations: this.#acknowledged }
  }

  async #run(): Promise<void> {
    for (let i = 0; !this.#isStopped; i++) {
      const client = await open(this.#ports[i % this.#ports.length] as number)
      if (client === null) await sleep(RETRY_MS)
      else await this.#write(client).catch(() => client.drop())
    }
  }

  async #write(client: LoadClient): Promise<void> {
    const path = '/failover'
    const data = new Uint8Array(8)
    const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]
    const { flag: flags } = CreateMode.PERSISTENT
    const creation = { path, data, acl, flags }
    await client.ask(template(OpCode.create, proto.createRequestRecord, creation))
    const change = { path, data, version: -1 }
    const request = template(OpCode.setData, proto.setDataRequestRecord, change)
    while (!this.#isStopped) {
      if ((await client.ask(request)).err !== 0) throw new Error('refused')
      const nowMs = performance.now()
      if (this.#acknowledged++ === 0) this.#onFirst()
      else this.#longestGapMs = Math.max(this.#longestGapMs, nowMs - this.#lastMs)
      this.#lastMs = nowMs
    }
    await client.closeSession()
  }
}

async function open(port: number): Promise<LoadClient | null> {
  const attempt = LoadClient.open(port)
  const late = sleep(ATTEMPT_LIMIT_MS, null)
  const client = await Promise.race([attempt.catch(() => null), late])
  // One that comes too late is not left open.
  if (client === null) void attempt.then((one) => one.drop()).catch(() => undefined)
  return client
}
