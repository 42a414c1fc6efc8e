// The order of packets and of writes between leader and learner (T23, after Zab1_0Test).
import { describe, expect, test } from 'vitest'
import { makeZxid } from '../../../src/core/base/zxid.ts'
import { ackEpochRecord, PacketType } from '../../../src/core/jute/quorum-records.ts'
import { decode } from '../../../src/core/jute/record.ts'
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

/** Member 1 of three, following 3; its FOLLOWERINFO is sent. */
function electedFollower(disk = diskWith([])): Rig {
  const rig = new Rig({ sid: 1, disk })
  rig.link(2, 3)
  const best = { leader: sid(3), zxid: zxidOf('9.9'), peerEpoch: 9 }
  rig.vote(3, best)
  rig.vote(2, best)
  expect(rig.peer.role).toBe('following')
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

describe('a learner', () => {
  test('introduces itself with its accepted epoch (Q25)', () => {
    const rig = electedFollower(diskWith(['1.1'], { accepted: 3 }))
    expect(rig.said()).toContain('3 FOLLOWERINFO 0x300000000')
  })

  test('acknowledges a new epoch only when it is on disk, with its own epoch and zxid (Q27)', () => {
    const rig = electedFollower(diskWith(['1.1', '1.2']))
    rig.sent()
    rig.leaderInfo(3, 4)
    expect(rig.writing).toEqual(['accepted-epoch'])
    expect(rig.said()).toEqual([])
    rig.persist()
    const [ack] = rig.sent()
    expect([ack!.name, ack!.zxid]).toEqual(['ACKEPOCH', zxidOf('1.2')])
    expect(decode(ackEpochRecord, ack!.data!)).toEqual({ currentEpoch: 1, truncFloor: 0n })
    expect(rig.disk.acceptedEpoch).toBe(4)
    expect(rig.disk.currentEpoch).toBe(1)
  })

  test('answers an epoch that it had accepted with −1', () => {
    const rig = electedFollower(diskWith(['1.1'], { accepted: 4 }))
    rig.sent()
    rig.leaderInfo(3, 4)
    const [ack] = rig.sent()
    expect(decode(ackEpochRecord, ack!.data!).currentEpoch).toBe(-1)
  })

  test('leaves a leader whose epoch is older than what it accepted', () => {
    const rig = electedFollower(diskWith(['1.1'], { accepted: 4 }))
    rig.leaderInfo(3, 3)
    expect(rig.peer.role).toBe('looking')
    expect(rig.disk.acceptedEpoch).toBe(4)
  })

  test('logs the history, then enters the epoch, then acknowledges NEWLEADER (Q36)', () => {
    const rig = electedFollower(diskWith(['1.1']))
    rig.leaderInfo(3, 2)
    rig.persist()
    rig.sent()
    rig.packets(3, [
      [PacketType.DIFF, zxidOf('1.3')],
      [PacketType.PROPOSAL, zxidOf('1.2'), 'b'],
      [PacketType.COMMIT, zxidOf('1.2')],
      [PacketType.PROPOSAL, zxidOf('1.3'), 'c'],
      [PacketType.COMMIT, zxidOf('1.3')],
    ])
    // Nothing of an incomplete synchronisation is logged or applied.
    expect(rig.writing).toEqual([])
    expect(rig.replica.texts).toEqual(['1.1'])
    rig.packet(3, PacketType.NEWLEADER, makeZxid(2, 0))
    expect(rig.writing).toEqual(['append', 'append', 'current-epoch'])
    expect(rig.said()).toEqual([])
    rig.persist()
    expect(rig.said()).toEqual(['3 ACK 0x200000000'])
    expect(rig.replica.texts).toEqual(['1.1', 'b', 'c'])
    expect(rig.replica.services).toEqual([])
    rig.packet(3, PacketType.UPTODATE, makeZxid(2, 0))
    expect(rig.said()).toEqual(['3 ACK 0x200000000'])
    expect(rig.replica.services).toEqual([{ kind: 'following', epoch: 2, leader: 3 }])
  })

  test('acknowledges proposals in flight behind NEWLEADER and applies them at COMMIT', () => {
    const rig = electedFollower()
    rig.leaderInfo(3, 1)
    rig.persist()
    rig.sent()
    rig.packets(3, [
      [PacketType.DIFF, 0n],
      [PacketType.PROPOSAL, zxidOf('1.1'), 'a'],
      [PacketType.NEWLEADER, makeZxid(1, 0)],
      [PacketType.PROPOSAL, zxidOf('1.2'), 'b'],
      [PacketType.COMMIT, zxidOf('1.1')],
    ])
    rig.persist()
    expect(rig.said()).toEqual(['3 ACK 0x100000000', '3 ACK 0x100000001', '3 ACK 0x100000002'])
    expect(rig.replica.texts).toEqual(['a'])
  })

  test('cuts its log for TRUNC, reads it again, and keeps what comes meanwhile', () => {
    const rig = electedFollower(diskWith(['1.1', '1.2', '1.3']))
    expect(rig.replica.texts).toHaveLength(3)
    rig.leaderInfo(3, 2)
    rig.persist()
    rig.sent()
    rig.packets(3, [
      [PacketType.TRUNC, zxidOf('1.1')],
      [PacketType.PROPOSAL, zxidOf('2.1'), 'x'],
      [PacketType.COMMIT, zxidOf('2.1')],
      [PacketType.NEWLEADER, makeZxid(2, 0)],
    ])
    expect(rig.writing).toEqual(['truncate'])
    rig.persistBatch()
    expect(rig.replica.texts).toEqual(['1.1', 'x'])
    expect(rig.writing).toEqual(['append', 'current-epoch'])
    rig.persist()
    expect(rig.said()).toEqual(['3 ACK 0x200000000'])
    expect(rig.disk.log.map(({ zxid }) => zxid)).toEqual([zxidOf('1.1'), zxidOf('2.1')])
  })

  test('installs a snapshot and the epoch in one write (Q36)', () => {
    const rig = electedFollower(diskWith(['1.1']))
    rig.leaderInfo(3, 2)
    rig.persist()
    rig.sent()
    rig.packets(3, [
      [PacketType.SNAP, zxidOf('1.9')],
      [PacketType.SNAP, 0n, `${zxidOf('1.8')} y\n`],
      [PacketType.SNAP, 1n, `${zxidOf('1.9')} z\n`],
    ])
    rig.persist()
    expect(rig.said()).toEqual(['3 SNAP 0xd', '3 SNAP 0x1a'])
    expect(rig.disk.snapshot!.zxid).toBe(0n)
    rig.packets(3, [
      [PacketType.SNAP, -1n, 'BenWasHere'],
      [PacketType.PROPOSAL, zxidOf('2.1'), 'p'],
      [PacketType.NEWLEADER, makeZxid(2, 0)],
    ])
    expect(rig.writing).toEqual(['snapshot-commit'])
    rig.persistBatch()
    expect([rig.disk.currentEpoch, rig.disk.lastZxid]).toEqual([2, zxidOf('1.9')])
    expect(rig.writing).toEqual(['append'])
    expect(rig.said()).toEqual([])
    rig.persist()
    expect(rig.said()).toEqual(['3 ACK 0x200000000', '3 ACK 0x200000001'])
    expect(rig.replica.texts).toEqual(['y', 'z'])
  })

  test('stays what it is when a snapshot is malformed', () => {
    const rig = electedFollower(diskWith(['1.1']))
    rig.leaderInfo(3, 2)
    rig.persist()
    rig.packets(3, [
      [PacketType.SNAP, zxidOf('1.9')],
      [PacketType.SNAP, 0n, '!'],
      [PacketType.SNAP, -1n, 'BenWasHere'],
      [PacketType.NEWLEADER, makeZxid(2, 0)],
    ])
    expect(rig.peer.role).toBe('looking')
    rig.persist()
    expect(rig.replica.texts).toEqual(['1.1'])
    expect(rig.disk.currentEpoch).toBe(1)
    expect(rig.said().some((line) => line.endsWith('vote'))).toBe(true)
  })

  test.each<[string, readonly (readonly [number, bigint, string?])[]]>([
    ['a hole in the history', [[PacketType.PROPOSAL, zxidOf('1.3'), 'c']]],
    ['a new epoch that does not begin at 1', [[PacketType.PROPOSAL, zxidOf('2.2'), 'c']]],
    ['a COMMIT without its PROPOSAL', [[PacketType.COMMIT, zxidOf('1.2')]]],
    ['NEWLEADER of another epoch', [[PacketType.NEWLEADER, makeZxid(5, 0)]]],
    ['UPTODATE before NEWLEADER', [[PacketType.UPTODATE, makeZxid(2, 0)]]],
    ['a second DIFF', [[PacketType.DIFF, zxidOf('1.1')]]],
    ['a snapshot in a DIFF', [[PacketType.SNAP, zxidOf('1.1')]]],
  ])('leaves a leader that sends %s (Q37)', (_, packets) => {
    const rig = electedFollower(diskWith(['1.1']))
    rig.leaderInfo(3, 2)
    rig.persist()
    rig.packets(3, [[PacketType.DIFF, zxidOf('1.3')], ...packets])
    expect(rig.peer.role).toBe('looking')
    expect(rig.closedLinks).toEqual([3])
    expect(rig.disk.lastZxid).toBe(zxidOf('1.1'))
  })

  test.each([
    ['above its log', zxidOf('1.5')],
    ['to a zxid without an entry', zxidOf('1.0')],
    ['below its snapshot', zxidOf('1.1')],
  ])('refuses TRUNC %s (Q31)', (_, to) => {
    const disk = diskWith(['1.1', '1.2', '1.3'])
    disk.snapshot = { zxid: zxidOf('1.2'), chunks: [] }
    disk.log = disk.log.slice(2)
    const rig = electedFollower(disk)
    rig.leaderInfo(3, 2)
    rig.persist()
    rig.packet(3, PacketType.TRUNC, to)
    expect(rig.closedLinks).toEqual([3])
    expect(rig.disk.log).toHaveLength(1)
  })

  test('takes no packet of a former conversation', () => {
    const rig = electedFollower()
    rig.leaderInfo(3, 1, 9)
    rig.persist()
    expect(rig.disk.acceptedEpoch).toBe(0)
  })
})

describe('a follower', () => {
  function following(): Rig {
    const rig = electedFollower()
    rig.leaderInfo(3, 1)
    rig.persist()
    rig.packets(3, [
      [PacketType.DIFF, 0n],
      [PacketType.NEWLEADER, makeZxid(1, 0)],
    ])
    rig.persist()
    rig.packet(3, PacketType.UPTODATE, makeZxid(1, 0))
    expect(rig.replica.service.kind).toBe('following')
    rig.sent()
    return rig
  }

  test('acknowledges a proposal when it is on disk', () => {
    const rig = following()
    rig.packet(3, PacketType.PROPOSAL, zxidOf('1.1'), new Uint8Array([97]))
    expect(rig.said()).toEqual([])
    rig.persist()
    expect(rig.said()).toEqual(['3 ACK 0x100000001'])
    expect(rig.replica.texts).toEqual([])
    rig.packet(3, PacketType.COMMIT, zxidOf('1.1'))
    expect(rig.replica.texts).toEqual(['a'])
  })

  test.each([
    ['COMMIT of what is not pending', PacketType.COMMIT, zxidOf('1.2'), null],
    ['PROPOSAL after a hole', PacketType.PROPOSAL, zxidOf('1.3'), new Uint8Array(1)],
  ])('synchronises anew at a %s, and keeps its link (Q46)', (_, type, zxid, data) => {
    const rig = following()
    rig.packet(3, PacketType.PROPOSAL, zxidOf('1.1'), new Uint8Array([97]))
    rig.packet(3, type, zxid, data)
    expect(rig.peer.role).toBe('looking')
    expect(rig.closedLinks).toEqual([])
    expect(rig.violations).toHaveLength(1)
    expect(rig.said()).toContain('3 END')
  })

  test('answers PING with its sessions, ahead of acks that wait for the disk (S10)', () => {
    const rig = following()
    rig.packet(3, PacketType.PROPOSAL, zxidOf('1.1'), new Uint8Array([97]))
    rig.packet(3, PacketType.PING, zxidOf('1.1'))
    const [answer] = rig.sent()
    expect(answer).toMatchObject({ name: 'PING', lane: 'request', zxid: zxidOf('1.1') })
    expect(answer!.data).toHaveLength('touched'.length)
  })

  test('looks again at once when its leader is gone, and serves nobody meanwhile', () => {
    const rig = following()
    rig.packet(3, PacketType.PROPOSAL, zxidOf('1.1'), new Uint8Array([97]))
    rig.unlink(3)
    expect(rig.peer.role).toBe('looking')
    expect(rig.replica.services.at(-1)!.kind).toBe('stopped')
    // Logged, so it belongs to the history that this member votes with …
    expect(rig.replica.texts).toEqual(['a'])
    // … but not before it is durable.
    expect(rig.said().filter((line) => line.endsWith('vote'))).toEqual([])
    rig.persist()
    const votes = rig.sent().filter(({ vote }) => vote !== null)
    expect(votes[0]!.vote).toMatchObject({ leader: 1, zxid: zxidOf('1.1'), peerEpoch: 1 })
  })

  test('looks again when its leader is silent for syncLimit (Q51)', () => {
    const rig = following()
    rig.wait(9_900)
    expect(rig.peer.role).toBe('following')
    rig.wait(200)
    expect(rig.peer.role).toBe('looking')
  })

  test('sends nothing held for a leader that it left', () => {
    const rig = following()
    rig.packet(3, PacketType.PROPOSAL, zxidOf('1.1'), new Uint8Array([97]))
    rig.packet(3, PacketType.COMMIT, zxidOf('1.9'))
    rig.sent()
    rig.persist()
    expect(rig.said().filter((line) => line.includes('ACK'))).toEqual([])
    expect(rig.disk.lastZxid).toBe(zxidOf('1.1'))
  })
})
