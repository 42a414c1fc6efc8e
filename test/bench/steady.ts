/** A formed ensemble at work: raw limit and product in turns, so that both see the same machine. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright'
import { browserCpuMs } from './browser-cpu.ts'
import type { Figures, Side } from './figures.ts'
import { type CpuProfile, profilePage, profileWorker } from './profile.ts'
import type { RawEnsemble } from './raw-ensemble.ts'
import type { PipelineSpec } from './workload.ts'

const ENTRY_BYTES = 100
const LARGE_ENTRY_BYTES = 1024
const WRITES_IN_SEQUENCE = 100
const READS_IN_SEQUENCE = 100
const PIPELINE_MS = 500
const WARM_UP_MS = 2_500
const PROFILE_MS = 4_000

export const SEQUENTIAL = 'write 100 B, one by one'
export const ROUND_TRIP = 'round trip of a channel'
export const PIPELINES = [
  { name: 'writes 100 B, 100 in flight', bytes: ENTRY_BYTES, inFlight: 100 },
  { name: 'writes 100 B, 1000 in flight', bytes: ENTRY_BYTES, inFlight: 1000 },
  { name: 'writes 1 KB, 100 in flight', bytes: LARGE_ENTRY_BYTES, inFlight: 100 },
] as const
export const IDLE_CPU = 'CPU of the browser, both ensembles idle, ms per s'
export const READ = 'read 100 B, one by one'
export const READS = { name: 'reads 100 B, 100 in flight', inFlight: 100 } as const

/** Both sides with the code that they will run, compiled: the engine takes some thousand calls. */
export async function warmUp(raw: RawEnsemble, clients: readonly Client[]): Promise<void> {
  const spec = { durationMs: WARM_UP_MS, inFlight: 200 }
  await raw.writePipeline(ENTRY_BYTES, spec)
  for (const { side, page } of clients) {
    await page.evaluate((name) => window.product.open(name), side)
    await writePipeline(page, side, ENTRY_BYTES, spec)
    await readPipeline(page, side, spec)
  }
}

/** A client of its own session in a tab. */
export interface Client {
  readonly side: Exclude<Side, 'raw'>
  readonly page: Page
}

export async function measureRound(
  raw: RawEnsemble,
  clients: readonly Client[],
  figures: Figures,
): Promise<void> {
  figures.addLatency('raw', ROUND_TRIP, await raw.roundTrips(WRITES_IN_SEQUENCE))
  figures.addLatency('raw', SEQUENTIAL, await raw.writeSequence(WRITES_IN_SEQUENCE, ENTRY_BYTES))
  for (const { side, page } of clients) {
    figures.addLatency(side, SEQUENTIAL, await writeSequence(page, side))
  }
  const idleShare = await idleCpuShare()
  if (!Number.isNaN(idleShare)) figures.add('leader', IDLE_CPU, idleShare * 1000)
  const addPipeline = pipelineAdder(figures, idleShare)
  for (const { name, bytes, inFlight } of PIPELINES) {
    const spec = { durationMs: PIPELINE_MS, inFlight }
    await addPipeline('raw', name, () => raw.writePipeline(bytes, spec))
    for (const { side, page } of clients) {
      await addPipeline(side, name, () => writePipeline(page, side, bytes, spec))
    }
  }
  await measureReads(raw, clients, figures)
}

/** What both ensembles use without any client at work, of one processor. */
async function idleCpuShare(): Promise<number> {
  const [beforeMs, startMs] = [await browserCpuMs(), performance.now()]
  await sleep(PIPELINE_MS)
  return ((await browserCpuMs()) - beforeMs) / (performance.now() - startMs)
}

/** Writes per second, and what each costs: that hardly depends on who else uses the machine. */
function pipelineAdder(
  figures: Figures,
  idleShare: number,
): (side: Side, name: string, run: () => Promise<number>) => Promise<void> {
  return async (side, name, run) => {
    const [beforeMs, startMs] = [await browserCpuMs(), performance.now()]
    const writesPerSecond = await run()
    const tookMs = performance.now() - startMs
    const cpuMs = (await browserCpuMs()) - beforeMs - idleShare * tookMs
    const writes = (writesPerSecond * tookMs) / 1000
    figures.add(side, name, writesPerSecond)
    if (!Number.isNaN(cpuMs)) figures.add(side, cpuOf(name), (cpuMs * 1000) / writes)
  }
}

/** The row of a pipeline's processor time: microseconds of the whole browser per write. */
export function cpuOf(name: string): string {
  return `CPU of the browser, ${name}`
}

/** A client in the leader's page writes: that page, its worker and the worker of a follower. */
export async function profileWrites(
  pages: readonly Page[],
  inFlight: number,
): Promise<[string, CpuProfile][]> {
  const [leader, follower] = pages
  if (leader === undefined || follower === undefined) throw new Error('no pages')
  await leader.evaluate(() => window.product.open('leader'))
  const spec = { durationMs: PROFILE_MS, inFlight }
  await writePipeline(leader, 'leader', ENTRY_BYTES, spec)
  const stops = [
    ['page', await profilePage(leader)],
    ['leader', await profileWorker(leader)],
    ['follower', await profileWorker(follower)],
  ] as const
  const rate = await writePipeline(leader, 'leader', ENTRY_BYTES, spec)
  console.log(`${rate.toFixed(0)} writes per second under the profiler`)
  const found: [string, CpuProfile][] = []
  for (const [who, stop] of stops) found.push([who, await stop()])
  return found
}

async function measureReads(
  raw: RawEnsemble,
  clients: readonly Client[],
  figures: Figures,
): Promise<void> {
  const spec = { durationMs: PIPELINE_MS / 2, inFlight: READS.inFlight }
  figures.addLatency('raw', READ, await raw.echoSequence(READS_IN_SEQUENCE, ENTRY_BYTES))
  figures.add('raw', READS.name, await raw.echoPipeline(ENTRY_BYTES, spec))
  for (const { side, page } of clients) {
    const tookMs = await page.evaluate(
      ([name, count]) => window.product.readSequence(name, count),
      [side, READS_IN_SEQUENCE] as const,
    )
    figures.addLatency(side, READ, tookMs)
    figures.add(side, READS.name, await readPipeline(page, side, spec))
  }
}

function writeSequence(page: Page, name: string): Promise<number[]> {
  return page.evaluate(([node, count, bytes]) => window.product.writeSequence(node, count, bytes), [
    name,
    WRITES_IN_SEQUENCE,
    ENTRY_BYTES,
  ] as const)
}

function writePipeline(
  page: Page,
  name: string,
  bytes: number,
  spec: PipelineSpec,
): Promise<number> {
  return page.evaluate(([node, size, how]) => window.product.writePipeline(node, size, how), [
    name,
    bytes,
    spec,
  ] as const)
}

function readPipeline(page: Page, name: string, spec: PipelineSpec): Promise<number> {
  return page.evaluate(([node, how]) => window.product.readPipeline(node, how), [
    name,
    spec,
  ] as const)
}
