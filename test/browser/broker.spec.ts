// The broker only introduces: killed, come back empty or with another room in mind, or lying in
// every way its protocol has, it can delay who joins, and nothing else (design §4, §5b).
import { expect } from 'playwright/test'
import { FalseBroker, HONEST, MISCHIEF, SILENCE } from './false-broker.ts'
import { PATIENCE_MS, type MachinePage } from './machine-page.ts'
import { leaderOf, test, type Browser, type Site } from './room-fixture.ts'
import { expectGuest, tracesOf, Witness } from './tab-faults.ts'

const SEED = 20_261_121
const LIMIT_MS = 180_000
/** Joining by way of a liar takes several attempts, some seconds each. */
const LIAR_PATIENCE_MS = 90_000
/** Writes go on for so long while the broker does its worst. */
const WORST_MS = 5_000

/** A link with CREATOR, as the home page makes it: the order of arrival counts for nothing. */
async function madeLink(browser: Browser, site: Site, signal: string): Promise<string> {
  const { page } = await browser.open(`${site.url}/`)
  await page.getByRole('button', { name: 'Make the room' }).click()
  await page.getByRole('link', { name: 'Open machine 1' }).waitFor()
  const link = new URL((await page.locator('#link').textContent()) ?? '')
  link.searchParams.set('signal', signal)
  await page.close()
  return link.href
}

/** Nobody lost its role, nobody is in another ensemble. */
async function expectUnharmed(machines: readonly MachinePage[], sinceMs: number): Promise<void> {
  const clusters = new Set<string | null | undefined>()
  for (const machine of machines) {
    clusters.add((await machine.workerStatus())?.cluster)
    const roles = (await tracesOf(machine, sinceMs)).filter(({ type }) => type === 'role')
    expect(roles).toEqual([])
  }
  expect(clusters.size).toBe(1)
}

async function text(machine: MachinePage): Promise<string> {
  return (await machine.workerStatus().catch(() => null))?.text ?? ''
}

/** The broker dies under load and comes back with nothing but lies and old messages in mind. */
async function killedAndBack(
  broker: FalseBroker,
  browser: Browser,
  machines: readonly MachinePage[],
): Promise<void> {
  const since = Date.now()
  const [one, two] = machines
  if (one === undefined || two === undefined) throw new Error('three machines')
  const [writer, reader] = [await Witness.open(one), await Witness.open(two)]
  await broker.close()
  const newcomer = await browser.open(one.page.url())
  await expect
    .poll(() => text(newcomer), { timeout: PATIENCE_MS })
    .toBe('this room exists already; waiting for one of its machines to be open')
  await expect(newcomer.page.getByText('signaling server cannot be reached').first()).toBeVisible({
    timeout: PATIENCE_MS,
  })
  let writes = 0
  for (const until = Date.now() + WORST_MS; Date.now() < until;) {
    await writer.write('/without-a-broker', String(++writes))
  }
  expect(await reader.read('/without-a-broker')).toBe(String(writes))
  broker.lie(MISCHIEF)
  await broker.start()
  await expectGuest(newcomer, LIAR_PATIENCE_MS)
  await expectUnharmed(machines, since)
  await newcomer.page.close()
}

/** It hides everybody and relays nothing: who reloads cannot come back, the others go on. */
async function silent(broker: FalseBroker, machines: readonly MachinePage[]): Promise<void> {
  const since = Date.now()
  const leader = await leaderOf(machines)
  const [reloaded, other] = machines.filter((machine) => machine !== leader)
  if (reloaded === undefined || other === undefined) throw new Error('three machines')
  broker.lie(SILENCE)
  await reloaded.page.reload()
  await expect(other.status).toHaveText(/away/, { timeout: PATIENCE_MS })
  await expect(reloaded.status).toHaveText(/cannot commit/, { timeout: PATIENCE_MS })
  const writer = await Witness.open(other)
  for (const until = Date.now() + WORST_MS; Date.now() < until;) await writer.write('/worst', 'x')
  expect(await reloaded.statusText()).toContain('cannot commit')
  broker.lie(HONEST)
  for (const machine of machines) await machine.expectWhole()
  await expectUnharmed([leader, other], since)
}

test('a broker that lies, dies and comes back with another room in mind delays, no more', async ({
  site,
  newBrowser,
}) => {
  test.setTimeout(LIMIT_MS)
  const broker = new FalseBroker(SEED, MISCHIEF)
  await broker.start()
  try {
    const browser = await newBrowser()
    const link = await madeLink(browser, site, broker.url)
    const machines: MachinePage[] = []
    for (let i = 0; i < 3; i++) machines.push(await browser.open(link))
    for (const machine of machines) await machine.expectWhole(LIAR_PATIENCE_MS)
    await test.step('killed and back', () => killedAndBack(broker, browser, machines))
    await test.step('silent', () => silent(broker, machines))
    const kinds = [...broker.told.keys()].sort()
    expect(kinds).toEqual(['drop', 'falseGone', 'hold', 'repeat', 'replay', 'swap'])
  } finally {
    await broker.close()
  }
})

test('a broker that puts itself first founds nothing and prevents nothing', async ({
  site,
  newBrowser,
}) => {
  const broker = new FalseBroker(SEED, { invents: true })
  await broker.start()
  try {
    const browser = await newBrowser()
    const link = site.room(`&signal=${encodeURIComponent(broker.url)}`)
    const machines: MachinePage[] = []
    for (let i = 0; i < 3; i++) machines.push(await browser.open(link))
    for (const machine of machines) {
      await expect
        .poll(() => text(machine), { timeout: PATIENCE_MS })
        .toBe('3 of 3 here; asking who was first in this room')
    }
    broker.lie(HONEST)
    for (const machine of machines) await machine.expectWhole()
    await expectUnharmed(machines, Date.now())
  } finally {
    await broker.close()
  }
})

test('another secret: two in rooms of one name never meet, each is told it is alone', async ({
  site,
  newBrowser,
}) => {
  const link = site.room()
  const [one, stranger] = await Promise.all([
    (await newBrowser()).open(link),
    (await newBrowser()).open(`${link}-or-so`),
  ])
  const alone = "1 of 3 here; open this room's link in 2 more tabs"
  for (const machine of [one, stranger]) {
    await expect.poll(() => text(machine), { timeout: PATIENCE_MS }).toBe(alone)
    await expect(machine.page.locator('#advice')).toContainText(alone)
  }
  // One of the same secret is met at once, so the stranger would have been, too.
  const friend = await one.page.context().newPage()
  await friend.goto(link)
  await expect.poll(() => text(one), { timeout: PATIENCE_MS }).toMatch(/^2 of 3 here/)
  expect(await text(stranger)).toBe(alone)
  expect((await stranger.workerStatus())?.peers).toEqual([])
})
