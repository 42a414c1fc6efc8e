import { EventEmitter } from 'node:events'
import type { Page } from 'playwright/test'
import { describe, expect, it } from 'vitest'
import type { RoomStatus } from '../../src/browser/room-options.ts'
import { PageLine, PATIENCE_MS, ROOM_TIME_MS, waitUntil } from '../../src/playwright/page-line.ts'

/** Playwright's, where nobody says another. */
const TEST_LIMIT_MS = 30_000
const URL = 'http://localhost:5173/'

class FakePage extends EventEmitter {
  url(): string {
    return URL
  }
}

function line(): { readonly page: FakePage; readonly line: PageLine } {
  const page = new FakePage()
  const listener = { onFrame: () => {}, onLifeEnded: () => {} }
  return { page, line: new PageLine(page as unknown as Page, listener) }
}

function waited(...lines: readonly PageLine[]): Promise<unknown> {
  return waitUntil(lines, () => false, { what: 'a leader', timeoutMs: 1 })
}

describe('a wait that is in vain', () => {
  it('ends before the test does, also where the room opened late', () => {
    expect(PATIENCE_MS + PATIENCE_MS).toBeLessThan(TEST_LIMIT_MS + ROOM_TIME_MS)
  })

  it('names what is missing, where the pages are, and what went wrong in them', async () => {
    const [first, second, third] = [line(), line(), line()]
    first.line.hear([{ kind: 'begun' }])
    first.page.emit('pageerror', new Error('no such export'))
    const member = { whyNotServing: 'need 2 of 3' } as RoomStatus['member']
    const status = { text: 'founded', sid: 3, member } as RoomStatus
    second.line.hear([{ kind: 'begun' }, { kind: 'status', status, link: '', identity: '' }])
    third.page.emit('close')
    await expect(waited(first.line, second.line, third.line)).rejects.toThrow(
      'a leader: not within 1 ms. Pages: ' +
        `no room yet at ${URL}; its last error: no such export | ` +
        'member 3: founded; it does not serve: need 2 of 3 | the page is gone',
    )
    second.page.emit('crash')
    await expect(waited(second.line)).rejects.toThrow(/member 3: the page is gone$/)
    first.line.hear([{ kind: 'begun' }])
    await expect(waited(first.line)).rejects.toThrow(/no room yet at http:\/\/localhost:5173\/$/)
  })
})
