/**
 * OneEnsemble (design §4): of one room comes one founding record at most, whoever died when.
 * RecordIsDurable: nobody passes a record on, or begins as its voter, whose own disk lacks it.
 * SeatIsTheKeys (Q84): a voter of the record is the machine whose key it lists, in every life.
 * That a founding ends at all once faults do is the world's own rule, FoundingCompletes.
 */
import { equal } from '../../../src/core/base/bytes.ts'
import type { ServerId } from '../../../src/core/base/zxid.ts'
import type { SignedFoundingRecord } from '../../../src/core/founding/founding-record.ts'
import { Rule } from '../../../src/history/rule.ts'
import type { World } from '../world.ts'

export function checkFounding(world: World): void {
  const one = new Rule(world, 'OneEnsemble')
  const durable = new Rule(world, 'RecordIsDurable')
  const seats = new Rule(world, 'SeatIsTheKeys')
  let first: SignedFoundingRecord | null = null
  const sitting = new Map<ServerId, string>()
  const isFirst = (signed: SignedFoundingRecord, who: string): void => {
    const { body } = (first ??= signed)
    one.holds(equal(body, signed.body), () => `${who} has another record than the first one`)
  }
  const isOnDisk = (envelope: Uint8Array, onDisk: Uint8Array | null, who: string): void => {
    durable.holds(onDisk !== null && equal(envelope, onDisk), () => `${who} uses a record it lacks`)
  }
  world.probe.on('pinned', ({ incarnation, signed }) => isFirst(signed, incarnation))
  world.probe.on('spread', ({ incarnation, envelope, onDisk }) => {
    isOnDisk(envelope, onDisk, incarnation)
  })
  world.probe.on('seated', ({ sid, incarnation, publicKey, signed, onDisk }) => {
    isFirst(signed, incarnation)
    isOnDisk(signed.envelope, onDisk, incarnation)
    const listed = signed.record.members[sid - 1]
    seats.holds(listed !== undefined && equal(listed.publicKey, publicKey), () => {
      return `${incarnation} is member ${sid}, which is ${listed?.incarnation ?? 'nobody'}`
    })
    const before = sitting.get(sid) ?? incarnation
    sitting.set(sid, incarnation)
    seats.holds(before === incarnation, () => `member ${sid}: ${before}, then ${incarnation}`)
  })
  world.probe.on('started', ({ host }) => {
    if (host.isObserver || world.room === null || !host.view.isFounded) return
    seats.holds(sitting.has(host.sid), () => `${host.name} starts, and nobody took its seat`)
  })
}
