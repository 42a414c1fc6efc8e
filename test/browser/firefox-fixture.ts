/** The distribution's Firefox beside the Chromium of the other tests, with a profile of its own. */
import { mkdtemp, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { firefox, type BrowserContext } from 'playwright/test'
import { findFirefox } from '../firefox-binary.mjs'
import { MachinePage } from './machine-page.ts'
import { test as base } from './room-fixture.ts'

const DRIVEN_FIREFOX = fileURLToPath(new URL('./firefox-bidi.mjs', import.meta.url))
/** Finding one may mean to install it first. */
const FIND_TIMEOUT_MS = 600_000
const PREFERENCES = {
  // Members on one machine without any network besides the loopback.
  'media.peerconnection.ice.loopback': true,
  // A browser that was killed comes back without a page that asks what to do.
  'browser.sessionstore.resume_from_crash': false,
  'toolkit.startup.max_resumed_crashes': -1,
}

export class Firefox {
  readonly #profile: string
  readonly #isPrivate: boolean
  readonly #binary: string
  #context: BrowserContext | null = null

  constructor(binary: string, profile: string, isPrivate: boolean) {
    this.#binary = binary
    this.#profile = profile
    this.#isPrivate = isPrivate
  }

  async open(url: string): Promise<MachinePage> {
    this.#context ??= await this.#launch()
    const page = await this.#context.newPage()
    await page.goto(url)
    return new MachinePage(page)
  }

  /** SIGKILL to the browser process; those of its pages go with it. */
  async kill(): Promise<void> {
    const context = this.#context
    this.#context = null
    if (context === null) return
    const gone = new Promise((resolve) => context.once('close', resolve))
    // The lock's target names the process that holds the profile: ADDRESS:+PID.
    const holder = await readlink(join(this.#profile, 'lock'))
    process.kill(Number(holder.slice(holder.lastIndexOf('+') + 1)), 'SIGKILL')
    await gone
  }

  async close(): Promise<void> {
    await this.#context?.close()
    this.#context = null
  }

  async remove(): Promise<void> {
    await this.close()
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 })
  }

  async #launch(): Promise<BrowserContext> {
    return firefox.launchPersistentContext(this.#profile, {
      channel: 'moz-firefox',
      executablePath: DRIVEN_FIREFOX,
      env: { ...process.env, ZABRA_FIREFOX: this.#binary },
      firefoxUserPrefs: {
        ...PREFERENCES,
        'browser.privatebrowsing.autostart': this.#isPrivate,
      },
    })
  }
}

export interface FirefoxFixtures {
  readonly newFirefox: (options?: { readonly isPrivate?: boolean }) => Promise<Firefox>
}

export const test = base.extend<FirefoxFixtures, { readonly firefoxBinary: string }>({
  firefoxBinary: [
    async ({}, use) => {
      await use(await findFirefox())
    },
    { scope: 'worker', timeout: FIND_TIMEOUT_MS },
  ],
  newFirefox: async ({ firefoxBinary }, use) => {
    const opened: Firefox[] = []
    await use(async ({ isPrivate = false } = {}) => {
      const profile = await mkdtemp(join(tmpdir(), 'zabra-firefox-'))
      const one = new Firefox(firefoxBinary, profile, isPrivate)
      opened.push(one)
      return one
    })
    for (const one of opened) await one.remove()
  },
})
