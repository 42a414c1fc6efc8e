/** The rows of the table, each as the load that one measurement puts on a server or an ensemble. */
import { CreateMode } from '../../../src/core/jute/create-mode.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import * as proto from '../../../src/core/jute/proto-records.ts'
import { percentile } from '../figures.ts'
import { EVENT_XID, LoadClient, template, type Template } from './load-client.ts'

export interface LoadOrder {
  readonly row: RowName
  /** Client ports; connections are spread over them. */
  readonly ports: readonly number[]
  readonly measureMs: number
  /** Of the row `memory`: nodes to be made. */
  readonly znodes: number
}

export interface Measured {
  /** Operations per second, or ms: see ROWS. */
  readonly value: number
  /** What the server's CPU time is divided by. */
  readonly operations: number
}

export type RowName = keyof typeof ROWS

interface Row {
  readonly title: string
  readonly unit: '/s' | 'ms'
  readonly run: (order: LoadOrder) => Promise<Measured>
}

const SMALL_BYTES = 100
const LARGE_BYTES = 1024
/** Requests in flight of one client: with ten of them the limit of Apache ZooKeeper, 1000. */
const WINDOW = 100
const WATCHERS = 1_000
/** Ports of this machine are short for a minute after each. */
const SESSIONS_MAX = 5_000
const SESSIONS_AT_ONCE = 20
const MEMORY_PARENTS = 100
const OPEN_ACL = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]

export const ROWS = {
  latency: { title: 'setData 100 B, one by one, median', unit: 'ms', run: latency },
  write1: { title: 'setData 1 KB, 1 client', unit: '/s', run: (o) => pipelined(o, 1, 1) },
  write10: { title: 'setData 1 KB, 10 clients', unit: '/s', run: (o) => pipelined(o, 10, 1) },
  read1: { title: 'getData 1 KB, 1 client', unit: '/s', run: (o) => pipelined(o, 1, 0) },
  read10: { title: 'getData 1 KB, 10 clients', unit: '/s', run: (o) => pipelined(o, 10, 0) },
  mixed: { title: '90 % getData, 10 % setData, 10 clients', unit: '/s', run: mixed },
  ephemerals: { title: 'create and delete of ephemeral sequentials', unit: '/s', run: ephemerals },
  watches: { title: 'one change to 1,000 watches, median', unit: 'ms', run: watches },
  sessions: { title: 'sessions opened and closed', unit: '/s', run: sessions },
  memory: { title: 'nodes of 100 B made', unit: '/s', run: fill },
} as const satisfies Record<string, Row>

export const ROW_NAMES = Object.keys(ROWS) as RowName[]

function setData(path: string, bytes: number): Template {
  const data = new Uint8Array(bytes).fill(0x61)
  return template(OpCode.setData, proto.setDataRequestRecord, { path, data, version: -1 })
}

function getData(path: string, watch = false): Template {
  return template(OpCode.getData, proto.getDataRequestRecord, { path, watch })
}

function create(path: string, bytes: number, flags: number): Template {
  const data = new Uint8Array(bytes).fill(0x61)
  return template(OpCode.create, proto.createRequestRecord, { path, data, acl: OPEN_ACL, flags })
}

/** Whether it is there already does not matter. */
async function ensure(client: LoadClient, path: string, bytes: number): Promise<void> {
  await client.ask(create(path, bytes, CreateMode.PERSISTENT.flag))
}

function portOf({ ports }: LoadOrder, index: number): number {
  return ports[index % ports.length] as number
}

async function openAll(order: LoadOrder, count: number): Promise<LoadClient[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => LoadClient.open(portOf(order, i))))
}

async function closeAll(clients: readonly LoadClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client.closeSession()))
}

async function latency(order: LoadOrder): Promise<Measured> {
  const client = await LoadClient.open(portOf(order, 0))
  await ensure(client, '/latency', SMALL_BYTES)
  const request = setData('/latency', SMALL_BYTES)
  const tookMs: number[] = []
  const endMs = performance.now() + order.measureMs
  for (;;) {
    const startedMs = performance.now()
    if (startedMs > endMs) break
    check((await client.ask(request)).err)
    tookMs.push(performance.now() - startedMs)
  }
  await client.closeSession()
  return { value: percentile(tookMs, 0.5), operations: tookMs.length }
}

async function pipelined(
  order: LoadOrder,
  clientCount: number,
  writesOfTen: 0 | 1,
): Promise<Measured> {
  const choose = (path: string): (() => Template) => {
    const request = writesOfTen === 1 ? setData(path, LARGE_BYTES) : getData(path)
    return () => request
  }
  return keepBusy(order, clientCount, choose)
}

async function mixed(order: LoadOrder): Promise<Measured> {
  return keepBusy(order, 10, (path) => {
    const read = getData(path)
    const write = setData(path, LARGE_BYTES)
    let turn = 0
    return () => (++turn % 10 === 0 ? write : read)
  })
}

