// The package as its users have it: an app of its own, built from the packed tarball, in real tabs.
import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, type CDPSession, type Page } from 'playwright/test'
import { build, createServer } from 'vite'
import { startServer } from '../../src/edge/serve.ts'
import { installInto, packInto, TOP, withFolder } from '../package/packed.ts'
import { isInReadme, readmeProgram } from '../package/readme-program.ts'
import type { BrowserProcess } from '../../src/playwright/browser-process.ts'
import type { Room } from '../../src/browser/room.ts'
import type * as zabraInTree from '../../src/index.ts'
import { test } from '../../src/playwright/fixtures.ts'
import { PATIENCE_MS } from './machine-page.ts'

const EXAMPLE = join(TOP, 'demo/example-app')
const ADDRESS_OF_README = 'http://localhost:5173/'
const SIGNALING_OF_README = 'ws://127.0.0.1:4180/signal'

interface ExampleWindow {
  readonly example: { readonly room: Room; readonly wish: () => Promise<void> }
}

/** Packing, installing and building come on top of what pages take. */
test.describe.configure({ timeout: 240_000 })

const AT_ONCE_MS = 6_000
const LEAVES_MAX = 3

/** A wish that is kept was acknowledged: it must be counted. One that is not may be. */
class Wishes {
  kept = 0
  doubtful = 0

  async make(page: Page): Promise<void> {
    const isKept = await page
      .evaluate(() => (window as unknown as ExampleWindow).example.wish())
      .then(
        () => true,
        () => false,
      )
    if (isKept) this.kept++
    else this.doubtful++
  }

  /** Until one is kept: the first ones after a crash may meet one more election. */
  async makeOne(page: Page): Promise<void> {
    const before = this.kept
    const until = performance.now() + PATIENCE_MS
    while (this.kept === before && performance.now() < until) await this.make(page)
    expect(this.kept).toBe(before + 1)
  }

  async expectCounted(pages: readonly Page[]): Promise<void> {
    for (const page of pages) {
      await expect
        .poll(async () => Number(await page.getByLabel('counter').textContent()), {
          timeout: PATIENCE_MS,
          message: 'the counter',
        })
        .toBeGreaterThanOrEqual(this.kept)
      const counted = Number(await page.getByLabel('counter').textContent())
      expect(counted).toBeLessThanOrEqual(this.kept + this.doubtful)
    }
  }
}

test('an app from the tarball goes on when tabs crash, and loses nothing', async ({
  newBrowser,
}) => {
  await withFolder(async (folder) => {
    const { app, dist } = await builtExample(folder)
    const browser = await newBrowser()

    await test.step('built by Vite', async () => {
      const server = await startServer({ port: 0, staticDir: dist })
      try {
        await useAndCrash(browser, `http://localhost:${server.port}/`)
      } finally {
        await server.close()
      }
    })

    await test.step('its test with zabra/playwright', async () => {
      const server = await startServer({ port: 0, staticDir: dist })
      try {
        await playOwnTest(app, `http://localhost:${server.port}/`)
      } finally {
        await server.close()
      }
    })

    await test.step('without a bundler', async () => {
      await withoutBundler(app)
      const server = await startServer({ port: 0, staticDir: app })
      try {
        const pages = await openThree(browser, `http://localhost:${server.port}/plain.html`)
        const wishes = new Wishes()
        for (const page of pages) await wishes.make(page)
        await wishes.expectCounted(pages)
        await joinedByAClient(browser, pages, wishes)
        await expectGoneAtOnce(pages)
        await everythingSettles(browser, `http://localhost:${server.port}/plain.html`)
      } finally {
        await server.close()
      }
    })

    await test.step('in the development server of Vite', () => inDevelopment(browser, app))
  })
})

