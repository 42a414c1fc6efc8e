// A leader and its observers, packet by packet (T23, T30).
import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { makeZxid } from '../../../src/core/base/zxid.ts'
import { PacketType } from '../../../src/core/jute/quorum-records.ts'
import { LEARNER_LAG_BYTES, OBSERVERS_MAX } from '../../../src/core/zab/constants.ts'
import { diskWith, Rig, sid, zxidOf } from './rig.ts'

const NEWLEADER = makeZxid(1, 0)

/** Member 3 of three, elected; 4 is linked and no voter. */
function electedLeader(disk = diskWith([])): Rig {
  const rig = new Rig({ sid: 3, disk })
  rig.link(1, 2, 4)
  const own = { leader: sid(3), zxid: disk.lastZxid, peerEpoch: disk.currentEpoch }
  rig.vote(1, own)
  rig.vote(2, own)
  expect(rig.peer.role).toBe('leading')
  rig.sent()
  return rig
}

/** Member 3 leads epoch 1 with follower 1. */
function established(): Rig {
  const rig = electedLeader()
  rig.followerInfo(1, 0)
  rig.persist()
  rig.ackEpoch(1, 0, 0n)
  rig.packet(1, PacketType.ACK, NEWLEADER)
  rig.persist()
  expect(rig.replica.service.kind).toBe('leading')
  rig.sent()
  return rig
}

/** … and informs observer 4. */
function informing(): Rig {
  const rig = established()
  rig.observerInfo(4, 0)
  rig.ackEpoch(4, 0, 0n)
  rig.packet(4, PacketType.ACK, NEWLEADER)
  expect(rig.said()).toEqual([
    '4 LEADERINFO 0x100000000',
    '4 DIFF 0x0',
    '4 NEWLEADER 0x100000000',
    '4 UPTODATE 0x100000000',
  ])
  return rig
}

