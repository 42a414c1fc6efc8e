/**
 * The history of an ensemble under test, as the judges of src/history take it: what its clients
 * asked and were told, who led, what was done to it, and the one log.
 */
import { ZXID_NONE, type Zxid } from '../core/base/zxid.ts'
import type { PersistEffect, TraceEvent } from '../core/zab/effect.ts'
import { ClientRecorder } from '../history/client-recorder.ts'
import {
  RECORDING_FORMAT,
  type RecordedEvent,
  type RecordedFault,
  type RecordedMember,
  type RecordedRole,
  type Recording,
} from '../history/recording.ts'
import { roleOfTrace } from '../history/traced-role.ts'
import type { VirtualMember } from './virtual-member.ts'
import type { VirtualTime } from './virtual-time.ts'

/** An entry, and the one that stands before it in the log of whoever logged it. */
interface KnownEntry {
  readonly before: Zxid
  readonly entry: Uint8Array
}

export class EnsembleRecord {
  readonly #time: VirtualTime
  readonly #events: RecordedEvent[] = []
  readonly #roles: RecordedRole[] = []
  readonly #faults: RecordedFault[] = []
  readonly #known = new Map<Zxid, KnownEntry>()
  readonly #last = new Map<number, Zxid>()

  constructor(time: VirtualTime) {
    this.#time = time
  }

  client(number: number): ClientRecorder {
    return new ClientRecorder(number, (event) => this.#events.push(event))
  }

  traced({ number }: VirtualMember, event: TraceEvent): void {
    const role = roleOfTrace(number, this.#time.nowMs, event)
    if (role !== null) this.#roles.push(role)
  }

  went({ number }: VirtualMember): void {
    this.#roles.push({ atMs: this.#time.nowMs, sid: number, role: 'down' })
  }

  fault(what: string, sids: readonly number[]): void {
    this.#faults.push({ atMs: this.#time.nowMs, what, sids })
  }

  durable({ number }: VirtualMember, batch: readonly PersistEffect[]): void {
    for (const effect of batch) {
      if (effect.kind === 'append') {
        const { zxid, entry } = effect
        const before = this.#last.get(number) ?? ZXID_NONE
        if (!this.#known.has(zxid)) this.#known.set(zxid, { before, entry })
        this.#last.set(number, zxid)
      } else if (effect.kind === 'truncate') this.#last.set(number, effect.to)
      else if (effect.kind === 'snapshot-commit' && effect.install) {
        this.#last.set(number, effect.zxid)
      }
    }
  }

  /** As the first of `members` has it, which are those that should be alike. */
  recording(title: string, members: readonly VirtualMember[]): Recording {
    const [first] = members
    return {
      format: RECORDING_FORMAT,
      title,
      clockUncertaintyMs: 0,
      events: this.#events,
      log: first === undefined ? null : this.#logTo(this.#last.get(first.number) ?? ZXID_NONE),
      roles: this.#roles,
      faults: this.#faults,
      members: members.map(asRecorded),
    }
  }

  #logTo(last: Zxid): Uint8Array[] {
    const log: Uint8Array[] = []
    let at = last
    while (at > ZXID_NONE) {
      const known = this.#known.get(at)
      // What was never logged here: the judge sees a log with a hole.
      if (known === undefined) break
      log.push(known.entry)
      at = known.before
    }
    return log.reverse()
  }
}

function asRecorded({ number, tree }: VirtualMember): RecordedMember {
  return { sid: number, zxid: tree?.lastProcessed ?? ZXID_NONE, digest: tree?.digest ?? null }
}
