/**
 * What this member has logged, how much of it is durable, and how much is committed.
 *
 *     base ≤ lastCommitted ≤ lastLogged,  durable ≤ lastLogged
 *
 * Marks, not zxids, tell what is durable: after TRUNC or SNAP the same zxid may be written again,
 * and a completion from before must not count for it (design §5).
 */
import { assert } from '../base/assert.ts'
import { Deque } from '../base/deque.ts'
import { formatZxid, ZXID_NONE, type Zxid } from '../base/zxid.ts'
import { CommittedLog } from './committed-log.ts'
import type { LogEntry, RecoveredState } from './effect.ts'
import type { EffectSink } from './effect-list.ts'

interface PendingMark {
  readonly mark: number
  readonly zxid: Zxid
}

export class LogTail {
  readonly #out: EffectSink
  readonly #commitLogCount: number | undefined
  #committed: CommittedLog
  #pending: Deque<LogEntry> = new Deque<LogEntry>()
  #marks: Deque<PendingMark> = new Deque<PendingMark>()
  #lastLogged: Zxid
  #durable: Zxid

  /** `commitLogCount`: see ZabTuning. */
  constructor(recovered: RecoveredState, out: EffectSink, commitLogCount?: number) {
    this.#out = out
    this.#commitLogCount = commitLogCount
    this.#committed = this.#committedLogOf(recovered)
    this.#lastLogged = this.#committed.last
    this.#durable = this.#lastLogged
    out.snapshotZxid = recovered.snapshot?.zxid ?? ZXID_NONE
  }

  /** Last entry whose append was emitted. */
  get lastLogged(): Zxid {
    return this.#lastLogged
  }

  /** Last entry that is on disk: what a vote may claim (Q10). */
  get durable(): Zxid {
    return this.#durable
  }

  get lastCommitted(): Zxid {
    return this.#committed.last
  }

  get committed(): CommittedLog {
    return this.#committed
  }

  /** Logged and not known to be committed, oldest first. */
  get oldestPending(): LogEntry | undefined {
    return this.#pending.peekFront()
  }

  get pendingCount(): number {
    return this.#pending.length
  }

  append(entry: LogEntry): void {
    if (entry.zxid <= this.#lastLogged) {
      assert(false, `append of ${formatZxid(entry.zxid)} after ${formatZxid(this.#lastLogged)}`)
    }
    this.#out.push({ kind: 'append', zxid: entry.zxid, entry: entry.entry })
    this.#lastLogged = entry.zxid
    this.#marks.pushBack({ mark: this.#out.persistCount, zxid: entry.zxid })
    this.#pending.pushBack(entry)
  }

  /** The oldest pending entry is committed. */
  commitOldest(): LogEntry {
    const entry = this.#pending.popFront()
    assert(entry !== undefined, 'nothing is pending')
    this.#committed.add(entry)
    return entry
  }

  onPersisted(mark: number): void {
    for (;;) {
      const next = this.#marks.peekFront()
      if (next === undefined || next.mark > mark) return
      this.#durable = next.zxid
      this.#marks.popFront()
    }
  }

  /** A snapshot of the leader replaces snapshot and log; its commit effect was just emitted. */
  install(zxid: Zxid): void {
    assert(this.#pending.length === 0, 'a snapshot is installed over pending entries')
    this.#committed = new CommittedLog(zxid, [], this.#commitLogCount)
    this.#lastLogged = zxid
    this.#marks.pushBack({ mark: this.#out.persistCount, zxid })
  }

  /** The storage was read again after TRUNC; everything in it is durable. */
  reset(recovered: RecoveredState): void {
    this.#committed = this.#committedLogOf(recovered)
    this.#pending.clear()
    this.#marks.clear()
    this.#lastLogged = this.#committed.last
    this.#durable = this.#lastLogged
    this.#out.snapshotZxid = recovered.snapshot?.zxid ?? ZXID_NONE
  }

  /** At recovery every logged entry counts as committed (P24); synchronisation cuts what is not. */
  #committedLogOf({ snapshot, log }: RecoveredState): CommittedLog {
    return new CommittedLog(snapshot?.zxid ?? ZXID_NONE, log, this.#commitLogCount)
  }
}
