// One tab that would be two, and one that is reloaded faster than it starts: in one browser no two
// tabs are ever the same machine, and no machine is left behind that nobody is.
import { expect } from 'playwright/test'
import { Member } from '../../src/playwright/member.ts'
import { test } from '../../src/playwright/fixtures.ts'
import { castOf, MachinePage, PATIENCE_MS, threeOf } from './machine-page.ts'
import { expectRolesKept, lasting, latest, put } from './tab-words.ts'

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
    const seen = (): string[] => (machine.state?.peers ?? []).map(({ sid }) => String(sid)).sort()
    const own = String(machine.sid)
    await expect
      .poll(seen, { timeout: PATIENCE_MS, message: `peers of machine ${own}` })
      .toEqual(['1', '2', '3'].filter((sid) => sid !== own))
  }
}

test('a duplicated tab is somebody else, whatever it copied', async ({ ensemble }) => {
  const room = await ensemble(3)
  const machines = threeOf(room)
  const [one] = machines
  const { browser } = one.member
  await one.page.evaluate(() => sessionStorage.setItem('copied', 'yes'))
  const since = Date.now()

  // As a script does it: sessionStorage comes along.
  const popup = one.page.waitForEvent('popup')
  await one.page.evaluate(() => void window.open(location.href))
  const opened = new MachinePage(await Member.of(browser, await popup))
  await opened.expectGuest()
  expect(await opened.page.evaluate(() => sessionStorage.getItem('copied'))).toBe('yes')

  // As the browser's own command does it: the history and its state come along as well.
  const twin = new MachinePage(await Member.of(browser, await browser.newPage()))
  const state = await one.page.evaluate(() => history.state as unknown)
  expect(JSON.stringify(state)).toContain(one.state?.incarnation)
  await twin.page.addInitScript((copied) => {
    if (history.state === null) history.replaceState(copied, '')
  }, state)
  await twin.page.goto(one.page.url())
  await twin.expectGuest()

  const all = [...machines, opened, twin]
  expect(new Set(all.map(({ state }) => state?.incarnation)).size).toBe(all.length)
  expect(machines.map(({ sid }) => sid)).toEqual([1, 2, 3])
  const given = all.map(({ sid }) => sid).filter((sid) => sid !== null)
  expect(new Set(given).size).toBe(given.length)
  await twin.create('/by-the-twin', '1')
  expectRolesKept(room.members, since)

  // The original goes; its twin, loaded anew, is still not it: it is who it was.
  const before = twin.state?.incarnation
  await one.page.close()
  await twin.page.reload()
  await twin.expectGuest()
  expect(twin.state?.incarnation).toBe(before)
})

test('reloaded ten times, also before it is ready: the same machine, and no ghosts', async ({
  ensemble,
}) => {
  const room = await ensemble(3)
  const machines = threeOf(room)
  const { leader, one: victim, other } = castOf(machines)
  const { sid } = victim
  const stored = await identities(other)
  expect(stored).toHaveLength(3)
  const since = Date.now()
  const writer = await room.client(other.member)
  for (let i = 0; i < RELOADS; i++) {
    await reloadAtOnce(victim)
    await put(writer, '/reloads', String(i))
    await lasting(PAUSES_MS[i] ?? 0)
  }
  await victim.expectWhole()
  await victim.expectState({ sid })
  expect(await identities(other)).toEqual(stored)
  await expectNoGhosts(machines)
  expect(await latest(await room.client(victim.member), '/reloads')).toBe(String(RELOADS - 1))
  expectRolesKept([leader.member, other.member], since)

  // And in the first life of a tab, which has no name of its own to go by yet.
  const link = other.page.url()
  const { browser } = other.member
  const again: MachinePage[] = []
  // With its last tab a browser goes.
  const blank = await browser.newPage()
  for (const machine of machines) await machine.page.close()
  for (const pauseMs of [0, 80, 300]) {
    const page = again.length === 0 ? blank : await browser.newPage()
    const machine = new MachinePage(await Member.of(browser, page))
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