describe('a leader of an observer', () => {
  test('decides no epoch with it (Q29)', () => {
    const rig = electedLeader()
    rig.observerInfo(4, 0)
    expect(rig.writing).toEqual([])
    rig.wait(2600)
    expect(rig.peer.role).toBe('looking')
    expect(rig.lastReason).toBe('no quorum came')
  })

  test('has it wait for those who count', () => {
    const rig = electedLeader()
    rig.observerInfo(4, 0)
    rig.followerInfo(1, 0)
    rig.persist()
    expect(rig.said().sort()).toEqual(['1 LEADERINFO 0x100000000', '4 LEADERINFO 0x100000000'])
    rig.ackEpoch(4, 0, 0n)
    rig.persist()
    expect(rig.said()).toEqual([])
    expect(rig.disk.currentEpoch).toBe(0)
    rig.ackEpoch(1, 0, 0n)
    expect(rig.said().sort()).toEqual([
      '1 DIFF 0x0',
      '1 NEWLEADER 0x100000000',
      '4 DIFF 0x0',
      '4 NEWLEADER 0x100000000',
    ])
  })

  test('is not established by its ack of NEWLEADER', () => {
    const rig = electedLeader()
    rig.observerInfo(4, 0)
    rig.followerInfo(1, 0)
    rig.persist()
    rig.ackEpoch(4, 0, 0n)
    rig.ackEpoch(1, 0, 0n)
    rig.persist()
    rig.sent()
    rig.packet(4, PacketType.ACK, NEWLEADER)
    expect(rig.replica.services).toEqual([])
    expect(rig.said()).toEqual([])
    expect(rig.peer.status(rig.now).synced).toEqual([])
    rig.packet(1, PacketType.ACK, NEWLEADER)
    expect(rig.replica.services).toEqual([{ kind: 'leading', epoch: 1 }])
    expect(rig.said().sort()).toEqual(['1 UPTODATE 0x100000000', '4 UPTODATE 0x100000000'])
  })

  test('gives up its term in time, however many observers make progress', () => {
    const rig = electedLeader()
    rig.followerInfo(1, 0)
    rig.persist()
    rig.ackEpoch(1, 0, 0n)
    for (let round = 0; round < 5 && rig.peer.role === 'leading'; round++) {
      rig.wait(5000)
      rig.observerInfo(4, 0)
      rig.ackEpoch(4, 0, 0n)
    }
    expect(rig.lastReason).toBe('no quorum was synchronised in 10 ticks')
  })

  test('sends it nothing before the commit, then the whole transaction (Q44)', () => {
    const rig = informing()
    rig.replica.propose('a', rig.now)
    rig.flush()
    rig.persist()
    expect(rig.said()).toEqual(['1 PROPOSAL 0x100000001'])
    rig.packet(1, PacketType.ACK, zxidOf('1.1'))
    const sent = rig.sent()
    expect(sent.map(({ to, name }) => `${to} ${name}`)).toEqual(['1 COMMIT', '4 INFORM'])
    expect(sent[1]).toMatchObject({ zxid: zxidOf('1.1'), data: encodeUtf8('a') })
  })

  test('does not commit by its acks', () => {
    const rig = informing()
    rig.replica.propose('a', rig.now)
    rig.flush()
    rig.persist()
    rig.sent()
    rig.packet(4, PacketType.ACK, zxidOf('1.1'))
    expect(rig.said()).toEqual([])
    expect(rig.replica.texts).toEqual([])
    expect(rig.peer.role).toBe('leading')
  })

  test('hands over what is committed; what is in flight it hears of later (Q34)', () => {
    const rig = established()
    rig.replica.propose('a', rig.now)
    rig.flush()
    rig.persist()
    rig.packet(1, PacketType.ACK, zxidOf('1.1'))
    rig.replica.propose('b', rig.now)
    rig.flush()
    rig.persist()
    rig.sent()
    rig.observerInfo(4, 0)
    rig.ackEpoch(4, 0, 0n)
    expect(rig.said()).toEqual([
      '4 LEADERINFO 0x100000000',
      '4 DIFF 0x100000001',
      '4 PROPOSAL 0x100000001',
      '4 COMMIT 0x100000001',
      '4 NEWLEADER 0x100000000',
    ])
    rig.packet(1, PacketType.ACK, zxidOf('1.2'))
    expect(rig.said()).toEqual(['1 COMMIT 0x100000002', '4 INFORM 0x100000002'])
  })

  test('leads on without it, and is not led on by it', () => {
    const rig = informing()
    rig.unlink(4)
    expect(rig.peer.role).toBe('leading')
    rig.link(4)
    rig.observerInfo(4, 0)
    rig.unlink(1)
    expect(rig.peer.role).toBe('looking')
    expect(rig.said()).toContain('4 END')
  })

  test.each([
    ['it has a newer history', 0, 9, zxidOf('9.9')],
    ['it accepted a newer epoch', 7, 0, 0n],
  ])('does not step down because %s', (_, accepted, currentEpoch, lastZxid) => {
    const rig = electedLeader()
    rig.followerInfo(1, 0)
    rig.persist()
    rig.observerInfo(4, accepted)
    rig.ackEpoch(4, currentEpoch, lastZxid)
    expect(rig.peer.role).toBe('leading')
    rig.ackEpoch(1, 0, 0n)
    rig.packet(1, PacketType.ACK, NEWLEADER)
    rig.persist()
    expect(rig.replica.service.kind).toBe('leading')
  })

  test('drops it when it answers no PING in syncLimit, and commits meanwhile (Q50)', () => {
    const rig = informing()
    rig.wait(9000, () => false)
    for (let i = 0; i < 3; i++) {
      rig.packet(1, PacketType.PING, 0n)
      rig.replica.propose(`w${i}`, rig.now)
      rig.flush()
      rig.persist()
      rig.packet(1, PacketType.ACK, zxidOf(`1.${i + 1}`))
    }
    expect(rig.replica.texts).toEqual(['w0', 'w1', 'w2'])
    rig.wait(1500)
    expect(rig.peer.role).toBe('leading')
    expect(rig.said()).toContain('4 END')
    expect(rig.peer.status(rig.now).syncedObservers).toEqual([])
  })

  test('drops it when it is too many bytes behind; a PING answer counts as its ack', () => {
    const write = (rig: Rig, from: number, count: number): void => {
      for (let i = 0; i < count; i++) {
        rig.replica.propose('x'.repeat(2 ** 20), rig.now)
        rig.flush()
        rig.persist()
        rig.packet(1, PacketType.ACK, makeZxid(1, from + i))
      }
    }
    const rig = informing()
    const half = LEARNER_LAG_BYTES / 2 ** 21
    write(rig, 1, half + 2)
    rig.wait(1050)
    rig.packet(4, PacketType.PING, 0n)
    rig.packet(4, PacketType.PING, 0n)
    write(rig, half + 3, half - 1)
    rig.wait(50)
    expect(rig.peer.status(rig.now).syncedObservers).toEqual([4])
    write(rig, 2 * half + 2, half + 2)
    rig.wait(50)
    expect(rig.peer.status(rig.now).syncedObservers).toEqual([])
    expect(rig.peer.role).toBe('leading')
  })

  test('sends few of them a snapshot at once, and voters theirs beside (Q41)', () => {
    const disk = diskWith([], { accepted: 1, current: 1 })
    const line = `${zxidOf('1.5')} ${'x'.repeat(300_000)}\n`
    disk.snapshot = { zxid: zxidOf('1.5'), chunks: [encodeUtf8(line)] }
    const rig = electedLeader(disk)
    rig.followerInfo(1, 1)
    rig.persist()
    rig.ackEpoch(1, 1, zxidOf('1.5'))
    rig.packet(1, PacketType.ACK, makeZxid(2, 0))
    rig.persist()
    const begun = (): number[] => {
      const sent = rig.sent().filter(({ name, data }) => name === 'SNAP' && data === null)
      return sent.map(({ to }) => to)
    }
    rig.link(5, 6, 7)
    rig.sent()
    for (const peer of [4, 5, 6, 7]) {
      rig.observerInfo(peer, 0)
      rig.ackEpoch(peer, 0, 0n)
    }
    expect(begun()).toEqual([4, 5, 6])
    rig.followerInfo(2, 0)
    rig.ackEpoch(2, 0, 0n)
    expect(begun()).toEqual([2])
    rig.unlink(5)
    rig.wait(50)
    expect(begun()).toEqual([7])
  })

  test('takes no voter for an observer and no observer for a voter', () => {
    const rig = established()
    rig.observerInfo(2, 0)
    rig.followerInfo(4, 0)
    expect(rig.violations).toEqual(['OBSERVERINFO of machine 2', 'FOLLOWERINFO of machine 4'])
    expect(rig.closedLinks).toEqual([2, 4])
  })

  test('lists it apart from the voters', () => {
    const rig = informing()
    const status = rig.peer.status(rig.now)
    expect(status.synced).toEqual([1])
    expect(status.syncedObservers).toEqual([4])
    expect(status.links.map(({ peer }) => peer)).toEqual([1, 2])
    expect(status.observerLinks.map(({ peer }) => peer)).toEqual([4])
  })
})

describe('a voter', () => {
  test('has links to so many observers, no more', () => {
    const rig = new Rig({ sid: 1 })
    for (let i = 0; i < OBSERVERS_MAX + 1; i++) rig.link(4 + i)
    expect(rig.closedLinks).toEqual([4 + OBSERVERS_MAX])
    expect(rig.peer.status(rig.now).observerLinks.length).toBe(OBSERVERS_MAX)
    rig.link(5)
    expect(rig.closedLinks.length).toBe(1)
    rig.unlink(6)
    rig.link(4 + OBSERVERS_MAX)
    expect(rig.closedLinks.length).toBe(1)
  })

  test('does not count an observer as reachable', () => {
    const rig = new Rig({ sid: 1 })
    rig.link(4, 5)
    expect(rig.peer.status(rig.now).quorum.isReachable).toBe(false)
  })
})
