/**
 * One machine as a person sees and uses it: its page, by accessible names only. What its server
 * does the kit knows (`member`).
 */
import { expect, type Page } from 'playwright/test'
import { statusLine } from '../../demo/status-text.ts'
import type {} from '../../demo/window.d.ts'
import type { RoomStatus } from '../../src/browser/room-options.ts'
import type { Ensemble } from '../../src/playwright/ensemble.ts'
import type { Member } from '../../src/playwright/member.ts'
import type { TabHome } from '../../src/playwright/tab-home.ts'

/** Far above what a busy machine of two cores needs; a bound on hanging, not a measure. */
export const PATIENCE_MS = 30_000
/** For `expect.poll`. Left to itself it soon looks once a second, and overlooks half of one. */
export const PATIENTLY: { readonly timeout: number; readonly intervals: number[] } = {
  timeout: PATIENCE_MS,
  intervals: [20, 40, 80, 120],
}
const SERVED = /leads/
const WHOLE = /leads.*follow(?!.*away)/

export class MachinePage {
  readonly member: Member

  constructor(member: Member) {
    this.member = member
  }

  get page(): Page {
    return this.member.page
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

  /**
   * As its page told the kit last. What the page shows may be ahead of it, and before its program
   * has joined the room there is none: see `expectState`.
   */
  get state(): RoomStatus | null {
    return this.member.status
  }

  get sid(): number | null {
    return this.state?.sid ?? null
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

  /**
   * Types `create`, again where the connection was lost on the way: on two busy cores a member may
   * lose its place for a moment.
   */
  async create(path: string, data: string): Promise<void> {
    const until = performance.now() + PATIENCE_MS
    let isDone = /^Created /
    for (;;) {
      const before = (await this.lines()).length
      await this.type(`create ${path} ${data}`)
      const said = (await this.lines()).slice(before)
      if (said.some((line) => isDone.test(line))) return
      const isLost = said.some((line) => line.includes('ConnectionLoss'))
      if (!isLost || performance.now() > until) throw new Error(said.join(' / '))
      isDone = /^Created |^Node already exists: /
    }
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

  /** What it reads after a sync: others may hear of a write before it has it. */
  async expectData(path: string, data: string): Promise<void> {
    await this.type(`sync ${path}`)
    await this.type(`get ${path}`)
    await this.expectLine(data)
  }

  async expectStatus(text: RegExp, patienceMs: number = PATIENCE_MS): Promise<void> {
    // A page that is being loaded shows nothing.
    const shown = async (): Promise<string> =>
      (await this.status.allTextContents().catch(() => [])).join('').trim()
    await expect
      .poll(shown, { ...PATIENTLY, timeout: patienceMs, message: 'member status' })
      .toMatch(text)
  }

  /** What its server says of itself, in one sentence. */
  async expectText(text: string | RegExp): Promise<void> {
    const isIt = (said: string): boolean =>
      typeof text === 'string' ? said === text : text.test(said)
    await this.member.until(() => isIt(this.state?.text ?? ''), { what: `says ${String(text)}` })
  }

  /** Waits until the page has told that, which it may have shown before. */
  async expectState(some: Partial<RoomStatus>): Promise<void> {
    await expect
      .poll(() => this.state, { ...PATIENTLY, message: 'state' })
      .toMatchObject({ ...some })
  }

  async expectServing(): Promise<void> {
    await this.expectStatus(SERVED)
    await this.#expectTold(SERVED)
  }

  /** Every voter of the ensemble is linked to this one and all is served: shown, and told. */
  async expectWhole(patienceMs: number = PATIENCE_MS): Promise<void> {
    await this.expectShownWhole(patienceMs)
    await this.#expectTold(WHOLE)
  }

  /** Also where the kit is not in the page. */
  async expectShownWhole(patienceMs: number = PATIENCE_MS): Promise<void> {
    await this.expectStatus(WHOLE, patienceMs)
  }

  /** What the page shows, as far as the kit knows. */
  async #expectTold(line: RegExp): Promise<void> {
    const isTold = (): boolean => this.state !== null && line.test(statusLine(this.state))
    await this.member.until(isTold, { what: `told ${String(line)}` })
  }

  /** A tab that came to a full room: whatever it is there, it is no voter and it works. */
  async expectGuest(patienceMs: number = PATIENCE_MS): Promise<void> {
    await this.member.until(() => /^(client|observer)$/.test(this.state?.phase ?? ''), {
      ...{ timeoutMs: patienceMs, what: 'joined, and not as a voter' },
    })
  }

  /** By what ways its server caught up with others since then, in ms since 1970. */
  syncModesSince(sinceMs: number): readonly string[] {
    const syncs = this.member.tracesSince(sinceMs, 'sync')
    return syncs.flatMap(({ direction, mode }) => (direction === 'in' ? [mode] : []))
  }

  get prompt(): ReturnType<Page['locator']> {
    return this.page.locator('label[for=command]')
  }

  async expectPrompt(text: RegExp): Promise<void> {
    await expect(this.prompt).toHaveText(text, { timeout: PATIENCE_MS })
  }

  async promptNumber(): Promise<number> {
    const text = (await this.prompt.textContent()) ?? ''
    return Number(/ (\d+)\]\s*$/.exec(text)?.[1] ?? Number.NaN)
  }
}

export type Three = readonly [MachinePage, MachinePage, MachinePage]

/** In order of server id. */
export function threeOf(room: Ensemble): Three {
  const [one, two, three] = room.members.map((member) => new MachinePage(member))
  if (one === undefined || two === undefined || three === undefined) throw new Error('three')
  return [one, two, three]
}

export interface Cast {
  readonly leader: MachinePage
  /** The two that follow, in order of server id. */
  readonly one: MachinePage
  readonly other: MachinePage
}

/** Who leads now, and who does not. */
export function castOf(machines: readonly MachinePage[]): Cast {
  const leader = leaderOf(machines)
  const [one, other] = machines.filter((machine) => machine !== leader)
  if (one === undefined || other === undefined) throw new Error('two followers')
  return { leader, one, other }
}

export function leaderOf(machines: readonly MachinePage[]): MachinePage {
  const leader = machines.find(({ member }) => member.isLeading)
  if (leader === undefined) throw new Error('nobody leads')
  return leader
}

/** A tab of the page of a machine, by hand. */
export async function openMachine(
  browser: TabHome & { open(url: string): Promise<Member> },
  url: string,
): Promise<MachinePage> {
  return new MachinePage(await browser.open(url))
}
