// The broker only introduces: killed, come back empty or with another room in mind, or lying in
// every way its protocol has, it can delay who joins, and nothing else (design §4, §5b).
import { expect } from 'playwright/test'
import { FalseBroker, HONEST, MISCHIEF, SILENCE } from './false-broker.ts'
import type { BrowserProcess } from '../../src/playwright/browser-process.ts'
import { test } from '../../src/playwright/fixtures.ts'
import type { Site } from '../../src/playwright/site.ts'
import { TabClient } from '../../src/playwright/tab-client.ts'
import { castOf, openMachine, PATIENCE_MS, type MachinePage } from './machine-page.ts'
import { expectRolesKept, latest, put } from './tab-words.ts'

const SEED = 20_261_121
const LIMIT_MS = 300_000
/** Joining by way of a liar takes several attempts, some seconds each. */
const LIAR_PATIENCE_MS = 90_000
/** Writes go on for so long while the broker does its worst. */
const WORST_MS = 5_000

/** A link with CREATOR, as the home page makes it: the order of arrival counts for nothing. */
async function madeLink(browser: BrowserProcess, site: Site, signal: string): Promise<string> {
  const page = await browser.newPage()
  await page.goto(`${site.url}/`)
  await page.getByRole('button', { name: 'Make the room' }).click()
  await page.getByRole('link', { name: 'Open machine 1' }).waitFor()
  const link = new URL((await page.locator('#link').textContent()) ?? '')
  link.searchParams.set('signal', signal)
  await page.goto('about:blank')
  return link.href
}

/** Nobody lost its role, nobody is in another ensemble. */
function expectUnharmed(machines: readonly MachinePage[], sinceMs: number): void {
  expectRolesKept(
    machines.map(({ member }) => member),
    sinceMs,
  )
  expectOneCluster(machines)
}

function expectOneCluster(machines: readonly MachinePage[]): void {
  expect(new Set(machines.map(({ state }) => state?.cluster)).size).toBe(1)
}

/** The broker dies under load and comes back with nothing but lies and old messages in mind. */
async function killedAndBack(
  broker: FalseBroker,
  browser: BrowserProcess,
  machines: readonly MachinePage[],
): Promise<void> {
  const since = Date.now()
  const [one, two] = machines
  if (one === undefined || two === undefined) throw new Error('three machines')
  const [writer, reader] = [await TabClient.open(one.member), await TabClient.open(two.member)]
  await broker.close()
  const newcomer = await openMachine(browser, one.page.url())
  await newcomer.expectText('this room exists already; waiting for one of its machines to be open')
  await expect(newcomer.page.getByText('signaling server cannot be reached').first()).toBeVisible({
    timeout: PATIENCE_MS,
  })
  let writes = 0
  for (const until = Date.now() + WORST_MS; Date.now() < until;) {
    await put(writer, '/without-a-broker', String(++writes))
  }
  expect(await latest(reader, '/without-a-broker')).toBe(String(writes))
  broker.lie(MISCHIEF)
  await broker.start()
  await newcomer.expectGuest(LIAR_PATIENCE_MS)
  expectUnharmed(machines, since)
  await newcomer.page.close()
}

/** It hides everybody and relays nothing: who reloads cannot come back, the others go on. */
async function silent(broker: FalseBroker, machines: readonly MachinePage[]): Promise<void> {
  const since = Date.now()
  const { leader, one: reloaded, other } = castOf(machines)
  broker.lie(SILENCE)
  await reloaded.page.reload()
  await expect(other.status).toHaveText(/away/, { timeout: PATIENCE_MS })
  await expect(reloaded.status).toHaveText(/cannot commit/, { timeout: PATIENCE_MS })
  const writer = await TabClient.open(other.member)
  for (const until = Date.now() + WORST_MS; Date.now() < until;) await put(writer, '/worst', 'x')
  expect(await reloaded.statusText()).toContain('cannot commit')
  broker.lie(HONEST)
  for (const machine of machines) await machine.expectWhole()
  expectUnharmed([leader, other], since)
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
    for (let i = 0; i < 3; i++) machines.push(await openMachine(browser, link))
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
    for (let i = 0; i < 3; i++) machines.push(await openMachine(browser, link))
    for (const machine of machines) {
      await machine.expectText('3 of 3 here; asking who was first in this room')
    }
    broker.lie(HONEST)
    for (const machine of machines) await machine.expectWhole()
    expectOneCluster(machines)
  } finally {
    await broker.close()
  }
})

test('another secret: two in rooms of one name never meet, each is told it is alone', async ({
  site,
  newBrowser,
}) => {
  const link = site.room()
  const home = await newBrowser()
  const [one, stranger] = await Promise.all([
    openMachine(home, link),
    openMachine(await newBrowser(), `${link}-or-so`),
  ])
  const alone = "1 of 3 here; open this room's link in 2 more tabs"
  for (const machine of [one, stranger]) {
    await machine.expectText(alone)
    await expect(machine.page.locator('#advice')).toContainText(alone)
  }
  // One of the same secret is met at once, so the stranger would have been, too.
  await home.open(link)
  await one.expectText(/^2 of 3 here/)
  expect(stranger.state?.text).toBe(alone)
  expect(stranger.state?.peers).toEqual([])
})
