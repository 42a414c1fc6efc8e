/** Observers that learn from a follower (Q58): what it gives them, in which order, how long. */
import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import type { ServerId } from '../../../src/core/base/zxid.ts'
import { PacketType } from '../../../src/core/jute/quorum-records.ts'
import { MasterTurns } from '../../../src/core/zab/master-turns.ts'
import type { ZabTuning } from '../../../src/core/zab/role.ts'
import { ZAB_RULES, type ZabRules } from '../../../src/core/zab/rules.ts'
import { Ensemble, type EnsembleOptions, type Member } from './ensemble.ts'
import { diskWith, Rig, sid, zxidOf } from './rig.ts'

const MASTERS: ZabTuning = { observerMaster: {} }

function started(size: number, observers: number, more: Partial<EnsembleOptions> = {}): Ensemble {
  const ensemble = new Ensemble({ size, observers, tuning: MASTERS, ...more })
  ensemble.startAll()
  ensemble.runUntil('settled', () => ensemble.isSettled)
  return ensemble
}

function write(ensemble: Ensemble, ...texts: readonly string[]): void {
  const { leader } = ensemble
  if (leader === undefined) throw new Error('no leader')
  ensemble.act(leader, ({ replica }) => {
    for (const text of texts) replica.propose(text, ensemble.now)
  })
  ensemble.run(50)
}

function texts(members: readonly Member[]): string[] {
  return members.map(({ replica }) => replica.texts.join(' '))
}

function masterOf(ensemble: Ensemble, observer: number): ServerId | null {
  return ensemble.member(observer).peer.status(ensemble.now).learnsFrom
}

function syncedAt(ensemble: Ensemble, member: number): readonly ServerId[] {
  return ensemble.member(member).peer.status(ensemble.now).syncedObservers
}

/** A follower of leader 3 that serves and has `disk`; the test plays leader and observers. */
function follower(disk = diskWith(['1.1', '1.2']), rules: ZabRules = ZAB_RULES): Rig {
  const rig = new Rig({ sid: 1, disk, rules, tuning: MASTERS })
  rig.link(2, 3, 4)
  const vote = { leader: sid(3), peerEpoch: 1 }
  rig.vote(3, { ...vote, state: 'leading' })
  rig.vote(2, { ...vote, state: 'following' })
  rig.leaderInfo(3, 2)
  rig.persist()
  return rig
}

function upToDate(rig: Rig): Rig {
  rig.packets(3, [
    [PacketType.DIFF, zxidOf('1.2')],
    [PacketType.NEWLEADER, zxidOf('2.0')],
  ])
  rig.persist()
  rig.packet(3, PacketType.UPTODATE, zxidOf('2.0'))
  return rig
}

/** Conversation of the observer that the test plays. */
const TALK = 4 * 2 ** 24 + 1

function join(rig: Rig, lastZxid: string, acceptedEpoch = 1): void {
  rig.observerInfo(4, acceptedEpoch, TALK)
  rig.ackEpoch(4, acceptedEpoch, zxidOf(lastZxid), 0n, TALK)
}

function toObserver(rig: Rig): string[] {
  return rig.said().filter((text) => text.startsWith('4 ') && !text.includes('vote'))
}

