// A learner that memory cannot serve, brought up to date from the leader's log on disk (Q30, O30).
import { describe, expect, test } from 'vitest'
import { makeZxid } from '../../../src/core/base/zxid.ts'
import { PacketType } from '../../../src/core/jute/quorum-records.ts'
import {
  LOG_DIFF_BYTES_MAX,
  LOG_READ_BYTES,
  LOG_SLICE_BYTES,
  LOG_TRUNC_COUNT_MAX,
} from '../../../src/core/zab/constants.ts'
import type { LogEntry } from '../../../src/core/zab/effect.ts'
import type { ZabTuning } from '../../../src/core/zab/role.ts'
import type { FakeDisk } from './fake-disk.ts'
import { diskWith, Rig, sid, zxidOf } from './rig.ts'

/** In memory the newest two, so 1.4 is the base. */
const WINDOW = { commitLogCount: 2 }
const SIX = ['1.1', '1.2', '1.3', '1.4', '1.5', '1.6']

/** Member 3 leads epoch 3 with follower 1; both have what is on the disk. */
function established(disk: FakeDisk = diskWith(SIX), tuning: ZabTuning = WINDOW): Rig {
  disk.acceptedEpoch = disk.currentEpoch = 2
  const rig = new Rig({ sid: 3, disk, tuning: { ...WINDOW, ...tuning } })
  rig.link(1, 2, 4, 5)
  const own = { leader: sid(3), zxid: disk.lastZxid, peerEpoch: disk.currentEpoch }
  rig.vote(1, own)
  rig.vote(2, own)
  rig.followerInfo(1, 2)
  rig.persist()
  rig.ackEpoch(1, 2, disk.lastZxid)
  rig.packet(1, PacketType.ACK, makeZxid(3, 0))
  rig.persist()
  expect(rig.replica.service.kind).toBe('leading')
  rig.sent()
  return rig
}

/** Member 2 comes back with everything up to `last`. */
function comesBack(rig: Rig, last: string, truncFloor = '0.0'): void {
  rig.followerInfo(2, 2)
  rig.ackEpoch(2, 2, zxidOf(last), zxidOf(truncFloor))
}

function observes(rig: Rig, peer: number, last: string): void {
  rig.observerInfo(peer, 2)
  rig.ackEpoch(peer, 2, zxidOf(last))
}

/** What is said to a learner, but LEADERINFO: `PROPOSAL 1.5`. */
function saidTo(rig: Rig, peer = 2): string[] {
  return rig
    .sent()
    .filter(({ to, name }) => to === peer && name !== 'LEADERINFO')
    .map(({ name, zxid }) => `${name} ${zxid >> 32n}.${zxid & 0xffff_ffffn}`)
}

/** Each of them and its commit. */
function history(...zxids: readonly string[]): string[] {
  return zxids.flatMap((zxid) => [`PROPOSAL ${zxid}`, `COMMIT ${zxid}`])
}

function large(zxid: string, bytes: number): LogEntry {
  return { zxid: zxidOf(zxid), entry: new Uint8Array(bytes) }
}

function propose(rig: Rig, text: string): void {
  rig.replica.propose(text, rig.now)
  rig.flush()
  rig.persist()
}

