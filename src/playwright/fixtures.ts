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
import { NodeMember } from './node-member.ts'
import { look, type LookFixture } from './look.ts'
import { ROOM_TIME_MS } from './page-line.ts'
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
  /** Of each browser. Of several kinds members have one after the other, each in its process. */
  readonly browser?: BrowserOptions | readonly BrowserOptions[]
  /** Tabs meet at the kit's own signaling server (the default), or where the app says. */
  readonly signaling?: 'kit' | 'app'
  /** Of messages that are lost or late. Default: drawn, and told in the report. */
  readonly seed?: string
}

/** Defaults for all rooms and browsers of a file or a project: `use: { zabra: { … } }`. */
export interface KitOptions extends Omit<EnsembleRequest, 'browser'> {
  /** Of each browser. */
  readonly browser?: BrowserOptions
  /** Of built pages, which the kit's own server serves. Default: a page that joins, that is all. */
  readonly folder?: string
  /** Which of them opens a room. Default `index.html`. */
  readonly page?: string
}

export type OpenEnsemble = (voters: number, request?: EnsembleRequest) => Promise<Ensemble>

export interface KitFixtures {
  readonly zabra: KitOptions
  /** The kit's own server; may be stopped and started again on the same port. */
  readonly site: Site
  /** Another one than those that this test has. */
  readonly newBrowser: (options?: BrowserOptions) => Promise<BrowserProcess>
  /** A machine beside the tabs, as `zabra join` runs it on Node; it begins with `start`. */
  readonly newNode: () => Promise<NodeMember>
  /** Opens `voters` tabs of one room; resolves when they are an ensemble that serves. */
  readonly ensemble: OpenEnsemble
}

export interface KitWorkerFixtures {
  /** One test after the other has it, and finds nothing there of the one before. */
  readonly warmBrowser: BrowserProcess
}

export type KitTest = TestType<
  PlaywrightTestArgs & PlaywrightTestOptions & KitFixtures,
  PlaywrightWorkerArgs & PlaywrightWorkerOptions & KitWorkerFixtures
>

export const test: KitTest = base.extend<KitFixtures & LookFixture, KitWorkerFixtures>({
  zabra: [{}, { option: true }],
  warmBrowser: [
    async ({}, use) => {
      const browser = await BrowserProcess.create()
      await use(browser)
      await browser.remove()
    },
    { scope: 'worker' },
  ],
  site: async ({ zabra }, use) => {
    const site = new Site(zabra.folder, zabra.page)
    await site.start()
    await use(site)
    await site.stop()
  },
  look,
  newBrowser: async ({ zabra, warmBrowser, launchOptions, look }, use, testInfo) => {
    const browsers: BrowserProcess[] = []
    await use(async (options) => {
      const asked = { ...zabra.browser, ...options }
      const isWarm = canBeWarm(asked) && !browsers.includes(warmBrowser)
      const all = withFlags(asked, launchOptions.args)
      const browser = isWarm ? warmBrowser : await BrowserProcess.create(all)
      if (isWarm) await warmBrowser.reuse(all, look)
      browsers.push(browser)
      return browser
    })
    if (hasFailed(testInfo)) {
      await attachFlights(
        browsers.flatMap((browser) => browser.pages),
        testInfo,
      )
    }
    for (const browser of browsers) {
      if (browser === warmBrowser) await browser.reuse({}, look)
      else await browser.remove()
    }
  },
  newNode: async ({}, use) => {
    const nodes: NodeMember[] = []
    await use(async () => {
      const node = await NodeMember.inNewDirectory()
      nodes.push(node)
      return node
    })
    for (const node of nodes) await node[Symbol.asyncDispose]()
  },
  ensemble: async ({ zabra, site, newBrowser, baseURL }, use, testInfo) => {
    const opened: Ensemble[] = []
    await use(async (voters, request = {}) => {
      // 0: no limit, as in the debugger.
      if (testInfo.timeout !== 0) testInfo.setTimeout(testInfo.timeout + ROOM_TIME_MS)
      const asked = { url: site.room(`&size=${voters}`), observers: 0, ...zabra, ...request }
      const wanted = { ...asked, url: new URL(asked.url, baseURL).href }
      const signaling = wanted.signaling === 'app' ? null : site.signaling
      const seed = wanted.seed ?? String(Math.floor(Math.random() * 1e9))
      const kinds = [request.browser ?? {}].flat()
      const count = wanted.browsers === 'each' ? voters + wanted.observers : kinds.length
      const browsers: BrowserProcess[] = []
      for (let i = 0; i < count; i++) {
        const kind = kinds[i % kinds.length]
        browsers.push(await newBrowser({ signaling, seed: `${seed} ${i}`, ...kind }))
      }
      const room = await Ensemble.open({ ...wanted, browsers, voters, seed })
      opened.push(room)
      return room
    })
    if (!hasFailed(testInfo)) return
    for (const room of opened) await attachHistory(room, testInfo)
  },
})

/** What else is asked for a browser must be told when it starts. */
function canBeWarm(options: BrowserOptions): boolean {
  const { dark, flags, executablePath, headless, firefox, closesOnSignals } = options
  const ofTheStart = [dark, flags, executablePath, headless, firefox, closesOnSignals]
  return ofTheStart.every((option) => option === undefined)
}

/** Playwright's own, of a Chromium. */
function withFlags(options: BrowserOptions, args: readonly string[] = []): BrowserOptions {
  if (args.length === 0 || options.firefox !== undefined) return options
  return { ...options, flags: [...args, ...(options.flags ?? [])] }
}
