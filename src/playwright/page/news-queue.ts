/**
 * What a page has to tell the test, told as few times as can be: each telling costs the driver and
 * the test runner some 5 ms of processor time, more than what a member does meanwhile.
 */
import { written } from './news-text.ts'
import type { PageNews } from './page-news.ts'

/** How long what can wait does. Ours: below what anybody waits for, and above a burst of it. */
const LATE_MS = 200
/** They change by themselves while nothing happens (MemberStatus, `disk` of DiskFigures). */
const FIGURES: ReadonlySet<string> = new Set(['silentMs', 'rttMs', 'remainingMs', 'disk'])

export type StatusNews = Extract<PageNews, { readonly kind: 'status' }>

export interface NewsQueueOptions {
  /** Settles when the test has heard it, or never will. */
  readonly send: (news: readonly PageNews[]) => Promise<void>
  readonly after: (delayMs: number, run: () => void) => void
}

export class NewsQueue {
  readonly #options: NewsQueueOptions
  #news: PageNews[] = []
  /** What was told of it, without the figures. */
  #told = ''
  /** Differs from what was told in figures only. */
  #late: StatusNews | null = null
  #isDue = false
  #isWaiting = false

  constructor(options: NewsQueueOptions) {
    this.#options = options
  }

  /** In order; what happens in one task is told as one. */
  tell(news: PageNews): void {
    this.#news.push(news)
    if (this.#isDue) return
    this.#isDue = true
    queueMicrotask(() => {
      if (this.#isDue) void this.flush()
    })
  }

  /** With what is told next, in order, or a moment later by itself. */
  tellSoon(news: PageNews): void {
    this.#news.push(news)
    if (this.#isWaiting) return
    this.#isWaiting = true
    this.#options.after(LATE_MS, () => {
      this.#isWaiting = false
      if (this.#news.length > 0) void this.flush()
    })
  }

  /** Where nothing changed but figures, with what is told next. */
  tellStatus(news: StatusNews): void {
    const essence = JSON.stringify(news, (key, value: unknown) =>
      FIGURES.has(key) ? undefined : written(value),
    )
    if (essence === this.#told) {
      this.#late = news
      return
    }
    this.#told = essence
    this.#late = null
    this.tell(news)
  }

  /** All of it now; nothing is told where there is nothing. */
  flush(): Promise<void> {
    const news = this.#late === null ? this.#news : [...this.#news, this.#late]
    this.#news = []
    this.#late = null
    this.#isDue = false
    return news.length === 0 ? Promise.resolve() : this.#options.send(news)
  }
}
