/**
 * Links between members: ordered and reliable, so a lost message breaks the link for good (Q82).
 * The page makes a fresh link when an end was closed; neither side waits for an old one to heal.
 */
import type { ServerId } from '../../src/core/base/zxid.ts'
import type { Prng } from '../../src/core/base/prng.ts'
import type { Draw } from './draw.ts'
import { within } from './draw.ts'
import type { HostStorage } from './host-storage.ts'
import type { Timeline } from './timeline.ts'

/** Same as the runtime: below it a link is writable again. */
const LINK_LOW_WATER_BYTES = 64 * 1024
/** ms from asking for a link to having one: signaling and ICE on one machine. */
const DIAL_MS: readonly [number, number] = [30, 400]
/** ms until the other end hears that this one was closed. */
const CLOSE_NOTICE_MS: readonly [number, number] = [1, 80]
const CHANCE_OF_GLARE = 0.04
/** ms until ICE gives up on a path that is cut (browser-facts). */
const ICE_TIMEOUT_MS: readonly [number, number] = [5000, 9000]

/** Who has links, and is told what happens to them. */
export interface LinkOwner {
  readonly sid: ServerId
  /** Links to voters only. */
  readonly isObserver: boolean
  readonly life: number
  readonly isUp: boolean
  /** Up and not paused: its page can act. */
  readonly isRunning: boolean
  /** The newest link to each peer. */
  readonly ends: Map<ServerId, LinkEnd>
  readonly storage: HostStorage
  /** Does it take a link to this one? */
  admits(peer: LinkOwner): boolean
  attachLink(end: LinkEnd): void
  frameArrived(end: LinkEnd, bytes: Uint8Array): void
  linkWritable(end: LinkEnd): void
  linkClosed(end: LinkEnd, reason: string): void
}

/** What a cut path does to frames on it. */
export type CutMode = 'vanish' | 'stall'

export class LinkEnd {
  readonly host: LinkOwner
  readonly peer: LinkOwner
  readonly id: number
  other: LinkEnd | null = null
  state: 'pending' | 'up' | 'closed' = 'pending'
  /** Arrived before this side had the link: kept, as the Link port says. */
  early: Uint8Array[] = []
  lastArrivalMs = 0
  /** A message was lost on the way out: nothing after it arrives either. */
  broken = false
  stalled: Uint8Array[] = []
  bufferedBytes = 0

  constructor(host: LinkOwner, peer: LinkOwner, id: number) {
    this.host = host
    this.peer = peer
    this.id = id
  }
}

export class Network {
  readonly #timeline: Timeline
  readonly #prng: Prng
  readonly #draw: Draw
  readonly #hosts: readonly LinkOwner[]
  /** Who have a link with each other. */
  readonly #pairs: readonly (readonly [LinkOwner, LinkOwner])[]
  /** Directed, by path. */
  readonly #cuts = new Map<number, CutMode>()
  readonly #dialing = new Set<string>()
  #nextId = 1

