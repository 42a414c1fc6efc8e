// What lost data or service in ZooKeeper's own history, each as a scenario on the real core under
// all checkers. Where a planted bug is the one of the issue, the scenario finds it.
import { describe, expect, test, vi } from 'vitest'
import type { PlantedBug } from './planted/planted-bug.ts'
import { epochOf } from '../../src/core/base/zxid.ts'
import { planted, Scenario, serves } from './scenario.ts'
import type { SimHost } from './sim-host.ts'
import type { Violation } from '../../src/history/history-events.ts'

// A busy machine takes its time; nothing here waits for real time.
vi.setConfig({ testTimeout: 600_000 })

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
function beforeSync(mode: SyncMode, bug?: PlantedBug): Learning {
  // Without it the log on disk would do.
  const scenario = new Scenario(mode === 'SNAP' ? { snapshotSizeFactor: -1 } : {}, bug)
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
  world.probe.on('trace', ({ host, event }) => {
    if (host !== learner || learner.life !== life || event.type !== 'sync') return
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
  return { violation: world.violation, served, modes: scenario.syncsOf(learner) }
}

interface DeathReport {
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
    test('ZOOKEEPER-3911, 4643, 4646, 4785: nothing acknowledged is lost', () => {
      const reports = sweep(mode)
      expect(reports.flatMap(({ violation }) => violation ?? [])).toEqual([])
      expect(reports.length).toBeGreaterThan(8)
      expect(reports.at(-1)?.modes).toContain(mode)
    })
  },
)

describe('and the sweep finds', () => {
  test.each([
    ['ZOOKEEPER-4643', 'epoch-before-log'],
    ['ZOOKEEPER-3911, 4646, 4785', 'sync-ack-before-log'],
  ])('%s: %s', (_issue, name) => {
    const reports = sweep('DIFF', planted(name))
    expect(reports.at(-1)?.violation).not.toBe(null)
  })
})

describe('ZOOKEEPER-2307', () => {
  const WRITES = ['accepted-epoch', 'current-epoch', 'append'] as const
  const MOMENTS = ['before', 'after'] as const
  const points = WRITES.flatMap((kind) => MOMENTS.map((moment) => [moment, kind] as const))

  // currentEpoch above acceptedEpoch is what ZooKeeper then refused to start with (EpochsOnDisk).
  test.each(points)('who died %s its %s starts, and nothing is lost', (moment, kind) => {
    const { scenario, learner, leader, away } = beforeSync('DIFF')
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
  /** How often this host changed its role, and what broke, while it lasted. */
  function joins(): { readonly roles: number; readonly leaderRoles: number; scenario: Scenario } {
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
    learner.start()
    scenario.serving(learner)
    world.runFor(SOME_MS)
    learner.diskPace.recovers()
    const since = scenario.traces.slice(from)
    const rolesOf = (host: SimHost): number =>
      since.filter((noted) => noted.host === host && noted.event.type === 'role').length
    world.converge()
    return { roles: rolesOf(learner), leaderRoles: rolesOf(leader), scenario }
  }

  test('ZOOKEEPER-4394, 4685: commits and acks before UPTODATE disturb neither', () => {
    const { roles, leaderRoles, scenario } = joins()
    // Looking, following; and the leader leads on.
    expect([roles, leaderRoles]).toEqual([2, 0])
    expect(scenario.world.violation).toBe(null)
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
