/**
 * Links between the pages of a room: signaling, handshake, page messages. What is sent while the
 * path is cut is lost, and the link with it; a page makes a fresh one once it knows.
 */
import type { Prng } from '../../../src/core/base/prng.ts'
import { within } from '../draw.ts'
import type { SimContext } from '../sim-context.ts'
import { RoomEnd, type RoomPage } from './room-link.ts'

/** ms from asking for a link to having one: signaling and ICE on one machine. */
const DIAL_MS: readonly [number, number] = [30, 400]
/** ms of checking a signature. */
const VERIFY_MS: readonly [number, number] = [1, 6]
/** ms until the other end hears that this one was closed. */
const CLOSE_NOTICE_MS: readonly [number, number] = [1, 80]
/** ms until ICE gives up on a path that is cut (browser-facts). */
const ICE_TIMEOUT_MS: readonly [number, number] = [5000, 9000]

export class RoomNetwork {
  readonly #context: SimContext
  readonly #prng: Prng
  readonly #pages: readonly RoomPage[]
  readonly #cuts = new Set<string>()
  readonly #dialing = new Set<string>()
  /** Nobody finds anybody without it; links go on. */
  isBrokerAway = false

  constructor(context: SimContext, pages: readonly RoomPage[]) {
    this.#context = context
    this.#pages = pages
    this.#prng = context.prng.fork('network of the room')
  }

  cut(a: RoomPage, b: RoomPage): void {
    this.#cuts.add(keyOfPair(a, b))
  }

  mend(a: RoomPage, b: RoomPage): void {
    this.#cuts.delete(keyOfPair(a, b))
  }

  heal(): void {
    this.#cuts.clear()
    this.isBrokerAway = false
  }

  /** Asks for a link wherever there is none. Called now and then. */
  dialMissing(): void {
    for (const [i, a] of this.#pages.entries()) {
      for (const b of this.#pages.slice(i + 1)) {
        if (!a.ends.has(b.incarnation) || !b.ends.has(a.incarnation)) this.#dial(a, b)
      }
    }
  }

  /** A process ended: the other sides know at once, or when ICE gives up. */
  vanish(page: RoomPage, isNoticed: boolean): void {
    for (const end of [...page.ends.values()]) {
      this.#close(end, isNoticed ? CLOSE_NOTICE_MS : ICE_TIMEOUT_MS)
    }
    page.ends.clear()
  }

  send(from: RoomPage, to: string, bytes: Uint8Array): void {
    const end = from.ends.get(to)
    if (end === undefined || end.isClosed) return
    if (this.#isCut(end.owner, end.peer)) this.#breaks(end)
    if (end.isBroken) return
    this.#carry(end, () => {
      const other = end.other
      if (other?.isAdmitted === true) other.owner.received(other.peerName, bytes)
      else other?.early.push(bytes)
    })
  }

  /** What is left of them, once nobody has anything to say any more. */
  closeAll(): void {
    for (const { ends } of this.#pages) ends.clear()
  }

  #dial(a: RoomPage, b: RoomPage): void {
    const key = keyOfPair(a, b)
    if (this.#dialing.has(key) || !this.#canMeet(a, b)) return
    this.#dialing.add(key)
    const lives = [a.life, b.life]
    this.#context.timeline.after(within(this.#prng, DIAL_MS), () => {
      this.#dialing.delete(key)
      if (!this.#canMeet(a, b) || a.life !== lives[0] || b.life !== lives[1]) return
      this.#connect(a, b)
    })
  }

  #canMeet(a: RoomPage, b: RoomPage): boolean {
    if (this.isBrokerAway || !a.isOpen || !b.isOpen) return false
    return !a.isPaused && !b.isPaused && !this.#isCut(a, b)
  }

  #isCut(a: RoomPage, b: RoomPage): boolean {
    if (this.#cuts.has(keyOfPair(a, b))) return true
    const [sidA, sidB] = [a.host?.sid, b.host?.sid]
    if (sidA === undefined || sidB === undefined) return false
    const { network } = this.#context
    return network.isCut(sidA, sidB) || network.isCut(sidB, sidA)
  }

  /** Both say who they are and what they hold, as of now; each hears it when it arrives. */
  #connect(a: RoomPage, b: RoomPage): void {
    const [endA, endB] = [new RoomEnd(a, b), new RoomEnd(b, a)]
    endA.other = endB
    endB.other = endA
    for (const end of [endA, endB]) {
      const old = end.owner.ends.get(end.peerName)
      if (old !== undefined) old.isClosed = true
      end.owner.ends.set(end.peerName, end)
    }
    for (const end of [endA, endB]) this.#greet(end)
  }

  #greet(end: RoomEnd): void {
    const { hello } = end.owner
    this.#carry(
      end,
      () => {
        const other = end.other
        if (other === null) return
        if (!other.owner.admits(hello)) {
          this.#close(other, CLOSE_NOTICE_MS)
          other.owner.ends.delete(other.peerName)
          return
        }
        other.isAdmitted = true
        const early = other.early
        other.early = []
        for (const bytes of early) other.owner.received(other.peerName, bytes)
      },
      within(this.#prng, VERIFY_MS),
    )
  }

  /** In order, and only while both ends are the ones that belong together. */
  #carry(end: RoomEnd, arrive: () => void, extraMs = 0): void {
    const { timeline, draw } = this.#context
    const delayMs = within(this.#prng, draw.linkDelayMs) + extraMs
    const atMs = Math.max(timeline.nowMs + delayMs, end.lastArrivalMs)
    end.lastArrivalMs = atMs
    const { other } = end
    const life = other?.owner.life
    timeline.at(atMs, () => {
      if (other === null || other.isClosed || other.owner.life !== life) return
      other.owner.task(() => {
        if (!other.isClosed) arrive()
      })
    })
  }

  #breaks(end: RoomEnd): void {
    if (end.isBroken) return
    end.isBroken = true
    this.#context.timeline.after(within(this.#prng, ICE_TIMEOUT_MS), () => this.#lost(end))
    this.#close(end, ICE_TIMEOUT_MS)
  }

  /** The other end hears of it after so long. */
  #close(end: RoomEnd, noticeMs: readonly [number, number]): void {
    const { other } = end
    if (other === null) return
    const { life } = other.owner
    this.#context.timeline.after(within(this.#prng, noticeMs), () => {
      if (other.owner.life === life) this.#lost(other)
    })
  }

  #lost(end: RoomEnd): void {
    if (end.isClosed) return
    end.isClosed = true
    end.owner.task(() => {
      if (end.owner.ends.get(end.peerName) !== end) return
      end.owner.ends.delete(end.peerName)
      end.owner.left(end.peerName)
    })
  }
}

function keyOfPair(a: RoomPage, b: RoomPage): string {
  return a.number < b.number ? `${a.number}-${b.number}` : `${b.number}-${a.number}`
}