  constructor(timeline: Timeline, prng: Prng, draw: Draw, hosts: readonly LinkOwner[]) {
    this.#timeline = timeline
    this.#prng = prng
    this.#draw = draw
    this.#hosts = hosts
    this.#pairs = hosts.flatMap((a, i) => {
      return hosts.slice(i + 1).flatMap((b) => (a.isObserver && b.isObserver ? [] : [[a, b]]))
    })
  }

  cut(from: ServerId, to: ServerId, mode: CutMode): void {
    this.#cuts.set(pathOf(from, to), mode)
  }

  isCut(from: ServerId, to: ServerId): boolean {
    return this.#cuts.has(pathOf(from, to))
  }

  /** Paths are whole again. What stalled arrives at once; what was lost stays lost. */
  heal(): void {
    this.#cuts.clear()
    for (const host of this.#hosts) {
      for (const end of host.ends.values()) {
        const stalled = end.stalled
        end.stalled = []
        for (const bytes of stalled) this.#launch(end, bytes)
      }
    }
  }

  send(end: LinkEnd, bytes: Uint8Array): void {
    if (end.state !== 'up') return
    end.bufferedBytes += bytes.length
    const mode = this.#cuts.get(pathOf(end.host.sid, end.peer.sid))
    if (mode === 'vanish') end.broken = true
    if (end.broken) return
    if (mode === 'stall' || end.stalled.length > 0) end.stalled.push(bytes)
    else this.#launch(end, bytes)
  }

  /**
   * The owner of this end closed it. Frames that are on their way still arrive before the notice.
   */
  close(end: LinkEnd, reason: string): void {
    if (end.state === 'closed') return
    end.state = 'closed'
    if (end.host.ends.get(end.peer.sid) === end) end.host.ends.delete(end.peer.sid)
    const other = end.other
    if (other === null || other.state === 'closed') return
    const isCut = this.isCut(end.host.sid, end.peer.sid) || end.broken
    const noticeMs = within(this.#prng, isCut ? ICE_TIMEOUT_MS : CLOSE_NOTICE_MS)
    const atMs = Math.max(this.#timeline.nowMs + noticeMs, end.lastArrivalMs)
    this.#timeline.at(atMs, () => {
      if (other.state === 'closed') return
      other.host.linkClosed(other, reason)
    })
  }

  /** A process ended without a word: its ends are gone, the other ends do not know. */
  vanish(host: LinkOwner, isNoticed: boolean): void {
    for (const end of [...host.ends.values()]) {
      if (isNoticed) this.close(end, 'the other side went away')
      end.state = 'closed'
    }
    host.ends.clear()
  }

  /** The page: asks for a link wherever this side has none. Called now and then for every pair. */
  dialMissing(): void {
    for (const [a, b] of this.#pairs) {
      if (!isLinked(a, b) || !isLinked(b, a)) this.#dial(a, b)
    }
  }

  #dial(a: LinkOwner, b: LinkOwner): void {
    const key = `${a.sid}-${b.sid}`
    if (this.#dialing.has(key) || !this.#canMeet(a, b)) return
    this.#dialing.add(key)
    const lives = [a.life, b.life]
    this.#timeline.after(within(this.#prng, DIAL_MS), () => {
      this.#dialing.delete(key)
      if (!this.#canMeet(a, b) || a.life !== lives[0] || b.life !== lives[1]) return
      if (isLinked(a, b) && isLinked(b, a)) return
      this.#connect(a, b)
      // Both pages asked at once: two links, and each side may take another one for the newer.
      if (this.#prng.bool(CHANCE_OF_GLARE)) this.#connect(a, b)
    })
  }

  #canMeet(a: LinkOwner, b: LinkOwner): boolean {
    if (!a.isRunning || !b.isRunning) return false
    if (!a.admits(b) || !b.admits(a)) return false
    return !this.isCut(a.sid, b.sid) && !this.isCut(b.sid, a.sid)
  }

  /** A link more, though there may be one. False where the two cannot meet. */
  connectAgain(a: LinkOwner, b: LinkOwner): boolean {
    const canMeet = this.#canMeet(a, b)
    if (canMeet) this.#connect(a, b)
    return canMeet
  }

  #connect(a: LinkOwner, b: LinkOwner): void {
    a.storage.remembers(b.storage)
    b.storage.remembers(a.storage)
    const id = this.#nextId++
    const endA = new LinkEnd(a, b, id)
    const endB = new LinkEnd(b, a, id)
    endA.other = endB
    endB.other = endA
    for (const end of [endA, endB]) {
      const life = end.host.life
      this.#timeline.after(this.#prng.next() * 10, () => {
        if (end.state !== 'pending') return
        if (end.host.life !== life || !end.host.isUp) {
          this.close(end, 'nobody there')
          return
        }
        end.state = 'up'
        end.host.attachLink(end)
      })
    }
  }

  #launch(end: LinkEnd, bytes: Uint8Array): void {
    const { linkDelayMs, linkSpikeChance } = this.#draw
    let delayMs = within(this.#prng, linkDelayMs)
    if (this.#prng.bool(linkSpikeChance)) delayMs += this.#prng.next() * 400
    const atMs = Math.max(this.#timeline.nowMs + delayMs, end.lastArrivalMs)
    end.lastArrivalMs = atMs
    this.#timeline.at(atMs, () => {
      this.#drained(end, bytes.length)
      const other = end.other
      if (other === null || other.state === 'closed') return
      if (other.state === 'pending') other.early.push(bytes)
      else other.host.frameArrived(other, bytes)
    })
  }

  #drained(end: LinkEnd, bytes: number): void {
    const wasFull = end.bufferedBytes >= LINK_LOW_WATER_BYTES
    end.bufferedBytes -= bytes
    if (wasFull && end.bufferedBytes < LINK_LOW_WATER_BYTES && end.state === 'up') {
      end.host.linkWritable(end)
    }
  }
}

/** One way; a sid is one byte. */
function pathOf(from: ServerId, to: ServerId): number {
  return from * 256 + to
}

function isLinked(a: LinkOwner, b: LinkOwner): boolean {
  return a.ends.has(b.sid)
}
