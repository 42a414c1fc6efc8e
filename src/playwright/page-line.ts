/**
 * What the test knows of one page, by its own telling. Whoever waits for something hears of it when
 * it happens; nothing is asked again and again.
 */
import type { Page } from 'playwright/test'
import type { RoomStatus } from '../browser/room-options.ts'
import type { FrameNews, PageNews, Trace } from './page/page-news.ts'

/** Far above what a busy machine of two cores needs; a bound on hanging, not a measure. */
export const PATIENCE_MS = 30_000
/**
 * What a test gets for each room besides its own limit, ms. Ours: Playwright's limit is as long as
 * one of our waits unless the test says otherwise, and would end it before it says what is missing.
 * A room may take one wait to open, and another one begins when it has.
 */
export const ROOM_TIME_MS: number = 2 * PATIENCE_MS
/** Of one page; older ones go. */
const TRACES_MAX = 20_000

export interface WaitOptions {
  /** Rejects after this with what was still missing. Default 30 s. */
  readonly timeoutMs?: number
  /** What is waited for, in words, for the message. */
  readonly what?: string
}

export interface LineListener {
  onFrame(line: PageLine, news: FrameNews): void
  /** The page was left, reloaded, closed or crashed: its connections are gone. */
  onLifeEnded(line: PageLine): void
}

export class PageLine {
  readonly page: Page
  readonly traces: Trace[] = []
  #status: RoomStatus | null = null
  #link: string | null = null
  #identity: string | null = null
  #ended: string | null = null
  #lastError: string | null = null
  /** The last one that it had: who is gone is named all the same. */
  #sid: number | null = null
  #lives = 0
  readonly #listeners = new Set<() => void>()
  readonly #listener: LineListener

  constructor(page: Page, listener: LineListener) {
    this.page = page
    this.#listener = listener
    const over = (): void => this.#gone()
    page.once('crash', over)
    page.once('close', over)
    page.on('pageerror', ({ message }) => {
      this.#lastError = message
    })
  }

  /** As of the last word of the page in this life; null before it joined a room. */
  get status(): RoomStatus | null {
    return this.#status
  }

  /** Of the room, as the page would share it; the last one that it told. */
  get link(): string | null {
    return this.#link
  }

  /** Which machine of the browser it is; stays over reloads. */
  get identity(): string | null {
    return this.#identity
  }

  get ended(): string | null {
    return this.#ended
  }

  /** For messages: how its machine is, or why there is none. */
  get state(): string {
    const name = this.#sid === null ? '' : `member ${this.#sid}: `
    if (this.#status !== null) {
      const { text, member } = this.#status
      const why = member?.whyNotServing ?? null
      return why === null ? name + text : `${name}${text}; it does not serve: ${why}`
    }
    if (this.#ended !== null) return name + this.#ended
    const error = this.#lastError === null ? '' : `; its last error: ${this.#lastError}`
    return `${name}no room yet at ${this.page.url()}${error}`
  }

  /** How many times it was loaded. */
  get lives(): number {
    return this.#lives
  }

  hear(all: readonly PageNews[]): void {
    for (const news of all) this.#hearOne(news)
    for (const listener of [...this.#listeners]) listener()
  }

  /** Resolves with what `find` finds, as soon as it does. */
  async until<T>(find: () => T | null | undefined | false, options: WaitOptions = {}): Promise<T> {
    return waitUntil([this], find, options)
  }

  onNews(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #hearOne(news: PageNews): void {
    switch (news.kind) {
      case 'begun':
        if (this.#lives > 0) this.#listener.onLifeEnded(this)
        this.#lives++
        this.#status = null
        this.#ended = null
        this.#lastError = null
        return
      case 'status':
        // A client's has less; whoever asks for more finds it undefined.
        this.#status = news.status as RoomStatus
        this.#sid = this.#status.sid ?? this.#sid
        this.#link = news.link
        this.#identity = news.identity
        return
      case 'ended':
        this.#ended = news.reason
        return
      case 'trace':
        this.traces.push(news.trace)
        if (this.traces.length > TRACES_MAX) this.traces.shift()
        return
      default:
        this.#listener.onFrame(this, news)
    }
  }

  #gone(): void {
    if (this.#status !== null) this.#listener.onLifeEnded(this)
    this.#status = null
    this.#ended ??= 'the page is gone'
    for (const listener of [...this.#listeners]) listener()
  }
}

/** Over several pages. */
export async function waitUntil<T>(
  lines: readonly PageLine[],
  find: () => T | null | undefined | false,
  { timeoutMs = PATIENCE_MS, what = 'what was waited for' }: WaitOptions = {},
): Promise<T> {
  const already = find()
  if (already !== null && already !== undefined && already !== false) return already
  const found = await new Promise<T | null>((resolve) => {
    const ends = lines.map((line) => line.onNews(() => look()))
    const end = (result: T | null): void => {
      clearTimeout(timer)
      for (const stop of ends) stop()
      resolve(result)
    }
    const timer = setTimeout(end, timeoutMs, null)
    const look = (): void => {
      const now = find()
      if (now !== null && now !== undefined && now !== false) end(now)
    }
  })
  if (found !== null) return found
  // Made here and not in the timer: so its stack has the line of the test.
  const states = lines.map(({ state }) => state)
  throw new Error(`${what}: not within ${timeoutMs} ms. Pages: ${states.join(' | ')}`)
}
