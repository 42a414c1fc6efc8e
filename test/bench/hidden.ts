/** A leader whose tab is behind another one, beside the same leader in front. */
import { randomBytes } from 'node:crypto'
import type { Site } from './browsers.ts'
import { median } from './figures.ts'
import { OwnChromium, type OwnTab } from './own-chromium.ts'
import { type Report, short } from './report.ts'

const MEMBERS = 3
const PATIENCE_MS = 30_000
const WARM_UP_MS = 2_000
const WRITES_IN_SEQUENCE = 60
const ENTRY_BYTES = 100
/** In whose tab the client is: the leader's own, and the one that hides it. */
const CLIENTS = ['leader', 'follower'] as const
const SERVES = 'window.zabra?.status()?.member?.serving === true'
const LEADS = "window.zabra?.status()?.member?.role === 'leading'"

interface Sample {
  readonly client: (typeof CLIENTS)[number]
  readonly isLeaderHidden: boolean
  readonly p50Ms: number
  readonly writesPerSecond: number
}

export async function measureHidden(
  binary: string,
  site: Site,
  rounds: number,
  measureMs: number,
): Promise<Report> {
  const chromium = await OwnChromium.start(binary)
  try {
    const { leader, follower } = await form(chromium, site)
    const tabs = { leader, follower }
    for (const client of CLIENTS) {
      await tabs[client].evaluate(`window.product.open('${client}')`)
      await pipeline(tabs[client], client, WARM_UP_MS)
    }
    const samples: Sample[] = []
    for (let round = 1; round <= rounds; round++) {
      for (const isLeaderHidden of [false, true]) {
        await (isLeaderHidden ? follower : leader).bringToFront()
        const state = isLeaderHidden ? 'hidden' : 'visible'
        await leader.until(`document.visibilityState === '${state}'`, PATIENCE_MS)
        for (const client of CLIENTS) {
          const took = await tabs[client].evaluate(
            `window.product.writeSequence('${client}', ${WRITES_IN_SEQUENCE}, ${ENTRY_BYTES})`,
          )
          const writesPerSecond = await pipeline(tabs[client], client, measureMs)
          const p50Ms = median(took as number[])
          samples.push({ client, isLeaderHidden, p50Ms, writesPerSecond })
        }
      }
      console.log(`round ${round} of the hidden leader`)
    }
    if ((await leader.evaluate(LEADS)) !== true) throw new Error('the leader was deposed')
    return report(samples)
  } finally {
    await chromium.close()
  }
}

async function form(
  chromium: OwnChromium,
  site: Site,
): Promise<{ readonly leader: OwnTab; readonly follower: OwnTab }> {
  const room = randomBytes(6).toString('hex')
  const secret = randomBytes(16).toString('hex')
  const tabs: OwnTab[] = []
  for (let i = 0; i < MEMBERS; i++) {
    tabs.push(await chromium.open(`${site.url}/machine.html?room=${room}#${secret}`))
  }
  let leader: OwnTab | undefined
  let follower: OwnTab | undefined
  for (const tab of tabs) {
    await tab.until(SERVES, PATIENCE_MS)
    await tab.evaluate("import('/bench/product.js').then(() => true)")
    if ((await tab.evaluate(LEADS)) === true) leader = tab
    else follower = tab
  }
  if (leader === undefined || follower === undefined) throw new Error('no leader')
  return { leader, follower }
}

async function pipeline(tab: OwnTab, client: string, durationMs: number): Promise<number> {
  const spec = `{ durationMs: ${durationMs}, inFlight: 100 }`
  const rate = await tab.evaluate(
    `window.product.writePipeline('${client}', ${ENTRY_BYTES}, ${spec})`,
  )
  return Number(rate)
}

function report(samples: readonly Sample[]): Report {
  const of = (client: string, isHidden: boolean, pick: (one: Sample) => number): number[] =>
    samples.filter((one) => one.client === client && one.isLeaderHidden === isHidden).map(pick)
  const row = (client: string, what: string, unit: string, pick: (one: Sample) => number) => {
    const visible = of(client, false, pick)
    const hidden = of(client, true, pick)
    const ratios = hidden.map((value, round) => value / (visible[round] ?? Number.NaN))
    return [
      `client in the ${client}'s tab, ${what}`,
      `${short(median(visible))} ${unit}`,
      `${short(median(hidden))} ${unit}`,
      `${median(ratios).toFixed(2)} x`,
    ]
  }
  return {
    title: "the leader's tab hidden behind a follower's, beside the leader's in front",
    cells: [
      ['', 'in front', 'hidden', 'ratio'],
      ...CLIENTS.flatMap((client) => [
        row(client, 'one by one, p50', 'ms', (one) => one.p50Ms),
        row(client, '100 in flight', '/s', (one) => one.writesPerSecond),
      ]),
    ],
    notes: ["a follower's tab is hidden when the leader's is in front"],
    figures: { samples },
  }
}
