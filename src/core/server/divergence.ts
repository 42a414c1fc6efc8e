/**
 * A member whose tree is not what the ensemble's is, or not what it was summed as: what it does
 * about it, and what people are told.
 *
 * First it forgets the tree and builds it again from its own snapshot and log, whose bytes have
 * checksums of their own. If that does not help, what it has on disk is in doubt as well: it
 * takes a snapshot of a leader, and until it has one it is no witness of anything. And if that
 * does not help, somebody has to look: it halts.
 */
import { formatZxid, type Zxid } from '../base/zxid.ts'
import type { Moment } from '../zab/effect.ts'

/** In words for people: what differed, and what came of it. */
export interface DivergenceAlarm {
  /** Where it was seen. */
  readonly zxid: string
  readonly ownDigest: string
  /** null: no other member was asked, its own tree showed it. */
  readonly otherDigest: string | null
  readonly what: string
  /** Wall clock, ms since 1970. */
  readonly atMs: number
  /** When it served again after it had synchronised anew; null: it is out of service. */
  readonly healedAtMs: number | null
  /** How often in this life, this one included. */
  readonly count: number
}

export interface Difference {
  readonly zxid: Zxid
  readonly own: bigint
  readonly other: bigint | null
  readonly what: string
}

export type Cure = 'disk' | 'snapshot' | 'none'

/** Ours: a cure is over within seconds, so what comes back within minutes was not cured. */
const WINDOW_MS = 600_000
/** Cures within the window: the disk once, then snapshots. Ours. */
const CURES_MAX = 4

/** Thrown to halt the member. */
export class DivergenceError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DivergenceError'
  }
}

export class Divergence {
  #alarm: DivergenceAlarm | null = null
  #count = 0
  #curedAtMs: number[] = []

  get alarm(): DivergenceAlarm | null {
    return this.#alarm
  }

  raise({ zxid, own, other, what }: Difference, at: Moment): Cure {
    this.#count++
    this.#alarm = {
      zxid: formatZxid(zxid),
      ownDigest: formatZxid(own),
      otherDigest: other === null ? null : formatZxid(other),
      what,
      atMs: at.wallMs,
      healedAtMs: null,
      count: this.#count,
    }
    this.#curedAtMs = this.#curedAtMs.filter((ms) => at.elapsedMs - ms < WINDOW_MS)
    if (this.#curedAtMs.length >= CURES_MAX) return 'none'
    this.#curedAtMs.push(at.elapsedMs)
    return this.#curedAtMs.length === 1 ? 'disk' : 'snapshot'
  }

  /** It serves again. Returns whether there was something to heal. */
  healed(at: Moment): boolean {
    if (this.#alarm === null || this.#alarm.healedAtMs !== null) return false
    this.#alarm = { ...this.#alarm, healedAtMs: at.wallMs }
    return true
  }
}
