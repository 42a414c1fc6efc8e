/** Three machine pages of a new room, as a person opens them. */
import { randomBytes } from 'node:crypto'
import type { BrowserContext, Page } from 'playwright'
import type {} from '../../demo/window.d.ts'
import type { TraceEvent } from '../../src/core/zab/effect.ts'
import { closePages } from './browsers.ts'

/** Far above what a busy machine of two cores needs; a bound on hanging, not a measure. */
const PATIENCE_MS = 30_000

/** `at`: ms since 1970. */
export type Trace = TraceEvent & { readonly at: number }

export interface FormTimes {
  /** From the start of the last page's navigation. */
  readonly firstLeaderMs: number
  readonly allServingMs: number
  /** From the moment the last member saw its first link up. */
  readonly linkToLeaderMs: number
}

export class ProductEnsemble {
  readonly pages: readonly Page[]
  readonly formed: FormTimes

  private constructor(pages: readonly Page[], formed: FormTimes) {
    this.pages = pages
    this.formed = formed
  }

  static async open(contexts: readonly BrowserContext[], url: string): Promise<ProductEnsemble> {
    const room = randomBytes(6).toString('hex')
    const secret = randomBytes(16).toString('hex')
    const pages: Page[] = []
    for (const context of contexts) {
      const page = await context.newPage()
      pages.push(page)
      await page.goto(`${url}/machine.html?room=${room}#${secret}`)
      // The last one's time counts from its navigation, so the others must be there before it.
      if (pages.length < contexts.length) await hereAre(page, pages.length)
    }
    for (const page of pages) await serving(page)
    const formed = await formTimes(pages)
    for (const page of pages) await loadWorkload(page, url)
    return new ProductEnsemble(pages, formed)
  }

  /** The leader's page first. */
  async byRole(): Promise<Page[]> {
    const leads = await Promise.all(this.pages.map((page) => isLeading(page)))
    const leader = this.pages.filter((_, i) => leads[i])
    const others = this.pages.filter((_, i) => leads[i] !== true)
    if (leader.length !== 1) throw new Error(`${leader.length} pages lead`)
    return [...leader, ...others]
  }

  close(): Promise<void> {
    return closePages(this.pages)
  }
}

/** Another tab of the room: a voter that was away, or one more. Resolves when it is served. */
export async function openTab(context: BrowserContext, link: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(link)
  await page.waitForFunction(
    () => {
      const status = window.zabra?.status()
      return status?.member?.serving === true || (status?.reachable.length ?? 0) > 0
    },
    null,
    { timeout: PATIENCE_MS },
  )
  return page
}

/** Has a member of its own that serves: a voter or an observer. */
export async function isMember(page: Page, timeoutMs: number): Promise<boolean> {
  const serves = (): boolean => window.zabra?.status()?.member?.serving === true
  return page.waitForFunction(serves, null, { timeout: timeoutMs }).then(
    () => true,
    () => false,
  )
}

export async function tracesOf(page: Page): Promise<Trace[]> {
  const traces = await page.evaluate(() => [...(window.zabra?.traces ?? [])])
  return traces as Trace[]
}

/** A page's clock and this process's both count from 1970. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

async function hereAre(page: Page, count: number): Promise<void> {
  await page.waitForFunction((n) => (window.zabra?.status()?.here ?? 0) >= n, count, {
    timeout: PATIENCE_MS,
  })
}

async function serving(page: Page): Promise<void> {
  await page.waitForFunction(() => window.zabra?.status()?.member?.serving === true, null, {
    timeout: PATIENCE_MS,
  })
}

function isLeading(page: Page): Promise<boolean> {
  return page.evaluate(() => window.zabra?.status()?.member?.role === 'leading')
}

export async function loadWorkload(page: Page, url: string): Promise<void> {
  await page.addScriptTag({ url: `${url}/bench/product.js`, type: 'module' })
  await page.waitForFunction(() => window.product !== undefined)
}

async function formTimes(pages: readonly Page[]): Promise<FormTimes> {
  const all = await Promise.all(pages.map(tracesOf))
  const startMs = (await pages.at(-1)?.evaluate(() => performance.timeOrigin)) ?? 0
  const established = all.map((traces) => firstMs(traces, (one) => one.type === 'established'))
  const linkUpMs = firstMs(all.at(-1) ?? [], (one) => one.type === 'link' && one.up)
  return {
    firstLeaderMs: Math.min(...established) - startMs,
    allServingMs: Math.max(...established) - startMs,
    linkToLeaderMs: Math.min(...established) - linkUpMs,
  }
}

/** NaN when there is none. */
export function firstMs(traces: readonly Trace[], matches: (trace: Trace) => boolean): number {
  return traces.find(matches)?.at ?? Number.NaN
}
