// "See why": what a page says of its room, the connection doctor, and TURN servers: with a real one
// on the loopback interface, with wrong credentials, and with settings that are none.
import { expect, type Page, type Route } from 'playwright/test'
import type { IceSettings } from '../../src/adapters/webrtc/ice-settings.ts'
import type { Examination } from '../../src/adapters/webrtc/doctor/doctor.ts'
import type { Explanation } from '../../src/browser/explanation.ts'
import { test } from '../../src/playwright/fixtures.ts'
import { openMachine, PATIENCE_MS, threeOf, type MachinePage } from './machine-page.ts'
import { TurnServer } from './turn-server.ts'

const SECRET = 'a-secret-that-nobody-guesses'
/** As long as the doctor may take, and some. */
const DOCTOR_MS = 25_000
/** How long the doctor waits for the answer of a page that stands still; its worker goes on. */
const SILENCE_MS = 12_000

function withIce(link: string, settings: IceSettings): string {
  const url = new URL(link)
  url.searchParams.set('ice', JSON.stringify(settings))
  return url.href
}

async function explain(machine: MachinePage): Promise<Explanation> {
  await machine.expectStarted()
  const explained = await machine.page.evaluate(() => window.zabra?.explain())
  if (explained === undefined) throw new Error('the page has not started')
  return explained
}

async function examine(machine: MachinePage, limitMs = 15_000): Promise<Examination> {
  await machine.expectStarted()
  const examined = await machine.page.evaluate(
    (limit) => window.zabra?.examine({ limitMs: limit }),
    limitMs,
  )
  if (examined === undefined) throw new Error('the page has not started')
  return examined
}

function reasonsOn(page: Page): ReturnType<Page['locator']> {
  return page.getByRole('list', { name: 'how this room is' }).getByRole('listitem')
}

test('a room says how it is, whom it misses and what to do', async ({ site, ensemble }) => {
  const [one, two, three] = threeOf(await ensemble(3))
  const permissions = ['clipboard-read', 'clipboard-write']
  await one.page.context().grantPermissions(permissions, { origin: site.url })

  await expect
    .poll(async () => (await explain(one)).links.map((link) => link.localCandidate))
    .toEqual(['host', 'host'])
  const well = await explain(one)
  expect(well.reasons.map((reason) => reason.code)).toContain('serving')
  expect(well.reasons.some((reason) => reason.severity === 'problem')).toBe(false)
  expect(well.links.map((link) => link.name).sort()).toEqual(['machine 2', 'machine 3'])
  for (const link of well.links) {
    expect(link).toMatchObject({ state: 'connected', stage: 'open', carrier: 'channel' })
    expect(link.protocol).toBe('udp')
    expect(link.attempts).toBeGreaterThan(0)
    expect(['connected', 'completed']).toContain(link.iceState)
    expect(link.silentMs).toBeLessThan(10_000)
    expect(link.localAddress).not.toMatch(/^(?!127\.)\d+\.\d+\.\d+\.\d+$/)
  }
  expect(well.member.quorum).toEqual({ needed: 2, voters: 3, here: 3, isReachable: true })
  expect(well.storage.durability).toBe('strict')
  expect(well.storage.disk?.batches).toBeGreaterThan(0)
  expect(well.storage.quotaBytes).toBeGreaterThan(0)

  const { page } = one
  await expect(reasonsOn(page).first()).toHaveText(/leads; a write counts once 2 of 3/)
  await page.getByRole('button', { name: 'Check every connection' }).click()
  const found = page.getByRole('list', { name: 'what the doctor found' })
  await expect(found).toHaveText(/Every pair of pages/, { timeout: DOCTOR_MS })
  await page.bringToFront()
  await page.getByRole('button', { name: 'Copy this report' }).click()
  await expect(page.getByText('Copied')).toBeVisible()
  const copied = await page.evaluate(() => navigator.clipboard.readText())
  expect(JSON.parse(copied)).toMatchObject({ findings: [{ code: 'all-connected' }] })
  expect(copied).not.toContain(SECRET)

  await examineWithBusyPage(one, three)

  await three.page.close()
  await expect(reasonsOn(page).filter({ hasText: 'Machine 3 is away since' })).toBeVisible({
    timeout: PATIENCE_MS,
  })
  await expect(reasonsOn(page).filter({ hasText: 'No machine is to spare' })).toBeVisible()
  await two.page.close()
  await expect(reasonsOn(page).first()).toHaveText(/2 of 3 machines are needed, and only this/, {
    timeout: PATIENCE_MS,
  })
  const alone = await explain(one)
  expect(alone.reasons[0]).toMatchObject({ code: 'no-quorum', severity: 'problem' })
  const missed = alone.reasons.filter((reason) => reason.code === 'machine-away')
  expect(missed.map((reason) => reason.severity)).toEqual(['problem', 'problem'])
  expect(missed.every((reason) => reason.help !== null)).toBe(true)
  expect(alone.machines.filter((machine) => machine.awaySince !== null)).toHaveLength(2)
})

