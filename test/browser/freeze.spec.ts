// Tabs that stand still and wake up: frozen by the browser, or their page busy. A member that slept
// steps down before it answers anything (design §4, Time).
import { expect } from 'playwright/test'
import type { MachinePage } from './machine-page.ts'
import { PlainBrowser } from './plain-browser.ts'
import { test } from './room-fixture.ts'
import {
  devTools,
  expectGuest,
  firstTrace,
  freeze,
  lasting,
  thaw,
  tracesOf,
  Witness,
} from './tab-faults.ts'

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
  readonly witness: Witness
}

interface Cast {
  readonly leader: Tab
  /** Shown, so that it is not frozen by mistake; the others are hidden. */
  readonly follower: Tab
  readonly other: Tab
}

async function castOf(tabs: readonly Tab[]): Promise<Cast> {
  const roles = await Promise.all(tabs.map(({ machine }) => machine.isLeading()))
  const leader = tabs[roles.indexOf(true)]
  const [follower, other] = tabs.filter((tab) => tab !== leader)
  if (leader === undefined || follower === undefined || other === undefined) {
    throw new Error('a leader and two followers')
  }
  await follower.machine.page.bringToFront()
  return { leader, follower, other }
}

async function frozenLeader(browser: PlainBrowser, tabs: readonly Tab[]): Promise<void> {
  const { leader, follower, other } = await castOf(tabs)
  const { witness } = leader
  await witness.write('/x', 'old')
  await witness.ask('/x')
  await witness.expectHeard('read old')
  const before = (await witness.heard).length

  const frozenAt = await freeze(leader.machine)
  // Queues up behind the worker that stands still, as everything that its peers say.
  await witness.ask('/x')
  for (const { machine } of [follower, other]) {
    const deposed = await firstTrace(machine, 'role', frozenAt, ({ role }) => role === 'looking')
    expect(deposed.at - frozenAt).toBeLessThan(SILENCE_LIMIT_MS + SLACK_MS)
    expect(deposed.reason).toMatch(/silent/)
    await firstTrace(machine, 'established', frozenAt)
  }
  await follower.witness.write('/x', 'new')
  // The frozen tab keeps its locks. Who comes meanwhile is not held up, nor takes its place.
  const guest = await browser.open(follower.machine.page.url())
  await expectGuest(guest)
  const guestWitness = await Witness.open(guest)
  await guestWitness.write('/x', 'newer')
  await guest.page.close()
  await thaw(leader.machine)
  await witness.expectHeard(/^(failed|read)/, before)
  const heard = (await witness.heard).slice(before)
  expect(heard.filter((text) => text.startsWith('read'))).toEqual([])
  // At the thaw, or before it where the browser lets a frozen tab run for a moment.
  const slept = await firstTrace(leader.machine, 'slept', frozenAt)
  expect(slept.elapsedMs).toBeGreaterThan(SILENCE_LIMIT_MS)
  await firstTrace(leader.machine, 'role', slept.at - 1, ({ role }) => role === 'following')
  expect(await witness.read('/x')).toBe('newer')
}

async function frozenFollower(tabs: readonly Tab[]): Promise<void> {
  const { leader, follower, other } = await castOf(tabs)
  const epoch = (await leader.machine.workerStatus())?.member?.epoch
  const frozenAt = await freeze(other.machine)
  await firstTrace(leader.machine, 'link', frozenAt, ({ up }) => !up)
  await follower.witness.write('/x', 'without it')
  await thaw(other.machine)
  await firstTrace(other.machine, 'established', frozenAt)
  expect(await other.witness.read('/x')).toBe('without it')
  const { member } = (await leader.machine.workerStatus()) ?? {}
  expect(member).toMatchObject({ role: 'leading', epoch })
}

/** Slowed down to a twentieth, then blocked: all that the ensemble needs is in the worker. */
async function busyPageOfTheLeader(tabs: readonly Tab[]): Promise<void> {
  const { leader, follower } = await castOf(tabs)
  const since = Date.now()
  const session = await devTools(leader.machine.page)
  await session.send('Emulation.setCPUThrottlingRate', { rate: 20 })
  await follower.witness.write('/x', 'slow')
  await lasting(HARD_TIMES_MS)
  await session.send('Emulation.setCPUThrottlingRate', { rate: 1 })
  const blocked = leader.machine.page.evaluate((durationMs) => {
    const until = performance.now() + durationMs
    while (performance.now() < until);
  }, HARD_TIMES_MS)
  await follower.witness.write('/x', 'blocked')
  await blocked
  expect(await leader.witness.read('/x')).toBe('blocked')
  for (const { machine } of tabs) {
    const roles = (await tracesOf(machine, since)).filter(({ type }) => type === 'role')
    expect(roles).toEqual([])
  }
}

test('a frozen leader is deposed and answers nothing on thaw; a busy page is no reason', async ({
  site,
}) => {
  test.setTimeout(180_000)
  await using browser = await PlainBrowser.start()
  const link = site.room()
  const machines: MachinePage[] = []
  for (let i = 0; i < 3; i++) machines.push(await browser.open(link))
  for (const machine of machines) await machine.expectWhole()
  const tabs: Tab[] = []
  for (const machine of machines)
    tabs.push({ machine, witness: await Witness.open(machine, PATIENT_MS) })
  await test.step('frozen leader', () => frozenLeader(browser, tabs))
  await test.step('frozen follower', () => frozenFollower(tabs))
  await test.step('busy page of the leader', () => busyPageOfTheLeader(tabs))
})
