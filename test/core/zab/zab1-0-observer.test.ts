// An observer and its leader, packet by packet (T23, T30).
import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import {
  ackEpochRecord,
  learnerInfoRecord,
  PacketType,
} from '../../../src/core/jute/quorum-records.ts'
import { decode } from '../../../src/core/jute/record.ts'
import { diskWith, Rig, sid, zxidOf } from './rig.ts'

/** Observer 4 of three voters, with 3 as its leader; its OBSERVERINFO is sent. */
function electedObserver(disk = diskWith([])): Rig {
  const rig = new Rig({ sid: 4, observer: true, disk })
  rig.link(1, 2, 3)
  const vote = { leader: sid(3), zxid: zxidOf('0.0'), peerEpoch: 0 }
  rig.vote(3, { ...vote, state: 'leading' })
  expect(rig.peer.role).toBe('looking')
  rig.vote(1, { ...vote, state: 'following' })
  expect(rig.peer.role).toBe('observing')
  return rig
}

/** … informed in epoch 2, of which it has 1.1. */
function informed(disk = diskWith(['1.1'])): Rig {
  const rig = electedObserver(disk)
  rig.leaderInfo(3, 2)
  rig.packets(3, [
    [PacketType.DIFF, zxidOf('1.1')],
    [PacketType.NEWLEADER, zxidOf('2.0')],
    [PacketType.UPTODATE, zxidOf('2.0')],
  ])
  rig.persist()
  rig.sent()
  return rig
}

