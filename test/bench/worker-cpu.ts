/** Processor time of one member's worker: its thread, as Linux counts it. */
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright'
import { startedProcesses } from './browser-cpu.ts'
import { WorkerSession } from './worker-session.ts'

/** As the kernel shortens it. */
const THREAD_NAME = 'DedicatedWorker'
/** Long enough to stand out from an idle ensemble, far below the silence limit. */
const SPIN_MS = 200
const SPIN_CPU_MIN_MS = 15
const SPIN = `{ const end = performance.now() + ${SPIN_MS}; while (performance.now() < end); }`
/** A thread's figures are brought up to date by the scheduler's tick. */
const SETTLE_MS = 50

export interface WorkerThread {
  cpuMs(): Promise<number>
}

/**
 * null where threads cannot be told apart. Nobody says which thread is whose, so the worker is kept
 * busy for a moment and the thread that worked is its own; the ensemble must be idle meanwhile.
 */
export async function threadOf(page: Page): Promise<WorkerThread | null> {
  if (process.platform !== 'linux') return null
  const before = await workerThreads()
  const worker = await WorkerSession.open(page)
  await worker.call('Runtime.evaluate', { expression: SPIN })
  await worker.close()
  await sleep(SETTLE_MS)
  const used = [...(await workerThreads())]
    .map(([path, cpuMs]) => ({ path, tookMs: cpuMs - (before.get(path) ?? cpuMs) }))
    .sort((a, b) => b.tookMs - a.tookMs)
  const [first, second] = used
  // On a busy machine it gets less than it spins; beside an idle ensemble it still stands out.
  const isClear = (first?.tookMs ?? 0) > Math.max(SPIN_CPU_MIN_MS, 2 * (second?.tookMs ?? 0))
  if (first === undefined || !isClear) return null
  return { cpuMs: () => cpuMsOf(first.path) }
}

async function workerThreads(): Promise<Map<string, number>> {
  const threads = new Map<string, number>()
  const started = await startedProcesses()
  await Promise.all(
    started.map(async (id) => {
      const folder = `/proc/${id}/task`
      for (const thread of await readdir(folder).catch(() => [])) {
        const path = `${folder}/${thread}`
        const name = await readFile(`${path}/comm`, 'utf8').catch(() => '')
        if (name.startsWith(THREAD_NAME)) threads.set(path, await cpuMsOf(path).catch(() => 0))
      }
    }),
  )
  return threads
}

/** `schedstat`: ns on a processor, ns waiting for one, time slices. */
async function cpuMsOf(path: string): Promise<number> {
  const text = await readFile(`${path}/schedstat`, 'utf8')
  return Number(text.split(' ')[0]) / 1e6
}
