// Tabs that nobody looks at: hidden and throttled, left by Back and Forward, discarded.
import { expect, type Page } from 'playwright/test'
import type { WorkerStatus } from '../../worker/protocol.ts'
import { test } from '../../src/playwright/fixtures.ts'
import { Member, type TraceOf } from '../../src/playwright/member.ts'
import type { Trace } from '../../src/playwright/page/page-news.ts'
import { TabClient } from '../../src/playwright/tab-client.ts'
import { castOf, MachinePage, openMachine, PATIENCE_MS, PATIENTLY } from './machine-page.ts'
import { PlainBrowser } from './plain-browser.ts'
import { put } from './tab-words.ts'

/** Longer than any pause of a timer that runs once a second: it is throttled intensively. */
const STILL_MS = 2_500
const HIDDEN_MS = 6_000

/** Starts a timer of 100 ms; the result says how often it ran so far. */
async function startTimer(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    Object.assign(window, { runs: 0 })
    setInterval(() => {
      const counter = window as unknown as { runs: number }
      counter.runs++
    }, 100)
  })
  return () => page.evaluate(() => (window as unknown as { runs: number }).runs)
}

/** Waits until the timer stands still: some five runs, one a second, are granted before that. */
async function expectStill(runs: () => Promise<number>): Promise<void> {
  const last = { runs: await runs(), at: Date.now() }
  await expect(async () => {
    const now = await runs()
    if (now !== last.runs) Object.assign(last, { runs: now, at: Date.now() })
    expect(Date.now() - last.at).toBeGreaterThan(STILL_MS)
  }).toPass({ timeout: 3 * PATIENCE_MS })
}

async function throttledLeader(browser: PlainBrowser, machines: MachinePage[], home: string) {
  const since = Date.now()
  const { leader, one } = castOf(machines)
  const writer = await TabClient.open(one.member)
  // Without connections, so nothing spares it: shows how hard this browser throttles.
  const idle = await browser.newPage()
  await idle.goto(home)
  const shown = await browser.newPage()
  for (const page of [...machines.map((machine) => machine.page), idle]) {
    const visibility = (): Promise<string> => page.evaluate(() => document.visibilityState)
    await expect.poll(visibility, PATIENTLY).toBe('hidden')
  }
  const [ofIdle, ofLeader] = [await startTimer(idle), await startTimer(leader.page)]
  await expectStill(ofIdle)
  const before = { idle: await ofIdle(), leader: await ofLeader() }
  const started = Date.now()
  let writes = 0
  while (Date.now() < started + HIDDEN_MS) await put(writer, '/hidden', String(++writes))
  const seconds = (Date.now() - started) / 1_000
  // Shown they would have run ten times a second.
  expect((await ofIdle()) - before.idle).toBeLessThan(3)
  expect((await ofLeader()) - before.leader).toBeLessThan(3 + 1.5 * seconds)
  expect(writes).toBeGreaterThan(20)
  // Not even by standing still: that a hidden tab's worker does not is what is asked here.
  for (const { member } of machines) expect(member.tracesSince(since, 'role')).toEqual([])
  await idle.close()
  await shown.close()
}

/** In a task of its own: the page that says it is gone the moment it does. */
async function goBack({ page }: MachinePage): Promise<void> {
  await page.evaluate(() => void setTimeout(() => history.back()))
}

/** Away and back: the page starts afresh, and while it is away its machine is nobody's. */
async function backAndForward(browser: PlainBrowser, machines: MachinePage[], home: string) {
  const [first, second] = machines
  if (first === undefined || second === undefined) throw new Error('three machines')
  const { sid } = first
  await first.page.bringToFront()
  await first.page.goto(home)
  await expect(second.status).toHaveText(/away/, { timeout: PATIENCE_MS })
  await goBack(first)
  await first.expectWhole()
  await first.expectState({ sid })
  // Loaded afresh, by the browser or, where it kept the page, by the page itself.
  const how = await first.page.evaluate(
    () => (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming).type,
  )
  expect(['back_forward', 'reload']).toContain(how)

  // Away for longer: another tab may be this machine, and who comes back is then another.
  await first.page.goto(home)
  // Its worker may hold the lock for a moment longer than it is shown.
  const own = first.member.identity
  const holders = (): Promise<number> =>
    first.page.evaluate(async (identity) => {
      const all = (await navigator.locks.query()).held ?? []
      return all.filter(
        ({ name = '' }) => name.startsWith('zabra/identity/') && name.endsWith(identity),
      ).length
    }, own)
  await expect.poll(holders, PATIENTLY).toBe(0)
  const heir = await openMachine(browser, second.page.url().replace('tab=2', 'tab=1'))
  await heir.expectWhole()
  await heir.expectState({ sid })
  await goBack(first)
  await first.expectGuest()
  await first.page.close()
}

async function statusIn(page: Page): Promise<WorkerStatus | null> {
  return page.evaluate(() => window.zabra?.status() ?? null)
}

async function linkLostSince(page: Page, sinceMs: number): Promise<string | undefined> {
  const all = await page.evaluate(() => [...(window.zabra?.traces ?? [])])
  const isIt = (trace: Trace): trace is TraceOf<'link'> =>
    trace.at >= sinceMs && trace.type === 'link' && !trace.up
  return (all as readonly Trace[]).find(isIt)?.reason
}

/** The driver lets go of all tabs for a while, so what happens is read from the pages. */
async function discarded(browser: PlainBrowser): Promise<void> {
  const [first, last] = [browser.find('tab=1'), browser.find('tab=3')]
  const { sid, cluster } = (await statusIn(last)) ?? {}
  await first.bringToFront()
  const at = Date.now()
  const isPossible = await browser.discard('tab=3')
  if (!isPossible) {
    test.info().annotations.push({ type: 'not here', description: 'no page to discard tabs' })
    return
  }
  const witness = browser.find('tab=1')
  // Without farewell: the crash hint of its lock, or silence.
  await expect.poll(() => linkLostSince(witness, at), { timeout: PATIENCE_MS }).toMatch(/silent/)
  await witness.evaluate(async () => {
    await window.zabra?.newClient().create('/discarded', 'yes')
  })
  const again = await browser.show('tab=3')
  // Loaded while nobody drove it, so the kit has no part in it.
  const machine = new MachinePage(await Member.of(browser, again))
  await machine.expectShownWhole()
  const wasDiscarded = (): boolean =>
    (document as Document & { readonly wasDiscarded?: boolean }).wasDiscarded === true
  expect(await again.evaluate(wasDiscarded)).toBe(true)
  expect(await statusIn(again)).toMatchObject({ sid, cluster })
  const read = await again.evaluate(async () => {
    const client = window.zabra?.newClient()
    await client?.sync('/discarded')
    const { data } = (await client?.getData('/discarded')) ?? {}
    return new TextDecoder().decode(data ?? new Uint8Array(0))
  })
  expect(read).toBe('yes')
}

test('hidden and throttled, left and come back to, discarded: each tab keeps its machine', async ({
  site,
}) => {
  test.setTimeout(180_000)
  await using browser = await PlainBrowser.start()
  const [address = '', fragment = ''] = site.room().split('#')
  const machines: MachinePage[] = []
  for (let i = 1; i <= 3; i++) {
    machines.push(await openMachine(browser, `${address}&tab=${i}#${fragment}`))
  }
  for (const machine of machines) await machine.expectWhole()
  const home = `${site.url}/`
  await test.step('hidden leader', () => throttledLeader(browser, machines, home))
  await test.step('back and forward', () => backAndForward(browser, machines, home))
  await test.step('discarded', () => discarded(browser))
})
