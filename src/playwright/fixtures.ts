/** Playwright's `test` with rooms of real tabs. */
import {
  test as base,
  type PlaywrightTestArgs,
  type PlaywrightTestOptions,
  type PlaywrightWorkerArgs,
  type PlaywrightWorkerOptions,
  type TestType,
} from 'playwright/test'
import { attachFlights, attachHistory, hasFailed } from './attachments.ts'
import { BrowserProcess, type BrowserOptions } from './browser-process.ts'
import { Ensemble } from './ensemble.ts'
import { Site } from './site.ts'

export interface EnsembleRequest {
  /**
   * The app under test: its address, or the link of a room. The first tab opens it, the others the
   * link of the room that the app joins there. Default: a page that does nothing else.
   */
  readonly url?: string
  /** `one` process with a tab for each member (the default), or one for `each`: more real. */
  readonly browsers?: 'one' | 'each'
  /** Tabs beyond the voters. Default 0. */
  readonly observers?: number
  /** Of each browser. */
  readonly browser?: BrowserOptions
  /** Tabs meet at the kit's own signaling server (the default), or where the app says. */
  readonly signaling?: 'kit' | 'app'
  /** Of messages that are lost or late. Default: drawn, and told in the report. */
  readonly seed?: string
}

export type OpenEnsemble = (voters: number, request?: EnsembleRequest) => Promise<Ensemble>

export interface KitFixtures {
  /** The kit's own server; may be stopped and started again on the same port. */
  readonly site: Site
  readonly newBrowser: (options?: BrowserOptions) => Promise<BrowserProcess>
  /** Opens `voters` tabs of one room; resolves when they are an ensemble that serves. */
  readonly ensemble: OpenEnsemble
}

export type KitTest = TestType<
  PlaywrightTestArgs & PlaywrightTestOptions & KitFixtures,
  PlaywrightWorkerArgs & PlaywrightWorkerOptions
>

export const test: KitTest = base.extend<KitFixtures>({
  site: async ({}, use) => {
    const site = new Site()
    await site.start()
    await use(site)
    await site.stop()
  },
  newBrowser: async ({}, use, testInfo) => {
    const browsers: BrowserProcess[] = []
    await use(async (options) => {
      const browser = await BrowserProcess.create(options)
      browsers.push(browser)
      return browser
    })
    if (hasFailed(testInfo)) {
      await attachFlights(
        browsers.flatMap((browser) => browser.pages),
        testInfo,
      )
    }
    for (const browser of browsers) await browser.remove()
  },
  ensemble: async ({ site, newBrowser }, use, testInfo) => {
    const opened: Ensemble[] = []
    await use(async (voters, request = {}) => {
      const { url = site.room(`&size=${voters}`, 'index.html'), observers = 0 } = request
      const signaling = request.signaling === 'app' ? null : site.signaling
      const seed = request.seed ?? String(Math.floor(Math.random() * 1e9))
      const count = request.browsers === 'each' ? voters + observers : 1
      const browsers: BrowserProcess[] = []
      for (let i = 0; i < count; i++) {
        browsers.push(await newBrowser({ signaling, seed: `${seed} ${i}`, ...request.browser }))
      }
      const room = await Ensemble.open({ url, browsers, voters, observers, seed })
      opened.push(room)
      return room
    })
    if (!hasFailed(testInfo)) return
    for (const room of opened) await attachHistory(room, testInfo)
  },
})
