/** Loaded into a machine page: what a client in that tab does and how long it takes. */
import type {} from '../../../demo/window.d.ts'
import type { ZooKeeperClient } from '../../../src/client/zookeeper-client.ts'
import type { Op } from '../../../src/client/transaction.ts'
import { measurePipeline, measureSequence, type PipelineSpec } from '../workload.ts'

const ROOT = '/bench'
/** Together well below a follower's lag limit and the largest request. */
const OPS_PER_MULTI = 100
const FILL_LANES = 4

export interface WriterReport {
  /** ms since 1970 of every write that succeeded, in order. */
  readonly doneMs: readonly number[]
  readonly failures: number
}

let client: ZooKeeperClient | null = null
let failures = 0
let stop = new AbortController()
let writer: Promise<WriterReport> | null = null

const product = {
  /** A session of this tab; its node is made. Resolves when the session is served. */
  async open(name: string): Promise<void> {
    if (window.zabra === undefined) throw new Error('no machine runs here')
    client = window.zabra.newClient()
    await client.connected()
    for (const path of [ROOT, pathOf(name)]) {
      await client.create(path, new Uint8Array(100)).catch(ignore)
    }
  },
  writeSequence(name: string, count: number, bytes: number): Promise<number[]> {
    const data = new Uint8Array(bytes)
    return measureSequence(() => settled(opened().setData(pathOf(name), data)), count)
  },
  writePipeline(name: string, bytes: number, spec: PipelineSpec): Promise<number> {
    const data = new Uint8Array(bytes)
    return measurePipeline(() => settled(opened().setData(pathOf(name), data)), spec)
  },
  readSequence(name: string, count: number): Promise<number[]> {
    return measureSequence(() => settled(opened().getData(pathOf(name))), count)
  },
  readPipeline(name: string, spec: PipelineSpec): Promise<number> {
    return measurePipeline(() => settled(opened().getData(pathOf(name))), spec)
  },
  /** Single writes, all at once. */
  async writeMany(name: string, count: number): Promise<void> {
    const one = (): Promise<unknown> => opened().setData(pathOf(name), null)
    await Promise.all(Array.from({ length: count }, one))
  },
  /** Nodes `first` to `first + count - 1` below `path`, which is made when it is not there. */
  async fill(path: string, first: number, count: number, bytes: number): Promise<void> {
    await opened().create(path).catch(ignore)
    const data = new Uint8Array(bytes).map((_, i) => i)
    let next = first
    const lane = async (): Promise<void> => {
      while (next < first + count) {
        const ops: Op[] = []
        while (ops.length < OPS_PER_MULTI && next < first + count) {
          const name = String(next++).padStart(10, '0')
          ops.push({ kind: 'create', path: `${path}/${name}`, data })
        }
        await opened().multi(ops)
      }
    }
    await Promise.all(Array.from({ length: FILL_LANES }, lane))
  },
  /** Operations of the measurements that were lost with a connection. */
  failures: (): number => failures,
  /** Writes one after the other until it is stopped, whatever happens to the member. */
  startWriter(name: string): void {
    stop = new AbortController()
    writer = write(name, stop.signal)
  },
  stopWriter(): Promise<WriterReport> {
    stop.abort()
    if (writer === null) throw new Error('no writer runs')
    return writer
  },
}

/** A lost operation is part of the figures: its time counts, and it is told at the end. */
async function settled(operation: Promise<unknown>): Promise<void> {
  await operation.catch(() => failures++)
}

async function write(name: string, signal: AbortSignal): Promise<WriterReport> {
  const data = new Uint8Array(100)
  const doneMs: number[] = []
  let lost = 0
  while (!signal.aborted) {
    try {
      await opened().setData(pathOf(name), data)
      doneMs.push(performance.timeOrigin + performance.now())
    } catch {
      lost++
    }
  }
  return { doneMs, failures: lost }
}

function pathOf(name: string): string {
  return `${ROOT}/${name}`
}

function opened(): ZooKeeperClient {
  if (client === null) throw new Error('no client')
  return client
}

function ignore(): void {
  // It is there from an earlier client.
}

declare global {
  interface Window {
    product: typeof product
  }
}

window.product = product
