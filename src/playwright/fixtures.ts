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

/** Defaults for all rooms and browsers of a file or a project: `use: { zabra: { … } }`. */
export interface KitOptions extends EnsembleRequest {
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

export const test: KitTest = base.extend<KitFixtures, KitWorkerFixtures>({
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
  newBrowser: async ({ zabra, warmBrowser }, use, testInfo) => {
    const browsers: BrowserProcess[] = []
    await use(async (options) => {
      const all = { ...zabra.browser, ...options }
      const isWarm = canBeWarm(all) && !browsers.includes(warmBrowser)
      const browser = isWarm ? warmBrowser : await BrowserProcess.create(all)
      if (isWarm) await warmBrowser.reuse(all)
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
      if (browser === warmBrowser) await browser.reuse({})
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
  ensemble: async ({ zabra, site, newBrowser }, use, testInfo) => {
    const opened: Ensemble[] = []
    await use(async (voters, request = {}) => {
      const wanted = { url: site.room(`&size=${voters}`), observers: 0, ...zabra, ...request }
      const signaling = wanted.signaling === 'app' ? null : site.signaling
      const seed = wanted.seed ?? String(Math.floor(Math.random() * 1e9))
      const count = wanted.browsers === 'each' ? voters + wanted.observers : 1
      const browsers: BrowserProcess[] = []
      for (let i = 0; i < count; i++) {
        browsers.push(await newBrowser({ signaling, seed: `${seed} ${i}`, ...request.browser }))
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
function canBeWarm({ dark, ...options }: BrowserOptions): boolean {
  const { flags, executablePath, headless, firefox, closesOnSignals } = options
  const ofTheStart = [flags, executablePath, headless, firefox, closesOnSignals]
  return dark !== true && ofTheStart.every((option) => option === undefined)
}
