// Tabs that nobody looks at: hidden and throttled, left by Back and Forward, discarded.
import { expect } from 'playwright/test'
import { PATIENCE_MS, type MachinePage } from './machine-page.ts'
import { PlainBrowser } from './plain-browser.ts'
import { leaderOf, test } from './room-fixture.ts'
import { expectGuest, firstTrace, tracesOf, Witness } from './tab-faults.ts'

/** Longer than any pause of a timer that runs once a second: it is throttled intensively. */
const STILL_MS = 2_500
const HIDDEN_MS = 6_000

/** Starts a timer of 100 ms; the result says how often it ran so far. */
async function startTimer({ page }: MachinePage): Promise<() => Promise<number>> {
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
  }).toPass({ timeout: PATIENCE_MS })
}

async function throttledLeader(browser: PlainBrowser, machines: MachinePage[], home: string) {
  const since = Date.now()
  const leader = await leaderOf(machines)
  const writer = await Witness.open(machines.find((one) => one !== leader) ?? leader)
  // Without connections, so nothing spares it: shows how hard this browser throttles.
  const idle = await browser.open(home)
  const shown = await browser.open('about:blank')
  for (const { page } of [...machines, idle]) {
    expect(await page.evaluate(() => document.visibilityState)).toBe('hidden')
  }
  const [ofIdle, ofLeader] = [await startTimer(idle), await startTimer(leader)]
  await expectStill(ofIdle)
  const before = { idle: await ofIdle(), leader: await ofLeader() }
  const started = Date.now()
  let writes = 0
  while (Date.now() < started + HIDDEN_MS) await writer.write('/hidden', String(++writes))
  // Shown they would have run 60 times.
  expect((await ofIdle()) - before.idle).toBeLessThan(3)
  expect((await ofLeader()) - before.leader).toBeLessThan(10)
  expect(writes).toBeGreaterThan(20)
  for (const machine of machines) {
    const roles = (await tracesOf(machine, since)).filter(({ type }) => type === 'role')
    expect(roles).toEqual([])
  }
  await idle.page.close()
  await shown.page.close()
}

/** In a task of its own: the page that says it is gone the moment it does. */
async function goBack({ page }: MachinePage): Promise<void> {
  await page.evaluate(() => void setTimeout(() => history.back()))
}

/** Away and back: the page starts afresh, and while it is away its machine is nobody's. */
async function backAndForward(browser: PlainBrowser, machines: MachinePage[], home: string) {
  const [first, second] = machines
  if (first === undefined || second === undefined) throw new Error('three machines')
  const sid = await first.sid()
  await first.page.bringToFront()
  await first.page.goto(home)
  await expect(second.status).toHaveText(/away/, { timeout: PATIENCE_MS })
  await goBack(first)
  await first.expectWhole()
  expect(await first.sid()).toBe(sid)
  // Loaded afresh, by the browser or, where it kept the page, by the page itself.
  const how = await first.page.evaluate(
    () => (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming).type,
  )
  expect(['back_forward', 'reload']).toContain(how)

  // Away for longer: another tab may be this machine, and who comes back is then another.
  await first.page.goto(home)
  const heir = await browser.open(second.page.url().replace('tab=2', 'tab=1'))
  await heir.expectWhole()
  expect(await heir.sid()).toBe(sid)
  await goBack(first)
  await expectGuest(first)
  await first.page.close()
}

async function discarded(browser: PlainBrowser): Promise<void> {
  const [first, last] = [browser.find('tab=1'), browser.find('tab=3')]
  const sid = await last.sid()
  const cluster = (await last.workerStatus())?.cluster
  await first.page.bringToFront()
  const at = Date.now()
  const isPossible = await browser.discard('tab=3')
  if (!isPossible) {
    test.info().annotations.push({ type: 'not here', description: 'no page to discard tabs' })
    return
  }
  const witness = browser.find('tab=1')
  const gone = await firstTrace(witness, 'link', at, ({ up }) => !up)
  // Without farewell: the crash hint of its lock, or silence.
  expect(gone.reason).toMatch(/silent/)
  await (await Witness.open(witness)).write('/discarded', 'yes')
  const again = await browser.show('tab=3')
  await again.expectWhole()
  const wasDiscarded = (): boolean =>
    (document as Document & { readonly wasDiscarded?: boolean }).wasDiscarded === true
  expect(await again.page.evaluate(wasDiscarded)).toBe(true)
  expect([await again.sid(), (await again.workerStatus())?.cluster]).toEqual([sid, cluster])
  expect(await (await Witness.open(again)).read('/discarded')).toBe('yes')
}

test('hidden and throttled, left and come back to, discarded: each tab keeps its machine', async ({
  site,
}) => {
  test.setTimeout(180_000)
  await using browser = await PlainBrowser.start()
  const [address = '', fragment = ''] = site.room().split('#')
  const machines: MachinePage[] = []
  for (let i = 1; i <= 3; i++) machines.push(await browser.open(`${address}&tab=${i}#${fragment}`))
  for (const machine of machines) await machine.expectWhole()
  const home = `${site.url}/`
  await test.step('hidden leader', () => throttledLeader(browser, machines, home))
  await test.step('back and forward', () => backAndForward(browser, machines, home))
  await test.step('discarded', () => discarded(browser))
})