test('the program of the README, pasted into a page', async ({ newBrowser }) => {
  await withFolder(async (folder) => {
    const app = join(folder, 'app')
    await installInto(app, (await packInto(folder)).tarball)
    const signaling = await startServer({ port: 0 })
    const program = (await readmeProgram()).replace(
      SIGNALING_OF_README,
      `ws://127.0.0.1:${signaling.port}/signal`,
    )
    await writeFile(join(app, 'main.js'), program)
    const script = '<script type="module" src="./main.js"></script>'
    await writeFile(join(app, 'index.html'), `<!doctype html><body>${script}</body>`)
    await build({ root: app, configFile: false, logLevel: 'warn' })
    const server = await startServer({ port: 0, staticDir: join(app, 'dist') })
    try {
      const browser = await newBrowser()
      const context = await browser.context()
      const first = await context.newPage()
      await first.goto(`http://localhost:${server.port}/`)
      await expect(first).toHaveURL(/room=.*#.*\./, { timeout: PATIENCE_MS })
      await expect(first).toHaveTitle(/1 of 3|2 more/, { timeout: PATIENCE_MS })
      const pages = [first, await context.newPage(), await context.newPage()]
      for (const page of pages.slice(1)) await page.goto(first.url())
      const all = /tab-\d{10} .*tab-\d{10}.*tab-\d{10}.*tab-\d{10}/
      for (const page of pages) {
        await expect(page.locator('body')).toHaveText(all, { timeout: PATIENCE_MS })
      }
    } finally {
      await server.close()
      await signaling.close()
    }
  })
})

async function builtExample(folder: string): Promise<{ app: string; dist: string }> {
  const { tarball } = await packInto(folder)
  const app = join(folder, 'app')
  await installInto(app, tarball)
  for (const name of ['index.html', 'main.js']) await cp(join(EXAMPLE, name), join(app, name))
  const { config } = (await import(join(EXAMPLE, 'vite.config.js'))) as ExampleConfig
  // Vite itself is this repository's; zabra comes from the folder's own node_modules.
  await build({ ...config, root: app, configFile: false, logLevel: 'warn' })
  return { app, dist: join(app, 'dist') }
}

/** As its README says: with the kit of the tarball, in browsers of its own. */
async function playOwnTest(app: string, address: string): Promise<void> {
  const spec = join(EXAMPLE, 'failures.spec.js')
  expect(await isInReadme(spec)).toBe(true)
  const text = await readFile(spec, 'utf8')
  await writeFile(join(app, 'failures.spec.js'), text.replace(ADDRESS_OF_README, address))
  const runner = join(TOP, 'node_modules/playwright')
  await symlink(runner, join(app, 'node_modules/playwright'))
  const program = [
    join(runner, 'cli.js'),
    'test',
    '--workers=1',
    '--timeout=120000',
    '--reporter=line',
  ]
  // A runner within a runner: it must not take itself for a worker of this one.
  const own = Object.entries(process.env).filter(([name]) => !/^(TEST|PW|PLAYWRIGHT)/.test(name))
  const { stdout } = await promisify(execFile)(process.execPath, program, {
    cwd: app,
    env: Object.fromEntries(own),
  })
  expect(stdout).toContain('1 passed')
}

interface ExampleConfig {
  readonly config: { readonly base: string; readonly build: { readonly target: string } }
}

/** The same program; the browser resolves what it imports. */
async function withoutBundler(app: string): Promise<void> {
  const main = await readFile(join(app, 'main.js'), 'utf8')
  const plain = main
    .replaceAll("'zabra'", "'./node_modules/zabra/lib/index.js'")
    .replaceAll("'zabra/client'", "'./node_modules/zabra/lib/client.js'")
  await writeFile(join(app, 'plain.js'), plain)
  const page = await readFile(join(app, 'index.html'), 'utf8')
  await writeFile(join(app, 'plain.html'), page.replace('./main.js', './plain.js'))
  await writeFile(join(app, 'quiet.html'), '<!doctype html><title>Nothing by itself</title>')
  await writeFile(join(app, 'silent.js'), '')
}

async function openThree(browser: BrowserProcess, address: string): Promise<Page[]> {
  const context = await browser.context()
  const first = await context.newPage()
  await first.goto(address)
  const link = first.getByRole('link')
  await expect(link).toHaveText(/#/, { timeout: PATIENCE_MS })
  const shared = (await link.textContent()) ?? ''
  const pages = [first, await context.newPage(), await context.newPage()]
  for (const page of pages.slice(1)) await page.goto(shared)
  for (const page of pages) await expectInUse(page, 3)
  return pages
}

async function expectInUse(page: Page, pages: number): Promise<void> {
  await expect(page.getByRole('button')).toBeEnabled({ timeout: PATIENCE_MS })
  await expect(page.getByLabel('pages').getByRole('listitem')).toHaveCount(pages, {
    timeout: PATIENCE_MS,
  })
}

async function useAndCrash(browser: BrowserProcess, address: string): Promise<void> {
  const pages = await openThree(browser, address)
  const wishes = new Wishes()
  for (const page of pages) await wishes.make(page)
  await wishes.expectCounted(pages)

  const leader = await leaderOf(pages)
  const others = pages.filter((page) => page !== leader)
  // The leader's server falls silent while all wish.
  const wishing = Promise.all([...others, ...others, ...others].map((page) => wishes.make(page)))
  await leader.evaluate(() => (window as unknown as ExampleWindow).example.room.crash())
  await wishing
  for (const page of others) await wishes.makeOne(page)
  await wishes.expectCounted(others)
  for (const page of others) await expectInUse(page, 2)

  await leader.reload()
  for (const page of pages) await expectInUse(page, 3)
  await wishes.expectCounted(pages)

  // The browser's own crash: nothing of the page runs any more.
  const second = await leaderOf(pages)
  const survivors = pages.filter((page) => page !== second)
  const more = Promise.all([...survivors, ...survivors].map((page) => wishes.make(page)))
  await crash(second)
  await more
  for (const page of survivors) await wishes.makeOne(page)
  await wishes.expectCounted(survivors)
  expect(wishes.kept).toBeGreaterThanOrEqual(7)
  await Promise.all(pages.map((page) => page.close()))
}

/** A page that runs no server, and loads none. */
async function joinedByAClient(
  browser: BrowserProcess,
  pages: readonly Page[],
  wishes: Wishes,
): Promise<void> {
  const address = new URL(pages[0]?.url() ?? '')
  address.searchParams.set('role', 'client')
  const page = await (await browser.context()).newPage()
  const requested: string[] = []
  page.on('request', (request) => requested.push(new URL(request.url()).pathname))
  await page.goto(address.href)
  for (const one of [page, ...pages]) await expectInUse(one, 4)
  await expect(page.getByRole('status', { name: 'room' })).toHaveText(/a client only/)
  await wishes.make(page)
  await wishes.expectCounted([page, ...pages])
  expect(page.workers()).toEqual([])
  expect(requested.filter((path) => /worker|member-tab|create-room/.test(path))).toEqual([])
  await page.close()
  for (const one of pages) await expectInUse(one, 3)
}

/** What cannot go well says so: nothing waits for ever, and each error tells what to do. */
async function everythingSettles(browser: BrowserProcess, address: string): Promise<void> {
  const page = await (await browser.context()).newPage()
  await page.goto(new URL('quiet.html', address).href)
  const outcomes = await page.evaluate(async () => {
    const path = '/node_modules/zabra/lib/index.js'
    const zabra = (await import(path)) as typeof zabraInTree
    const why = (promise: Promise<unknown>): Promise<string> =>
      promise.then(
        () => 'no error',
        (error: { name: string; code?: string; message: string }) =>
          `${error.name} ${error.code ?? ''}: ${error.message}`,
      )
    const link = await zabra.createRoom({ page: '/plain.html' })
    const module = { type: 'module' } as const
    const missing = (): Worker => new Worker('/missing.js', module)
    const silent = (): Worker => new Worker('/silent.js', module)
    const lonely = await zabra.joinRoom({ link, identity: null })
    const found = {
      name: await why(zabra.createRoom({ name: '?' })),
      size: await why(zabra.createRoom({ size: 99 })),
      link: await why(zabra.joinRoom({ link: '/' })),
      signaling: await why(zabra.joinRoom({ link, signaling: 'ftp://localhost' })),
      worker: await why(zabra.joinRoom({ link, worker: missing })),
      silent: await why(zabra.joinRoom({ link, worker: silent, timeoutMs: 500 })),
      aborted: await why(zabra.joinRoom({ link, signal: AbortSignal.abort(new Error('no')) })),
      lonely: await why(lonely.openClient({ timeoutMs: 200 })),
      given: await why(lonely.openClient({ signal: AbortSignal.timeout(100) })),
      waiting: '',
      afterwards: '',
      ended: '',
    }
    const waiting = why(lonely.openClient())
    await lonely.close()
    found.waiting = await waiting
    found.afterwards = await why(lonely.openClient())
    found.ended = String(lonely.ended.reason)
    return found
  })
  const wanted: Record<keyof typeof outcomes, RegExp> = {
    name: /^RoomLinkError bad-room/,
    size: /^RoomLinkError bad-size: A room has 1 to 9/,
    link: /^RoomLinkError no-room/,
    signaling: /^RoomError bad-option: .*ws: or wss:/,
    worker: /^RoomError failed: .*zabra\/worker/,
    silent: /^RoomError timeout: .*0\.5 s.*zabra\/worker/,
    aborted: /^Error : no$/,
    lonely: /^RoomError timeout: .*2 more tabs/,
    given: /^TimeoutError/,
    waiting: /^RoomError closed: The room was left\.$/,
    afterwards: /^RoomError closed: The room was left\.$/,
    ended: /^RoomError: The room was left\.$/,
  }
  for (const [name, text] of Object.entries(outcomes)) {
    expect(text, name).toMatch(wanted[name as keyof typeof outcomes])
  }
  await page.close()
}

/**
 * Its session asks to be closed when the page is left. A page that leads takes the question along,
 * before anybody could commit it; so may one whose worker gets no processor in its last moment.
 * Sessions that nobody closed expire after 6.7 s at the earliest (10 s, last heard of 3.3 s ago).
 */
async function expectGoneAtOnce(pages: readonly Page[]): Promise<void> {
  const tookMs: number[] = []
  for (let i = 0; i < LEAVES_MAX && !tookMs.some((ms) => ms < AT_ONCE_MS); i++) {
    const leader = await leaderOf(pages)
    const leaving = pages.find((page) => page !== leader)
    const others = pages.filter((page) => page !== leaving)
    await leaving?.goto('about:blank')
    const begun = performance.now()
    for (const page of others) await expectInUse(page, 2)
    tookMs.push(performance.now() - begun)
    await leaving?.goto(others[0]?.url() ?? '')
    for (const page of pages) await expectInUse(page, 3)
  }
  expect(Math.min(...tookMs)).toBeLessThan(AT_ONCE_MS)
  await Promise.all(pages.map((page) => page.close()))
}

/** One tab is enough: it finds its worker, which stores and says what it waits for. */
async function inDevelopment(browser: BrowserProcess, app: string): Promise<void> {
  const signaling = await startServer({ port: 0 })
  const proxy = { '/signal': { target: `ws://127.0.0.1:${signaling.port}`, ws: true } }
  const cacheDir = join(app, '.vite')
  await mkdir(cacheDir, { recursive: true })
  const server = await createServer({
    root: app,
    configFile: false,
    cacheDir,
    logLevel: 'error',
    server: { port: 0, host: '127.0.0.1', proxy },
  })
  await server.listen()
  try {
    const page = await (await browser.context()).newPage()
    await page.goto(server.resolvedUrls?.local[0] ?? '')
    await expect(page.getByRole('status', { name: 'room' })).toHaveText(/1 of 3|2 more/, {
      timeout: PATIENCE_MS,
    })
    await page.close()
  } finally {
    await server.close()
    await signaling.close()
  }
}

async function leaderOf(pages: readonly Page[]): Promise<Page> {
  for (const page of pages) {
    const role = await page.evaluate(
      () => (window as unknown as ExampleWindow).example.room.status.member?.role,
    )
    if (role === 'leading') return page
  }
  throw new Error('nobody leads')
}

async function crash(page: Page): Promise<void> {
  const session: CDPSession = await page.context().newCDPSession(page)
  const crashed = page.waitForEvent('crash')
  // It never answers.
  session.send('Page.crash').catch(() => {})
  await crashed
}
