/** One browser process of a test, with a profile that outlives it. */
import { mkdtemp, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type BrowserContext, type Page } from 'playwright/test'
import { KitContext, type KitListener, type KitSettings } from './kit-context.ts'

/** Background networking only makes noise; names by mDNS need multicast. */
const FLAGS = [
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
]
/** As root Chromium starts without its sandbox only. */
const ROOT_FLAGS = process.getuid?.() === 0 ? ['--no-sandbox'] : []

export interface BrowserOptions extends KitSettings {
  readonly dark?: boolean
  /** Of Chromium, besides the usual ones. */
  readonly flags?: readonly string[]
  /** Default: the Chromium of Playwright, or `ZABRA_BROWSER`. */
  readonly executablePath?: string
  readonly headless?: boolean
  /** Signals to this process close the browser, and so does its end. Default true. */
  readonly closesOnSignals?: boolean
}

export class BrowserProcess {
  readonly profile: string
  readonly #options: BrowserOptions
  #kit: KitContext | null = null
  #launching: Promise<KitContext> | null = null
  #listener: KitListener | null = null
  /** Tabs that are somebody's already. */
  readonly #taken = new WeakSet<Page>()

  private constructor(profile: string, options: BrowserOptions) {
    this.profile = profile
    this.#options = options
  }

  static async create(options: BrowserOptions = {}): Promise<BrowserProcess> {
    return new BrowserProcess(await mkdtemp(join(tmpdir(), 'zabra-profile-')), options)
  }

  /** Also of the processes that come after a kill. */
  set listener(listener: KitListener) {
    this.#listener = listener
    if (this.#kit !== null) this.#kit.listener = listener
  }

  /** Started when it is needed, with the profile as it is. */
  async kit(): Promise<KitContext> {
    this.#launching ??= this.#launch()
    return this.#launching
  }

  async context(): Promise<BrowserContext> {
    return (await this.kit()).context
  }

  /** A page that shows nothing yet. */
  async newPage(): Promise<Page> {
    const context = await this.context()
    const isFree = (page: Page): boolean => page.url() === 'about:blank' && !this.#taken.has(page)
    const page = context.pages().find(isFree) ?? (await context.newPage())
    this.#taken.add(page)
    return page
  }

  /** SIGKILL to the whole browser: what a power cut leaves of a process. */
  async kill(): Promise<void> {
    const kit = this.#kit
    this.#kit = null
    this.#launching = null
    if (kit === null) return
    const gone = new Promise((resolve) => kit.context.once('close', resolve))
    process.kill(await this.#pid(), 'SIGKILL')
    await gone
    // Its processes are gone, so nobody else takes these away.
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
    return this.#kit?.context.pages() ?? []
  }

  async close(): Promise<void> {
    const kit = this.#kit
    this.#kit = null
    this.#launching = null
    await kit?.context.close()
  }

  async remove(): Promise<void> {
    await this.close()
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5 })
  }

  /** It leads a group of its own. The lock's target names who holds the profile: HOST-PID. */
  async #pid(): Promise<number> {
    const holder = await readlink(join(this.profile, 'SingletonLock'))
    return Number(holder.slice(holder.lastIndexOf('-') + 1))
  }

  async #launch(): Promise<KitContext> {
    const { dark = false, flags = [], headless = true, closesOnSignals = true } = this.#options
    const executablePath = this.#options.executablePath ?? process.env['ZABRA_BROWSER']
    const context = await chromium.launchPersistentContext(this.profile, {
      ...(executablePath === undefined ? {} : { executablePath }),
      headless,
      handleSIGINT: closesOnSignals,
      handleSIGTERM: closesOnSignals,
      handleSIGHUP: closesOnSignals,
      args: [...FLAGS, ...ROOT_FLAGS, ...flags],
      colorScheme: dark ? 'dark' : 'light',
    })
    const kit = await KitContext.prepare(context, this.#options)
    if (this.#listener !== null) kit.listener = this.#listener
    this.#kit = kit
    return kit
  }
}
