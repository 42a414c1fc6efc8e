/** A tab that has to be given the whole tree first, beside moving and storing as many bytes. */
import type { BrowserContext, Page } from 'playwright'
import { type Browsers, closePages, type Site } from './browsers.ts'
import { median } from './figures.ts'
import { firstMs, isMember, openTab, ProductEnsemble, tracesOf } from './product-ensemble.ts'
import { RawEnsemble } from './raw-ensemble.ts'
import { type Report, short } from './report.ts'

const MEMBERS = 3
const NAME = 'joined'
const NODE_BYTES = 1_000
const NODES = 10_000
/** More than a leader keeps for DIFF (500). */
const MISSED_WRITES = 700
const PLACE_TIMEOUT_MS = 10_000

/** ms from the start of the page's navigation. */
interface Join {
  readonly linkedMs: number
  readonly beganMs: number
  readonly receivedMs: number
  readonly servingMs: number
  readonly bytes: number
}

interface Raw {
  readonly linkedMs: number
  readonly receivedMs: number
  readonly storedMs: number
}

interface Found {
  readonly voters: Join[]
  readonly observers: Join[]
  readonly raws: Raw[]
}

export async function measureJoin(browsers: Browsers, site: Site, rounds: number): Promise<Report> {
  const contexts = await browsers.contexts(MEMBERS)
  const ensemble = await ProductEnsemble.open(contexts, site.url)
  const [leader, follower, other] = await ensemble.byRole()
  if (leader === undefined || follower === undefined || other === undefined) {
    throw new Error('three pages')
  }
  await leader.evaluate((name) => window.product.open(name), NAME)
  await leader.evaluate(([count, bytes]) => window.product.fill('/tree', 0, count, bytes), [
    NODES,
    NODE_BYTES,
  ] as const)
  const link = leader.url()
  const found: Found = { voters: [], observers: [], raws: [] }
  let away = follower
  for (let round = 1; round <= rounds; round++) {
    const context = away.context()
    await away.close()
    await leader.evaluate(([name, count]) => window.product.writeMany(name, count), [
      NAME,
      MISSED_WRITES,
    ] as const)
    away = await openTab(context, link)
    found.voters.push(await joined(away))
    found.observers.push(...(await newcomer(context, link)))
    found.raws.push(await rawJoin(contexts, site))
    console.log(`round ${round} of joining`)
  }
  await closePages([leader, away, other])
  return report(found)
}

/** A machine that was never there; none where it is a client only. */
async function newcomer(context: BrowserContext, link: string): Promise<Join[]> {
  const page = await openTab(context, link)
  const found = (await isMember(page, PLACE_TIMEOUT_MS)) ? [await joined(page)] : []
  await page.close()
  return found
}

async function joined(page: Page): Promise<Join> {
  if (!(await isMember(page, PLACE_TIMEOUT_MS))) throw new Error('the voter came not back')
  const traces = await tracesOf(page)
  const startMs = await page.evaluate(() => performance.timeOrigin)
  const at = (matches: Parameters<typeof firstMs>[1]): number => firstMs(traces, matches) - startMs
  const snapshot = traces.find((one) => one.type === 'snapshot')
  return {
    linkedMs: at((one) => one.type === 'link' && one.up),
    beganMs: at((one) => one.type === 'sync' && one.direction === 'in' && one.mode === 'SNAP'),
    receivedMs: at((one) => one.type === 'snapshot'),
    servingMs: at((one) => one.type === 'established'),
    bytes: snapshot?.bytes ?? Number.NaN,
  }
}

async function rawJoin(contexts: readonly BrowserContext[], site: Site): Promise<Raw> {
  const raw = await RawEnsemble.open(contexts, site.url)
  const { receivedMs, storedMs } = await raw.sendBulk(NODES * NODE_BYTES)
  await raw.close()
  return { linkedMs: raw.formedMs, receivedMs, storedMs }
}

function report(found: Found): Report {
  const of = <T>(all: readonly T[], pick: (one: T) => number): string =>
    all.length === 0 ? '' : `${short(median(all.map(pick)))} ms`
  const row = (name: string, raw: (one: Raw) => number, join: (one: Join) => number): string[] => [
    name,
    of(found.raws, raw),
    of(found.voters, join),
    of(found.observers, join),
  ]
  const ratios = (joins: readonly Join[]): string => {
    const all = joins.flatMap((join, round) => {
      const raw = found.raws[round]
      return raw === undefined ? [] : [join.servingMs / (raw.linkedMs + raw.storedMs)]
    })
    return all.length === 0 ? '' : `${median(all).toFixed(2)} x`
  }
  return {
    title: `a tab that is given ${(NODES * NODE_BYTES) / 1e6} MB in ${NODES} znodes`,
    cells: [
      ['', 'raw limit', 'voter that was away', 'new observer'],
      row(
        'page opened to links',
        (one) => one.linkedMs,
        (one) => one.linkedMs,
      ),
      row(
        'links to first byte',
        () => 0,
        (one) => one.beganMs - one.linkedMs,
      ),
      row(
        'transfer',
        (one) => one.receivedMs,
        (one) => one.receivedMs - one.beganMs,
      ),
      row(
        'one strict transaction; ours: installed, tree built, caught up',
        (one) => one.storedMs - one.receivedMs,
        (one) => one.servingMs - one.receivedMs,
      ),
      row(
        'page opened to served',
        (one) => one.linkedMs + one.storedMs,
        (one) => one.servingMs,
      ),
      ['ratio to raw', '', ratios(found.voters), ratios(found.observers)],
    ],
    notes: [
      'our transfer goes no faster than the disk of the one who joins: what came is stored at once',
      ...(found.observers.length === 0 ? ['the newcomer was a client, not an observer'] : []),
    ],
    figures: found,
  }
}
