/** One machine of an ensemble: a tab with its server, or where one was and can be again. */
import type { Page } from 'playwright/test'
import type { Role } from '../core/zab/effect.ts'
import type { RoomStatus } from '../browser/room-options.ts'
import { PATIENCE_MS, type PageLine, waitUntil, type WaitOptions } from './page-line.ts'
import type { Trace } from './page/page-news.ts'
import { inKit } from './page-call.ts'
import type { TabHome } from './tab-home.ts'
import { devTools, Standstill } from './standstill.ts'

/** What the server of a member tells of one kind of moment. */
export type TraceOf<K extends Trace['type']> = Extract<Trace, { readonly type: K }>

export class Member {
  readonly browser: TabHome
  #line: PageLine
  #sid: number | null = null
  #standstill: Standstill | null = null
  #isUp = true
  #isAsleep = false

  private constructor(browser: TabHome, line: PageLine) {
    this.browser = browser
    this.#line = line
  }

  /** In a page that is open already. */
  static async of(browser: TabHome, page: Page): Promise<Member> {
    return new Member(browser, (await browser.kit()).lineOf(page))
  }

  static async open(browser: TabHome, url: string): Promise<Member> {
    const member = new Member(browser, await newLine(browser))
    // A server that does not answer is a reason as well.
    await member.page.goto(url, { timeout: PATIENCE_MS })
    return member
  }

  /** Its tab; another one after a restart. */
  get page(): Page {
    return this.#line.page
  }

  get line(): PageLine {
    return this.#line
  }

  /** Not killed and not closed. */
  get isUp(): boolean {
    return this.#isUp
  }

  /** By itself, or with the whole of its browser. */
  get isFrozen(): boolean {
    return this.#standstill !== null || this.#isAsleep
  }

  /** Its browser was put to sleep, or woken. */
  set isAsleep(isAsleep: boolean) {
    this.#isAsleep = isAsleep
  }

  /** Its server id, from 1; 0 before the ensemble gave it one. It stays when the tab goes. */
  get number(): number {
    this.#sid = this.#line.status?.sid ?? this.#sid
    return this.#sid ?? 0
  }

  /** As the page told it last; null while there is none. */
  get status(): RoomStatus | null {
    return this.#line.status
  }

  get role(): Role | null {
    return this.status?.member?.role ?? null
  }

  get isLeading(): boolean {
    return this.role === 'leading'
  }

  get isVoter(): boolean {
    return this.status?.phase === 'member'
  }

  /** What its server did, in all lives of the tab; `at` in ms since 1970. */
  get traces(): readonly Trace[] {
    return this.#line.traces
  }

  /** Those of one type since then, in ms since 1970. */
  tracesSince<K extends Trace['type']>(sinceMs: number, type: K): readonly TraceOf<K>[] {
    return this.traces.filter(
      (trace): trace is TraceOf<K> => trace.at >= sinceMs && trace.type === type,
    )
  }

  /** The first one of that type since then, in ms since 1970; waits for it. */
  untilTrace<K extends Trace['type']>(
    type: K,
    sinceMs: number,
    isIt: (trace: TraceOf<K>) => boolean = () => true,
  ): Promise<TraceOf<K>> {
    const find = (): TraceOf<K> | undefined => this.tracesSince(sinceMs, type).find(isIt)
    return this.until(find, { what: `member ${this.number} tells of ${type}` })
  }

  until<T>(find: () => T | null | undefined | false, options?: WaitOptions): Promise<T> {
    return waitUntil([this.#line], find, options)
  }

  /** What is known of it is from now on no older than this call. */
  async refresh(): Promise<void> {
    await inKit(this.page, (kit) => kit.refresh(), null)
  }

  /** It serves its clients. */
  async untilServing(options?: WaitOptions): Promise<void> {
    const what = `member ${this.number} serves`
    await this.until(() => this.status?.member?.serving === true, { what, ...options })
  }

  /** Ends without a word: the tab crashes or, when it is alone there, its browser is killed. */
  async kill(isAlone = false): Promise<void> {
    const session = isAlone ? null : await devTools(this.page)
    this.#isUp = false
    this.#standstill = null
    if (session === null) return this.browser.kill()
    const crashed = this.page.waitForEvent('crash')
    // It never answers.
    session.send('Page.crash').catch(() => {})
    await crashed
    await this.page.close()
  }

  async close(): Promise<void> {
    this.#isUp = false
    await this.thaw()
    await this.page.close()
  }

  /** In a tab of the same browser, as the machine that it was. */
  async restart(): Promise<void> {
    const [{ link, identity }, page] = [this.#line, await newLine(this.browser)]
    if (link === null) throw new Error('it was in no room')
    page.traces.push(...this.traces)
    this.#line = page
    this.#isUp = true
    if (identity !== null) await page.page.addInitScript(remember, { identity, name: 'zabra.kit' })
    await page.page.goto(link)
    await page.until(() => page.status !== null, { what: 'the tab takes part again' })
  }

  async reload(): Promise<void> {
    await this.thaw()
    const { lives } = this.#line
    await this.page.reload()
    const isBack = (): boolean => this.#line.lives > lives && this.status !== null
    await this.until(isBack, { what: 'the tab takes part again' })
  }

  async freeze(): Promise<void> {
    this.#standstill ??= await Standstill.of(this.page)
  }

  async thaw(): Promise<void> {
    const standstill = this.#standstill
    this.#standstill = null
    await standstill?.end()
  }

  /** The storage of this machine is deleted under it, as by "clear site data". */
  async wipeStorage(): Promise<void> {
    await inKit(this.page, (kit, identity) => kit.deleteDatabase(identity), this.identity)
  }

  get identity(): string {
    return this.#line.identity ?? ''
  }

  get link(): string {
    const { link } = this.#line
    if (link === null) throw new Error('this tab has joined no room yet')
    return link
  }
}

async function newLine(browser: TabHome): Promise<PageLine> {
  const page = await browser.newPage()
  return (await browser.kit()).lineOf(page)
}

/** In the page, after the kit's own script and before the app's. */
function remember({ identity, name }: { readonly identity: string; readonly name: string }): void {
  const kit = (window as unknown as Record<symbol, { identity: string | null } | undefined>)[
    Symbol.for(name)
  ]
  if (kit !== undefined) kit.identity = identity
}
