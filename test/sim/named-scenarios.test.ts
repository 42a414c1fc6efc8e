// What lost data or service in ZooKeeper's own history, each as a scenario on the real core under
// all checkers. Where a planted bug is the one of the issue, the scenario finds it.
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { PlantedBug } from './planted/planted-bug.ts'
import { epochOf } from '../../src/core/base/zxid.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import { PacketType } from '../../src/core/jute/quorum-records.ts'
import { decodeTxn, type Txn } from '../../src/core/jute/txn.ts'
import { planted, Scenario, serves } from './scenario.ts'
import type { Disks } from './draw.ts'
import type { SimHost } from './sim-host.ts'
import type { Violation } from '../../src/history/history-events.ts'

// A busy machine takes its time; nothing here waits for real time.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

type SyncMode = 'DIFF' | 'TRUNC' | 'SNAP'

/** Longer than 500 writes take: the leader's log in memory does not reach back so far (Q31). */
const FAR_BEHIND_MS = 6_000
const SOME_MS = 800
/** Once it serves it is like any other member: so many more crash points are looked at. */
const BEYOND = 4
const POINTS_MAX = 400

/** A learner that has to be brought up, its leader, and the third one, which is away. */
interface Learning {
  readonly scenario: Scenario
  readonly learner: SimHost
  readonly leader: SimHost
  readonly away: SimHost
}

/** The learner and the third are down, the learner such that only `mode` brings it back. */
function beforeSync(mode: SyncMode, bug?: PlantedBug, disks: Disks = 'whole'): Learning {
  // Without it the log on disk would do.
  const noLog = mode === 'SNAP' ? { snapshotSizeFactor: -1 } : {}
  const scenario = new Scenario({ ...noLog, disks }, bug)
  const { world } = scenario
  scenario.serving(...world.hosts)
  world.runFor(SOME_MS)
  const first = scenario.leader
  const [one, other] = scenario.others
  if (one === undefined || other === undefined) throw new Error('three members')
  if (mode !== 'TRUNC') {
    one.crash('killed', true)
    world.runFor(mode === 'SNAP' ? FAR_BEHIND_MS : SOME_MS)
    other.crash('killed', true)
    return { scenario, learner: one, leader: first, away: other }
  }
  // What it appends now nobody else ever has; so somebody has to ask it for something.
  const [client] = world.clients
  const asksLeader = (): boolean => {
    if (client?.isConnected !== true) return false
    if (client.server !== first) client.move()
    return client.isConnected
  }
  scenario.until(asksLeader, 'a client of the leader')
  for (const { sid } of [one, other]) {
    world.network.cut(first.sid, sid, 'stall')
    world.network.cut(sid, first.sid, 'stall')
  }
  const holdsAlone = (): boolean =>
    first.view.last > one.view.last && first.view.last > other.view.last
  scenario.until(holdsAlone, 'an entry that nobody else has')
  first.crash('killed alone', true)
  world.network.heal()
  scenario.until(() => one.isLeading || other.isLeading, 'another leader')
  scenario.serving(one, other)
  world.runFor(SOME_MS)
  const next = scenario.leader
  const away = next === one ? other : one
  away.crash('killed', true)
  return { scenario, learner: first, leader: next, away }
}

/**
 * The learner dies at the n-th effect of its synchronisation. Whatever it had promised by then
 * counts: the leader goes, and the learner makes the quorum with the one that was away.
 */
function diesAt(mode: SyncMode, effects: number, bug?: PlantedBug): DeathReport {
  const { scenario, learner, leader, away } = beforeSync(mode, bug)
  const { world } = scenario
  scenario.hasBug = true
  let served = 0
  learner.start()
  const { life } = learner
  const death = watchDeath(scenario, learner, leader)
  let isArmed = false
  // The first of its steps: what a small DIFF brings comes in one frame.
  world.probe.on('emitted', ({ host, effect: { kind } }) => {
    if (isArmed || host !== learner || learner.life !== life || kind !== 'accepted-epoch') return
    isArmed = true
    learner.crashPlan.afterEffects(effects)
  })
  world.probe.on('stepped', () => {
    if (learner.life === life && serves(learner)) served++
  })
  scenario.until(() => !learner.isUp, 'the learner dies')
  leader.crash('killed', true)
  learner.start()
  away.start()
  if (world.violation === null) scenario.serving(learner, away)
  leader.start()
  world.converge()
  return { violation: world.violation, served, modes: scenario.syncsOf(learner), ...death }
}

/** How far a learner was when it died. */
interface Death {
  /** Its ack of NEWLEADER was out. */
  hasAcked: boolean
  /** What it had asked of its disk and the disk did not have. */
  unwritten: number
  /** Its disk had the epoch of its leader. */
  hasEpoch: boolean
}

