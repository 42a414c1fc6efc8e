/** One machine as a person sees and uses it: its page, by accessible names only. */
import { expect, type Page } from 'playwright/test'
import type {} from '../../demo/window.d.ts'
import type { WorkerStatus } from '../../worker/protocol.ts'

/** Far above what a busy machine of two cores needs; a bound on hanging, not a measure. */
export const PATIENCE_MS = 30_000
/** For `expect.poll`. Left to itself it soon looks once a second, and overlooks half of one. */
export const PATIENTLY: { readonly timeout: number; readonly intervals: number[] } = {
  timeout: PATIENCE_MS,
  intervals: [20, 40, 80, 120],
}

export interface SyncTrace {
  readonly type: string
  readonly mode?: string
  readonly direction?: string
}

export class MachinePage {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  get status(): ReturnType<Page['getByRole']> {
    return this.page.getByRole('status', { name: 'member status' })
  }

  get log(): ReturnType<Page['getByRole']> {
    return this.page.getByRole('log', { name: 'zkCli output' })
  }

  get input(): ReturnType<Page['getByRole']> {
    return this.page.getByRole('textbox', { name: 'zkCli command' })
  }

  async statusText(): Promise<string> {
    return ((await this.status.textContent()) ?? '').trim()
  }

  async isLeading(): Promise<boolean> {
    return (await this.statusText()).startsWith('leading')
  }

  /** Its program runs; whether it is in a room is another matter. */
  async expectStarted(): Promise<void> {
    // Not waitForFunction: it evaluates text, which the page's security policy forbids.
    await expect
      .poll(() => this.page.evaluate(() => window.zabra !== undefined), {
        ...PATIENTLY,
        message: 'the machine has started',
      })
      .toBe(true)
  }

  async workerStatus(): Promise<WorkerStatus | null> {
    return this.page.evaluate(() => window.zabra?.status() ?? null)
  }

  async sid(): Promise<number | null> {
    return (await this.workerStatus())?.sid ?? null
  }

  /** Types one command; resolves when its output has ended and the prompt is back. */
  async type(line: string): Promise<void> {
    const before = await this.promptNumber()
    await this.input.fill(line)
    await this.input.press('Enter')
    if (line.trim() === '') return
    await expect
      .poll(() => this.promptNumber(), { ...PATIENTLY, message: `prompt after ${line}` })
      .toBeGreaterThan(before)
  }

  /** What the log shows, one entry a line, without the lines that are empty. */
  async lines(): Promise<string[]> {
    const texts = await this.log.locator('> div').allTextContents()
    return texts.map((text) => text.trim()).filter((text) => text !== '')
  }

  async expectLine(line: string | RegExp): Promise<void> {
    const matches = (shown: string): boolean =>
      typeof line === 'string' ? shown === line : line.test(shown)
    await expect
      .poll(async () => (await this.lines()).some(matches), {
        ...PATIENTLY,
        message: `a line ${String(line)}`,
      })
      .toBe(true)
  }

  async expectStatus(text: RegExp, patienceMs: number = PATIENCE_MS): Promise<void> {
    // A page that is being loaded shows nothing.
    const shown = async (): Promise<string> =>
      (await this.status.allTextContents().catch(() => [])).join('').trim()
    await expect
      .poll(shown, { ...PATIENTLY, timeout: patienceMs, message: 'member status' })
      .toMatch(text)
  }

  async expectServing(): Promise<void> {
    await this.expectStatus(/leads/)
  }

  /** Every voter of the ensemble is linked to this one and all is served. */
  async expectWhole(patienceMs: number = PATIENCE_MS): Promise<void> {
    await this.expectStatus(/leads.*follow(?!.*away)/, patienceMs)
  }

  async syncModes(): Promise<string[]> {
    const traces = await this.page.evaluate(() => [...(window.zabra?.traces ?? [])])
    return (traces as SyncTrace[])
      .filter((trace) => trace.type === 'sync' && trace.direction === 'in')
      .map((trace) => trace.mode ?? '')
  }

  async promptNumber(): Promise<number> {
    const text = (await this.page.locator('label[for=command]').textContent()) ?? ''
    return Number(/ (\d+)\]\s*$/.exec(text)?.[1] ?? Number.NaN)
  }
}
