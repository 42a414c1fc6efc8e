// One tab that would be two, and one that is reloaded faster than it starts: in one browser no two
// tabs are ever the same machine, and no machine is left behind that nobody is.
import { expect } from 'playwright/test'
import { MachinePage, PATIENCE_MS } from './machine-page.ts'
import { leaderOf, openThree, test } from './room-fixture.ts'
import { expectGuest, lasting, tracesOf, Witness } from './tab-faults.ts'

const RELOADS = 10
/** From before anything has loaded to some time after the machine is up. */
const PAUSES_MS = [0, 20, 60, 120, 200, 350, 0, 600, 30, 900]

/** Without waiting for what the reload before this one is about. */
async function reloadAtOnce({ page }: MachinePage): Promise<void> {
  // While a page takes the place of another one, there is none to be reloaded.
  await expect(() => page.reload({ waitUntil: 'commit' })).toPass({ timeout: PATIENCE_MS })
}

async function identities(machine: MachinePage): Promise<string[]> {
  const names = await machine.page.evaluate(async () => {
    const all = await indexedDB.databases()
    return all.map(({ name }) => name ?? '')
  })
  return names.filter((name) => name.startsWith('zabra/')).sort()
}

/** One link for each other voter and nobody twice. */
async function expectNoGhosts(machines: readonly MachinePage[]): Promise<void> {
  for (const machine of machines) {
    const seen = async (): Promise<string[]> =>
      ((await machine.workerStatus())?.peers ?? []).map(({ sid }) => String(sid)).sort()
    const own = String(await machine.sid())
    await expect
      .poll(seen, { timeout: PATIENCE_MS, message: `peers of machine ${own}` })
      .toEqual(['1', '2', '3'].filter((sid) => sid !== own))
  }
}

test('a duplicated tab is somebody else, whatever it copied', async ({ site, newBrowser }) => {
  const browser = await newBrowser()
  const machines = await openThree(browser, site.room())
  const [one, other] = machines
  if (one === undefined || other === undefined) throw new Error('three machines')
  await one.page.evaluate(() => sessionStorage.setItem('copied', 'yes'))
  const epoch = (await one.workerStatus())?.member?.epoch

  // As a script does it: sessionStorage comes along.
  const popup = one.page.waitForEvent('popup')
  await one.page.evaluate(() => void window.open(location.href))
  const opened = new MachinePage(await popup)
  await expectGuest(opened)
  expect(await opened.page.evaluate(() => sessionStorage.getItem('copied'))).toBe('yes')

  // As the browser's own command does it: the history and its state come along as well.
  const context = await browser.context()
  const twin = new MachinePage(await context.newPage())
  const state = await one.page.evaluate(() => history.state as unknown)
  expect(JSON.stringify(state)).toContain((await one.workerStatus())?.incarnation)
  await twin.page.addInitScript((copied) => {
    if (history.state === null) history.replaceState(copied, '')
  }, state)
  await twin.page.goto(one.page.url())
  await expectGuest(twin)

  const all = [...machines, opened, twin]
  const names = await Promise.all(all.map(async (tab) => (await tab.workerStatus())?.incarnation))
  expect(new Set(names).size).toBe(all.length)
  const sids = await Promise.all(machines.map((machine) => machine.sid()))
  expect([...sids].sort()).toEqual([1, 2, 3])
  const given = (await Promise.all(all.map((tab) => tab.sid()))).filter((sid) => sid !== null)
  expect(new Set(given).size).toBe(given.length)
  await twin.type('create /by-the-twin 1')
  await twin.expectLine('Created /by-the-twin')
  expect((await other.workerStatus())?.member?.epoch).toBe(epoch)

  // The original goes; its twin, loaded anew, is still not it: it is who it was.
  const before = (await twin.workerStatus())?.incarnation
  await one.page.close()
  await twin.page.reload()
  await expectGuest(twin)
  expect((await twin.workerStatus())?.incarnation).toBe(before)
})

test('reloaded ten times, also before it is ready: the same machine, and no ghosts', async ({
  site,
  newBrowser,
}) => {
  const browser = await newBrowser()
  const machines = await openThree(browser, site.room())
  const leader = await leaderOf(machines)
  const [victim, other] = machines.filter((machine) => machine !== leader)
  if (victim === undefined || other === undefined) throw new Error('three machines')
  const sid = await victim.sid()
  const stored = await identities(other)
  expect(stored).toHaveLength(3)
  const since = Date.now()
  const writer = await Witness.open(other)
  for (let i = 0; i < RELOADS; i++) {
    await reloadAtOnce(victim)
    await writer.write('/reloads', String(i))
    await lasting(PAUSES_MS[i] ?? 0)
  }
  await victim.expectWhole()
  expect(await victim.sid()).toBe(sid)
  expect(await identities(other)).toEqual(stored)
  await expectNoGhosts(machines)
  expect(await (await Witness.open(victim)).read('/reloads')).toBe(String(RELOADS - 1))
  for (const machine of [leader, other]) {
    const roles = (await tracesOf(machine, since)).filter(({ type }) => type === 'role')
    expect(roles).toEqual([])
  }

  // And in the first life of a tab, which has no name of its own to go by yet.
  const link = other.page.url()
  const context = await browser.context()
  const again: MachinePage[] = []
  for (const machine of machines) await machine.page.close()
  for (const pauseMs of [0, 80, 300]) {
    const machine = new MachinePage(await context.newPage())
    again.push(machine)
    await machine.page.goto(link, { waitUntil: 'commit' })
    for (let i = 0; i < 3; i++) {
      await reloadAtOnce(machine)
      await lasting(pauseMs)
    }
  }
  for (const machine of again) await machine.expectWhole()
  await expectNoGhosts(again)
  expect(await identities(again[0] ?? other)).toEqual(stored)
})
