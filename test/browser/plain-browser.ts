/**
 * A browser as a person has it: of the tabs of its window one is shown, the others are hidden,
 * throttled, put aside and kept for Back. The test driver's own settings forbid all of that.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, expect, type Browser, type BrowserContext, type Page } from 'playwright/test'
import { KitContext } from '../../src/playwright/kit-context.ts'
import { Member } from '../../src/playwright/member.ts'
import type { TabHome } from '../../src/playwright/tab-home.ts'

const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--remote-debugging-port=0',
]
/** Timers of a page that is hidden for some seconds run once a minute (browser-facts §4). */
const INTENSIVE = [
  '--intensive-wake-up-throttling-policy=force-enable',
  '--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1',
]
const HIDE_NO_NAMES = '--disable-features=WebRtcHideLocalIpsWithMdns'
const START_LIMIT_MS = 30_000
const LIST_LIMIT_MS = 5_000
/** The driver lets go of the tabs within that; the discard comes then. */
const LET_GO_MS = 2_000
/** Pages of the browser about itself answer only when this is set. */
const LOCAL_STATE = JSON.stringify({ internal_only_uis_enabled: true })

export class PlainBrowser implements TabHome, AsyncDisposable {
  readonly address: string
  readonly #profile: string
  readonly #process: ChildProcess
  #browser: Browser
  #kit: Promise<KitContext>

  private constructor(profile: string, started: ChildProcess, address: string, browser: Browser) {
    this.#profile = profile
    this.#process = started
    this.address = address
    this.#browser = browser
    this.#kit = prepared(browser)
  }

  static async start(): Promise<PlainBrowser> {
    const profile = await mkdtemp(join(tmpdir(), 'zabra-plain-'))
    await writeFile(join(profile, 'Local State'), LOCAL_STATE)
    const binary = process.env['ZABRA_BROWSER'] ?? 'chromium'
    const flags = [...FLAGS, ...INTENSIVE, HIDE_NO_NAMES, `--user-data-dir=${profile}`]
    // A group of its own, so that all of its processes end with it.
    const started = spawn(binary, flags, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
    const address = await addressOf(started)
    return new PlainBrowser(profile, started, address, await connect(address))
  }

  get context(): BrowserContext {
    return contextOf(this.#browser)
  }

  kit(): Promise<KitContext> {
    return this.#kit
  }

  async newPage(): Promise<Page> {
    await this.#kit
    return this.context.newPage()
  }

  /** Opens a tab and shows it. */
  open(url: string): Promise<Member> {
    return Member.open(this, url)
  }

  async kill(): Promise<void> {
    const { pid } = this.#process
    if (pid === undefined || this.#process.exitCode !== null) return
    const gone = new Promise((resolve) => this.#process.once('exit', resolve))
    process.kill(-pid, 'SIGKILL')
    await gone
  }

  async sleep(): Promise<void> {
    process.kill(-(this.#process.pid ?? Number.NaN), 'SIGSTOP')
  }

  async wake(): Promise<void> {
    process.kill(-(this.#process.pid ?? Number.NaN), 'SIGCONT')
  }

  /**
   * Discards the tab whose address holds `text`, as the browser does by itself when memory is
   * short: the page is gone without a word, the tab stays. It does so only to tabs that no DevTools
   * watch, so the driver lets go of all; pages found before are dead. False: it has no such page.
   */
  async discard(text: string): Promise<boolean> {
    const list = await this.context.newPage()
    await list.goto('chrome://discards/').catch(() => undefined)
    const row = list.locator('tr', { hasText: text }).first()
    const isThere = await row.waitFor({ timeout: LIST_LIMIT_MS }).then(
      () => true,
      () => false,
    )
    if (!isThere) return false
    await row.evaluate((line, delayMs) => {
      const all = [...line.querySelectorAll<HTMLElement>('.actions-cell div')]
      const link = all.find((one) => one.textContent?.includes('Urgent Discard'))
      setTimeout(() => link?.click(), delayMs)
    }, LET_GO_MS)
    await this.#browser.close()
    await new Promise((resolve) => setTimeout(resolve, 2 * LET_GO_MS))
    await this.#connectAgain()
    return true
  }

  /** A tab by its address, after a discard: the kit has no part in it. */
  find(text: string): Page {
    const page = this.context.pages().find((one) => one.url().includes(text))
    if (page === undefined) throw new Error(`no tab with ${text}`)
    return page
  }

  /** Clicks the tab, as it were: a discarded one loads again. Pages found before are dead. */
  async show(text: string): Promise<Page> {
    const session = await this.#browser.newBrowserCDPSession()
    const { targetInfos } = await session.send('Target.getTargets')
    const target = targetInfos.find(({ type, url }) => type === 'page' && url.includes(text))
    if (target === undefined) throw new Error(`no tab with ${text}`)
    await session.send('Target.activateTarget', { targetId: target.targetId })
    // The driver overlooks a tab that it met without a page: it must meet it anew.
    await this.#browser.close()
    await this.#connectAgain()
    const isHere = (): boolean => this.context.pages().some((one) => one.url().includes(text))
    await expect.poll(isHere, { timeout: START_LIMIT_MS, message: `tab ${text}` }).toBe(true)
    return this.find(text)
  }

  async #connectAgain(): Promise<void> {
    this.#browser = await connect(this.address)
    this.#kit = prepared(this.#browser)
    await this.#kit
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close().catch(() => undefined)
    await this.kill()
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

function contextOf(browser: Browser): BrowserContext {
  const [context] = browser.contexts()
  if (context === undefined) throw new Error('the browser has no profile')
  return context
}

function prepared(browser: Browser): Promise<KitContext> {
  return KitContext.prepare(contextOf(browser), { faults: false })
}

async function connect(address: string): Promise<Browser> {
  return chromium.connectOverCDP(address, { noDefaults: true })
}

async function addressOf(started: ChildProcess): Promise<string> {
  let said = ''
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error(`the browser did not start: ${said}`))
    const timer = setTimeout(fail, START_LIMIT_MS)
    started.once('exit', fail)
    started.stderr?.on('data', (data: Buffer) => {
      said += data.toString()
      const address = /DevTools listening on (\S+)/.exec(said)?.[1]
      if (address === undefined) return
      clearTimeout(timer)
      started.off('exit', fail)
      resolve(address)
    })
  })
}
