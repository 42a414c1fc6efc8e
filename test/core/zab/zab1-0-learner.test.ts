// The order of packets and of writes between leader and learner (T23, after Zab1_0Test).
import { describe, expect, test } from 'vitest'
import { makeZxid } from '../../../src/core/base/zxid.ts'
import { ackEpochRecord, PacketType } from '../../../src/core/jute/quorum-records.ts'
import { decode } from '../../../src/core/jute/record.ts'
import { diskWith, Rig, sid, zxidOf } from './rig.ts'

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

describe('a learner', () => {
  test('introduces itself with its accepted epoch (Q25)', () => {
    const rig = electedFollower(diskWith(['1.1'], { accepted: 3 }))
    expect(rig.said()).toContain('3 FOLLOWERINFO 0x300000000')
  })

  test('acknowledges a new epoch when it is on disk, with its own epoch and zxid (Q27)', () => {
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

  test('and its leader may have elected each other: neither takes the other for its own', () => {
    const rig = electedFollower()
    rig.sent()
    rig.followerInfo(3, 0, 3 * 2 ** 24 + 1)
    expect(rig.closedLinks).toEqual([])
    expect(rig.peer.role).toBe('following')
    expect(rig.said()).toEqual(['3 END'])
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