/** Every client has a window of requests in flight, on a node of its own. */
async function keepBusy(
  order: LoadOrder,
  clientCount: number,
  choose: (path: string) => () => Template,
): Promise<Measured> {
  const clients = await openAll(order, clientCount)
  await Promise.all(clients.map((client, i) => ensure(client, `/busy${i}`, LARGE_BYTES)))
  let done = 0
  let isOver = false
  const startedMs = performance.now()
  const runs = clients.map((client, i) => {
    const next = choose(`/busy${i}`)
    let inFlight = WINDOW
    let answered = 0
    return new Promise<void>((resolve, reject) => {
      client.onClose = () => reject(new Error('the server hung up'))
      client.onReply = (_xid, err) => {
        check(err)
        answered++
      }
      client.onChunk = () => {
        done += answered
        if (isOver) inFlight -= answered
        else if (answered > 0) client.send(answered, next)
        answered = 0
        if (inFlight === 0) resolve()
      }
      client.send(WINDOW, next)
    })
  })
  await new Promise((resolve) => setTimeout(resolve, order.measureMs))
  const [operations, tookMs] = [done, performance.now() - startedMs]
  isOver = true
  await Promise.all(runs)
  for (const client of clients) client.onChunk = () => undefined
  await closeAll(clients)
  return { value: (1000 * operations) / tookMs, operations: done }
}

/** Each create is followed by the delete of what it made. */
async function ephemerals(order: LoadOrder): Promise<Measured> {
  const client = await LoadClient.open(portOf(order, 0))
  await ensure(client, '/ephemerals', 0)
  const request = create('/ephemerals/n-', SMALL_BYTES, CreateMode.EPHEMERAL_SEQUENTIAL.flag)
  let done = 0
  let inFlight = WINDOW
  const endMs = performance.now() + order.measureMs
  const startedMs = performance.now()
  await new Promise<void>((resolve, reject) => {
    let next: Template[] = []
    client.onClose = () => reject(new Error('the server hung up'))
    client.onReply = (_xid, err, bytes, at, end) => {
      check(err)
      done++
      const path = end - at > 16 ? bytes.toString('latin1', at + 20, end) : null
      if (path !== null) next.push(deletion(path))
      else if (performance.now() < endMs) next.push(request)
      else inFlight--
    }
    client.onChunk = () => {
      const requests = next
      next = []
      if (requests.length > 0) client.send(requests.length, () => requests.shift() as Template)
      if (inFlight === 0) resolve()
    }
    client.send(WINDOW, () => request)
  })
  const tookMs = performance.now() - startedMs
  client.onChunk = () => undefined
  await client.closeSession()
  return { value: (1000 * done) / tookMs, operations: done }
}

function deletion(path: string): Template {
  return template(OpCode.delete, proto.deleteRequestRecord, { path, version: -1 })
}

/** As many connections; from the change until the last of them was told. */
async function watches(order: LoadOrder): Promise<Measured> {
  const writer = await LoadClient.open(portOf(order, 0))
  await ensure(writer, '/watched', SMALL_BYTES)
  const watchers: LoadClient[] = []
  while (watchers.length < WATCHERS) watchers.push(...(await openAll(order, SESSIONS_AT_ONCE)))
  const watch = getData('/watched', true)
  const change = setData('/watched', SMALL_BYTES)
  const tookMs: number[] = []
  const endMs = performance.now() + order.measureMs
  while (tookMs.length < 3 || performance.now() < endMs) {
    for (const { err } of await Promise.all(watchers.map((one) => one.ask(watch)))) check(err)
    const startedMs = performance.now()
    let left = watchers.length
    const told = new Promise<void>((resolve) => {
      for (const watcher of watchers) {
        watcher.onReply = (xid) => {
          if (xid === EVENT_XID && --left === 0) resolve()
        }
      }
    })
    check((await writer.ask(change)).err)
    await told
    tookMs.push(performance.now() - startedMs)
  }
  await closeAll([writer, ...watchers])
  return { value: percentile(tookMs, 0.5), operations: tookMs.length * watchers.length }
}

async function sessions(order: LoadOrder): Promise<Measured> {
  let begun = 0
  const startedMs = performance.now()
  const isOver = (): boolean => {
    return begun >= SESSIONS_MAX || performance.now() - startedMs > order.measureMs
  }
  const one = async (): Promise<void> => {
    while (!isOver()) await (await LoadClient.open(portOf(order, begun++))).closeSession()
  }
  await Promise.all(Array.from({ length: SESSIONS_AT_ONCE }, one))
  return { value: (1000 * begun) / (performance.now() - startedMs), operations: begun }
}

async function fill(order: LoadOrder): Promise<Measured> {
  const client = await LoadClient.open(portOf(order, 0))
  const root = `/fill-${process.pid}-${Date.now()}`
  await ensure(client, root, 0)
  for (let i = 0; i < MEMORY_PARENTS; i++) await ensure(client, `${root}/${i}`, 0)
  const startedMs = performance.now()
  let sent = 0
  let left = order.znodes
  const next = (): Template => {
    const i = sent++
    const path = `${root}/${i % MEMORY_PARENTS}/node-${i}`
    return create(path, SMALL_BYTES, CreateMode.PERSISTENT.flag)
  }
  await new Promise<void>((resolve, reject) => {
    let answered = 0
    client.onClose = () => reject(new Error('the server hung up'))
    client.onReply = (_xid, err) => {
      check(err)
      answered++
    }
    client.onChunk = () => {
      left -= answered
      const more = Math.min(answered, order.znodes - sent)
      answered = 0
      if (more > 0) client.send(more, next)
      if (left === 0) resolve()
    }
    client.send(Math.min(WINDOW, order.znodes), next)
  })
  const tookMs = performance.now() - startedMs
  client.onChunk = () => undefined
  await client.closeSession()
  return { value: (1000 * order.znodes) / tookMs, operations: order.znodes }
}

function check(err: number): void {
  if (err !== 0) throw new Error(`the server answered error ${err}`)
}
