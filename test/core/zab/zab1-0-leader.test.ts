// The order of packets and of writes between leader and learner (T23, after Zab1_0Test).
import { describe, expect, test } from 'vitest'
import { makeZxid } from '../../../src/core/base/zxid.ts'
import { PacketType } from '../../../src/core/jute/quorum-records.ts'
import { diskWith, Rig, sid, zxidOf } from './rig.ts'

/** Member 3 of three, elected; nobody has come yet. */
function electedLeader(disk = diskWith([])): Rig {
  const rig = new Rig({ sid: 3, disk })
  rig.link(1, 2)
  const own = { leader: sid(3), zxid: disk.lastZxid, peerEpoch: disk.currentEpoch }
  rig.vote(1, own)
  rig.vote(2, own)
  expect(rig.peer.role).toBe('leading')
  rig.sent()
  return rig
}

describe('a leader', () => {
  test('waits for a quorum, then says its epoch only when it is on disk (Q26)', () => {
    const rig = electedLeader()
    expect(rig.writing).toEqual([])
    rig.followerInfo(1, 0)
    expect(rig.writing).toEqual(['accepted-epoch'])
    expect(rig.said()).toEqual([])
    rig.persist()
    expect(rig.said()).toEqual(['1 LEADERINFO 0x100000000'])
    expect(rig.disk.acceptedEpoch).toBe(1)
    expect(rig.disk.currentEpoch).toBe(0)
  })

  test('takes an epoch above everything a quorum accepted', () => {
    const rig = electedLeader(diskWith([], { accepted: 4, current: 0 }))
    rig.followerInfo(1, 7)
    rig.persist()
    expect(rig.said()).toEqual(['1 LEADERINFO 0x800000000'])
  })

  test('enters the epoch after a quorum of ACKEPOCH and establishes with NEWLEADER acks', () => {
    const rig = electedLeader()
    rig.followerInfo(1, 0)
    rig.persist()
    rig.sent()
    rig.ackEpoch(1, 0, 0n)
    expect(rig.writing).toEqual(['current-epoch'])
    expect(rig.said()).toEqual(['1 DIFF 0x0', '1 NEWLEADER 0x100000000'])
    rig.packet(1, PacketType.ACK, makeZxid(1, 0))
    // One follower of three and not yet the leader's own disk.
    expect(rig.replica.services).toEqual([])
    rig.persist()
    expect(rig.disk.currentEpoch).toBe(1)
    expect(rig.replica.services).toEqual([{ kind: 'leading', epoch: 1 }])
    expect(rig.said()).toEqual(['1 UPTODATE 0x100000000'])
  })

  test('does not count an ACKEPOCH of −1 (Q27)', () => {
    const rig = electedLeader()
    rig.followerInfo(1, 0)
    rig.persist()
    rig.followerInfo(2, 1)
    rig.sent()
    rig.ackEpoch(2, -1, 0n)
    expect(rig.said()).toEqual([])
    expect(rig.disk.currentEpoch).toBe(0)
    rig.ackEpoch(1, 0, 0n)
    expect(rig.said()).toContain('2 NEWLEADER 0x100000000')
  })

  test('gives up when those who could vouch for it are gone', () => {
    const rig = electedLeader()
    rig.followerInfo(1, 0)
    rig.persist()
    rig.followerInfo(2, 1)
    rig.ackEpoch(2, -1, 0n)
    rig.unlink(1)
    expect(rig.peer.role).toBe('looking')
  })

  test.each([
    ['a newer epoch', 3, zxidOf('1.1')],
    ['the same epoch and a newer zxid', 2, zxidOf('2.9')],
  ])('gives up when a follower has %s (Q28)', (_, currentEpoch, lastZxid) => {
    const rig = electedLeader(diskWith(['2.1', '2.2']))
    rig.followerInfo(1, 3)
    rig.persist()
    rig.sent()
    rig.ackEpoch(1, currentEpoch, lastZxid)
    expect(rig.peer.role).toBe('looking')
    expect(rig.lastReason).toBe('machine 1 has a newer history')
    expect(rig.said()).toContain('1 END')
    expect(rig.disk.currentEpoch).toBe(2)
  })

  test('brings a follower that is ahead back once it is established', () => {
    const rig = established()
    rig.followerInfo(2, 0)
    rig.persist()
    rig.sent()
    rig.ackEpoch(2, 0, zxidOf('0.5'))
    expect(rig.peer.role).toBe('leading')
    expect(rig.said()[0]).toBe('2 SNAP 0x0')
  })

  test('refuses no follower for an accepted epoch that is newer: it makes way', () => {
    const rig = established()
    rig.followerInfo(2, 5)
    expect(rig.peer.role).toBe('looking')
    expect(rig.lastReason).toBe('machine 2 accepted epoch 5, this is 1')
  })

  test('drops packets of another conversation', () => {
    const rig = established()
    rig.replica.propose('a', rig.now)
    rig.flush()
    rig.persist()
    rig.packet(1, PacketType.ACK, zxidOf('1.1'), null, 77)
    expect(rig.replica.texts).toEqual([])
    rig.packet(1, PacketType.ACK, zxidOf('1.1'))
    expect(rig.replica.texts).toEqual(['a'])
  })

  test('takes a FOLLOWERINFO that comes before it knows that it won', () => {
    const rig = new Rig({ sid: 3 })
    rig.link(1, 2)
    rig.followerInfo(1, 0)
    expect(rig.peer.role).toBe('looking')
    rig.vote(1, { leader: sid(3) })
    rig.wait(250)
    rig.persist()
    expect(rig.said()).toContain('1 LEADERINFO 0x100000000')
  })

  test('gives up when no quorum comes', () => {
    const rig = electedLeader()
    rig.wait(2600)
    expect(rig.traces).toContainEqual(
      expect.objectContaining({ type: 'role', role: 'looking', reason: 'no quorum came' }),
    )
  })
})

