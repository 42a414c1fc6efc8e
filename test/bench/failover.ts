/** The leader goes, on purpose or by a crash, while the two other tabs write. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright'
import { firstMs, nowMs, type ProductEnsemble, type Trace, tracesOf } from './product-ensemble.ts'
import type { WriterReport } from './pages/product.ts'

export type End = 'close' | 'crash'

/** Writers find their pace before the leader goes. */
const WARM_UP_MS = 400
/** More than any aim; a writer that has not come back by then is reported as such. */
const WATCH_MS = 4_000
const POLL_MS = 50

/** Of one surviving tab; ms after the leader's end. */
export interface Survival {
  readonly noticedMs: number
  readonly votedMs: number
  readonly electedMs: number
  readonly establishedMs: number
  /** Longest time without a successful write of this tab's client. */
  readonly writeGapMs: number
  readonly failedWrites: number
}

export async function loseLeader(ensemble: ProductEnsemble, end: End): Promise<Survival[]> {
  const [leader, ...survivors] = await ensemble.byRole()
  if (leader === undefined) throw new Error('no leader')
  for (const [i, page] of survivors.entries()) {
    await page.evaluate((name) => window.product.open(name), `writer${i}`)
    await page.evaluate((name) => window.product.startWriter(name), `writer${i}`)
  }
  await sleep(WARM_UP_MS)
  const endedMs = nowMs()
  if (end === 'close') void leader.close()
  else await crash(leader)
  await established(survivors, endedMs)
  // Writers go on for a while: their longest gap is over.
  await sleep(WARM_UP_MS * 2)
  return Promise.all(
    survivors.map(async (page) => {
      const report = await page.evaluate(() => window.product.stopWriter())
      return survival(await tracesOf(page), report, endedMs)
    }),
  )
}

/** The answer never comes. */
async function crash(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  void session.send('Page.crash').catch(() => {})
}

async function established(pages: readonly Page[], sinceMs: number): Promise<void> {
  const deadlineMs = sinceMs + WATCH_MS
  for (;;) {
    const all = await Promise.all(pages.map(tracesOf))
    if (all.every((traces) => traces.some((one) => isNewLeader(one, sinceMs)))) return
    if (nowMs() > deadlineMs) return
    await sleep(POLL_MS)
  }
}

function isNewLeader(trace: Trace, sinceMs: number): boolean {
  return trace.type === 'established' && trace.at >= sinceMs
}

function survival(traces: readonly Trace[], report: WriterReport, endedMs: number): Survival {
  const since = traces.filter((one) => one.at >= endedMs)
  const after = (matches: (trace: Trace) => boolean): number => firstMs(since, matches) - endedMs
  return {
    noticedMs: after((one) => one.type === 'link' && !one.up),
    votedMs: after((one) => one.type === 'vote'),
    electedMs: after((one) => one.type === 'role' && one.role !== 'looking'),
    establishedMs: after((one) => one.type === 'established'),
    writeGapMs: longestGap(report.doneMs, endedMs),
    failedWrites: report.failures,
  }
}

function longestGap(doneMs: readonly number[], endedMs: number): number {
  // Without a write after the end the gap has no end either.
  if ((doneMs.at(-1) ?? 0) < endedMs) return Infinity
  return Math.max(...doneMs.slice(1).map((at, i) => at - (doneMs[i] ?? at)))
}
