/** Puts the kit's part into every page of a browser context, and hears what the pages tell. */
import type { BrowserContext, Page } from 'playwright/test'
import { type MemberFaults, NO_FAULTS } from '../faults/member-faults.ts'
import { FAULT_WORKER_PATH, faultWorker, pageScript } from './kit-files.ts'
import { type LineListener, PageLine } from './page-line.ts'
import { newsFromText } from './page/news-text.ts'
import { ASK_FAULTS, TELL } from './page/page-news.ts'

/** Workers of the package as bundlers name them, when the app makes them itself. */
const WORKER_PATTERN = String.raw`/(member\.worker|worker)(-[\w-]+)?\.(js|ts|mjs)(\?|$)`

export interface KitSettings {
  /** Members get the worker whose links and storage can be hurt. Default true. */
  readonly faults?: boolean
  /** Code of another worker than the package's; it must be one with faults. */
  readonly worker?: string
  /** Pattern of the addresses of workers that are members', for apps that make them themselves. */
  readonly workerPattern?: RegExp
  /** Used whatever the app says; null: as the app says. */
  readonly signaling?: string | null
  readonly seed?: string
}

export interface KitListener extends LineListener {
  faultsOf(line: PageLine): MemberFaults
}

const NOBODY: KitListener = {
  faultsOf: () => NO_FAULTS,
  onFrame: () => {},
  onLifeEnded: () => {},
}

/** Of a Playwright that can; before, what was added to a context stays there. */
type Added = Partial<AsyncDisposable> | void

export class KitContext {
  readonly context: BrowserContext
  readonly #lines = new Map<Page, PageLine>()
  readonly #added: Added[] = []
  readonly #urls = new Set<string>()
  listener: KitListener = NOBODY

  private constructor(context: BrowserContext) {
    this.context = context
  }

  /** Before its first page is opened. */
  static async prepare(context: BrowserContext, settings: KitSettings = {}): Promise<KitContext> {
    const { faults = true, signaling = null, seed = '0', workerPattern } = settings
    const kit = new KitContext(context)
    const hear = await context.exposeBinding(TELL, ({ page }, news: string) => {
      kit.#urls.add(page.url())
      kit.lineOf(page).hear(newsFromText(news))
    })
    const answer = await context.exposeBinding(ASK_FAULTS, ({ page }) => {
      return kit.listener.faultsOf(kit.lineOf(page))
    })
    if (faults) {
      // Where anything is routed every request of every page passes the driver, and no page has a
      // cache.
      const body = settings.worker ?? (await faultWorker())
      await context.route(`**${FAULT_WORKER_PATH}`, (route) =>
        route.fulfill({ contentType: 'text/javascript', body }),
      )
    }
    const content = await pageScript({
      workerPath: faults ? FAULT_WORKER_PATH : null,
      workerPattern: workerPattern?.source ?? WORKER_PATTERN,
      signaling,
      seed,
    })
    const script = await context.addInitScript({ content })
    kit.#added.push(hear, answer, script)
    return kit
  }

  /** Where pages of it ran. */
  get origins(): readonly string[] {
    const all = new Set([...this.#urls].map((url) => new URL(url).origin))
    return [...all].filter((origin) => origin !== 'null')
  }

  /** Of the context, which another one may then be prepared for. False: that is not possible. */
  async remove(): Promise<boolean> {
    await this.context.unrouteAll({ behavior: 'ignoreErrors' })
    for (const added of this.#added) {
      const remove = added?.[Symbol.asyncDispose]
      if (remove === undefined) return false
      await remove.call(added)
    }
    return true
  }

  lineOf(page: Page): PageLine {
    const known = this.#lines.get(page)
    if (known !== undefined) return known
    const made = new PageLine(page, {
      onFrame: (line, news) => this.listener.onFrame(line, news),
      onLifeEnded: (line) => this.listener.onLifeEnded(line),
    })
    this.#lines.set(page, made)
    return made
  }
}
