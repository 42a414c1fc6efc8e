/** What tabs beyond the voters cost the leader. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright'
import { type Browsers, closePages, type Site } from './browsers.ts'
import { median } from './figures.ts'
import { isMember, openTab, ProductEnsemble } from './product-ensemble.ts'
import { type Report, short } from './report.ts'
import { threadOf, type WorkerThread } from './worker-cpu.ts'

/** Ratios are to the mean of both without; how far those differ is what the machine did. */
const COUNTS = [0, 1, 2, 4, 8, 0]
const MEMBERS = 3
const NAME = 'observed'
const ENTRY_BYTES = 100
const IN_FLIGHT = 100
const WRITES_IN_SEQUENCE = 100
const WARM_UP_MS = 2_000
/** A newcomer gets its place through the log. Without one it stays a client, as is then told. */
const PLACE_TIMEOUT_MS = 8_000
/** New tabs still compile and paint. */
const SETTLE_MS = 1_500

interface Sample {
  readonly tabs: number
  readonly observers: number
  readonly writesPerSecond: number
  readonly p50Ms: number
  /** Of the leader's worker, per write. */
  readonly cpuUs: number
}

export async function measureObservers(
  browsers: Browsers,
  site: Site,
  measureMs: number,
): Promise<Report> {
  const contexts = await browsers.contexts(MEMBERS)
  const ensemble = await ProductEnsemble.open(contexts, site.url)
  const [leader] = await ensemble.byRole()
  const [context] = contexts
  if (leader === undefined || context === undefined) throw new Error('no leader')
  await leader.evaluate((name) => window.product.open(name), NAME)
  await write(leader, WARM_UP_MS)
  const thread = await threadOf(leader)
  const extra: Page[] = []
  let observers = 0
  const samples: Sample[] = []
  for (const count of COUNTS) {
    if (count < extra.length) {
      await closePages(extra.splice(count))
      observers = 0
    }
    while (extra.length < count) {
      const page = await openTab(context, leader.url())
      // Where one is a client all are: nobody waits for the rest.
      const isFirst = extra.length === 0
      if ((isFirst || observers > 0) && (await isMember(page, PLACE_TIMEOUT_MS))) observers++
      extra.push(page)
    }
    await sleep(SETTLE_MS)
    samples.push({ tabs: count, observers, ...(await sample(leader, thread, measureMs)) })
    console.log(`leader with ${count} tabs besides the voters`)
  }
  await closePages(extra)
  await ensemble.close()
  return report(samples)
}

async function sample(
  leader: Page,
  thread: WorkerThread | null,
  measureMs: number,
): Promise<Pick<Sample, 'writesPerSecond' | 'p50Ms' | 'cpuUs'>> {
  const tookMs = await leader.evaluate(
    ([name, count, bytes]) => window.product.writeSequence(name, count, bytes),
    [NAME, WRITES_IN_SEQUENCE, ENTRY_BYTES] as const,
  )
  const beforeMs = (await thread?.cpuMs()) ?? Number.NaN
  const startMs = performance.now()
  const writesPerSecond = await write(leader, measureMs)
  const writes = (writesPerSecond * (performance.now() - startMs)) / 1000
  const cpuMs = ((await thread?.cpuMs()) ?? Number.NaN) - beforeMs
  return { writesPerSecond, p50Ms: median(tookMs), cpuUs: (cpuMs * 1000) / writes }
}

function write(leader: Page, durationMs: number): Promise<number> {
  return leader.evaluate(([name, bytes, spec]) => window.product.writePipeline(name, bytes, spec), [
    NAME,
    ENTRY_BYTES,
    { durationMs, inFlight: IN_FLIGHT },
  ] as const)
}

function report(samples: readonly Sample[]): Report {
  const without = samples.filter(({ tabs }) => tabs === 0)
  // Of the first and the last: what else the machine did meanwhile weighs less.
  const mean = (pick: (one: Sample) => number): number =>
    without.reduce((sum, one) => sum + pick(one), 0) / without.length
  const none = {
    writesPerSecond: mean((one) => one.writesPerSecond),
    p50Ms: mean((one) => one.p50Ms),
    cpuUs: mean((one) => one.cpuUs),
  }
  const beside = (value: number, base: number, unit: string): string =>
    `${short(value)} ${unit}  ${(value / base).toFixed(2)} x`
  const most = Math.max(...samples.map(({ observers }) => observers))
  return {
    title: `the leader with 0 to 8 observers (${IN_FLIGHT} writes of 100 B in flight)`,
    cells: [
      ['tabs more', 'observers', 'writes', 'one by one, p50', "leader's worker, per write"],
      ...samples.map((one) => [
        String(one.tabs),
        String(one.observers),
        beside(one.writesPerSecond, none.writesPerSecond, '/s'),
        beside(one.p50Ms, none.p50Ms, 'ms'),
        Number.isNaN(one.cpuUs) ? 'not known' : beside(one.cpuUs, none.cpuUs, 'us CPU'),
      ]),
    ],
    notes: [
      'all tabs share the processors, so writes and latency show what the tabs themselves use too',
      ...(most === 0 ? ['the tabs beyond the voters were clients, not observers'] : []),
    ],
    figures: { samples },
  }
}
