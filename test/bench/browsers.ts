/** The pages under measurement, built and served as `npm start` does, and browsers to open them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type BrowserContext, type Page } from 'playwright'
import { build } from 'vite'
import { startServer, type RunningServer } from '../../src/edge/serve.ts'

/** As root no sandbox; background networking only makes noise; names by mDNS need multicast. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
]
const VITE_CONFIG = fileURLToPath(new URL('../../vite.config.ts', import.meta.url))
const PAGES = fileURLToPath(new URL('./pages', import.meta.url))

export interface Site {
  readonly url: string
  close(): Promise<void>
}

/** In a folder of its own: what others build meanwhile does not change what is measured. */
export async function openSite(minify = true): Promise<Site> {
  process.env['NODE_ENV'] = 'production'
  const folder = await mkdtemp(join(tmpdir(), 'zabra-bench-site-'))
  await build({ configFile: VITE_CONFIG, logLevel: 'error', build: { outDir: folder, minify } })
  await build({
    // Not the project's own file: its pages would be built as well.
    configFile: false,
    base: './',
    resolve: { alias: { 'simple-peer': 'simple-peer/simplepeer.min.js' } },
    worker: { format: 'es' },
    root: PAGES,
    logLevel: 'error',
    build: {
      outDir: join(folder, 'bench'),
      target: 'es2023',
      rolldownOptions: {
        input: [join(PAGES, 'raw.html'), join(PAGES, 'product.ts')],
        output: { entryFileNames: '[name].js' },
      },
    },
  })
  const server: RunningServer = await startServer({ port: 0, staticDir: folder })
  return {
    url: `http://localhost:${server.port}`,
    async close() {
      await server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Where tabs are opened: in one browser, or each in a browser process and profile of its own. */
export class Browsers {
  readonly #isApart: boolean
  readonly #binary: string
  readonly #open: { readonly context: BrowserContext; readonly profile: string }[] = []
  version = ''

  constructor(binary: string, isApart: boolean) {
    this.#binary = binary
    this.#isApart = isApart
  }

  /** Contexts for the members of one ensemble; with one browser the same one each time. */
  async contexts(count: number): Promise<BrowserContext[]> {
    const browserCount = this.#isApart ? count : 1
    while (this.#open.length < browserCount) await this.#launch()
    return Array.from({ length: count }, (_, i) => {
      const opened = this.#open[this.#isApart ? i : 0]
      if (opened === undefined) throw new Error('no browser')
      return opened.context
    })
  }

  async close(): Promise<void> {
    for (const { context, profile } of this.#open) {
      await context.close()
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    }
  }

  async #launch(): Promise<void> {
    // A profile on disk: without one IndexedDB lives in memory.
    const profile = await mkdtemp(join(tmpdir(), 'zabra-bench-profile-'))
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: this.#binary,
      args: FLAGS,
    })
    this.version = context.browser()?.version() ?? 'unknown'
    this.#open.push({ context, profile })
  }
}

export async function closePages(pages: readonly Page[]): Promise<void> {
  await Promise.all(pages.map((page) => page.close().catch(ignore)))
}

function ignore(): void {
  // A crashed page has nothing left to close.
}