/** A page that stands still does not answer; the doctor settles all the same, and says so. */
async function examineWithBusyPage(one: MachinePage, busy: MachinePage): Promise<void> {
  const { standing, goOn } = await standStill(busy.page)
  const { findings, reports, tookMs } = await examine(one, SILENCE_MS)
  expect(findings).toContainEqual(
    expect.objectContaining({ code: 'page-silent', pages: ['machine 3'] }),
  )
  expect(reports.map((report) => report.name).sort()).toEqual(['machine 1', 'machine 2'])
  expect(tookMs).toBeLessThan(2 * SILENCE_MS)
  await goOn()
  await standing
}

/** Settles when the page's main thread really waits: for an answer that comes at `goOn` only. */
async function standStill(
  page: Page,
): Promise<{ standing: Promise<void>; goOn: () => Promise<void> }> {
  let hold: (route: Route) => void = () => undefined
  const asked = new Promise<Route>((resolve) => {
    hold = resolve
  })
  await page.route('**/stand-still', (route) => hold(route))
  const standing = page.evaluate(() => {
    const request = new XMLHttpRequest()
    request.open('GET', '/stand-still', false)
    request.send()
  })
  const route = await asked
  return { standing, goOn: () => route.fulfill({ body: 'go on' }) }
}

test('an ensemble by a TURN server and nothing else', async ({ site, newBrowser }) => {
  const turn = await TurnServer.start()
  try {
    const browser = await newBrowser()
    const link = site.room('&size=2')
    const one = await openMachine(browser, withIce(link, turn.settings()))
    const two = await openMachine(browser, withIce(link, turn.settings()))
    for (const machine of [one, two]) await machine.expectWhole()
    for (const machine of [one, two]) {
      const { links, reasons, ice } = await explain(machine)
      expect(links).toHaveLength(1)
      expect(links[0]).toMatchObject({ localCandidate: 'relay', remoteCandidate: 'relay' })
      expect(links[0]).toMatchObject({ relayProtocol: 'udp', candidates: { local: { host: 0 } } })
      expect(reasons.map((reason) => reason.code)).toContain('link-relayed')
      expect(ice).toEqual({ servers: [turn.url], policy: 'relay' })
      // Out of sight, and out of what is shared.
      expect(machine.page.url()).not.toContain('stripes')
      expect(JSON.stringify(await explain(machine))).not.toContain('stripes')
    }
    await one.type('create /relayed yes')
    await two.type('sync /relayed')
    await two.type('get /relayed')
    await two.expectLine('yes')
    const { findings, reports } = await examine(two)
    expect(findings.map((finding) => finding.code)).toEqual(['all-connected'])
    expect(reports.map((report) => report.gather.counts.relay > 0)).toEqual([true, true])
    // The tab keeps what its link brought, without the link.
    await one.page.reload()
    await one.expectWhole()
    expect((await explain(one)).ice.policy).toBe('relay')
  } finally {
    turn.stop()
  }
})

test('the doctor names the page whose TURN server refuses', async ({ site, newBrowser }) => {
  const turn = await TurnServer.start()
  try {
    const browser = await newBrowser()
    const link = site.room()
    const one = await openMachine(browser, link)
    const two = await openMachine(browser, link)
    const apart = await openMachine(browser, withIce(link, turn.settings('spots')))
    for (const machine of [one, two, apart]) {
      await expect
        .poll(async () => (await explain(machine)).signaling.pages, { timeout: PATIENCE_MS })
        .toBe(3)
    }
    await one.member.until(() => one.state?.here === 2)
    const { findings, reports } = await examine(one)
    expect(reports).toHaveLength(3)
    const culprit = reports.find((report) => report.policy === 'relay')?.name
    const refused = findings.find((finding) => finding.code === 'turn-refused')
    expect(refused).toMatchObject({ severity: 'problem', pages: [culprit] })
    expect(refused?.text).toContain('401')
    expect(refused?.help).toContain('credential')
    // Both of its pairs, one of which is between two other pages.
    const pairs = findings.filter((finding) => finding.code === 'blocked')
    expect(pairs).toHaveLength(2)
    for (const pair of pairs) expect(pair.pages).toContain(culprit)
    expect(findings).toHaveLength(3)
  } finally {
    turn.stop()
  }
})

test('STUN and TURN settings: by the form, by a link, refused', async ({ site, newBrowser }) => {
  const browser = await newBrowser()
  const machine = await openMachine(browser, site.room('&ice=turn:nowhere.example'))
  const { page } = machine
  await expect(page.getByText(/in the link are not used.*needs a "username"/)).toBeVisible()
  await page.getByRole('textbox', { name: 'Servers' }).fill('turn:127.0.0.1:1')
  const keep = page.getByRole('button', { name: 'Keep in this browser' })
  await keep.click()
  await expect(page.getByText(/needs a "username" and a "credential"/).last()).toBeVisible()
  await page.getByLabel('Username').fill('someone')
  await page.getByLabel('Credential').fill('something')
  const loaded = page.waitForEvent('load')
  await keep.click()
  await loaded
  await page.getByText('STUN and TURN servers', { exact: true }).click()
  await expect(page.getByText('In use, kept in this browser: turn:127.0.0.1:1.')).toBeVisible()
  await expect(page.getByText(/That link holds username and credential/)).toBeVisible()
  expect(page.url()).not.toContain('something')
  const { findings } = await examine(machine)
  expect(findings.map((finding) => finding.code)).toEqual(['turn-unreachable', 'alone'])
})
