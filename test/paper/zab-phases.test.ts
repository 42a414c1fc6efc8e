// The phases of the paper (§IV, Algorithms 1–3) step by step, in its words and numbering.
import { describe, expect, test } from 'vitest'
import { makeZxid } from '../../src/core/base/zxid.ts'
import { PacketType } from '../../src/core/jute/quorum-records.ts'
import { diskWith, Rig, sid, zxidOf } from '../core/zab/rig.ts'

/** Prospective leader 3 of five, with f.p = 4, f.a = 3 and history 3.1 3.2. */
function prospectiveLeader(): Rig {
  const disk = diskWith(['3.1', '3.2'], { accepted: 4, current: 3 })
  const rig = new Rig({ sid: 3, size: 5, disk })
  rig.link(1, 2, 4, 5)
  for (const n of [1, 2, 4, 5]) rig.vote(n, { leader: sid(3), zxid: zxidOf('3.2'), peerEpoch: 3 })
  rig.sent()
  return rig
}

describe('phase 1, discovery', () => {
  test('step l.1.1: the new epoch is later than every f.p of a quorum', () => {
    const rig = prospectiveLeader()
    rig.followerInfo(1, 6)
    expect(rig.writing).toEqual([])
    rig.followerInfo(2, 5)
    rig.persist()
    expect(rig.said()).toEqual(['1 LEADERINFO 0x700000000', '2 LEADERINFO 0x700000000'])
    expect(rig.disk.acceptedEpoch).toBe(7)
  })

  test('a CEPOCH after the decision changes nothing: one NEWEPOCH per leader', () => {
    const rig = prospectiveLeader()
    rig.followerInfo(1, 4)
    rig.followerInfo(2, 4)
    rig.persist()
    rig.sent()
    rig.followerInfo(4, 5)
    rig.persist()
    expect(rig.said()).toEqual(['4 LEADERINFO 0x500000000'])
  })

  test('step l.1.2: it leads only with the most recent history of its quorum', () => {
    const rig = prospectiveLeader()
    rig.followerInfo(1, 4)
    rig.followerInfo(2, 4)
    rig.persist()
    rig.ackEpoch(1, 3, zxidOf('3.1'))
    expect(rig.peer.role).toBe('leading')
    rig.ackEpoch(2, 3, zxidOf('3.3'))
    expect(rig.peer.role).toBe('looking')
  })

  test('step f.1.1: a follower that promised an epoch follows nobody below it', () => {
    const rig = new Rig({ sid: 1, disk: diskWith(['3.1'], { accepted: 7 }) })
    rig.link(2, 3)
    for (const n of [2, 3]) rig.vote(n, { leader: sid(3), zxid: zxidOf('3.9'), peerEpoch: 3 })
    rig.leaderInfo(3, 6)
    rig.persist()
    expect(rig.peer.role).toBe('looking')
    expect(rig.disk.acceptedEpoch).toBe(7)
  })
})

describe('phase 2, synchronization', () => {
  function synchronising(): Rig {
    const rig = prospectiveLeader()
    for (const n of [1, 2]) rig.followerInfo(n, 4)
    rig.persist()
    for (const n of [1, 2]) rig.ackEpoch(n, 3, zxidOf('3.2'))
    return rig
  }

  test('step l.2.1: NEWLEADER goes to the quorum with the whole history', () => {
    const rig = synchronising()
    expect(rig.said().filter((line) => line.includes('NEWLEADER'))).toEqual([
      '1 NEWLEADER 0x500000000',
      '2 NEWLEADER 0x500000000',
    ])
  })

  test('step l.2.2: COMMIT-LD needs acks of a quorum', () => {
    const rig = synchronising()
    rig.persist()
    rig.packet(1, PacketType.ACK, makeZxid(5, 0))
    expect(rig.said().filter((line) => line.includes('UPTODATE'))).toEqual([])
    rig.packet(2, PacketType.ACK, makeZxid(5, 0))
    expect(rig.said()).toEqual(['1 UPTODATE 0x500000000', '2 UPTODATE 0x500000000'])
    expect(rig.replica.service).toEqual({ kind: 'leading', epoch: 5 })
  })

  test('step f.2.1: a follower acknowledges only the epoch that it promised', () => {
    const rig = new Rig({ sid: 1 })
    rig.link(2, 3)
    for (const n of [2, 3]) rig.vote(n, { leader: sid(3), zxid: zxidOf('3.9'), peerEpoch: 3 })
    rig.leaderInfo(3, 4)
    rig.persist()
    rig.sent()
    rig.packets(3, [
      [PacketType.DIFF, 0n],
      [PacketType.NEWLEADER, makeZxid(5, 0)],
    ])
    rig.persist()
    expect(rig.said().filter((line) => line.includes('ACK'))).toEqual([])
    expect(rig.disk.currentEpoch).toBe(0)
  })
})

describe('phase 3, broadcast', () => {
  function primary(): Rig {
    const rig = prospectiveLeader()
    for (const n of [1, 2]) rig.followerInfo(n, 4)
    rig.persist()
    for (const n of [1, 2]) rig.ackEpoch(n, 3, zxidOf('3.2'))
    for (const n of [1, 2]) rig.packet(n, PacketType.ACK, makeZxid(5, 0))
    rig.persist()
    rig.sent()
    return rig
  }

  test('step l.3.1: transactions are proposed in increasing order of zxid', () => {
    const rig = primary()
    for (const text of ['a', 'b', 'c']) rig.replica.propose(text, rig.now)
    rig.flush()
    const zxids = rig
      .sent()
      .filter(({ to }) => to === 1)
      .map(({ zxid }) => zxid)
    expect(zxids).toEqual([zxidOf('5.1'), zxidOf('5.2'), zxidOf('5.3')])
  })

  test('step l.3.2: COMMIT follows a quorum of acks, once', () => {
    const rig = primary()
    rig.replica.propose('a', rig.now)
    rig.flush()
    rig.persist()
    rig.sent()
    rig.packet(1, PacketType.ACK, zxidOf('5.1'))
    expect(rig.said()).toEqual([])
    rig.packet(2, PacketType.ACK, zxidOf('5.1'))
    expect(rig.said()).toEqual(['1 COMMIT 0x500000001', '2 COMMIT 0x500000001'])
    rig.packet(2, PacketType.ACK, zxidOf('5.1'))
    expect(rig.said()).toEqual([])
  })

  test('steps l.3.3, l.3.4: a late follower gets the history and joins in between', () => {
    const rig = primary()
    rig.replica.propose('a', rig.now)
    rig.flush()
    rig.persist()
    for (const n of [1, 2]) rig.packet(n, PacketType.ACK, zxidOf('5.1'))
    rig.followerInfo(4, 0)
    rig.persist()
    rig.sent()
    rig.ackEpoch(4, 0, zxidOf('3.2'))
    rig.replica.propose('b', rig.now)
    rig.flush()
    expect(rig.said().filter((line) => line.startsWith('4'))).toEqual([
      '4 DIFF 0x500000001',
      '4 PROPOSAL 0x500000001',
      '4 COMMIT 0x500000001',
      '4 NEWLEADER 0x500000000',
      '4 PROPOSAL 0x500000002',
    ])
  })
})
