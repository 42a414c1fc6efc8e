// What an administrator may change in elections and synchronisation (Q17, Q32, Q41, O30, O32).
import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { makeZxid } from '../../../src/core/base/zxid.ts'
import { PacketType } from '../../../src/core/jute/quorum-records.ts'
import { CommittedLog } from '../../../src/core/zab/committed-log.ts'
import { COMMIT_LOG_BYTES, COMMIT_LOG_BYTES_MAX } from '../../../src/core/zab/constants.ts'
import type { ZabTuning } from '../../../src/core/zab/role.ts'
import { diskWith, Rig, sid, zxidOf } from './rig.ts'

const NOTHING = zxidOf('0.0')
const SOME = ['1.1', '1.2', '1.3', '1.4']

/** Member 3 leads epoch 2 with follower 1, both with the same four entries. */
function established(tuning: ZabTuning, disk = diskWith(SOME, { accepted: 1, current: 1 })): Rig {
  const rig = new Rig({ sid: 3, disk, tuning })
  rig.link(1, 2, 4)
  const own = { leader: sid(3), zxid: disk.lastZxid, peerEpoch: disk.currentEpoch }
  rig.vote(1, own)
  rig.vote(2, own)
  rig.followerInfo(1, 1)
  rig.persist()
  rig.ackEpoch(1, 1, disk.lastZxid)
  rig.packet(1, PacketType.ACK, makeZxid(2, 0))
  rig.persist()
  expect(rig.replica.service.kind).toBe('leading')
  rig.sent()
  return rig
}

/** What member 2 is sent first, which has everything up to `last`. */
function brought(rig: Rig, last: string): string {
  rig.followerInfo(2, 1)
  rig.ackEpoch(2, 1, zxidOf(last))
  return rig.said().find((said) => !said.includes('LEADERINFO')) ?? ''
}

describe('commitLogCount', () => {
  test('bounds what is kept for a DIFF', () => {
    const log = new CommittedLog(zxidOf('1.0'), [], 2)
    for (const at of SOME) log.add({ zxid: zxidOf(at), entry: encodeUtf8('x') })
    expect(log.count).toBe(2)
    expect(log.base).toBe(zxidOf('1.2'))
  })

  test('lets more bytes be kept, as far as a learner takes them', () => {
    const log = new CommittedLog(zxidOf('1.0'), [], 100_000)
    const entry = new Uint8Array(1024 * 1024)
    for (let i = 1; i <= 40; i++) log.add({ zxid: makeZxid(1, i), entry })
    expect(log.count).toBeGreaterThan(COMMIT_LOG_BYTES / entry.length)
    expect(log.count).toBe(COMMIT_LOG_BYTES_MAX / entry.length)
  })

  test('decides who gets a snapshot', () => {
    expect(brought(established({}), '1.1')).toBe('2 DIFF 0x100000004')
    expect(brought(established({ commitLogCount: 2 }), '1.2')).toBe('2 DIFF 0x100000004')
    const without = { commitLogCount: 2, snapshotSizeFactor: -1 }
    expect(brought(established(without), '1.1')).toBe('2 SNAP 0x100000004')
  })
})

test('forceSnapshotSync: who lacks nothing gets a snapshot, too', () => {
  expect(brought(established({}), '1.4')).toBe('2 DIFF 0x100000004')
  expect(brought(established({ alwaysSendsSnapshot: true }), '1.4')).toBe('2 SNAP 0x100000004')
})

describe('observers that are brought up to date at once', () => {
  function begun(tuning: ZabTuning, name: string): number {
    const disk = diskWith([], { accepted: 1, current: 1 })
    const line = `${zxidOf('1.5')} ${'x'.repeat(300_000)}\n`
    disk.snapshot = { zxid: zxidOf('1.5'), chunks: [encodeUtf8(line)] }
    const rig = established(tuning, disk)
    rig.link(5, 6, 7)
    rig.sent()
    for (const peer of [4, 5, 6, 7]) {
      rig.observerInfo(peer, 0)
      rig.ackEpoch(peer, 0, name === 'SNAP' ? 0n : zxidOf('1.5'))
    }
    const sent = rig.sent().filter((packet) => packet.name === name)
    return new Set(sent.map(({ to }) => to)).size
  }

  test('leader.maxConcurrentSnapSyncs bounds those that get a snapshot', () => {
    expect(begun({ observerSnapsMax: 1 }, 'SNAP')).toBe(1)
    expect(begun({ observerSnapsMax: 4, observerDiffsMax: 1 }, 'SNAP')).toBe(4)
  })

  test('leader.maxConcurrentDiffSyncs bounds the others', () => {
    expect(begun({ observerDiffsMax: 2, observerSnapsMax: 1 }, 'DIFF')).toBe(2)
    expect(begun({ observerSnapsMax: 1 }, 'DIFF')).toBe(4)
  })
})

test('maxTimeToWaitForEpoch: how long an elected leader waits for its quorum', () => {
  const leader = (tuning: ZabTuning): Rig => {
    const rig = new Rig({ sid: 3, tuning })
    rig.link(1, 2)
    rig.vote(1, { leader: sid(3), zxid: NOTHING })
    rig.vote(2, { leader: sid(3), zxid: NOTHING })
    expect(rig.peer.role).toBe('leading')
    return rig
  }
  const [hasty, patient] = [leader({ epochWaitMs: 500 }), leader({ epochWaitMs: 6_000 })]
  hasty.wait(600)
  expect(hasty.lastReason).toBe('no quorum came')
  patient.wait(4_000)
  expect(patient.peer.role).toBe('leading')
})

test('fastleader: when a vote that nobody answers is told again (Q17)', () => {
  const rig = new Rig({
    sid: 3,
    tuning: { notificationIntervalMs: 1_000, notificationIntervalMaxMs: 2_000 },
  })
  rig.link(1)
  rig.sent()
  const told: number[] = []
  for (let ms = 100; ms <= 8_000; ms += 100) {
    rig.wait(100)
    if (rig.sent().some(({ name }) => name === 'vote')) told.push(ms)
  }
  expect(told).toEqual([1_000, 3_000, 5_000, 7_000])
})

test('observer.election.DelayMs: who lost its leader asks for no other at once', () => {
  const observer = (tuning: ZabTuning): Rig => {
    const rig = new Rig({ sid: 4, observer: true, tuning })
    rig.link(1, 2, 3)
    const vote = { leader: sid(3), zxid: NOTHING, electionEpoch: 1n }
    rig.vote(1, { ...vote, state: 'following' })
    rig.vote(3, { ...vote, state: 'leading' })
    expect(rig.peer.role).toBe('observing')
    rig.unlink(3)
    rig.sent()
    return rig
  }
  const asks = (rig: Rig): boolean => rig.sent().some(({ name }) => name === 'vote')
  const [slow, quick] = [observer({ observerDelayMs: 10_000 }), observer({})]
  quick.wait(1_000)
  slow.wait(1_000)
  expect([asks(quick), asks(slow)]).toEqual([true, false])
  slow.wait(10_000)
  expect(asks(slow)).toBe(true)
})
