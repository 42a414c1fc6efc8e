/**
 * What primaries broadcast and what processes delivered, with the six properties of the Zab paper
 * (Junqueira, Reed, Serafini: "Zab: High-performance broadcast for primary-backup systems", §III)
 * as predicates over it. A process delivers while it serves; what it has when that begins was
 * delivered by synchronisation.
 */
import { assert } from '../../src/core/base/assert.ts'
import { counterOf, epochOf, formatZxid, type Zxid } from '../../src/core/base/zxid.ts'
import type { Service } from '../../src/core/zab/replica.ts'
import type { Member } from '../core/zab/ensemble.ts'
import type { Applied, ReplicaWatcher } from '../core/zab/fake-replica.ts'

/** From the start of serving to its end. */
interface Interval {
  readonly sid: number
  readonly epoch: number
  readonly isPrimary: boolean
  readonly initial: readonly Applied[]
  readonly delivered: Applied[]
}

export class ZabHistory {
  readonly broadcast = new Map<Zxid, string>()
  readonly intervals: Interval[] = []

  witness(member: Member): ReplicaWatcher {
    let interval: Interval | null = null
    return {
      onDeliver: (applied) => interval?.delivered.push(applied),
      onService: (service) => {
        interval = service.kind === 'stopped' ? null : this.#begin(member, service)
      },
      onPropose: ({ zxid, text }) => {
        assert(!this.broadcast.has(zxid), `${formatZxid(zxid)} is broadcast twice`)
        this.broadcast.set(zxid, text)
      },
    }
  }

  #begin(member: Member, service: Exclude<Service, { kind: 'stopped' }>): Interval {
    const interval = {
      sid: member.sid,
      epoch: service.epoch,
      isPrimary: service.kind === 'leading',
      initial: [...member.replica.history],
      delivered: [],
    }
    this.intervals.push(interval)
    return interval
  }

  /** Integrity: what is delivered was broadcast by some primary. */
  checkIntegrity(): void {
    for (const interval of this.intervals) {
      for (const { zxid, text } of all(interval)) {
        assert(this.broadcast.get(zxid) === text, `${formatZxid(zxid)} was never broadcast`)
      }
    }
  }

  /** Agreement and total order: of any two sequences one is a prefix of the other. */
  checkPrefixes(): void {
    const sorted = this.intervals.map(all).sort((a, b) => a.length - b.length)
    for (const [i, longer] of sorted.entries()) {
      const shorter = sorted[i - 1] ?? []
      for (const [at, { zxid }] of shorter.entries()) {
        assert(longer[at]?.zxid === zxid, `${formatZxid(zxid)} is delivered in another order`)
      }
    }
  }

  /** Local primary order: what one primary broadcast is delivered in its order, without a hole. */
  checkLocalPrimaryOrder(): void {
    for (const interval of this.intervals) {
      const next = new Map<number, number>()
      for (const { zxid } of all(interval)) {
        const expected = next.get(epochOf(zxid)) ?? 1
        assert(counterOf(zxid) === expected, `${formatZxid(zxid)} where ${expected} is due`)
        next.set(epochOf(zxid), expected + 1)
      }
    }
  }

  /** Global primary order: an earlier primary's transactions come before a later one's. */
  checkGlobalPrimaryOrder(): void {
    for (const interval of this.intervals) {
      let last = 0
      for (const { zxid } of all(interval)) {
        assert(epochOf(zxid) >= last, `${formatZxid(zxid)} after epoch ${last}`)
        last = epochOf(zxid)
      }
    }
  }

  /** Primary integrity: before it broadcasts, it has what anybody delivered of older primaries. */
  checkPrimaryIntegrity(): void {
    const delivered = new Set(this.intervals.flatMap((one) => all(one).map(({ zxid }) => zxid)))
    for (const { isPrimary, epoch, initial } of this.intervals) {
      if (!isPrimary) continue
      const known = new Set(initial.map(({ zxid }) => zxid))
      for (const zxid of delivered) {
        const isOlder = epochOf(zxid) < epoch
        assert(!isOlder || known.has(zxid), `primary ${epoch} lacks ${formatZxid(zxid)}`)
      }
    }
  }
}

function all({ initial, delivered }: Interval): Applied[] {
  return [...initial, ...delivered]
}