describe('who lacks more than memory has', () => {
  test('gets it from the log on disk, then what is in memory, in one DIFF', () => {
    const rig = established()
    comesBack(rig, '1.2')
    expect(saidTo(rig)).toEqual([])
    const { after, upTo, bytesMax } = rig.answerRead()
    expect([after, upTo, bytesMax]).toEqual([zxidOf('1.2'), zxidOf('1.6'), LOG_READ_BYTES])
    const missed = history('1.3', '1.4', '1.5', '1.6')
    expect(saidTo(rig)).toEqual(['DIFF 1.6', ...missed, 'NEWLEADER 3.0'])
    expect(rig.reads).toEqual([])
    rig.packet(2, PacketType.ACK, makeZxid(3, 0))
    expect(saidTo(rig)).toEqual(['UPTODATE 3.0'])
  })

  test('over the end of an epoch, too', () => {
    const rig = established(diskWith(['1.1', '1.2', '2.1', '2.2', '2.3', '2.4']))
    comesBack(rig, '1.1')
    rig.answerRead()
    const missed = history('1.2', '2.1', '2.2', '2.3', '2.4')
    expect(saidTo(rig)).toEqual(['DIFF 2.4', ...missed, 'NEWLEADER 3.0'])
  })

  test('is cut first to what both have', () => {
    const rig = established(diskWith(['1.1', '1.2', '1.3', '2.1', '2.2', '2.3', '2.4']))
    comesBack(rig, '1.7')
    rig.answerRead()
    const missed = history('2.1', '2.2', '2.3', '2.4')
    expect(saidTo(rig)).toEqual(['TRUNC 1.3', ...missed, 'NEWLEADER 3.0'])
  })

  test('is read for in parts, until they reach the window', () => {
    const disk = diskWith([])
    for (let i = 1; i <= 9; i++) disk.log.push(large(`1.${i}`, LOG_READ_BYTES / 2))
    const rig = established(disk, { snapshotSizeFactor: 0 })
    comesBack(rig, '1.1')
    const asked = [rig.answerRead(), rig.answerRead(), rig.answerRead()]
    expect(asked.map(({ after }) => after)).toEqual(['1.1', '1.3', '1.5'].map(zxidOf))
    for (let step = 0; step < 20; step++) rig.wait(50)
    const said = saidTo(rig)
    const counters = [2, 3, 4, 5, 6, 7, 8, 9].map((i) => `1.${i}`)
    expect(said).toEqual(['DIFF 1.9', ...history(...counters), 'NEWLEADER 3.0'])
  })

  test('as much in one step as every other member can wait for', () => {
    const disk = diskWith([])
    for (let i = 1; i <= 12; i++) disk.log.push(large(`1.${i}`, LOG_SLICE_BYTES / 4))
    const rig = established(disk, { snapshotSizeFactor: 0 })
    comesBack(rig, '1.1')
    rig.answerRead()
    // A slice when it begins, and one at the end of the step.
    const first = saidTo(rig)
    expect(first).toEqual(['DIFF 1.12', ...history(...counted(2, 9))])
    propose(rig, 'meanwhile')
    rig.packet(1, PacketType.ACK, makeZxid(3, 1))
    const rest = [...history(...counted(10, 12)), 'NEWLEADER 3.0']
    expect(saidTo(rig)).toEqual([...rest, 'PROPOSAL 3.1', 'COMMIT 3.1'])
  })

  test('and is committed meanwhile follows, and what is in flight without a commit (Q34)', () => {
    const rig = established()
    comesBack(rig, '1.1')
    propose(rig, 'committed')
    rig.packet(1, PacketType.ACK, makeZxid(3, 1))
    propose(rig, 'in flight')
    rig.answerRead()
    const missed = history('1.2', '1.3', '1.4', '1.5', '1.6', '3.1')
    expect(saidTo(rig)).toEqual(['DIFF 3.1', ...missed, 'PROPOSAL 3.2', 'NEWLEADER 3.0'])
    rig.packet(1, PacketType.ACK, makeZxid(3, 2))
    expect(saidTo(rig)).toEqual(['COMMIT 3.2'])
  })

  test('is read for again where the window moved on', () => {
    const rig = established()
    comesBack(rig, '1.1')
    for (let i = 1; i <= 3; i++) {
      propose(rig, `w${i}`)
      rig.packet(1, PacketType.ACK, makeZxid(3, i))
    }
    rig.answerRead()
    expect(saidTo(rig)).toEqual([])
    expect(rig.answerRead().after).toBe(zxidOf('1.6'))
    const missed = history('1.2', '1.3', '1.4', '1.5', '1.6', '3.1', '3.2', '3.3')
    expect(saidTo(rig)).toEqual(['DIFF 3.3', ...missed, 'NEWLEADER 3.0'])
  })

  test('is told nothing of the log that is not committed', () => {
    const rig = established()
    propose(rig, 'on one disk')
    comesBack(rig, '1.1')
    expect(rig.disk.lastZxid).toBe(makeZxid(3, 1))
    expect(rig.answerRead().upTo).toBe(zxidOf('1.6'))
    expect(saidTo(rig).slice(-3)).toEqual(['COMMIT 1.6', 'PROPOSAL 3.1', 'NEWLEADER 3.0'])
  })

  test('may say early what it has, and is no laggard for what it lacked', () => {
    const rig = established()
    comesBack(rig, '1.3')
    rig.answerRead()
    // As ZooKeeper's followers do.
    for (const at of ['1.4', '1.5', '1.6']) rig.packet(2, PacketType.ACK, zxidOf(at))
    rig.packet(2, PacketType.ACK, makeZxid(3, 0))
    expect(rig.violations).toEqual([])
    expect(saidTo(rig)).toContain('UPTODATE 3.0')
  })
})

