// A member whose storage lost entries that it may have acknowledged (faults row 18).
import { describe, expect, test } from 'vitest'
import { assert } from '../../../src/core/base/assert.ts'
import { ackEpochRecord, NO_EPOCH_ACK } from '../../../src/core/jute/quorum-records.ts'
import { decode } from '../../../src/core/jute/record.ts'
import { ZAB_RULES } from '../../../src/core/zab/rules.ts'
import type { ZabRules } from '../../../src/core/zab/rules.ts'
import { Ensemble } from './ensemble.ts'
import { diskWith, Rig, sid } from './rig.ts'

function write(ensemble: Ensemble, ...texts: readonly string[]): void {
  const { leader } = ensemble
  assert(leader !== undefined, 'no leader')
  ensemble.act(leader, ({ replica }) => {
    for (const text of texts) replica.propose(text, ensemble.now)
  })
}

/** 'a' is committed by all, 'b' by 2 and 3 only; then all stop, and 3 loses 'b' from its log. */
function torn(rules?: ZabRules): Ensemble {
  const ensemble = new Ensemble({ size: 3, ...(rules === undefined ? {} : { rules }) })
  ensemble.startAll()
  ensemble.runUntil('settled', () => ensemble.isSettled)
  write(ensemble, 'a')
  ensemble.run(100)
  ensemble.crash(1)
  write(ensemble, 'b')
  ensemble.run(100)
  ensemble.crash(2)
  ensemble.crash(3)
  expect(ensemble.member(3).disk.log).toHaveLength(2)
  ensemble.member(3).disk.tear(1)
  return ensemble
}

describe('a member whose log lost its end', () => {
  test('elects nobody together with one that never had what it lost', () => {
    const ensemble = torn()
    ensemble.start(1)
    ensemble.start(3)
    ensemble.run(10_000)
    expect(ensemble.leader).toBeUndefined()
    expect(ensemble.members[2]!.peer.role).toBe('looking')
    const { quorum } = ensemble.member(3).peer.status(ensemble.now)
    expect(quorum.reason).toContain("the end of this machine's log was damaged (1 entry)")
  })

  test('would lose an acknowledged write if it voted', () => {
    const ensemble = torn({ ...ZAB_RULES, lostTail: () => 0 })
    ensemble.start(1)
    ensemble.start(3)
    ensemble.runUntil('settled', () => ensemble.isSettled)
    expect(ensemble.leader!.replica.texts).toEqual(['a'])
  })

  test('is synchronised by the others, and is a full voter then', () => {
    const ensemble = torn()
    ensemble.startAll()
    ensemble.runUntil('settled', () => ensemble.isSettled)
    expect(ensemble.leader!.sid).toBe(2)
    expect(ensemble.member(3).replica.texts).toEqual(['a', 'b'])
    expect(ensemble.member(3).disk.droppedTail).toBe(0)
    expect(ensemble.member(3).peer.status(ensemble.now).quorum.reason).toBeNull()
    ensemble.crash(2)
    ensemble.runUntil('a new leader', () => ensemble.isSettled)
    expect(ensemble.leader!.sid).toBe(3)
    expect(ensemble.leader!.replica.texts).toEqual(['a', 'b'])
  })

  test('rejoins a running epoch, and its storage learns that the loss is made up', () => {
    const ensemble = new Ensemble({ size: 3 })
    ensemble.startAll()
    ensemble.runUntil('settled', () => ensemble.isSettled)
    write(ensemble, 'a', 'b')
    ensemble.run(100)
    ensemble.crash(1)
    ensemble.member(1).disk.tear(2)
    ensemble.start(1)
    expect(ensemble.runUntil('settled', () => ensemble.isSettled)).toBeLessThan(500)
    ensemble.run(50)
    expect(ensemble.member(1).replica.texts).toEqual(['a', 'b'])
    expect(ensemble.member(1).disk).toMatchObject({ droppedTail: 0, currentEpoch: 1 })
  })

  test('still does not vote when its leader is gone before it was synchronised', () => {
    const disk = diskWith(['1.1'])
    disk.droppedTail = 4
    const rig = new Rig({ disk })
    rig.link(2, 3)
    expect(rig.sent().filter(({ name }) => name === 'vote')).toMatchObject([
      { to: 2, vote: null },
      { to: 3, vote: null },
    ])
    const settledOn3 = { leader: sid(3), peerEpoch: 1, electionEpoch: 4n }
    rig.vote(2, { ...settledOn3, state: 'following' })
    rig.vote(3, { ...settledOn3, state: 'leading' })
    expect(rig.peer.role).toBe('following')
    rig.leaderInfo(3, 2)
    rig.persist()
    const ack = rig.sent().find(({ name }) => name === 'ACKEPOCH')
    assert(ack?.data !== undefined && ack.data !== null, 'no ACKEPOCH')
    expect(decode(ackEpochRecord, ack.data).currentEpoch).toBe(NO_EPOCH_ACK)
    rig.unlink(3)
    rig.persist()
    expect(rig.peer.role).toBe('looking')
    expect(rig.sent().filter(({ name }) => name === 'vote')).toMatchObject([{ to: 2, vote: null }])
    expect(disk.droppedTail).toBe(4)
  })
})