/** Of the learner's present life. */
function watchDeath({ world }: Scenario, learner: SimHost, leader: SimHost): Death {
  const death: Death = { hasAcked: false, unwritten: 0, hasEpoch: false }
  const { life } = learner
  /** A leader of one lost its quorum, and begins anew with the learner. */
  let epoch = 0
  const isOfLife = (host: { readonly sid: number }): boolean =>
    host.sid === learner.sid && learner.life === life
  world.probe.on('packet', ({ host, packet: { type, zxid } }) => {
    if (host.sid === leader.sid && type === PacketType.NEWLEADER) epoch = Number(zxid >> 32n)
    if (!isOfLife(host) || type !== PacketType.ACK) return
    if (zxid === BigInt(epoch) << 32n) death.hasAcked = true
  })
  world.probe.on('emitted', ({ host }) => {
    if (isOfLife(host)) death.unwritten++
  })
  world.probe.on('durable', ({ host, batch }) => {
    if (isOfLife(host)) death.unwritten -= batch.length
  })
  world.probe.on('stopped', ({ host }) => {
    if (isOfLife(host)) death.hasEpoch = host.view.currentEpoch === epoch
  })
  return death
}

interface DeathReport extends Readonly<Death> {
  readonly violation: Violation | null
  /** Steps that it served before it died. */
  readonly served: number
  readonly modes: readonly string[]
}

/** Every point of the synchronisation, until the learner has served for a while. */
function sweep(mode: SyncMode, bug?: PlantedBug): DeathReport[] {
  const reports: DeathReport[] = []
  for (let effects = 0; effects < POINTS_MAX; effects++) {
    const report = diesAt(mode, effects, bug)
    reports.push(report)
    if (report.violation !== null || report.served > BEYOND) return reports
  }
  throw new Error(`it did not serve within ${POINTS_MAX} effects`)
}

describe.each<SyncMode>(['DIFF', 'TRUNC', 'SNAP'])(
  '%s, and the learner dies at every step',
  (mode) => {
    let reports: readonly DeathReport[] = []

    beforeAll(() => {
      reports = sweep(mode)
    })

    test('nothing acknowledged is lost', () => {
      expect(reports.flatMap(({ violation }) => violation ?? [])).toEqual([])
      expect(reports.length).toBeGreaterThan(8)
      expect(reports.at(-1)?.modes).toContain(mode)
    })

    test('ZOOKEEPER-3911: not by who died behind its ack of NEWLEADER', () => {
      const acked = reports.filter(({ hasAcked }) => hasAcked)
      expect(acked.length).toBeGreaterThan(0)
      // The ack says that all before it is on the disk.
      expect(acked.filter(({ hasEpoch }) => !hasEpoch)).toEqual([])
      expect(acked.flatMap(({ violation }) => violation ?? [])).toEqual([])
    })

    test('ZOOKEEPER-4646: nor by who died while its disk was at the history', () => {
      const amid = reports.filter(({ hasAcked, unwritten }) => !hasAcked && unwritten > 0)
      expect(amid.length).toBeGreaterThan(0)
      expect(amid.flatMap(({ violation }) => violation ?? [])).toEqual([])
    })

    test('ZOOKEEPER-4785: nor by who had acked and did not serve yet', () => {
      const between = reports.filter(({ hasAcked, served }) => hasAcked && served === 0)
      expect(between.length).toBeGreaterThan(0)
      expect(between.flatMap(({ violation }) => violation ?? [])).toEqual([])
    })

    test('ZOOKEEPER-4643: nor by who died about to enter the epoch of its leader', () => {
      const without = reports.filter(({ hasEpoch }) => !hasEpoch)
      expect(without.length).toBeGreaterThan(0)
      expect(without.length).toBeLessThan(reports.length)
      expect(without.filter(({ hasAcked }) => hasAcked)).toEqual([])
    })
  },
)

describe('and the sweep finds', () => {
  test.each([
    ['ZOOKEEPER-4643', 'epoch-before-log'],
    ['ZOOKEEPER-3911, 4646, 4785', 'sync-ack-before-log'],
  ])('%s: %s', (_issue, name) => {
    const bug = planted(name)
    expect(bug.foundBy).toContain(sweep('DIFF', bug).at(-1)?.violation?.checker)
  })
})