describe('an ensemble whose followers are masters', () => {
  test('spreads its observers over them, and the leader has none', () => {
    const ensemble = started(3, 2)
    expect(ensemble.leader?.sid).toBe(3)
    expect([masterOf(ensemble, 4), masterOf(ensemble, 5)].sort()).toEqual([1, 2])
    write(ensemble, 'a', 'b')
    expect(texts(ensemble.members)).toEqual(Array.from({ length: 5 }, () => 'a b'))
    expect(syncedAt(ensemble, 3)).toEqual([])
    expect([...syncedAt(ensemble, 1), ...syncedAt(ensemble, 2)].sort()).toEqual([4, 5])
    // Pages and words say who leads, not who is asked.
    expect(ensemble.member(4).peer.status(ensemble.now).leader).toBe(3)
    expect(ensemble.member(4).replica.service).toMatchObject({ kind: 'following', leader: 3 })
  })

  test('takes requests of observers to the leader, and the leader’s PINGs to them', () => {
    const ensemble = started(3, 1)
    const observer = ensemble.member(4)
    const packet = { type: PacketType.REQUEST, data: encodeUtf8('asked') }
    ensemble.act(observer, ({ peer }) => peer.sendToLeader(packet))
    ensemble.run(50)
    expect(texts(ensemble.members)).toEqual(Array.from({ length: 4 }, () => 'asked'))
    const master = ensemble.member(masterOf(ensemble, 4) ?? 0)
    expect(master.replica.received.map(({ from }) => from)).toContain(4)
    // For longer than silence may last.
    ensemble.run(30_000)
    expect(observer.replica.services.length).toBe(1)
    expect(masterOf(ensemble, 4)).toBe(master.sid)
  })

  test('loses a master: its observers go to the next, and nothing is lost', () => {
    const ensemble = started(3, 1)
    const first = masterOf(ensemble, 4) ?? 0
    write(ensemble, 'a')
    ensemble.crash(first)
    ensemble.run(5)
    expect(ensemble.member(4).replica.service.kind).toBe('stopped')
    write(ensemble, 'b')
    ensemble.runUntil('settled', () => ensemble.isSettled)
    expect(masterOf(ensemble, 4)).toBe(3 - first)
    write(ensemble, 'c')
    expect(texts(ensemble.up)).toEqual(['a b c', 'a b c', 'a b c'])
  })

  test('loses its leader: followers let their observers go, and take them again', () => {
    const ensemble = started(3, 2)
    write(ensemble, 'a')
    ensemble.crash(3)
    ensemble.run(10)
    for (const observer of [4, 5]) {
      expect(ensemble.member(observer).replica.service.kind).toBe('stopped')
    }
    ensemble.runUntil('settled', () => ensemble.isSettled)
    write(ensemble, 'b')
    // One of two is the leader now: both are at the other one.
    const { leader } = ensemble
    expect(leader?.sid).toBe(2)
    expect([masterOf(ensemble, 4), masterOf(ensemble, 5)]).toEqual([1, 1])
    expect(texts(ensemble.up)).toEqual(Array.from({ length: 4 }, () => 'a b'))
  })

  test('who was away gets what it lacks from the log on the follower’s disk', () => {
    const tuning = { ...MASTERS, commitLogCount: 3, snapshotSizeFactor: 0 }
    const ensemble = started(3, 1, { tuning })
    write(ensemble, 'first')
    ensemble.crash(4)
    for (let i = 0; i < 20; i++) write(ensemble, `w${i}`)
    ensemble.start(4)
    ensemble.runUntil('settled', () => ensemble.isSettled)
    const master = ensemble.member(masterOf(ensemble, 4) ?? 0)
    expect(master.sid).not.toBe(3)
    const syncs = master.traces.filter(({ type }) => type === 'sync')
    expect(syncs.at(-1)).toMatchObject({ direction: 'out', mode: 'DIFF', peer: 4 })
    expect(ensemble.member(4).replica.texts).toEqual(ensemble.member(3).replica.texts)
  })

  test('a follower that takes nobody yet is not waited for, where there is another one', () => {
    const rig = new Rig({ sid: 4, observer: true, tuning: MASTERS })
    rig.link(1, 2, 3)
    const asked = (): number[] => {
      rig.vote(3, { leader: sid(3), state: 'leading' })
      rig.vote(2, { leader: sid(3), state: 'following' })
      const infos = rig.sent().filter(({ name }) => name === 'OBSERVERINFO')
      return infos.map(({ to }) => to)
    }
    expect(asked()).toEqual([1])
    rig.wait(750)
    expect(asked()).toEqual([])
    rig.wait(100)
    expect(asked()).toEqual([2])
  })

  test('an only voter takes them itself', () => {
    const ensemble = started(1, 2)
    write(ensemble, 'a')
    expect([masterOf(ensemble, 4 - 2), masterOf(ensemble, 3)]).toEqual([1, 1])
    expect(texts(ensemble.members)).toEqual(['a', 'a', 'a'])
  })
})

