/**
 * `npm run bench`: how fast the ensemble is in a real browser, beside what the browser can do at
 * all, measured in turns in one run. Only ratios within one run mean anything.
 */
import { writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { findBrowser } from '../browser-binary.mjs'
import { Browsers, openSite, type Site } from './browsers.ts'
import { type End, loseLeader, type Survival } from './failover.ts'
import { Figures, median } from './figures.ts'
import { measureHidden } from './hidden.ts'
import { measureJoin } from './join.ts'
import { measureMemory } from './memory.ts'
import { measureObservers } from './observers.ts'
import { ProductEnsemble, tracesOf } from './product-ensemble.ts'
import { RawEnsemble } from './raw-ensemble.ts'
import { hottest } from './profile.ts'
import { FAILOVER, FORM, type Report, tableOf, textOf } from './report.ts'
import { type Client, measureRound, profileWrites, warmUp } from './steady.ts'

const USAGE = `npm run bench -- [options]
  --procs          three browser processes instead of three tabs of one
  --rounds N       rounds of reads and writes (default 7)
  --failovers N    leaders lost of each kind, each in an ensemble of its own (default 3)
  --only PARTS     some of these instead of all, with commas between:
                   steady, failover, observers, join, hidden, memory
  --znodes N       nodes by which memory is measured (default 100000)
  --profile NAME   instead: CPU profiles of page, leader and follower to NAME-….cpuprofile
  --in-flight N    writes in flight while profiling (default 100)
  --json FILE      all figures of all rounds`
const MEMBERS = 3
const PARTS = ['failover', 'steady', 'observers', 'join', 'hidden', 'memory'] as const
/** Of the parts besides: each takes its rounds in one ensemble. */
const PART_ROUNDS = 3
const PART_MEASURE_MS = 1_500
/** Functions of a profile that are printed. */
const HOTTEST_COUNT = 30

const { values: asked } = parseArgs({
  options: {
    procs: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '7' },
    failovers: { type: 'string', default: '3' },
    only: { type: 'string', default: PARTS.join(',') },
    znodes: { type: 'string', default: '100000' },
    profile: { type: 'string' },
    'in-flight': { type: 'string', default: '100' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const parts: ReadonlySet<string> = new Set(asked.only.split(','))
const unknown = [...parts].filter((part) => !PARTS.some((known) => known === part))

if (asked.help || unknown.length > 0) {
  if (unknown.length > 0) console.log(`no such part: ${unknown.join(', ')}`)
  console.log(USAGE)
} else if (asked.profile !== undefined) await profile(asked.profile)
else await main()

async function main(): Promise<void> {
  const loadBefore = load()
  const binary = process.env['ZABRA_BROWSER'] ?? (await findBrowser())
  const figures = new Figures()
  const survivals: (Survival & { readonly end: End })[] = []
  const site = await openSite()
  const browsers = new Browsers(binary, asked.procs)
  const reports: Report[] = []
  try {
    const failovers = parts.has('failover') ? Number(asked.failovers) : 0
    for (let i = 0; i < failovers; i++) {
      for (const end of ['close', 'crash'] as const) {
        const found = await measureFailover(browsers, site, end, figures)
        survivals.push(...found.map((survival) => ({ end, ...survival })))
      }
    }
    if (parts.has('steady') && Number(asked.rounds) > 0) {
      await measureSteady(browsers, site, figures)
    }
    reports.push(...(await besides(binary, browsers, site)))
  } finally {
    await browsers.close()
    await site.close()
  }
  const where = asked.procs ? 'three browsers' : 'three tabs of one browser'
  const machine = `${cpus().length} cores, load ${loadBefore} before and ${load()} after`
  console.log(`\nzabra in ${where}, Chromium ${browsers.version}; ${machine}`)
  if (parts.has('steady') || parts.has('failover')) {
    console.log('median (least..most) of the rounds; ratios are medians of ratios in one round\n')
    console.log(tableOf(figures))
  }
  if (survivals.length > 0) {
    for (const end of ['close', 'crash'] as const) console.log(stages(end, survivals))
  }
  for (const report of reports) console.log(textOf(report))
  if (asked.json === undefined) return
  const environment = { where, machine, browser: browsers.version, at: new Date().toISOString() }
  const json = { environment, figures, survivals, reports }
  await writeFile(asked.json, JSON.stringify(json, null, 2))
}

/** One part that fails does not take the others' figures along. */
async function besides(binary: string, browsers: Browsers, site: Site): Promise<Report[]> {
  const ways: readonly (readonly [string, () => Promise<Report>])[] = [
    ['observers', () => measureObservers(browsers, site, PART_MEASURE_MS)],
    ['join', () => measureJoin(browsers, site, PART_ROUNDS)],
    ['hidden', () => measureHidden(binary, site, PART_ROUNDS, PART_MEASURE_MS)],
    ['memory', () => measureMemory(browsers, site, Number(asked.znodes))],
  ]
  const reports: Report[] = []
  for (const [name, measure] of ways) {
    if (!parts.has(name)) continue
    try {
      reports.push(await measure())
    } catch (error) {
      console.error(`${name}: ${String(error)}`)
      process.exitCode = 1
    }
  }
  return reports
}

/** Not minified, so that functions have their names. */
async function profile(name: string): Promise<void> {
  const site = await openSite(false)
  const browsers = new Browsers(process.env['ZABRA_BROWSER'] ?? (await findBrowser()), false)
  try {
    const ensemble = await ProductEnsemble.open(await browsers.contexts(MEMBERS), site.url)
    const pages = await ensemble.byRole()
    for (const [who, found] of await profileWrites(pages, Number(asked['in-flight']))) {
      console.log(`\n${who}\n${hottest(found, HOTTEST_COUNT).join('\n')}`)
      await writeFile(`${name}-${who}.cpuprofile`, JSON.stringify(found))
    }
    await ensemble.close()
  } finally {
    await browsers.close()
    await site.close()
  }
}

async function measureFailover(
  browsers: Browsers,
  site: Site,
  end: End,
  figures: Figures,
): Promise<Survival[]> {
  const contexts = await browsers.contexts(MEMBERS)
  const raw = await RawEnsemble.open(contexts, site.url)
  await raw.close()
  const ensemble = await ProductEnsemble.open(contexts, site.url)
  figures.add('raw', FORM.firstLeader, raw.formedMs)
  figures.add('leader', FORM.firstLeader, ensemble.formed.firstLeaderMs)
  figures.add('leader', FORM.allServing, ensemble.formed.allServingMs)
  figures.add('leader', FORM.linkToLeader, ensemble.formed.linkToLeaderMs)
  const survivals = await loseLeader(ensemble, end)
  const established = survivals.map((one) => one.establishedMs)
  figures.add('follower', FAILOVER[end].established, Math.min(...established))
  for (const { writeGapMs } of survivals) figures.add('follower', FAILOVER[end].writes, writeGapMs)
  await ensemble.close()
  console.log(`failover after ${end}: ${survivals.map((one) => ms(one.writeGapMs)).join(', ')}`)
  return survivals
}

async function measureSteady(browsers: Browsers, site: Site, figures: Figures): Promise<void> {
  const contexts = await browsers.contexts(MEMBERS)
  const raw = await RawEnsemble.open(contexts, site.url)
  const ensemble = await ProductEnsemble.open(contexts, site.url)
  const [leader, follower] = await ensemble.byRole()
  if (leader === undefined || follower === undefined) throw new Error('three pages')
  const clients: Client[] = [
    { side: 'leader', page: leader },
    { side: 'follower', page: follower },
  ]
  await warmUp(raw, clients)
  for (let round = 1; round <= Number(asked.rounds); round++) {
    await measureRound(raw, clients, figures)
    console.log(`round ${round} of reads and writes`)
  }
  for (const line of await disturbances(ensemble)) console.log(line)
  await ensemble.close()
  await raw.close()
}

/** A leader that was deposed under load spoils the figures, and should never be. */
async function disturbances(ensemble: ProductEnsemble): Promise<string[]> {
  const lines: string[] = []
  for (const page of ensemble.pages) {
    const name = (await page.title()).split(' · ')[0] ?? ''
    const failures = await page.evaluate(() => window.product.failures())
    if (failures > 0) lines.push(`${name}: ${failures} operations lost`)
    for (const trace of await tracesOf(page)) {
      const isLoss = trace.type === 'role' && trace.role === 'looking'
      if (isLoss && trace.reason !== 'started') lines.push(`${name} went looking: ${trace.reason}`)
      if (trace.type === 'slept') lines.push(`${name} slept for ${trace.elapsedMs} ms`)
    }
  }
  return lines
}

/** Where the time of a failover went, in the surviving tabs. */
function stages(end: End, all: readonly (Survival & { readonly end: End })[]): string {
  const survivals = all.filter((one) => one.end === end)
  const at = (pick: (survival: Survival) => number): string => ms(median(survivals.map(pick)))
  return (
    `after ${end}: noticed ${at((one) => one.noticedMs)}, voted ${at((one) => one.votedMs)}, ` +
    `elected ${at((one) => one.electedMs)}, established ${at((one) => one.establishedMs)}`
  )
}

function ms(value: number): string {
  return Number.isFinite(value) ? `${Math.round(value)} ms` : 'never'
}

function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1)
}