describe('ZOOKEEPER-2307', () => {
  const WRITES = ['accepted-epoch', 'current-epoch', 'append'] as const
  const MOMENTS = ['before', 'after'] as const
  const points = WRITES.flatMap((kind) => {
    return MOMENTS.flatMap((moment) => {
      return (['whole', 'prefix'] as const).map((disks) => [moment, kind, disks] as const)
    })
  })

  // currentEpoch above acceptedEpoch is what ZooKeeper then refused to start with (EpochsOnDisk).
  test.each(points)('who died %s its %s starts, and nothing is lost: %s', (...point) => {
    const [moment, kind, disks] = point
    const { scenario, learner, leader, away } = beforeSync('DIFF', undefined, disks)
    learner.crashPlan.atWrite(kind, moment)
    learner.start()
    scenario.until(() => !learner.isUp, `it dies ${moment} ${kind}`)
    leader.crash('killed', true)
    learner.start()
    away.start()
    scenario.serving(learner, away)
    scenario.world.converge()
    expect(scenario.world.violation).toBe(null)
  })
})

describe('a learner that joins under load, with a disk that is slow', () => {
  interface Joined {
    /** How often the learner changed its role meanwhile, and its leader. */
    readonly roles: number
    readonly leaderRoles: number
    /** What the learner was sent between NEWLEADER and UPTODATE, and what it acked then. */
    readonly proposals: number
    readonly commits: number
    readonly acks: number
    readonly violation: Violation | null
  }

  function joins(): Joined {
    const scenario = new Scenario({ clients: 8, thinkMs: 5 })
    const { world } = scenario
    scenario.serving(...world.hosts)
    const { leader } = scenario
    const [learner] = scenario.others
    if (learner === undefined) throw new Error('three members')
    learner.crash('killed', true)
    world.runFor(SOME_MS)
    const from = scenario.traces.length
    learner.diskPace.slowness = 20
    const sent = { proposals: 0, commits: 0, acks: 0 }
    let isBetween = false
    world.probe.on('packet', ({ host, peer, packet: { type } }) => {
      if (host === learner && type === PacketType.ACK && isBetween) sent.acks++
      if (host !== leader || peer !== learner.sid) return
      if (type === PacketType.NEWLEADER) isBetween = true
      if (type === PacketType.UPTODATE) isBetween = false
      if (!isBetween) return
      if (type === PacketType.PROPOSAL) sent.proposals++
      if (type === PacketType.COMMIT) sent.commits++
    })
    learner.start()
    scenario.serving(learner)
    world.runFor(SOME_MS)
    learner.diskPace.recovers()
    const since = scenario.traces.slice(from)
    const rolesOf = (host: SimHost): number =>
      since.filter((noted) => noted.host === host && noted.event.type === 'role').length
    world.converge()
    const { violation } = world
    return { roles: rolesOf(learner), leaderRoles: rolesOf(leader), ...sent, violation }
  }

  let joined: Joined | null = null

  beforeAll(() => {
    joined = joins()
  })

  test('ZOOKEEPER-4394: proposals and commits before UPTODATE do not disturb the learner', () => {
    expect(joined?.proposals).toBeGreaterThan(0)
    expect(joined?.commits).toBeGreaterThan(0)
    // Looking, following.
    expect(joined).toMatchObject({ roles: 2, violation: null })
  })

  test('ZOOKEEPER-4685: nor do its acks before UPTODATE disturb the leader', () => {
    // Of NEWLEADER, and of proposals behind it.
    expect(joined?.acks).toBeGreaterThan(1)
    expect(joined).toMatchObject({ leaderRoles: 0, violation: null })
  })
})

describe('ZOOKEEPER-4925', () => {
  test('who was brought up by DIFF brings up others, without a hole', () => {
    const scenario = new Scenario({ voters: 5 })
    const { world } = scenario
    scenario.serving(...world.hosts)
    const { leader, others } = scenario
    // The highest number wins among equals.
    const [stalest, stale] = [others[0], others.at(-1)]
    if (stalest === undefined || stale === undefined) throw new Error('five members')
    stalest.crash('killed', true)
    world.runFor(300)
    stale.crash('killed', true)
    world.runFor(300)
    stale.start()
    scenario.serving(stale)
    world.runFor(300)
    leader.crash('killed', true)
    scenario.until(() => world.hosts.some((host) => host.isLeading && serves(host)), 'a leader')
    expect(scenario.leader).toBe(stale)
    stalest.start()
    scenario.serving(stalest)
    expect(scenario.syncsOf(stale)).toContain('DIFF')
    expect(scenario.syncsOf(stalest).at(-1)).toBe('DIFF')
    world.converge()
    expect(world.violation).toBe(null)
  })
})