describe('a follower as master', () => {
  test('lets nobody in before it is up to date, then gives what is committed', () => {
    const rig = follower()
    rig.sent()
    rig.observerInfo(4, 1, TALK)
    rig.packets(3, [
      [PacketType.DIFF, zxidOf('1.2')],
      [PacketType.NEWLEADER, zxidOf('2.0')],
    ])
    rig.persist()
    expect(toObserver(rig)).toEqual([])
    rig.packet(3, PacketType.UPTODATE, zxidOf('2.0'))
    expect(toObserver(rig)).toEqual(['4 LEADERINFO 0x200000000'])
    rig.ackEpoch(4, 1, zxidOf('1.1'), 0n, TALK)
    expect(toObserver(rig)).toEqual([
      '4 DIFF 0x100000002',
      '4 PROPOSAL 0x100000002',
      '4 COMMIT 0x100000002',
      '4 NEWLEADER 0x200000000',
    ])
    rig.packet(4, PacketType.ACK, zxidOf('2.0'), null, TALK)
    expect(toObserver(rig)).toEqual(['4 UPTODATE 0x100000002'])
    expect(rig.peer.status(rig.now).syncedObservers).toEqual([4])
  })

  test('informs of what is committed, never of what is proposed', () => {
    const rig = upToDate(follower())
    join(rig, '1.2')
    rig.sent()
    rig.packet(3, PacketType.PROPOSAL, zxidOf('2.1'), encodeUtf8('one'))
    rig.packet(3, PacketType.PROPOSAL, zxidOf('2.2'), encodeUtf8('two'))
    rig.persist()
    expect(toObserver(rig)).toEqual([])
    rig.packet(3, PacketType.COMMIT, zxidOf('2.1'))
    expect(toObserver(rig)).toEqual(['4 INFORM 0x200000001'])
    // It looks again, and takes what it has for committed; its observers are gone by then.
    rig.unlink(3)
    expect(rig.peer.status(rig.now).lastCommitted).toBe(zxidOf('2.2'))
    expect(toObserver(rig)).toEqual(['4 END'])
  })

  test('brings nobody up to date with a proposal that is not committed', () => {
    const rig = upToDate(follower())
    rig.packet(3, PacketType.PROPOSAL, zxidOf('2.1'), encodeUtf8('one'))
    rig.persist()
    rig.sent()
    join(rig, '1.2')
    expect(toObserver(rig)).toEqual([
      '4 LEADERINFO 0x200000000',
      '4 DIFF 0x100000002',
      '4 NEWLEADER 0x200000000',
    ])
    rig.packet(3, PacketType.COMMIT, zxidOf('2.1'))
    expect(toObserver(rig)).toEqual(['4 INFORM 0x200000001'])
  })

  test('cuts nobody that another one informed of more: it waits for the commit', () => {
    const rig = upToDate(follower())
    rig.packet(3, PacketType.PROPOSAL, zxidOf('2.1'), encodeUtf8('one'))
    rig.persist()
    rig.sent()
    join(rig, '2.1', 2)
    rig.wait(500)
    expect(toObserver(rig)).toEqual(['4 LEADERINFO 0x200000000'])
    rig.packet(3, PacketType.COMMIT, zxidOf('2.1'))
    rig.wait(100)
    expect(toObserver(rig)).toEqual(['4 DIFF 0x200000001', '4 NEWLEADER 0x200000000'])
  })

  test('cuts what a leader before this one had not committed', () => {
    const rig = upToDate(follower())
    rig.sent()
    join(rig, '1.3')
    expect(toObserver(rig)).toEqual([
      '4 LEADERINFO 0x200000000',
      '4 TRUNC 0x100000002',
      '4 NEWLEADER 0x200000000',
    ])
  })

  test('sends away who knows a newer leader, and a voter that takes it for the leader', () => {
    const rig = upToDate(follower())
    rig.sent()
    rig.observerInfo(4, 3, TALK)
    expect(toObserver(rig)).toEqual(['4 END'])
    join(rig, '3.1', 2)
    expect(toObserver(rig)).toEqual(['4 LEADERINFO 0x200000000', '4 END'])
    rig.followerInfo(2, 1, 2 * 2 ** 24 + 1)
    expect(rig.said().filter((text) => text.startsWith('2 '))).toEqual(['2 END'])
    expect(rig.violations).toEqual([])
  })

  test('hands the leader’s PING on in its place, and asks itself when the leader is late', () => {
    const rig = upToDate(follower())
    join(rig, '1.2')
    rig.packet(4, PacketType.ACK, zxidOf('2.0'), null, TALK)
    rig.packet(3, PacketType.PROPOSAL, zxidOf('2.1'), encodeUtf8('one'))
    rig.persist()
    rig.sent()
    const data = encodeUtf8('sessions')
    rig.packets(3, [
      [PacketType.COMMIT, zxidOf('2.1')],
      [PacketType.PING, zxidOf('2.1'), 'sessions'],
    ])
    const sent = rig.sent().filter(({ to }) => to === 4)
    expect(sent.map(({ name }) => name)).toEqual(['INFORM', 'PING'])
    expect(sent[1]?.data).toEqual(data)
    rig.packet(4, PacketType.PING, zxidOf('2.1'), encodeUtf8('touched'), TALK)
    expect(rig.replica.received.at(-1)).toMatchObject({ from: 4, packet: { conversation: TALK } })
    rig.wait(1_950)
    expect(toObserver(rig)).toEqual([])
    rig.wait(100)
    expect(toObserver(rig)).toEqual(['4 PING 0x200000001'])
  })

  test('answers the conversation that asked, and no later one of the same observer', () => {
    const rig = upToDate(follower())
    join(rig, '1.2')
    rig.packet(4, PacketType.ACK, zxidOf('2.0'), null, TALK)
    rig.sent()
    const answer = { type: PacketType.SYNC, data: new Uint8Array(0) }
    rig.peer.sendToLearner(sid(4), { ...answer, conversation: TALK - 1 })
    rig.flush()
    expect(toObserver(rig)).toEqual([])
    rig.peer.sendToLearner(sid(4), { ...answer, conversation: TALK })
    rig.flush()
    expect(toObserver(rig)).toEqual(['4 SYNC 0x100000002'])
  })

  test('lets go who does not store what it is told of', () => {
    const lagBytesMax = 4 * 1024 * 1024
    const rig = new Rig({
      sid: 1,
      disk: diskWith(['1.1', '1.2']),
      tuning: { observerMaster: { lagBytesMax } },
    })
    rig.link(2, 3, 4)
    rig.vote(3, { leader: sid(3), peerEpoch: 1, state: 'leading' })
    rig.vote(2, { leader: sid(3), peerEpoch: 1, state: 'following' })
    rig.leaderInfo(3, 2)
    rig.persist()
    upToDate(rig)
    join(rig, '1.2')
    rig.packet(4, PacketType.ACK, zxidOf('2.0'), null, TALK)
    const large = new Uint8Array(1024 * 1024)
    rig.sent()
    const told = [1, 2, 3, 4].map((counter) => {
      const zxid = zxidOf(`2.${counter}`)
      rig.packet(3, PacketType.PROPOSAL, zxid, large)
      rig.packet(3, PacketType.COMMIT, zxid)
      rig.persist()
      return toObserver(rig)
    })
    const informs = [1, 2, 3].map((counter) => [`4 INFORM 0x20000000${counter}`])
    expect(told).toEqual([...informs, ['4 END']])
  })
})

