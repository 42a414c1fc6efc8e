/**
 * The state of an ensemble replaced from outside: an administrator's backup (P26). Safe because of
 * what it is for Zab: one more point of the leader's history, which it alone may number, reached by
 * a snapshot instead of a proposal.
 *
 * 1. While the leader serves, the chunks go to its disk.
 * 2. When they are there it numbers the new state, leaves its role, and installs it in one write.
 * 3. Its vote is the newest one then, so it leads again; nobody has a log to that point, so
 *    everybody is sent the snapshot, and an acknowledged one is on a majority as ever.
 *
 * Who leads instead, because this member was late or went down, has the old state, and brings it
 * here again by TRUNC or SNAP: then nothing was replaced, and whoever asked hears that.
 */
import type { Zxid } from '../base/zxid.ts'
import type { Moment } from './effect.ts'
import type { EffectSink } from './effect-list.ts'
import type { LogTail } from './log-tail.ts'
import type { MemberTrace } from './member-trace.ts'
import type { Replica } from './replica.ts'

export class StateReplacement {
  readonly #chunks: readonly Uint8Array[]
  readonly #id: number
  readonly #out: EffectSink
  /** Of the last chunk. */
  readonly #mark: number
  /** null: not all of it is on the disk yet. */
  #zxid: Zxid | null = null

  constructor(chunks: readonly Uint8Array[], out: EffectSink, at: Moment) {
    this.#chunks = chunks
    this.#out = out
    this.#id = out.newSnapshotId(at)
    for (const [index, bytes] of chunks.entries()) {
      out.push({ kind: 'snapshot-chunk', id: this.#id, index, bytes })
    }
    this.#mark = out.persistCount
  }

  isStaged(durableMark: number): boolean {
    return this.#zxid === null && durableMark >= this.#mark
  }

  number(zxid: Zxid): void {
    this.#zxid = zxid
  }

  /** The role is left. The state that is installed now; null: it came too soon. */
  end(tail: LogTail, trace: MemberTrace): Parameters<Replica['restore']>[0] | null {
    const zxid = this.#zxid
    const id = this.#id
    if (zxid === null) {
      this.#out.push({ kind: 'snapshot-abandon', id })
      return null
    }
    const chunks = this.#chunks.length
    this.#out.push({ kind: 'snapshot-commit', id, zxid, chunks, install: true })
    tail.install(zxid)
    trace.replaced(zxid)
    return { zxid, chunks: this.#chunks }
  }
}
