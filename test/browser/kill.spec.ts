// Three browser processes on profiles of their own; their processes are killed without warning
// while clients in all of them write. What was acknowledged must be on every member in the end.
import { expect, type Page } from 'playwright/test'
import { MachinePage, PATIENCE_MS, PATIENTLY } from './machine-page.ts'
import { leaderOf, test, type Browser, type Site } from './room-fixture.ts'

const KILLS = 20
const LIMIT_MS = 12 * 60_000

interface Machine {
  readonly browser: Browser
  page: MachinePage
}

interface Pace {
  /** Writes in flight per client. */
  readonly lanes: number
  /**
   * Between two writes of one lane: telling each acknowledgement to the test costs more than it.
   */
  readonly pauseMs: number
}

/** Enough that every kill finds some writes at every stage. */
const BUSY: Pace = { lanes: 4, pauseMs: 40 }
/** While a browser starts, fewer writes than a leader keeps for DIFF (500). */
const CALM: Pace = { lanes: 2, pauseMs: 300 }
/** More than that. */
const BURST = 800

/**
 * Of every lane from when others have taken over until the killed one serves again, ms: that is no
 * stage of anything, and takes both cores.
 */
const START_PAUSE_MS = 800

declare global {
  interface Window {
    pauseMs?: number
  }
}

/** Acknowledged names, told one by one, so that a kill takes none of them along. */
class Ledger {
  readonly acknowledged = new Set<string>()
  readonly syncModes: string[] = []
  readonly #pace: Pace
  readonly #opened: Page[] = []

  constructor(pace: Pace) {
    this.#pace = pace
  }

  async open(browser: Browser, link: string): Promise<MachinePage> {
    await this.#setPause(START_PAUSE_MS)
    const context = await browser.context()
    const page = await context.newPage()
    await page.exposeFunction('acknowledge', (name: string) => void this.acknowledged.add(name))
    await page.goto(link)
    const machine = new MachinePage(page)
    this.#opened.push(page)
    await this.startWriter(machine, `p${this.#opened.length}`)
    await this.#setPause(START_PAUSE_MS)
    return machine
  }

  /** As fast as they shall. */
  async goOn(): Promise<void> {
    await this.#setPause(this.#pace.pauseMs)
  }

  /** Between two writes of each lane, in all pages that live. */
  async #setPause(ms: number): Promise<void> {
    const live = this.#opened.filter((page) => !page.isClosed())
    const set = (pauseMs: number): void => void Object.assign(window, { pauseMs })
    // One that is killed at this moment has no pace.
    await Promise.all(live.map((page) => page.evaluate(set, ms).catch(() => undefined)))
  }

  async startWriter(machine: MachinePage, name: string): Promise<void> {
    await machine.expectStarted()
    await machine.page.evaluate(
      ({ prefix, lanes, pauseMs }) => {
        const client = window.zabra?.newClient()
        const { acknowledge } = window as unknown as { acknowledge: (name: string) => void }
        let next = 0
        const write = async (): Promise<void> => {
          for (;;) {
            const path = `/${prefix}-${next++}`
            try {
              await client?.create(path, path)
              acknowledge(path.slice(1))
            } catch {
              // Unknown or refused: not acknowledged, so it may be there or not.
            }
            await new Promise((resolve) => setTimeout(resolve, window.pauseMs ?? pauseMs))
          }
        }
        for (let i = 0; i < lanes; i++) void write()
      },
      { prefix: name, ...this.#pace },
    )
  }

  /** Many acknowledged writes at once, told together. */
  async burst(machine: MachinePage, count: number): Promise<void> {
    const names = await machine.page.evaluate(async (many) => {
      const client = window.zabra?.newClient()
      const names = Array.from({ length: many }, (_, i) => `burst-${i}`)
      await Promise.all(names.map(async (name) => client?.create(`/${name}`)))
      await client?.close()
      return names
    }, count)
    for (const name of names) this.acknowledged.add(name)
  }

  async noteSyncs(machine: MachinePage): Promise<void> {
    this.syncModes.push(...(await machine.syncModes().catch(() => [])))
  }

  async grow(by: number): Promise<void> {
    const before = this.acknowledged.size
    await expect
      .poll(() => this.acknowledged.size, { ...PATIENTLY, message: 'writes go on' })
      .toBeGreaterThan(before + by)
  }
}