test('an observer that hears of proposals is what this file would find', () => {
  const rig = upToDate(follower(diskWith(['1.1', '1.2']), { ...ZAB_RULES, informsAt: 'proposal' }))
  join(rig, '1.2')
  rig.sent()
  rig.packet(3, PacketType.PROPOSAL, zxidOf('2.1'), encodeUtf8('one'))
  expect(toObserver(rig)).toEqual(['4 INFORM 0x200000001'])
})

describe('the turns of an observer', () => {
  const linked = [3, 1, 2, 5].map(sid)

  test('go round the followers, and to the leader when none of them helps', () => {
    const turns = new MasterTurns(sid(6))
    const asked = Array.from({ length: 10 }, () => turns.next(sid(3), linked))
    expect(asked).toEqual([1, 2, 5, 1, 2, 5, 1, 2, 5, 3])
  })

  test('begin anew with each that helped', () => {
    const turns = new MasterTurns(sid(6))
    for (let i = 0; i < 8; i++) turns.next(sid(3), linked)
    expect(turns.isRoundOver).toBe(false)
    turns.onServed()
    expect(Array.from({ length: 3 }, () => turns.next(sid(3), linked))).toEqual([5, 1, 2])
    expect(turns.isRoundOver).toBe(true)
    expect(turns.next(sid(3), [sid(3)])).toBe(3)
  })
})
