/**
 * The network between members and clients, on virtual time. Connections are ordered and reliable,
 * as data channels and TCP are: a cut path holds messages back or loses them, and a connection that
 * lost one carries nothing any more (Q82). How long a message takes is drawn from the seed.
 */
import type { Prng } from '../core/base/prng.ts'
import type { Delay } from './ensemble-faults.ts'
import { PipeEnd, type Carrier } from './pipe-end.ts'
import type { Station } from './station.ts'
import type { VirtualTime } from './virtual-time.ts'

/** ms that a message takes, and sometimes: as on one machine or in one house. */
const TRIP_MS: readonly [number, number] = [0.2, 3]
const SLOW_TRIP_MS: readonly [number, number] = [3, 40]
const SLOW_TRIP_CHANCE = 0.01
/** ms until the other side hears that this one closed, and where nothing gets through (ICE). */
const NOTICE_MS: readonly [number, number] = [1, 60]
const CUT_NOTICE_MS: readonly [number, number] = [5000, 9000]

/** What a cut path does with messages: they come late, or never. */
type CutMode = 'holds' | 'loses'

interface Cut {
  readonly blocks: (from: Station, to: Station) => boolean
  readonly mode: CutMode
}

export interface Bar {
  /** What is open between them ends, and both know at once. */
  sever(): void
  lift(): void
}

export class VirtualNetwork implements Carrier {
  readonly #time: VirtualTime
  readonly #prng: Prng
  #cuts: readonly Cut[] = []
  /** Of `bar`: beside the faults of the test, which may heal meanwhile. */
  #bars: readonly Cut[] = []
  readonly #delays = new Map<string, Delay>()
  readonly #drops = new Map<string, number>()
  readonly #open = new Set<PipeEnd>()

  constructor(time: VirtualTime, prng: Prng) {
    this.#time = time
    this.#prng = prng
  }

  // — faults —

  /** Whether what is cut off comes late or never is drawn. */
  cut(blocks: (from: Station, to: Station) => boolean): void {
    this.#cuts = [...this.#cuts, { blocks, mode: this.#prng.bool() ? 'holds' : 'loses' }]
  }

  /** Without `between` of everybody. */
  delay(delay: Delay, between: readonly [Station, Station] | undefined): void {
    for (const key of keysOf(between)) this.#delays.set(key, delay)
  }

  drop(chance: number, between: readonly [Station, Station] | undefined): void {
    for (const key of keysOf(between)) this.#drops.set(key, chance)
  }

  /** What was held back arrives; what was lost stays lost. */
  heal(): void {
    this.#cuts = []
    this.#delays.clear()
    this.#drops.clear()
    for (const end of this.#open) {
      for (const bytes of end.held.splice(0)) this.carry(end, bytes)
    }
  }

  /** Nothing gets through between the two, whatever heals meanwhile. */
  bar(one: Station, other: Station): Bar {
    const isOne = (a: Station, b: Station): boolean => a === one && b === other
    const bar: Cut = { blocks: (a, b) => isOne(a, b) || isOne(b, a), mode: 'loses' }
    this.#bars = [...this.#bars, bar]
    return {
      sever: () => {
        for (const end of [...this.#open]) {
          if (isOne(end.station, end.peer)) end.reset('the link was taken away')
        }
      },
      lift: () => {
        this.#bars = this.#bars.filter((each) => each !== bar)
      },
    }
  }

  /** Something gets from each to the other. */
  canMeet(a: Station, b: Station): boolean {
    return this.#cutOf(a, b) === null && this.#cutOf(b, a) === null
  }

  // — connections —

  /** A connection: the ends of `a` and of `b`. */
  connect(a: Station, b: Station): readonly [PipeEnd, PipeEnd] {
    const ends = [new PipeEnd(this, a, b), new PipeEnd(this, b, a)] as const
    ends[0].other = ends[1]
    ends[1].other = ends[0]
    for (const end of ends) this.#open.add(end)
    return ends
  }

  /** ms that one message takes between them now. */
  tripMs(from: Station, to: Station): number {
    const isSlow = this.#prng.bool(SLOW_TRIP_CHANCE)
    const extra = this.#delays.get(way(from, to)) ?? this.#delays.get(EVERYBODY) ?? 0
    const extraMs = typeof extra === 'number' ? extra : this.within(extra)
    return this.within(isSlow ? SLOW_TRIP_MS : TRIP_MS) + extraMs
  }

  within(range: readonly [number, number]): number {
    return range[0] + this.#prng.next() * (range[1] - range[0])
  }

  /** Its end takes it from `end`. */
  carry(end: PipeEnd, bytes: Uint8Array): void {
    const { station, peer } = end
    const key = way(station, peer)
    const cut = this.#cutOf(station, peer)
    const chance = this.#drops.get(key) ?? this.#drops.get(EVERYBODY) ?? 0
    if (cut === 'loses' || (chance > 0 && this.#prng.bool(chance))) end.isBroken = true
    if (end.isBroken) return
    if (cut === 'holds' || end.held.length > 0) end.held.push(bytes)
    else this.#launch(end, bytes)
  }

  /** `end` was closed by its owner: the other one hears of it, after what is under way. */
  closed(end: PipeEnd, reason: string): void {
    this.#open.delete(end)
    const { other, station, peer } = end
    if (other === null) return
    const isCut = end.isBroken || this.#cuts.some((cut) => cut.blocks(station, peer))
    const noticeMs = this.within(isCut ? CUT_NOTICE_MS : NOTICE_MS)
    this.#time.at(Math.max(this.#time.nowMs + noticeMs, end.lastArrivalMs), () => {
      other.process.run(() => other.lost(reason))
    })
  }

  forget(end: PipeEnd): void {
    this.#open.delete(end)
  }

  /** Its process ended. Whether the others hear of it, or only its silence, is drawn. */
  vanish(station: Station): void {
    const isNoticed = this.#prng.bool()
    for (const end of [...this.#open]) {
      if (end.station !== station) continue
      if (isNoticed) this.closed(end, 'the other side went away')
      end.abandon()
    }
  }

  #cutOf(from: Station, to: Station): CutMode | null {
    if (this.#cuts.length + this.#bars.length === 0) return null
    const cut = [...this.#bars, ...this.#cuts].find((each) => each.blocks(from, to))
    return cut?.mode ?? null
  }

  #launch(end: PipeEnd, bytes: Uint8Array): void {
    const { other, station, peer } = end
    if (other === null) return
    const atMs = Math.max(this.#time.nowMs + this.tripMs(station, peer), end.lastArrivalMs)
    end.lastArrivalMs = atMs
    this.#time.at(atMs, () => {
      end.process.run(() => end.hasLeft(bytes.length))
      other.process.run(() => other.arrived(bytes))
    })
  }
}

const EVERYBODY = '*'

function way(from: Station, to: Station): string {
  return `${from.name} > ${to.name}`
}

function keysOf(between: readonly [Station, Station] | undefined): readonly string[] {
  if (between === undefined) return [EVERYBODY]
  const [a, b] = between
  return [way(a, b), way(b, a)]
}