async function threeBrowsers(
  site: Site,
  newBrowser: () => Promise<Browser>,
  ledger: Ledger,
): Promise<{ machines: Machine[]; link: string }> {
  const machines: Machine[] = []
  const link = site.room()
  for (let i = 0; i < 3; i++) {
    const browser = await newBrowser()
    machines.push({ browser, page: await ledger.open(browser, link) })
  }
  for (const { page } of machines) await page.expectWhole()
  await ledger.goOn()
  // What people would open again: the link that names the ensemble.
  return { machines, link: machines[0]?.page.page.url() ?? link }
}

/** Writers stop with their pages' reload; then every member must hold every acknowledged name. */
async function expectNothingLost(machines: readonly Machine[], ledger: Ledger): Promise<void> {
  for (const { page } of machines) await page.page.reload()
  for (const { page } of machines) await page.expectWhole()
  for (const { page } of machines) {
    const names = await page.page.evaluate(async () => {
      const client = window.zabra?.newClient()
      await client?.sync('/')
      return client?.getChildren('/')
    })
    const held = new Set(names)
    const lost = [...ledger.acknowledged].filter((name) => !held.has(name))
    expect(lost, `acknowledged and not on machine ${String(await page.sid())}`).toEqual([])
  }
  await expect
    .poll(
      async () => {
        const states = await Promise.all(
          machines.map(async ({ page }) => (await page.workerStatus())?.member ?? null),
        )
        const shown = states.map((state) => JSON.stringify([state?.zxid, state?.treeDigest]))
        return new Set(shown).size
      },
      { timeout: PATIENCE_MS, message: 'equal digests at equal zxids' },
    )
    .toBe(1)
}

test('killed twenty times while clients write: nothing acknowledged is lost', async ({
  site,
  newBrowser,
}) => {
  test.setTimeout(LIMIT_MS)
  const ledger = new Ledger(BUSY)
  const { machines, link } = await threeBrowsers(site, newBrowser, ledger)
  for (let round = 0; round < KILLS; round++) {
    const pages = machines.map(({ page }) => page)
    // Leader and followers in turn: each way of dying has its own dangers.
    const leader = await leaderOf(pages).catch(() => pages[0])
    const victims = machines.filter(({ page }) => (page === leader) === (round % 2 === 0))
    const victim = victims[round % victims.length]
    if (victim === undefined) throw new Error('a victim')
    await ledger.noteSyncs(victim.page)
    await ledger.goOn()
    await ledger.grow(20)
    await victim.browser.kill()
    await ledger.grow(20)
    victim.page = await ledger.open(victim.browser, link)
    await victim.page.expectServing()
  }
  await expectNothingLost(machines, ledger)
})

test('DIFF, TRUNC and SNAP each run in real tabs', async ({ site, newBrowser }) => {
  test.setTimeout(LIMIT_MS)
  const ledger = new Ledger(CALM)
  const { machines, link } = await threeBrowsers(site, newBrowser, ledger)
  const restart = async (machine: Machine): Promise<void> => {
    machine.page = await ledger.open(machine.browser, link)
    await machine.page.expectServing()
    await ledger.goOn()
    await ledger.grow(5)
    await ledger.noteSyncs(machine.page)
  }
  const leaderMachine = async (): Promise<Machine> => {
    const leader = await leaderOf(machines.map(({ page }) => page))
    const found = machines.find(({ page }) => page === leader)
    if (found === undefined) throw new Error('a leader')
    return found
  }

  // A few writes missed: DIFF. More than the leader keeps in memory (500): SNAP.
  for (const missed of [10, BURST]) {
    const leader = await leaderMachine()
    const follower = machines.find((machine) => machine !== leader)
    if (follower === undefined) throw new Error('a follower')
    await follower.browser.kill()
    if (missed === BURST) await ledger.burst(leader.page, missed)
    await ledger.grow(10)
    await restart(follower)
  }

  // A leader left alone logs what it proposed and cannot commit; the others go on without it:
  // TRUNC.
  const alone = await leaderMachine()
  const others = machines.filter((machine) => machine !== alone)
  await Promise.all(others.map(({ browser }) => browser.kill()))
  await expect(alone.page.status).toHaveText(/cannot commit/, { timeout: PATIENCE_MS })
  await alone.browser.kill()
  await Promise.all(
    others.map(async (machine) => {
      machine.page = await ledger.open(machine.browser, link)
      await machine.page.expectServing()
    }),
  )
  await ledger.grow(5)
  await restart(alone)

  expect([...new Set(ledger.syncModes)].sort()).toEqual(['DIFF', 'SNAP', 'TRUNC'])
  await expectNothingLost(machines, ledger)
})
