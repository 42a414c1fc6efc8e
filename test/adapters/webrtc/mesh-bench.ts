/** What the tests of the mesh share: a room of fake pages, real promises and virtual time. */
import { afterEach, beforeEach, expect, vi } from 'vitest'
import { FakeRoom, type FakePage } from './fake-room.ts'

/** Less than the first question of a side that waits for an offer: nothing had to be retried. */
export const AT_ONCE_MS = 1_000

const realSetTimeout = setTimeout

export class MeshBench {
  room: FakeRoom = new FakeRoom()
  readonly #pages: FakePage[] = []

  constructor() {
    beforeEach(() => {
      // Real promises and Web Crypto, virtual time.
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
      this.room = new FakeRoom()
    })
    afterEach(() => {
      for (const page of this.#pages.splice(0)) page.mesh.closeAllSync('test over')
      vi.useRealTimers()
    })
  }

  enter = async (...args: Parameters<FakeRoom['page']>): Promise<FakePage> => {
    const page = await this.room.page(...args)
    this.#pages.push(page)
    this.room.list(false)
    return page
  }

  /** Lets so much virtual time pass. */
  pass = async (timeMs: number): Promise<void> => {
    for (let at = 0; at < timeMs; at += 20) {
      await vi.advanceTimersByTimeAsync(Math.min(20, timeMs - at))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Until it holds, in virtual time; each step leaves Web Crypto, which is real, real time. */
  until = async (isTrue: () => boolean, limitMs = 60_000): Promise<void> => {
    for (let at = 0; at < limitMs && !isTrue(); at += 20) {
      await this.pass(20)
      await new Promise((resolve) => realSetTimeout(resolve, at < 1_000 ? 4 : 0))
    }
    expect(isTrue(), this.room.signals.join('\n')).toBe(true)
  }

  connected = (page: FakePage): string[] =>
    page.mesh
      .status()
      .filter((peer) => peer.state === 'connected')
      .map((peer) => this.room.nameOf(peer.peerId))
      .sort()
}

export function linkOf(page: FakePage, other: FakePage): string {
  return page.mesh.status().find((one) => one.peerId === other.peer)?.linkId ?? 'none'
}
