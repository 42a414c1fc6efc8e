import { describe, expect, it } from 'vitest'
import { NewsQueue, type StatusNews } from '../../src/playwright/page/news-queue.ts'
import { newsFromText, newsToText } from '../../src/playwright/page/news-text.ts'
import type { FrameNews, PageNews } from '../../src/playwright/page/page-news.ts'

class Test {
  readonly told: PageNews[][] = []
  #timers: (() => void)[] = []
  readonly queue = new NewsQueue({
    send: async (news) => void this.told.push([...news]),
    after: (_ms, run) => void this.#timers.push(run),
  })

  fire(): void {
    for (const run of this.#timers.splice(0)) run()
  }
}

const SENT: FrameNews = { kind: 'sent', client: 1, atMs: 0, base64: '' }
const OPENED: FrameNews = { kind: 'opened', client: 1, server: 1 }

function status(zxid: string, silentMs: number): StatusNews {
  const member = { zxid, peers: [{ sid: 2, silentMs }], observers: [{ sessionBase: 7n }] }
  return { kind: 'status', status: { member }, link: '', identity: '' } as unknown as StatusNews
}

describe('news of a page', () => {
  it('are told in order, at once, and those of one task as one', async () => {
    const { queue, told } = new Test()
    queue.tellSoon(OPENED)
    queue.tell(SENT)
    queue.tell(SENT)
    expect(told).toEqual([])
    await Promise.resolve()
    expect(told).toEqual([[OPENED, SENT, SENT]])
    queue.tell(SENT)
    await Promise.resolve()
    expect(told.length).toBe(2)
  })

  it('that can wait are told a moment later where nothing else is', async () => {
    const test = new Test()
    test.queue.tellSoon(OPENED)
    test.queue.tellSoon(OPENED)
    await Promise.resolve()
    expect(test.told).toEqual([])
    test.fire()
    expect(test.told).toEqual([[OPENED, OPENED]])
    test.queue.tellSoon(OPENED)
    void test.queue.flush()
    test.fire()
    expect(test.told.length).toBe(2)
  })

  it('do not repeat a status that differs in figures only, until something is asked', async () => {
    const { queue, told } = new Test()
    queue.tellStatus(status('0x1', 1))
    await Promise.resolve()
    queue.tellStatus(status('0x1', 2))
    queue.tellStatus(status('0x1', 3))
    await Promise.resolve()
    expect(told.flat()).toEqual([status('0x1', 1)])
    void queue.flush()
    expect(told.at(-1)).toEqual([status('0x1', 3)])
    queue.tellStatus(status('0x1', 4))
    queue.tellStatus(status('0x2', 5))
    await Promise.resolve()
    expect(told.at(-1)).toEqual([status('0x2', 5)])
    void queue.flush()
    expect(told.length).toBe(3)
  })

  it('are the same after their way as a text, whole numbers of any size too', () => {
    const all = [OPENED, status('0x1', 0.5)]
    expect(newsFromText(newsToText(all))).toEqual(all)
  })
})
