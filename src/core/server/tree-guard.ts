/**
 * Watches over this member's tree: looks at its nodes again and again, and takes the member out of
 * service when they are not what the ensemble's are (P22).
 */
import { formatZxid, type Zxid } from '../base/zxid.ts'
import type { DataTree } from '../tree/data-tree.ts'
import { TreeScrub } from '../tree/tree-scrub.ts'
import type { Moment, TraceEvent } from '../zab/effect.ts'
import { Divergence, DivergenceError, type DivergenceAlarm } from './divergence.ts'

/** Between the end of one look at all nodes and the next. Ours: as often as members compare. */
const LOOK_INTERVAL_MS = 1_000

export interface GuardHost {
  readonly tree: DataTree
  lastProcessed(): Zxid
  trace(event: TraceEvent): void
  /** See Broadcaster. */
  distrust(reason: string, cure: 'disk' | 'snapshot'): void
}

export class TreeGuard {
  readonly #host: GuardHost
  readonly #divergence = new Divergence()
  #scrub: TreeScrub
  #lookAgainMs = 0

  constructor(host: GuardHost) {
    this.#host = host
    this.#scrub = new TreeScrub(host.tree.store)
  }

  /** What went wrong with this member's tree, and whether that is over; null: nothing so far. */
  get alarm(): DivergenceAlarm | null {
    return this.#divergence.alarm
  }

  /** There is another tree. */
  restored(): void {
    this.#scrub = new TreeScrub(this.#host.tree.store)
  }

  /** The whole tree, then a rest: a small tree is not worth twenty looks a second. */
  look(at: Moment): void {
    if (this.#scrub.isAtStart && at.elapsedMs < this.#lookAgainMs) return
    const changed = this.#scrub.look()
    if (this.#scrub.isAtStart) this.#lookAgainMs = at.elapsedMs + LOOK_INTERVAL_MS
    if (changed !== null) this.diverged(null, `${changed} changed without a transaction`, at)
  }

  servesAgain(at: Moment): void {
    if (!this.#divergence.healed(at)) return
    const zxid = formatZxid(this.#host.lastProcessed())
    this.#host.trace({ type: 'healed', zxid })
  }

  /** Out of service, before anybody reads on; nothing of this tree goes to others or to disk. */
  diverged(other: bigint | null, what: string, at: Moment): void {
    const zxid = this.#host.lastProcessed()
    const own = this.#host.tree.digest ?? 0n
    const cure = this.#divergence.raise({ zxid, own, other, what }, at)
    const [ownDigest, otherDigest] = [formatZxid(own), other === null ? null : formatZxid(other)]
    const where = formatZxid(zxid)
    this.#host.trace({ type: 'diverged', zxid: where, ownDigest, otherDigest, what, cure })
    const reason = `the tree at ${where} is not what it should be: ${what}`
    if (cure === 'none') throw new DivergenceError(`${reason}, again and again`)
    this.#host.distrust(reason, cure)
  }
}
