/**
 * The one ordered list of effects that Zab and the server of a member share. It numbers persist
 * effects as the EffectGate does, so that both sides mean the same by a mark.
 */
import type { Zxid } from '../base/zxid.ts'
import type { Moment, ZabEffect } from './effect.ts'
import { isPersistEffect } from './effect.ts'

/** What Zab needs of the list. */
export interface EffectSink {
  push(effect: ZabEffect): void
  /** Number of the last persist effect pushed (1, 2, 3 …); what is pushed by then is ≤ it. */
  readonly persistCount: number
  /** Newest snapshot that is or will be on disk; a TRUNC below it cannot be done. */
  snapshotZxid: Zxid
  /** Number of truncate effects pushed: each is answered by one `truncated` input. */
  readonly truncateCount: number
  newSnapshotId(at: Moment): number
  /** Tells the answer to one reading of the log from all others of this life. */
  newReadId(): number
}

export class EffectList<E extends { readonly kind: string } = ZabEffect> implements EffectSink {
  #effects: (E | ZabEffect)[] = []
  #persistCount = 0
  #truncateCount = 0
  #lastSnapshotId = 0
  #lastReadId = 0
  snapshotZxid: Zxid = 0n as Zxid

  push(effect: E | ZabEffect): void {
    this.#effects.push(effect)
    if (!isPersistEffect(effect)) return
    this.#persistCount++
    if (effect.kind === 'truncate') this.#truncateCount++
    if (effect.kind === 'snapshot-commit') this.snapshotZxid = effect.zxid
  }

  get persistCount(): number {
    return this.#persistCount
  }

  get truncateCount(): number {
    return this.#truncateCount
  }

  /** Everything pushed since the last call, in order. */
  take(): (E | ZabEffect)[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  get isEmpty(): boolean {
    return this.#effects.length === 0
  }

  /**
   * A snapshot id that this storage never saw: wall-clock ms, since ids of former lives may still
   * be on disk and a counter begins anew with each life (as S1).
   */
  newSnapshotId(at: Moment): number {
    this.#lastSnapshotId = Math.max(this.#lastSnapshotId + 1, Math.floor(at.wallMs))
    return this.#lastSnapshotId
  }

  newReadId(): number {
    return ++this.#lastReadId
  }
}
