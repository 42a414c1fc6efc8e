// Tabs with different builds in one room, as after an update while some tabs stayed open.
import { fileURLToPath } from 'node:url'
import { expect } from 'playwright/test'
import { startServer, type RunningServer } from '../../src/edge/serve.ts'
import { Variant, type Change } from './build-variant.ts'
import type { BrowserProcess } from '../../src/playwright/browser-process.ts'
import { test } from '../../src/playwright/fixtures.ts'
import type { Site } from '../../src/playwright/site.ts'
import { TabClient } from '../../src/playwright/tab-client.ts'
import { openMachine, PATIENCE_MS, type MachinePage } from './machine-page.ts'
import { expectRolesKept, latest, put } from './tab-words.ts'

const DIST = fileURLToPath(new URL('../../dist', import.meta.url))

const BUILD_FILE = 'src/browser/build-id.ts'
const HELLO_FILE = 'src/adapters/webrtc/hello.ts'
const NEXT = '0.1.1-next'
const LATER = '9.0.0-later'

const nameOf = (build: string): Change => ({
  ...{ file: BUILD_FILE, from: "= '0.1.0'" },
  to: `= '${build}'`,
})
/** Understands this build, and more. */
const NEXT_BUILD: readonly Change[] = [
  nameOf(NEXT),
  { file: HELLO_FILE, from: 'LINK_PROTOCOL_MAX = 1', to: 'LINK_PROTOCOL_MAX = 2' },
]
/** Understands nothing of it, and stores in a format of its own. */
const LATER_BUILD: readonly Change[] = [
  nameOf(LATER),
  { file: HELLO_FILE, from: 'LINK_PROTOCOL_MIN = 1', to: 'LINK_PROTOCOL_MIN = 2' },
  { file: HELLO_FILE, from: 'LINK_PROTOCOL_MAX = 1', to: 'LINK_PROTOCOL_MAX = 2' },
  {
    ...{ file: 'src/adapters/indexeddb/schema.ts', from: 'FORMAT_VERSION = 1' },
    to: 'FORMAT_VERSION = 2',
  },
]
const APART = /one page speaks link protocol [12]-[12], the other [12]-[12]: reload the older page/

/** A link of the one server, opened from another one that has another build of the pages. */
function from(server: RunningServer, site: Site, link: string): string {
  const url = new URL(link)
  url.port = String(server.port)
  url.searchParams.set('signal', `${site.url.replace('http', 'ws')}/signal`)
  return url.href
}

async function workTogether(
  site: Site,
  next: RunningServer,
  browser: BrowserProcess,
): Promise<void> {
  const link = site.room()
  const machines: MachinePage[] = []
  for (const url of [link, from(next, site, link), link]) {
    machines.push(await openMachine(browser, url))
  }
  for (const machine of machines) await machine.expectWhole()
  const [old, fresh] = machines
  if (old === undefined || fresh === undefined) throw new Error('three machines')
  await expect(old.page.locator('#advice')).toContainText(
    `Works together with version ${NEXT}; this tab runs 0.1.0.`,
    { timeout: PATIENCE_MS },
  )
  await expect(fresh.page.locator('#advice')).toContainText(
    `Works together with version 0.1.0; this tab runs ${NEXT}.`,
    { timeout: PATIENCE_MS },
  )
  await put(await TabClient.open(fresh.member), '/by-the-next', 'yes')
  expect(await latest(await TabClient.open(old.member), '/by-the-next')).toBe('yes')
  for (const machine of machines) await machine.page.close()
}

async function refuseEachOther(
  site: Site,
  later: RunningServer,
  browser: BrowserProcess,
): Promise<void> {
  const link = site.room()
  const machines: MachinePage[] = []
  for (let i = 0; i < 3; i++) machines.push(await openMachine(browser, link))
  for (const machine of machines) await machine.expectWhole()
  const [one] = machines
  if (one === undefined) throw new Error('three machines')
  const { cluster = null } = one.state ?? {}
  const since = Date.now()
  const stranger = await openMachine(browser, from(later, site, one.page.url()))
  for (const machine of [one, stranger]) {
    await expect(machine.page.locator('#advice')).toHaveText(APART, { timeout: PATIENCE_MS })
  }
  await stranger.expectState({ phase: 'waiting', sid: null, member: null, peers: [] })
  await put(await TabClient.open(one.member), '/unharmed', 'yes')
  await one.expectState({ cluster })
  expectRolesKept(
    machines.map(({ member }) => member),
    since,
  )
  for (const machine of [...machines, stranger]) await machine.page.close()
}

/** The pages of the same address are of the later build for a while, then of the old one again. */
async function newerStorage(site: Site, folder: string, browser: BrowserProcess): Promise<void> {
  const link = site.room('&size=1')
  await site.stop()
  await site.start(folder)
  const later = await openMachine(browser, link)
  await expect(later.status).toHaveText(/leads/, { timeout: PATIENCE_MS })
  await (await TabClient.open(later.member)).create('/in-the-later-format', 'kept')
  await later.page.close()
  await site.stop()
  await site.start(DIST)
  const old = await openMachine(browser, link)
  await expect(old.page.getByRole('alert')).toContainText(
    /storage was written by a newer version of zabra .*reload the page to get that version/,
    { timeout: PATIENCE_MS },
  )
  await old.page.close()
  await site.stop()
  await site.start(folder)
  const again = await openMachine(browser, link)
  await expect(again.status).toHaveText(/leads/, { timeout: PATIENCE_MS })
  expect(await latest(await TabClient.open(again.member), '/in-the-later-format')).toBe('kept')
}

test('other builds: work together and say so, or refuse and say why, and harm nothing', async ({
  site,
  newBrowser,
}) => {
  test.setTimeout(240_000)
  await using next = await Variant.build(NEXT_BUILD)
  await using later = await Variant.build(LATER_BUILD)
  const servers = [
    await startServer({ port: 0, staticDir: next.folder }),
    await startServer({ port: 0, staticDir: later.folder }),
  ] as const
  try {
    const browser = await newBrowser()
    // A page that stays: with its last page a browser goes.
    await (await browser.newPage()).goto(`${site.url}/`)
    await test.step('one protocol', () => workTogether(site, servers[0], browser))
    await test.step('no protocol', () => refuseEachOther(site, servers[1], browser))
    await test.step('newer storage', () => newerStorage(site, later.folder, browser))
  } finally {
    for (const server of servers) await server.close()
  }
})