describe('a snapshot it is', () => {
  function snapped(rig: Rig, last = '1.6'): void {
    const said = saidTo(rig)
    expect([said[0], said.at(-1)]).toEqual([`SNAP ${last}`, 'NEWLEADER 3.0'])
    expect(rig.violations).toEqual([])
  }

  test('with a factor below 0, at once', () => {
    const rig = established(undefined, { snapshotSizeFactor: -1 })
    comesBack(rig, '1.2')
    expect(rig.reads).toEqual([])
    snapped(rig)
  })

  test('when every learner gets one', () => {
    const rig = established(undefined, { alwaysSendsSnapshot: true })
    comesBack(rig, '1.2')
    expect(rig.reads).toEqual([])
    snapped(rig)
  })

  test('when the log does not go back so far, or cannot be read', () => {
    const rig = established()
    comesBack(rig, '1.2')
    rig.answerRead(null)
    snapped(rig)
  })

  test('when the log has nothing behind it, or ends before the window', () => {
    const rig = established()
    comesBack(rig, '1.2')
    rig.answerRead({ from: zxidOf('1.2'), entries: [] })
    snapped(rig)
    const short = established()
    comesBack(short, '1.1')
    short.answerRead({ from: zxidOf('1.1'), entries: [large('1.2', 1)] })
    short.answerRead({ from: zxidOf('1.2'), entries: [] })
    snapped(short)
  })

  test.each([
    ['between what both have and the first', ['1.3', '1.4', '1.5', '1.6']],
    ['between two', ['1.2', '1.3', '1.5', '1.6']],
    ['and the next is of a later epoch', ['1.2', '2.5']],
    ['and nothing is missing, only the order', ['1.2', '1.4', '1.3', '1.5']],
  ])('when an entry is missing: %s', (_, zxids) => {
    const rig = established()
    comesBack(rig, '1.1')
    rig.answerRead({ from: zxidOf('1.1'), entries: zxids.map((at) => large(at, 1)) })
    snapped(rig)
  })

  test('when two parts do not meet', () => {
    const rig = established()
    comesBack(rig, '1.1')
    rig.answerRead({ from: zxidOf('1.1'), entries: [large('1.2', 1)] })
    rig.answerRead({ from: zxidOf('1.1'), entries: [large('1.3', 1), large('1.4', 1)] })
    snapped(rig)
  })

  test('when the log is more than that part of a snapshot', () => {
    const entries = [large('1.2', 30), large('1.3', 1), large('1.4', 1)]
    const range = { from: zxidOf('1.1'), entries }
    // Six lines of 14 characters.
    for (const [snapshotSizeFactor, isEnough] of [
      [0.33, false],
      [0.5, true],
      [0, true],
    ] as const) {
      const rig = established(undefined, { snapshotSizeFactor })
      comesBack(rig, '1.1')
      rig.answerRead(range)
      if (isEnough) expect(saidTo(rig)[0]).toBe('DIFF 1.6')
      else snapped(rig)
    }
  })

  test('when it is more than a learner takes, whatever the factor is', () => {
    const tuning = { snapshotSizeFactor: 0 }
    const entries = ['1.2', '1.3', '1.4'].map((at) => large(at, LOG_DIFF_BYTES_MAX / 2))
    const range = { from: zxidOf('1.1'), entries }
    const rig = established(undefined, tuning)
    comesBack(rig, '1.1')
    rig.answerRead(range)
    snapped(rig)
    const other = established(undefined, { ...tuning, logDiffBytesMax: 2 * LOG_DIFF_BYTES_MAX })
    comesBack(other, '1.1')
    other.answerRead(range)
    expect(saidTo(other)[0]).toBe('DIFF 1.6')
  })

  test('when it would have to be cut below its snapshot', () => {
    const rig = established(diskWith(['1.1', '1.2', '2.1', '2.2', '2.3']))
    comesBack(rig, '1.4', '1.3')
    rig.answerRead()
    snapped(rig, '2.3')
  })

  test('when so much would wait for its cut', () => {
    const count = LOG_TRUNC_COUNT_MAX + 1
    const entries = Array.from({ length: count }, (_, i) => large(`2.${i + 1}`, 1))
    for (const last of ['1.6', '1.7']) {
      const disk = diskWith(SIX)
      disk.log.push(...entries)
      const rig = established(disk, { snapshotSizeFactor: 0 })
      comesBack(rig, last)
      rig.answerRead()
      expect(saidTo(rig)[0]).toBe(last === '1.6' ? `DIFF 2.${count}` : `SNAP 2.${count}`)
    }
  })

  test('for who was lost while the log came, once', () => {
    const rig = established()
    comesBack(rig, '1.2')
    rig.answerRead()
    expect(saidTo(rig)[0]).toBe('DIFF 1.6')
    rig.unlink(2)
    rig.link(2)
    rig.sent()
    comesBack(rig, '1.2')
    snapped(rig)
    rig.unlink(2)
    rig.link(2)
    rig.sent()
    comesBack(rig, '1.2')
    rig.answerRead()
    expect(saidTo(rig)[0]).toBe('DIFF 1.6')
  })
})