describe('an observer', () => {
  test('asks without a vote, and says whom it observes as nobody (Q20)', () => {
    const rig = new Rig({ sid: 4, observer: true })
    rig.link(1, 2, 3)
    rig.vote(1, { leader: sid(1) })
    rig.vote(2, { leader: sid(1) })
    rig.wait(3000)
    const votes = rig.sent().filter(({ name }) => name === 'vote')
    expect(votes.length).toBeGreaterThan(3)
    expect(votes.every(({ vote }) => vote === null)).toBe(true)
    expect(rig.peer.role).toBe('looking')
  })

  test('answers nobody who looks once it observes', () => {
    const rig = informed()
    rig.vote(1, { leader: sid(1), electionEpoch: 5n })
    rig.wait(200)
    expect(rig.sent().filter(({ name }) => name === 'vote')).toEqual([])
  })

  test('is never elected, whatever others think', () => {
    const rig = new Rig({ sid: 4, observer: true })
    rig.link(1, 2, 3)
    for (const from of [1, 2, 3]) rig.vote(from, { leader: sid(4), state: 'following' })
    rig.wait(1000)
    expect(rig.peer.role).toBe('looking')
  })

  test('has links to voters only', () => {
    const rig = new Rig({ sid: 4, observer: true })
    rig.input({ kind: 'link-up', peer: sid(5) })
    rig.wait(100)
    expect(rig.sent(true)).toEqual([])
  })

  test('introduces itself as one', () => {
    const rig = electedObserver()
    const info = rig.sent().find(({ name }) => name === 'OBSERVERINFO')
    expect(info).toMatchObject({ to: 3, zxid: 0n })
    expect(decode(learnerInfoRecord, info!.data!)).toMatchObject({ serverid: 4n })
  })

  test('acknowledges NEWLEADER when the history is on disk; its epoch comes with UPTODATE', () => {
    const rig = electedObserver(diskWith(['1.1']))
    rig.sent()
    rig.leaderInfo(3, 2)
    expect(rig.writing).toEqual([])
    const [ack] = rig.sent()
    expect(decode(ackEpochRecord, ack!.data!).currentEpoch).toBe(1)
    rig.packets(3, [
      [PacketType.DIFF, zxidOf('1.2')],
      [PacketType.PROPOSAL, zxidOf('1.2'), 'b'],
      [PacketType.COMMIT, zxidOf('1.2')],
      [PacketType.NEWLEADER, zxidOf('2.0')],
    ])
    expect(rig.writing).toEqual(['append'])
    expect(rig.said()).toEqual([])
    rig.persist()
    expect(rig.said()).toEqual(['3 ACK 0x200000000'])
    expect([rig.disk.acceptedEpoch, rig.disk.currentEpoch]).toEqual([1, 1])
    rig.packet(3, PacketType.UPTODATE, zxidOf('2.0'))
    expect(rig.replica.service).toEqual({ kind: 'following', epoch: 2, leader: 3 })
    rig.persist()
    expect([rig.disk.acceptedEpoch, rig.disk.currentEpoch]).toEqual([2, 2])
  })

  test('takes a snapshot without entering the epoch', () => {
    const rig = electedObserver()
    rig.leaderInfo(3, 2)
    rig.packets(3, [
      [PacketType.SNAP, zxidOf('1.7')],
      [PacketType.SNAP, 0n, `${zxidOf('1.7')} g\n`],
      [PacketType.SNAP, -1n, 'BenWasHere'],
      [PacketType.NEWLEADER, zxidOf('2.0')],
    ])
    rig.persist()
    expect(rig.replica.texts).toEqual(['g'])
    expect(rig.disk.snapshot?.zxid).toBe(zxidOf('1.7'))
    expect(rig.disk.currentEpoch).toBe(0)
  })

  test('logs and applies what it is informed of, and acknowledges nothing', () => {
    const rig = informed()
    rig.packets(3, [
      [PacketType.INFORM, zxidOf('2.1'), 'b'],
      [PacketType.INFORM, zxidOf('2.2'), 'c'],
    ])
    expect(rig.replica.texts).toEqual(['1.1', 'b', 'c'])
    rig.persist()
    expect(rig.disk.log.map(({ zxid }) => zxid)).toEqual(['1.1', '2.1', '2.2'].map(zxidOf))
    expect(rig.said()).toEqual([])
  })

  test('is informed before NEWLEADER, too, by a leader that does so', () => {
    const rig = electedObserver(diskWith(['1.1']))
    rig.leaderInfo(3, 2)
    rig.packets(3, [
      [PacketType.DIFF, zxidOf('1.1')],
      [PacketType.INFORM, zxidOf('2.1'), 'b'],
      [PacketType.NEWLEADER, zxidOf('2.0')],
    ])
    rig.persist()
    expect(rig.replica.texts).toEqual(['1.1', 'b'])
  })

  test('answers a PING when what came before it is on disk, with its sessions', () => {
    const rig = informed()
    rig.packets(3, [
      [PacketType.INFORM, zxidOf('2.1'), 'b'],
      [PacketType.PING, zxidOf('2.1')],
    ])
    expect(rig.said()).toEqual([])
    rig.persist()
    expect(rig.sent()).toMatchObject([{ name: 'PING', data: encodeUtf8('touched') }])
  })

  test('synchronises anew when there is a hole', () => {
    const rig = informed()
    rig.packet(3, PacketType.INFORM, zxidOf('2.2'), encodeUtf8('c'))
    expect(rig.peer.role).toBe('looking')
    expect(rig.replica.texts).toEqual(['1.1'])
  })

  test.each([
    ['PROPOSAL', PacketType.PROPOSAL],
    ['COMMIT', PacketType.COMMIT],
    ['NEWLEADER', PacketType.NEWLEADER],
  ])('cuts the link to a leader that sends it %s', (name, type) => {
    const rig = informed()
    rig.packet(3, type, zxidOf('2.1'), encodeUtf8('x'))
    expect(rig.violations).toEqual([`${name} to a learner`])
    expect(rig.closedLinks).toEqual([3])
    expect(rig.replica.service.kind).toBe('stopped')
  })

  test('leaves a leader that was deposed, and serves nobody then (Q57)', () => {
    const rig = informed()
    rig.pulse(3, 3, rig.conversation)
    expect(rig.peer.role).toBe('looking')
    expect(rig.replica.service.kind).toBe('stopped')
    expect(rig.said()).toContain('1 vote')
  })

  test('does not go back to an older leader than it was up to date with', () => {
    const rig = electedObserver(diskWith(['3.1'], { accepted: 3, current: 3 }))
    rig.leaderInfo(3, 2)
    expect(rig.peer.role).toBe('looking')
    expect(rig.lastReason).toBe('machine 3 leads epoch 2, older than accepted')
  })

  test('is bound to nothing by a leader that came to nothing', () => {
    const rig = electedObserver(diskWith(['1.1']))
    rig.leaderInfo(3, 7)
    rig.packets(3, [
      [PacketType.DIFF, zxidOf('1.1')],
      [PacketType.NEWLEADER, zxidOf('7.0')],
    ])
    rig.persist()
    rig.pulse(3, 3, rig.conversation)
    rig.sent()
    const vote = { leader: sid(2), peerEpoch: 1, electionEpoch: 9n }
    rig.vote(2, { ...vote, state: 'leading' })
    rig.vote(1, { ...vote, state: 'following' })
    expect(rig.said()).toContain('2 OBSERVERINFO 0x100000000')
    rig.leaderInfo(2, 4, rig.conversation + 1)
    expect(rig.peer.role).toBe('observing')
  })

  test('takes no part when it is a voter, and a voter none when it is not one', () => {
    for (const options of [{ sid: 1, observer: true }, { sid: 9 }]) {
      const rig = new Rig(options)
      rig.link(2, 3)
      rig.wait(500)
      expect(rig.sent()).toEqual([])
      expect(rig.peer.status(rig.now).quorum.reason).toMatch(/this machine is (a|no) voter/)
    }
  })
})
