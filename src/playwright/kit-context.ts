/** Puts the kit's part into every page of a browser context, and hears what the pages tell. */
import type { BrowserContext, Page } from 'playwright/test'
import { type MemberFaults, NO_FAULTS } from '../faults/member-faults.ts'
import { BLANK_PATH, FAULT_WORKER_PATH, faultWorker, pageScript } from './kit-files.ts'
import { type LineListener, PageLine } from './page-line.ts'
import { ASK_FAULTS, type PageNews, TELL } from './page/page-news.ts'

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

export class KitContext {
  readonly context: BrowserContext
  readonly #lines = new Map<Page, PageLine>()
  listener: KitListener = NOBODY

  private constructor(context: BrowserContext) {
    this.context = context
  }

  /** Before its first page is opened. */
  static async prepare(context: BrowserContext, settings: KitSettings = {}): Promise<KitContext> {
    const { faults = true, signaling = null, seed = '0', workerPattern } = settings
    const kit = new KitContext(context)
    await context.exposeBinding(TELL, ({ page }, news: readonly PageNews[]) => {
      kit.lineOf(page).hear(news)
    })
    await context.exposeBinding(ASK_FAULTS, ({ page }) => {
      return kit.listener.faultsOf(kit.lineOf(page))
    })
    if (faults) {
      const body = settings.worker ?? (await faultWorker())
      await context.route(`**${FAULT_WORKER_PATH}`, (route) =>
        route.fulfill({ contentType: 'text/javascript', body }),
      )
    }
    await context.route(`**${BLANK_PATH}`, (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>blank</title>' }),
    )
    const content = await pageScript({
      workerPath: faults ? FAULT_WORKER_PATH : null,
      workerPattern: workerPattern?.source ?? WORKER_PATTERN,
      signaling,
      seed,
    })
    await context.addInitScript({ content })
    return kit
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