function established(): Rig {
  const rig = electedLeader()
  rig.followerInfo(1, 0)
  rig.persist()
  rig.ackEpoch(1, 0, 0n)
  rig.packet(1, PacketType.ACK, makeZxid(1, 0))
  rig.persist()
  expect(rig.replica.service.kind).toBe('leading')
  rig.sent()
  return rig
}

describe('broadcast', () => {
  test('sends at once, counts its own ack after its disk, commits in order (Q43)', () => {
    const rig = established()
    rig.replica.propose('a', rig.now)
    rig.replica.propose('b', rig.now)
    rig.flush()
    expect(rig.said()).toEqual(['1 PROPOSAL 0x100000001', '1 PROPOSAL 0x100000002'])
    rig.packet(1, PacketType.ACK, zxidOf('1.1'))
    rig.packet(1, PacketType.ACK, zxidOf('1.2'))
    expect(rig.said()).toEqual([])
    rig.persist()
    expect(rig.said()).toEqual(['1 COMMIT 0x100000001', '1 COMMIT 0x100000002'])
    expect(rig.replica.texts).toEqual(['a', 'b'])
  })

  test('does not commit what was proposed after something uncommitted', () => {
    const rig = established()
    rig.replica.propose('a', rig.now)
    rig.replica.propose('b', rig.now)
    rig.flush()
    rig.persist()
    rig.packet(1, PacketType.ACK, zxidOf('1.2'))
    expect(rig.replica.texts).toEqual([])
    rig.packet(1, PacketType.ACK, zxidOf('1.1'))
    expect(rig.replica.texts).toEqual(['a', 'b'])
  })

  test('counts an ack that comes before that of NEWLEADER, after it, as Apache sends them', () => {
    const rig = established()
    rig.replica.propose('a', rig.now)
    rig.flush()
    rig.followerInfo(2, 0)
    rig.persist()
    rig.ackEpoch(2, 0, 0n)
    expect(rig.said()).toContain('2 PROPOSAL 0x100000001')
    rig.packet(2, PacketType.ACK, zxidOf('1.1'))
    expect(rig.replica.texts).toEqual([])
    rig.packet(2, PacketType.ACK, makeZxid(1, 0))
    expect(rig.replica.texts).toEqual(['a'])
    expect(rig.violations).toEqual([])
  })

  test('cuts off a follower that acknowledges early what it never got', () => {
    const rig = established()
    rig.followerInfo(2, 0)
    rig.persist()
    rig.ackEpoch(2, 0, 0n)
    rig.packet(2, PacketType.ACK, zxidOf('1.1'))
    expect(rig.closedLinks).toEqual([2])
  })

  test('forgets the acks of a follower that left: it may be truncated before it comes back', () => {
    const rig = established()
    rig.followerInfo(2, 0)
    rig.persist()
    rig.ackEpoch(2, -1, 0n)
    rig.packet(2, PacketType.ACK, makeZxid(1, 0))
    rig.replica.propose('a', rig.now)
    rig.flush()
    rig.packet(2, PacketType.ACK, zxidOf('1.1'))
    rig.unlink(2)
    rig.persist()
    expect(rig.replica.texts).toEqual([])
    rig.packet(1, PacketType.ACK, zxidOf('1.1'))
    expect(rig.replica.texts).toEqual(['a'])
  })

  test('calls back when everything proposed is delivered (Q64)', () => {
    const rig = established()
    const calls: string[] = []
    rig.peer.whenCaughtUp(() => calls.push('idle'))
    expect(calls).toEqual(['idle'])
    rig.replica.propose('a', rig.now)
    rig.peer.whenCaughtUp(() => calls.push(`after ${rig.replica.texts.join()}`))
    rig.flush()
    expect(rig.peer.idle).toBe(false)
    rig.persist()
    rig.packet(1, PacketType.ACK, zxidOf('1.1'))
    expect(calls).toEqual(['idle', 'after a'])
  })

  test('gives up at once when its followers are gone, and keeps what it logged (Q49, P24)', () => {
    const rig = established()
    rig.replica.propose('a', rig.now)
    rig.flush()
    rig.unlink(1)
    expect(rig.peer.role).toBe('looking')
    expect(rig.replica.services.at(-1)!.kind).toBe('stopped')
    expect(rig.replica.texts).toEqual(['a'])
  })

  test('an ack of what was never proposed costs the link', () => {
    const rig = established()
    rig.packet(1, PacketType.ACK, zxidOf('1.9'))
    expect(rig.closedLinks).toEqual([1])
    expect(rig.violations).toHaveLength(1)
  })

  test('hands over history, proposals in flight and the live stream without a gap (Q34)', () => {
    const rig = established()
    for (const text of ['a', 'b']) rig.replica.propose(text, rig.now)
    rig.flush()
    rig.persist()
    rig.packet(1, PacketType.ACK, zxidOf('1.1'))
    rig.followerInfo(2, 1)
    rig.persist()
    rig.sent()
    rig.ackEpoch(2, -1, 0n)
    rig.replica.propose('c', rig.now)
    rig.flush()
    rig.packet(1, PacketType.ACK, zxidOf('1.2'))
    expect(rig.said().filter((line) => line.startsWith('2'))).toEqual([
      '2 DIFF 0x100000001',
      '2 PROPOSAL 0x100000001',
      '2 COMMIT 0x100000001',
      '2 PROPOSAL 0x100000002',
      '2 NEWLEADER 0x100000000',
      '2 PROPOSAL 0x100000003',
      '2 COMMIT 0x100000002',
    ])
    rig.packet(2, PacketType.ACK, makeZxid(1, 0))
    expect(rig.said()).toEqual(['2 UPTODATE 0x100000003'])
  })
})
