/** One browser process of a test, with a profile that outlives it. */
import { execFile } from 'node:child_process'
import { mkdtemp, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { chromium, firefox, type BrowserContext, type Page } from 'playwright/test'
import { KitContext, type KitListener, type KitSettings } from './kit-context.ts'
import { Member } from './member.ts'
import type { TabHome } from './tab-home.ts'

const run = promisify(execFile)

/** Background networking only makes noise; names by mDNS need multicast. */
const FLAGS = [
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
]
/** As root Chromium starts without its sandbox only. */
const ROOT_FLAGS = process.getuid?.() === 0 ? ['--no-sandbox'] : []
/** What a killed Chromium leaves behind and its successor trips over. */
const SINGLETONS = ['SingletonLock', 'SingletonSocket', 'SingletonCookie']

/** Settings of a Firefox under test. */
export interface FirefoxOptions {
  /** Default: the Firefox of Playwright. */
  readonly channel?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly preferences?: Readonly<Record<string, string | number | boolean>>
}

export interface BrowserOptions extends KitSettings {
  /** Default of this and of `headless`: as Playwright's own options say. */
  readonly dark?: boolean
  /** Of the command line, besides the usual ones. */
  readonly flags?: readonly string[]
  /** Default: the Chromium of Playwright, or `ZABRA_BROWSER`. */
  readonly executablePath?: string
  readonly headless?: boolean
  /** Signals to this process close the browser, and so does its end. Default true. */
  readonly closesOnSignals?: boolean
  /** A Firefox instead of a Chromium. It can be killed and asleep; one of its tabs cannot. */
  readonly firefox?: FirefoxOptions
}

export class BrowserProcess implements TabHome {
  readonly profile: string
  #options: BrowserOptions
  #context: BrowserContext | null = null
  #kit: KitContext | null = null
  #launching: Promise<KitContext> | null = null
  #listener: KitListener | null = null
  #look = ''
  /** Tabs that are somebody's already. */
  readonly #taken = new WeakSet<Page>()

  private constructor(profile: string, options: BrowserOptions) {
    this.profile = profile
    this.#options = options
  }

  static async create(options: BrowserOptions = {}): Promise<BrowserProcess> {
    return new BrowserProcess(await mkdtemp(join(tmpdir(), 'zabra-profile-')), options)
  }

  /** Its members have the worker whose links and storage can be hurt. */
  get hasFaults(): boolean {
    return this.#options.faults ?? true
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

  /** A tab with the app; of which room it is a member, and when, is up to the app. */
  open(url: string): Promise<Member> {
    return Member.open(this, url)
  }

  /** SIGKILL to the whole browser: what a power cut leaves of a process. */
  async kill(): Promise<void> {
    const context = this.#forget()
    if (context === null) return
    const gone = new Promise((resolve) => context.once('close', resolve))
    // With all of its processes: one that outlived it might still hold what the next one opens.
    process.kill(-(await this.#group()), 'SIGKILL')
    await gone
    // Its processes are gone, so nobody else takes these away.
    for (const name of SINGLETONS) await rm(join(this.profile, name), { force: true })
  }

  /** SIGSTOP to all of its processes, a closed lid. Nothing answers until `wake`. */
  async sleep(): Promise<void> {
    process.kill(-(await this.#group()), 'SIGSTOP')
  }

  async wake(): Promise<void> {
    process.kill(-(await this.#group()), 'SIGCONT')
  }

  /** Open now; none when the browser was killed. */
  get pages(): readonly Page[] {
    return this.#context?.pages() ?? []
  }

  async close(): Promise<void> {
    await this.#forget()?.close()
  }

  async remove(): Promise<void> {
    await this.close()
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5 })
  }

  /**
   * Ready for another test, whose settings these are: no tab is open, and nothing is left of what
   * those of the test before stored. Starting a browser costs more than most of what is done in it.
   * `look`: of what only a browser that starts is told; where that differs it starts anew.
   */
  async reuse(options: BrowserOptions, look: string): Promise<void> {
    const [context, kit] = [this.#context, this.#kit]
    const isAlike = look === this.#look
    this.#options = options
    this.#listener = null
    this.#look = look
    if (context === null || kit === null) return isAlike ? undefined : this.close()
    const tabs = context.pages()
    // With its last tab a browser goes.
    const blank = await context.newPage()
    await Promise.all(tabs.map((tab) => tab.close()))
    const session = await context.newCDPSession(blank)
    for (const origin of kit.origins) {
      await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' })
    }
    await session.detach()
    await context.clearPermissions()
    await context.clearCookies()
    this.#kit = null
    this.#launching = null
    if (!(await kit.remove()) || !isAlike) await this.close()
  }

  #forget(): BrowserContext | null {
    const context = this.#context
    this.#context = null
    this.#kit = null
    this.#launching = null
    return context
  }

  /**
   * Of its processes. A lock's target names who holds the profile, HOST-PID and in Firefox
   * ADDRESS:+PID. A Chromium leads its group; before a Firefox stands who started it.
   */
  async #group(): Promise<number> {
    const isFirefox = this.#options.firefox !== undefined
    const holder = await readlink(join(this.profile, isFirefox ? 'lock' : 'SingletonLock'))
    const pid = /\d+$/.exec(holder)?.[0]
    if (pid === undefined) throw new Error(`nobody holds the profile ${this.profile}`)
    if (!isFirefox) return Number(pid)
    return Number((await run('ps', ['-o', 'pgid=', '-p', pid])).stdout)
  }

  async #launch(): Promise<KitContext> {
    const context = (this.#context ??= await this.#start())
    const kit = await KitContext.prepare(context, this.#options)
    if (this.#listener !== null) kit.listener = this.#listener
    this.#kit = kit
    return kit
  }

  #start(): Promise<BrowserContext> {
    const { dark, flags = [], headless, closesOnSignals = true } = this.#options
    const isClosed = closesOnSignals
    // Inside a test Playwright puts its own options where nothing is said here.
    const usual = {
      ...(headless === undefined ? {} : { headless }),
      ...(dark === undefined ? {} : { colorScheme: dark ? ('dark' as const) : ('light' as const) }),
      ...{ handleSIGINT: isClosed, handleSIGTERM: isClosed, handleSIGHUP: isClosed },
    }
    if (this.#options.firefox !== undefined) {
      const { channel, env, preferences = {} } = this.#options.firefox
      const { executablePath } = this.#options
      return firefox.launchPersistentContext(this.profile, {
        ...(channel === undefined ? {} : { channel }),
        ...(executablePath === undefined ? {} : { executablePath }),
        ...(env === undefined ? {} : { env: { ...env } }),
        ...{ ...usual, args: [...flags], firefoxUserPrefs: { ...preferences } },
      })
    }
    const executablePath = this.#options.executablePath ?? process.env['ZABRA_BROWSER']
    return chromium.launchPersistentContext(this.profile, {
      ...(executablePath === undefined ? {} : { executablePath }),
      ...{ ...usual, args: [...FLAGS, ...ROOT_FLAGS, ...flags] },
    })
  }
}
