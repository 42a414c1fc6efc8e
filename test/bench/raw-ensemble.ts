/** Three raw pages, connected; the first one leads. */
import type { BrowserContext, Page } from 'playwright'
import { closePages } from './browsers.ts'
import type { BulkTimes } from './pages/raw.worker.ts'
import type { PipelineSpec } from './workload.ts'

export class RawEnsemble {
  /** From the start of the last page's navigation until every channel was open. */
  readonly formedMs: number
  readonly #pages: readonly Page[]

  private constructor(pages: readonly Page[], formedMs: number) {
    this.#pages = pages
    this.formedMs = formedMs
  }

  static async open(contexts: readonly BrowserContext[], url: string): Promise<RawEnsemble> {
    const pages: Page[] = []
    const joined: Promise<number>[] = []
    for (const context of contexts) {
      const page = await context.newPage()
      const self = pages.push(page)
      await page.exposeFunction('sendSignal', async (to: number, signal: unknown) => {
        await pages[to - 1]?.evaluate(([from, what]) => window.raw.signal(from, what as never), [
          self,
          signal,
        ] as const)
      })
      await page.goto(`${url}/bench/raw.html`)
      const size = contexts.length
      joined.push(page.evaluate(([me, all]) => window.raw.join(me, all), [self, size] as const))
    }
    const openedMs = Math.max(...(await Promise.all(joined)))
    const startedMs = (await pages.at(-1)?.evaluate(() => performance.timeOrigin)) ?? 0
    const [leader, ...followers] = pages
    for (const follower of followers) await follower.evaluate(() => window.raw.follow(1))
    await leader?.evaluate(() => window.raw.lead())
    await leader?.evaluate(() => window.raw.openEcho())
    return new RawEnsemble(pages, openedMs - startedMs)
  }

  writeSequence(count: number, bytes: number): Promise<number[]> {
    return this.#leader.evaluate(([n, size]) => window.raw.sequence(n, size), [
      count,
      bytes,
    ] as const)
  }

  writePipeline(bytes: number, spec: PipelineSpec): Promise<number> {
    return this.#leader.evaluate(([n, how]) => window.raw.pipeline(n, how), [bytes, spec] as const)
  }

  roundTrips(count: number): Promise<number[]> {
    return this.#leader.evaluate((n) => window.raw.roundTrips(2, n), count)
  }

  /** From the leader to a follower, and there into one strict transaction. */
  sendBulk(bytes: number): Promise<BulkTimes> {
    return this.#leader.evaluate((n) => window.raw.sendBulk(2, n), bytes)
  }

  echoSequence(count: number, bytes: number): Promise<number[]> {
    return this.#leader.evaluate(([n, size]) => window.raw.echoSequence(n, size), [
      count,
      bytes,
    ] as const)
  }

  echoPipeline(bytes: number, spec: PipelineSpec): Promise<number> {
    return this.#leader.evaluate(([n, how]) => window.raw.echoPipeline(n, how), [
      bytes,
      spec,
    ] as const)
  }

  close(): Promise<void> {
    return closePages(this.#pages)
  }

  get #leader(): Page {
    const [leader] = this.#pages
    if (leader === undefined) throw new Error('no leader')
    return leader
  }
}
