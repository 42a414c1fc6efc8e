/**
 * Signaling and the WebRTC transport between real pages of a real Chromium, through the real
 * server. The channels live in the pages' workers.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test, type Page } from 'playwright/test'
import { build } from 'vite'
import { startServer, type RunningServer } from '../../src/edge/serve.ts'
import { BrowserProcess } from '../../src/playwright/browser-process.ts'
import { flipByte, LyingBroker, swapFingerprint } from './lying-broker.ts'
import type { StartOptions } from './pages/transport.page.ts'
import type { LinkReport } from './pages/transport.protocol.ts'

const SECRET = 'AAAAAAAAAAAAAAAAAAAAAA'

let folder: string
let server: RunningServer
let browser: BrowserProcess
let roomCount = 0

test.beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zabra-transport-'))
  await build({
    // Not the project's own file: its pages would be built as well.
    configFile: false,
    base: './',
    resolve: { alias: { 'simple-peer': 'simple-peer/simplepeer.min.js' } },
    worker: { format: 'es' },
    root: fileURLToPath(new URL('./pages', import.meta.url)),
    logLevel: 'error',
    build: {
      outDir: folder,
      emptyOutDir: true,
      rolldownOptions: {
        input: fileURLToPath(new URL('./pages/transport.html', import.meta.url)),
      },
    },
  })
  server = await startServer({ port: 0, staticDir: folder })
  browser = await BrowserProcess.create({ faults: false })
})

test.afterAll(async () => {
  await browser?.remove()
  await server?.close()
  await rm(folder, { recursive: true, force: true })
})

test.afterEach(async () => {
  for (const page of browser.pages.slice(1)) await page.close()
})

async function openPage(options: Partial<StartOptions> = {}): Promise<Page> {
  const page = await (await browser.context()).newPage()
  page.on('pageerror', (error) => console.error('page error', error))
  await page.goto(`http://127.0.0.1:${server.port}/transport.html`)
  await page.evaluate((start) => transport.start(start), {
    room: `room-${roomCount}`,
    secret: SECRET,
    ...options,
  })
  return page
}

function linksOf(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    transport
      .status()
      .filter((peer) => peer.state === 'connected')
      .map((peer) => peer.linkId ?? ''),
  )
}

async function waitForLinks(page: Page, count: number): Promise<string[]> {
  await expect.poll(() => linksOf(page), { timeout: 15_000 }).toHaveLength(count)
  return linksOf(page)
}

function workerLinks(page: Page): Promise<LinkReport[]> {
  return page.evaluate(() => transport.ask({ kind: 'links' }) as Promise<LinkReport[]>)
}

function roundtrip(page: Page, link: string, bytes: number): Promise<unknown> {
  return page.evaluate((request) => transport.ask({ kind: 'roundtrip', ...request }), {
    link,
    bytes,
  })
}

test.beforeEach(() => {
  roomCount++
})

test('three pages form a full mesh whose channels live in their workers', async () => {
  const pages = await Promise.all([openPage(), openPage(), openPage()])
  for (const page of pages) {
    const links = await waitForLinks(page, 2)
    for (const link of links) expect(await roundtrip(page, link, 100)).toBe(true)
    const reports = (await workerLinks(page)).filter((one) => links.includes(one.link))
    expect(reports.map((one) => one.carrier)).toEqual(Array(4).fill('channel'))
    const arrivals = await page.evaluate(() => transport.arrivals)
    expect(arrivals).toEqual(await pages[0].evaluate(() => transport.arrivals))
    expect(arrivals).toHaveLength(3)
  }
})

test('messages of every size go both ways, whole and in order', async () => {
  const pages = await Promise.all([openPage(), openPage()])
  for (const page of pages) {
    const [link = ''] = await waitForLinks(page, 1)
    for (const bytes of [0, 1, 65_534, 65_535, 65_536, 262_144, 1_000_000, 4_000_000]) {
      expect(await roundtrip(page, link, bytes), `${bytes} bytes`).toBe(true)
    }
    const burst = { link, count: 60, bytes: 100_000 }
    expect(
      await page.evaluate((request) => transport.ask({ kind: 'burst', ...request }), burst),
    ).toBe(true)
  }
})

test('client connections are multiplexed over the client channel, from both sides', async () => {
  const pages = await Promise.all([openPage(), openPage()])
  for (const page of pages) {
    const [link = ''] = await waitForLinks(page, 1)
    const echoes = await page.evaluate(
      (name) => transport.ask({ kind: 'muxEcho', link: name, texts: ['a', 'b'] }),
      link,
    )
    expect(echoes).toEqual(['hello:a', 'hello:b'])
  }
})

test('where channels cannot be moved, a port relays them', async () => {
  const [plain, relayed] = await Promise.all([openPage(), openPage({ relay: true })])
  const [link = ''] = await waitForLinks(relayed, 1)
  const [other = ''] = await waitForLinks(plain, 1)
  expect((await workerLinks(relayed)).map((one) => one.carrier)).toEqual(['port', 'port'])
  expect(await roundtrip(relayed, link, 1_000_000)).toBe(true)
  expect(await roundtrip(plain, other, 1_000_000)).toBe(true)
  const burst = { link: other, count: 30, bytes: 100_000 }
  expect(
    await plain.evaluate((request) => transport.ask({ kind: 'burst', ...request }), burst),
  ).toBe(true)
})

test('page messages go over the verified connection', async () => {
  const [one, two] = await Promise.all([openPage(), openPage()])
  const [link = ''] = await waitForLinks(one, 1)
  await waitForLinks(two, 1)
  expect(await one.evaluate((name) => transport.sendPage(name, 'founding'), link)).toBe(true)
  await expect.poll(() => two.evaluate(() => transport.pageTexts)).toEqual(['founding'])
  expect(await one.evaluate((name) => transport.sendPage(name, 'x'.repeat(70_000)), link)).toBe(
    false,
  )
})

test('a page that is left says so at once', async () => {
  const [stays, leaves] = await Promise.all([openPage(), openPage()])
  await waitForLinks(stays, 1)
  await waitForLinks(leaves, 1)
  await leaves.close({ runBeforeUnload: false })
  await expect
    // Without a word it would take 15 s.
    .poll(() => stays.evaluate(() => transport.closed.length), { timeout: 10_000 })
    .toBeGreaterThan(0)
  // The worker hears of its own channel, in a task of its own.
  await expect.poll(async () => (await workerLinks(stays))[0]?.closed ?? null).not.toBeNull()
  await expect.poll(() => stays.evaluate(() => transport.status())).toEqual([])
})

test('a link is replaced by a fresh one, whichever side asks', async () => {
  const pages = await Promise.all([openPage(), openPage()])
  for (const page of pages) {
    const [before = ''] = await waitForLinks(page, 1)
    await page.evaluate((link) => transport.replace(link), before)
    await expect.poll(async () => (await linksOf(page))[0] ?? before).not.toBe(before)
    for (const each of pages) {
      const [link = ''] = await waitForLinks(each, 1)
      expect(await roundtrip(each, link, 1000)).toBe(true)
    }
  }
})

test('links outlive the broker, and its empty successor brings newcomers in', async () => {
  const broker = await startServer({ port: 0 })
  const signalUrl = `ws://127.0.0.1:${broker.port}/signal`
  const [one, two] = await Promise.all([openPage({ signalUrl }), openPage({ signalUrl })])
  const [link = ''] = await waitForLinks(one, 1)
  await waitForLinks(two, 1)
  await broker.close()
  await expect.poll(() => one.evaluate(() => transport.signalState())).not.toBe('joined')
  expect(await roundtrip(one, link, 1_000_000)).toBe(true)
  // Suspected while no broker is there: new channels on the connection that still stands.
  await one.evaluate((name) => transport.replace(name), link)
  await expect.poll(() => linksOf(one)).toEqual([`${link}.1`])
  for (const page of [one, two]) {
    const [renewed = ''] = await waitForLinks(page, 1)
    expect(await roundtrip(page, renewed, 1_000_000)).toBe(true)
  }
  const third = await openPage({ signalUrl })
  const again = await startServer({ port: broker.port })
  try {
    await waitForLinks(third, 2)
    expect(await linksOf(one)).toContain(`${link}.1`)
    expect(await roundtrip(one, `${link}.1`, 1_000_000)).toBe(true)
  } finally {
    await again.close()
  }
})

test('another secret is another room', async () => {
  const [one, two, stranger] = await Promise.all([
    openPage(),
    openPage(),
    openPage({ secret: 'BBBBBBBBBBBBBBBBBBBBBB' }),
  ])
  await waitForLinks(one, 1)
  await waitForLinks(two, 1)
  await expect.poll(() => stranger.evaluate(() => transport.arrivals)).toHaveLength(1)
  expect(await stranger.evaluate(() => transport.signalState())).toBe('joined')
  expect(await stranger.evaluate(() => transport.status())).toEqual([])
})

test('a peer that cannot prove its key is refused', async () => {
  const [honest, forger] = await Promise.all([openPage(), openPage({ forge: true })])
  const reason = (page: Page): Promise<string> =>
    page.evaluate(() => transport.status()[0]?.reason ?? '')
  await expect.poll(() => reason(honest), { timeout: 15_000 }).toContain('signature')
  await expect.poll(() => reason(forger), { timeout: 15_000 }).toContain('refused-by-peer')
  expect(await honest.evaluate(() => transport.admitted)).toEqual([])
})

test('a peer that the worker does not admit hears why', async () => {
  const [closed, guest] = await Promise.all([openPage({ refuseAll: true }), openPage()])
  await expect
    .poll(() => guest.evaluate(() => transport.status()[0]?.reason ?? ''), { timeout: 15_000 })
    .toContain('nobody is wanted here')
  expect(await closed.evaluate(() => transport.admitted)).toEqual([])
})

test('a broker that alters sealed messages brings nobody together', async () => {
  const broker = new LyingBroker(flipByte)
  const signalUrl = await broker.start()
  const pages = await Promise.all([openPage({ signalUrl }), openPage({ signalUrl })])
  try {
    for (const page of pages) {
      await expect
        .poll(() => page.evaluate(() => transport.refused.join()), { timeout: 15_000 })
        .toContain('altered')
      expect(await linksOf(page)).toEqual([])
    }
  } finally {
    await broker.close()
  }
})

test('a broker in the middle that knows the secret is caught by the fingerprints', async () => {
  let swaps = 0
  const lie = swapFingerprint(`room-${roomCount}`, SECRET, () => {
    swaps++
  })
  const broker = new LyingBroker(lie)
  const signalUrl = await broker.start()
  const pages = await Promise.all([openPage({ signalUrl }), openPage({ signalUrl })])
  try {
    await expect.poll(() => swaps, { timeout: 15_000 }).toBeGreaterThan(0)
    for (const page of pages) {
      await expect
        .poll(() => page.evaluate(() => transport.closed.length), { timeout: 30_000 })
        .toBeGreaterThan(0)
      expect(await page.evaluate(() => transport.admitted)).toEqual([])
    }
  } finally {
    await broker.close()
  }
})