describe('ZOOKEEPER-1732', () => {
  test('a member that was away for elections joins the ensemble that stands', () => {
    const scenario = new Scenario({ voters: 5 })
    const { world } = scenario
    scenario.serving(...world.hosts)
    for (let round = 1; round <= 5; round++) {
      const { leader } = scenario
      leader.crash('killed', true)
      scenario.until(() => world.hosts.some((host) => host.isLeading && serves(host)), 'a leader')
      const stands = scenario.leader
      const from = scenario.traces.length
      leader.start()
      scenario.serving(leader)
      const left = scenario.traces
        .slice(from)
        .filter(({ host, event }) => host === stands && event.type === 'role')
      expect(left).toEqual([])
    }
    world.converge()
    expect(world.violation).toBe(null)
  })
})

describe('ZOOKEEPER-1624', () => {
  const SEQUENTIAL = 2

  function isSequential(path: string): boolean {
    return /^\/q\/.*-\d{10}$/.test(path)
  }

  test('a multi that fails amid outstanding creates takes back what is its own, no more', () => {
    const scenario = new Scenario({ clients: 8, thinkMs: 5, pipeline: 6 })
    const { world } = scenario
    scenario.serving(...world.hosts)
    const { leader } = scenario
    const outstanding = new Set<bigint>()
    /** Proposed while sequential creates were outstanding, and those of them that failed. */
    const amid = new Set<bigint>()
    const failed = new Set<bigint>()
    const numbers: number[] = []
    let failures = 0
    world.probe.on('emitted', ({ host, effect }) => {
      if (host !== leader || effect.kind !== 'append') return
      if (outstanding.size > 0) amid.add(effect.zxid)
      const { txn } = decodeTxn(effect.entry)
      if (pathsOf(txn).some(isSequential)) outstanding.add(effect.zxid)
    })
    world.probe.on('committed', ({ zxid, logged: { txn } }) => {
      outstanding.delete(zxid)
      const hasFailed = txn.kind === 'multi' && txn.txns.some(({ kind }) => kind === 'error')
      if (hasFailed && amid.has(zxid)) failed.add(zxid)
      // A parent that is made anew counts from 0 again.
      if (txn.kind === 'delete' && txn.path === '/q') numbers.length = 0
      for (const path of pathsOf(txn).filter(isSequential)) {
        const number = Number(path.slice(-10))
        if (numbers.length > 0) expect(number, path).toBe((numbers.at(-1) ?? 0) + 1)
        numbers.push(number)
      }
    })
    world.probe.on('completed', ({ op: { call }, outcome: { zxid } }) => {
      // The header of a multi says OK, also when it failed.
      if (call.kind !== 'multi' || !failed.has(zxid)) return
      const [first] = call.ops
      const takesNumber = first?.type === OpCode.create && (first.request.flags & SEQUENTIAL) !== 0
      if (takesNumber && call.ops.length > 1) failures++
    })
    for (const host of world.hosts) host.diskPace.slowness = 20
    world.runFor(3 * SOME_MS)
    for (const host of world.hosts) host.diskPace.recovers()
    world.converge()
    expect(world.violation).toBe(null)
    expect(failures).toBeGreaterThan(0)
    expect(numbers.length).toBeGreaterThan(20)
  })

  function pathsOf(txn: Txn): string[] {
    if (txn.kind === 'multi') return txn.txns.flatMap(pathsOf)
    return txn.kind === 'create' ? [txn.path] : []
  }
})

describe('recovery', () => {
  test('what was processed is not lost: one follower alone heard of the commit', () => {
    const scenario = new Scenario()
    const { world } = scenario
    scenario.serving(...world.hosts)
    world.runFor(SOME_MS)
    const { leader, others } = scenario
    const [knows, hears] = others
    if (knows === undefined || hears === undefined) throw new Error('three members')
    world.network.cut(leader.sid, hears.sid, 'vanish')
    world.runFor(100)
    const newest = world.newestAcked
    leader.crash('killed', true)
    world.network.heal()
    // Until they notice, both serve what they have.
    scenario.until(() => knows.isLeading || hears.isLeading, 'another leader')
    scenario.serving(knows, hears)
    expect(hears.tree?.lastProcessed ?? 0n).toBeGreaterThanOrEqual(newest)
    world.converge()
    expect(world.violation).toBe(null)
  })

  test('what was dropped does not come back: a proposal that nobody else ever had', () => {
    const { scenario, learner, leader, away } = beforeSync('TRUNC')
    const { world } = scenario
    const dropped = learner.view.last
    const returned = new Set<bigint>()
    world.probe.on('committed', ({ zxid }) => void (zxid === dropped && returned.add(zxid)))
    learner.start()
    scenario.serving(learner)
    expect(scenario.syncsOf(learner).at(-1)).toBe('TRUNC')
    // Not when the one that had it leads, either.
    away.start()
    scenario.serving(away)
    leader.crash('killed', true)
    world.converge()
    expect(world.violation).toBe(null)
    expect([epochOf(dropped), returned.size]).toEqual([1, 0])
  })
})
