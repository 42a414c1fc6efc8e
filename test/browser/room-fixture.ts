/** The real server, real browsers on profiles of their own, and rooms in them. */
import { mkdtemp, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test as base, chromium, type BrowserContext, type Page } from 'playwright/test'
import { startServer, type RunningServer } from '../../src/edge/serve.ts'
import { attachFlights } from './attach-flights.ts'
import { MachinePage } from './machine-page.ts'

/** As root no sandbox; background networking only makes noise; names by mDNS need multicast. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
]
const DIST = fileURLToPath(new URL('../../dist', import.meta.url))

export interface BrowserOptions {
  readonly dark?: boolean
  /** Of Chromium, besides the usual ones. */
  readonly flags?: readonly string[]
  /** Starts the browser elsewhere, as in a network of its own. */
  readonly program?: string
}

/** One browser process with a profile that outlives it. */
export class Browser {
  readonly profile: string
  #context: BrowserContext | null = null
  readonly #dark: boolean
  readonly #flags: readonly string[]
  readonly #program: string | undefined

  constructor(profile: string, options: BrowserOptions = {}) {
    this.profile = profile
    this.#dark = options.dark ?? false
    this.#flags = options.flags ?? []
    this.#program = options.program
  }

  async context(): Promise<BrowserContext> {
    this.#context ??= await this.#launch()
    return this.#context
  }

  async open(url: string): Promise<MachinePage> {
    const context = await this.context()
    const blank = context.pages().find((page) => page.url() === 'about:blank')
    const page = blank ?? (await context.newPage())
    await page.goto(url)
    return new MachinePage(page)
  }

  /** SIGKILL to the whole browser: what a power cut leaves of a process. */
  async kill(): Promise<void> {
    const context = this.#context
    this.#context = null
    if (context === null) return
    const gone = new Promise((resolve) => context.once('close', resolve))
    process.kill(await this.#pid(), 'SIGKILL')
    await gone
    for (const name of ['SingletonLock', 'SingletonSocket', 'SingletonCookie']) {
      await rm(join(this.profile, name), { force: true })
    }
  }

  /** SIGSTOP to all of its processes: a closed lid. Until `wake`, nothing of it answers. */
  async sleep(): Promise<void> {
    process.kill(-(await this.#pid()), 'SIGSTOP')
  }

  async wake(): Promise<void> {
    process.kill(-(await this.#pid()), 'SIGCONT')
  }

  /** Open now; none when the browser was killed. */
  get pages(): readonly Page[] {
    return this.#context?.pages() ?? []
  }

  async close(): Promise<void> {
    await this.#context?.close()
    this.#context = null
  }

  /** All tabs; what they stored stays with the origins that they came from. */
  async closeTabs(): Promise<void> {
    const context = this.#context
    if (context === null) return
    const tabs = context.pages()
    // With its last tab a browser goes.
    await context.newPage()
    await Promise.all(tabs.map((tab) => tab.close()))
    await context.clearPermissions()
  }

  /** It leads a group of its own. The lock's target names who holds the profile: HOST-PID. */
  async #pid(): Promise<number> {
    const holder = await readlink(join(this.profile, 'SingletonLock'))
    return Number(holder.slice(holder.lastIndexOf('-') + 1))
  }

  async #launch(): Promise<BrowserContext> {
    const executablePath = this.#program ?? process.env['ZABRA_BROWSER']
    return chromium.launchPersistentContext(this.profile, {
      ...(executablePath === undefined ? {} : { executablePath }),
      args: [...FLAGS, ...this.#flags],
      colorScheme: this.#dark ? 'dark' : 'light',
    })
  }
}

export interface Fixtures {
  /** The server of `npm start`; may be stopped and started again on the same port. */
  readonly site: Site
  readonly newBrowser: (options?: BrowserOptions) => Promise<Browser>
}

export interface WorkerFixtures {
  /**
   * Starting a browser costs more than most of what is done with it. One test after the other has
   * it, each from an origin of its own, as every site has a port of its own.
   */
  readonly warmBrowser: Browser
}

export class Site {
  #server: RunningServer | null = null
  #port = 0

  get url(): string {
    return `http://localhost:${this.#port}`
  }

  /** `folder`: of the pages of another build. */
  async start(folder: string = DIST): Promise<void> {
    this.#server = await startServer({ port: this.#port, staticDir: folder })
    this.#port = this.#server.port
  }

  async stop(): Promise<void> {
    await this.#server?.close()
    this.#server = null
  }

  /** A link as a person types it, of a room that nobody else has. */
  room(query = ''): string {
    const name = `room${Math.random().toString(36).slice(2, 10)}`
    return `${this.url}/machine.html?room=${name}${query}#a-secret-that-nobody-guesses`
  }
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  warmBrowser: [
    async ({}, use) => {
      const browser = await onNewProfile()
      await use(browser)
      await remove(browser)
    },
    { scope: 'worker' },
  ],
  site: async ({}, use) => {
    const site = new Site()
    await site.start()
    await use(site)
    await site.stop()
  },
  newBrowser: async ({ warmBrowser }, use, testInfo) => {
    const browsers: Browser[] = []
    await use(async (options) => {
      const isWarm = options === undefined && !browsers.includes(warmBrowser)
      const browser = isWarm ? warmBrowser : await onNewProfile(options)
      browsers.push(browser)
      return browser
    })
    if (testInfo.status !== testInfo.expectedStatus) await attachFlights(browsers, testInfo)
    for (const browser of browsers) {
      if (browser === warmBrowser) await browser.closeTabs()
      else await remove(browser)
    }
  },
})

async function onNewProfile(options?: BrowserOptions): Promise<Browser> {
  return new Browser(await mkdtemp(join(tmpdir(), 'zabra-profile-')), options)
}

async function remove(browser: Browser): Promise<void> {
  await browser.close()
  await rm(browser.profile, { recursive: true, force: true, maxRetries: 5 })
}

/** Three machines in one browser, all serving. */
export async function openThree(browser: Browser, link: string): Promise<MachinePage[]> {
  const machines: MachinePage[] = []
  for (let i = 0; i < 3; i++) machines.push(await browser.open(link))
  for (const machine of machines) await machine.expectWhole()
  return machines
}

/** In order of server id: the page of machine 1 first. */
export async function bySid(machines: readonly MachinePage[]): Promise<MachinePage[]> {
  const sids = new Map<MachinePage, number>()
  for (const machine of machines) sids.set(machine, (await machine.sid()) ?? 0)
  return [...machines].sort((a, b) => (sids.get(a) ?? 0) - (sids.get(b) ?? 0))
}

export async function leaderOf(machines: readonly MachinePage[]): Promise<MachinePage> {
  for (const machine of machines) if (await machine.isLeading()) return machine
  throw new Error('nobody leads')
}