describe('while the log is read', () => {
  test('a learner that goes is not waited for, and the next one is served', () => {
    const rig = established()
    comesBack(rig, '1.1')
    observes(rig, 4, '1.2')
    expect(rig.reads).toHaveLength(1)
    rig.unlink(2)
    expect(rig.reads).toHaveLength(2)
    rig.answerRead()
    expect(saidTo(rig, 4)).toEqual([])
    rig.answerRead()
    expect(saidTo(rig, 4)[0]).toBe('DIFF 1.6')
  })

  test('an answer to what was asked before it came again is none', () => {
    const rig = established()
    comesBack(rig, '1.1')
    const [old] = rig.reads
    comesBack(rig, '1.3')
    expect(saidTo(rig)).toEqual(['END 0.0'])
    rig.answerRead()
    expect(saidTo(rig)).toEqual([])
    expect(rig.answerRead().after).toBe(zxidOf('1.3'))
    expect(saidTo(rig)).toEqual(['DIFF 1.6', ...history('1.4', '1.5', '1.6'), 'NEWLEADER 3.0'])
    rig.input({ kind: 'log-read', id: old!.id, range: null })
    expect(rig.violations).toEqual([])
    expect(saidTo(rig)).toEqual([])
  })

  test('a leader that steps down hears the answer and does nothing', () => {
    const rig = established()
    comesBack(rig, '1.1')
    rig.unlink(1)
    expect(rig.peer.role).toBe('looking')
    rig.sent()
    rig.answerRead()
    expect(rig.sent().filter(({ name }) => name !== 'vote')).toEqual([])
    expect(rig.violations).toEqual([])
  })

  test('one is read for at a time, voters before observers', () => {
    const rig = established()
    observes(rig, 4, '1.1')
    observes(rig, 5, '1.1')
    comesBack(rig, '1.2')
    const order: unknown[] = []
    for (let i = 0; i < 3; i++) {
      expect(rig.reads).toHaveLength(1)
      rig.answerRead()
      order.push(...rig.sent().flatMap(({ to, name }) => (name === 'DIFF' ? [to] : [])))
    }
    expect(order).toEqual([4, 2, 5])
    expect(rig.reads).toEqual([])
  })

  test('observers count as brought up to date without a snapshot (Q41)', () => {
    const rig = established(undefined, { observerDiffsMax: 1 })
    observes(rig, 4, '1.1')
    observes(rig, 5, '1.6')
    rig.wait(200)
    expect(saidTo(rig, 5)).toEqual([])
    rig.answerRead()
    rig.packet(4, PacketType.ACK, makeZxid(3, 0))
    rig.wait(100)
    expect(saidTo(rig, 5)).toContain('DIFF 1.6')
  })

  test('an observer for whom the log is no help waits for its turn at a snapshot', () => {
    const rig = established(undefined, { observerSnapsMax: 1 })
    rig.replica.history = [{ zxid: zxidOf('1.6'), text: 'x'.repeat(600_000) }]
    observes(rig, 4, '0.0')
    observes(rig, 5, '1.1')
    expect(saidTo(rig, 4)[0]).toBe('SNAP 1.6')
    rig.answerRead(null)
    rig.wait(100)
    expect(saidTo(rig, 5)).toEqual([])
    rig.unlink(4)
    rig.wait(100)
    expect(saidTo(rig, 5)[0]).toBe('SNAP 1.6')
    expect(rig.reads).toEqual([])
  })
})

function counted(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => `1.${from + i}`)
}
