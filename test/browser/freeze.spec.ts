// Tabs that stand still and wake up: frozen by the browser, or their page busy. A member that slept
// steps down before it answers anything (design §4, Time).
import { expect } from 'playwright/test'
import { test } from '../../src/playwright/fixtures.ts'
import { devTools } from '../../src/playwright/standstill.ts'
import { TabClient } from '../../src/playwright/tab-client.ts'
import { castOf, openMachine, PATIENTLY, type MachinePage } from './machine-page.ts'
import { PlainBrowser } from './plain-browser.ts'
import { expectRolesKept, insist, lasting, latest, put } from './tab-words.ts'

/** As the design promises it, whatever the constant in the code says. */
const SILENCE_LIMIT_MS = 1_200
/** On top of the silence limit: ticks, a busy machine of two cores, its clocks. */
const SLACK_MS = 2_000
/** Longer than any freeze here: a client must not give up by itself before its machine speaks. */
const PATIENT_MS = 40_000
/** A page is slowed down or blocked for so long: several silence limits. */
const HARD_TIMES_MS = 4_000

interface Tab {
  readonly machine: MachinePage
  readonly client: TabClient
}

interface Tabs {
  readonly leader: Tab
  /** Shown, so that it is not frozen by mistake; the others are hidden. */
  readonly follower: Tab
  readonly other: Tab
}

async function partsOf(tabs: readonly Tab[]): Promise<Tabs> {
  const cast = castOf(tabs.map(({ machine }) => machine))
  const tabOf = (machine: MachinePage): Tab => {
    const tab = tabs.find((one) => one.machine === machine)
    if (tab === undefined) throw new Error('a tab')
    return tab
  }
  await cast.one.page.bringToFront()
  return { leader: tabOf(cast.leader), follower: tabOf(cast.one), other: tabOf(cast.other) }
}

/** Page and worker stand still, as those of a tab that the browser put aside. Returns when. */
async function freeze({ machine: { member } }: Tab): Promise<number> {
  // Only hidden pages can be frozen, and only a plain browser has any.
  const visibility = (): Promise<string> => member.page.evaluate(() => document.visibilityState)
  await expect.poll(visibility, PATIENTLY).toBe('hidden')
  const at = Date.now()
  await member.freeze()
  return at
}

async function frozenLeader(browser: PlainBrowser, tabs: readonly Tab[]): Promise<void> {
  const { leader, follower, other } = await partsOf(tabs)
  const { client } = leader
  await put(client, '/x', 'old')
  expect(await client.getData('/x')).toBe('old')
  const before = (await client.heard()).length

  const frozenAt = await freeze(leader)
  const still = Date.now()
  // Queues up behind the worker that stands still, as everything that its peers say.
  await client.ask('/x')
  for (const { member } of [follower.machine, other.machine]) {
    const deposed = await member.untilTrace('role', frozenAt, ({ role }) => role === 'looking')
    expect(deposed.at - still).toBeLessThan(SILENCE_LIMIT_MS + SLACK_MS)
    // The browser may let it run for a moment: then it has stepped down by itself.
    expect(deposed.reason).toMatch(/silent|ended the conversation/)
    await member.untilTrace('established', frozenAt)
  }
  await insist(() => follower.client.setData('/x', 'new'))
  // The frozen tab keeps its locks. Who comes meanwhile is not held up, nor takes its place.
  const guest = await openMachine(browser, follower.machine.page.url())
  await guest.expectGuest()
  await (await TabClient.open(guest.member)).setData('/x', 'newer')
  await guest.page.close()
  await leader.machine.member.thaw()
  await expect
    .poll(async () => (await client.heard()).slice(before).join())
    .toMatch(/\b(failed|read)\b/)
  const heard = (await client.heard()).slice(before)
  expect(heard.filter((text) => text.startsWith('read'))).toEqual([])
  // At the thaw, or before it where the browser lets a frozen tab run for a moment.
  const slept = await leader.machine.member.untilTrace('slept', frozenAt)
  expect(slept.elapsedMs).toBeGreaterThan(SILENCE_LIMIT_MS)
  await leader.machine.member.untilTrace('role', slept.at - 1, ({ role }) => role === 'following')
  expect(await latest(client, '/x')).toBe('newer')
}

async function frozenFollower(tabs: readonly Tab[]): Promise<void> {
  const { leader, follower, other } = await partsOf(tabs)
  const frozenAt = await freeze(other)
  await leader.machine.member.untilTrace('link', frozenAt, ({ up }) => !up)
  await insist(() => follower.client.setData('/x', 'without it'))
  await other.machine.member.thaw()
  await other.machine.member.untilTrace('established', frozenAt)
  expect(await latest(other.client, '/x')).toBe('without it')
  const awake = [leader.machine.member, follower.machine.member]
  expectRolesKept([leader.machine.member], frozenAt, awake)
}

/** Slowed down to a twentieth, then blocked: all that the ensemble needs is in the worker. */
async function busyPageOfTheLeader(tabs: readonly Tab[]): Promise<void> {
  const { leader, follower } = await partsOf(tabs)
  const since = Date.now()
  const session = await devTools(leader.machine.page)
  await session.send('Emulation.setCPUThrottlingRate', { rate: 20 })
  await insist(() => follower.client.setData('/x', 'slow'))
  await lasting(HARD_TIMES_MS)
  await session.send('Emulation.setCPUThrottlingRate', { rate: 1 })
  const blocked = leader.machine.page.evaluate((durationMs) => {
    const until = performance.now() + durationMs
    while (performance.now() < until);
  }, HARD_TIMES_MS)
  await insist(() => follower.client.setData('/x', 'blocked'))
  await blocked
  expect(await latest(leader.client, '/x')).toBe('blocked')
  // Not even by standing still: that the worker does not is what is asked here.
  for (const { machine } of tabs) expect(machine.member.tracesSince(since, 'role')).toEqual([])
}

test('a frozen leader is deposed and answers nothing on thaw; a busy page is no reason', async ({
  site,
}) => {
  test.setTimeout(180_000)
  await using browser = await PlainBrowser.start()
  const link = site.room()
  const machines: MachinePage[] = []
  for (let i = 0; i < 3; i++) machines.push(await openMachine(browser, link))
  for (const machine of machines) await machine.expectWhole()
  const tabs: Tab[] = []
  for (const machine of machines) {
    const client = await TabClient.open(machine.member, { sessionTimeoutMs: PATIENT_MS })
    tabs.push({ machine, client })
  }
  await test.step('frozen leader', () => frozenLeader(browser, tabs))
  await test.step('frozen follower', () => frozenFollower(tabs))
  await test.step('busy page of the leader', () => busyPageOfTheLeader(tabs))
})
