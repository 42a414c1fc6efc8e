// What the simulator found in the core, as scenarios that do not depend on what a seed draws. Each
// runs under all checkers; a planted bug shows that the scenario gets to the place.
import { describe, expect, test, vi } from 'vitest'
import { listen } from './checkers/all-checkers.ts'
import { PLANTED_BUGS } from './planted/bugs.ts'
import { QUICK, Scenario } from './scenario.ts'
import type { SimHost } from './sim-host.ts'
import { World, type WorldOptions } from './world.ts'

// A busy machine takes its time; nothing here waits for real time.
vi.setConfig({ testTimeout: 600_000 })

const BUSY = { ...QUICK, clients: 8, snapCount: 12 } as const

function begun(options: Partial<WorldOptions> = {}): World {
  const world = new World({ seed: 1, draw: BUSY, ...options })
  listen(world)
  world.begin()
  world.runFor(4000)
  return world
}

function leaderOf(world: World): SimHost {
  const leader = world.hosts.find((host) => host.isLeading)
  if (leader === undefined) throw new Error('no leader yet')
  return leader
}

describe('a leader that was suspended', () => {
  // Its monotonic clock stood still, so elapsed time alone shows nothing (design §4; seed 7 then).
  function sleepOfLeader(options: Partial<WorldOptions> = {}): World {
    const world = begun(options)
    const leader = leaderOf(world)
    leader.pause(true)
    world.runFor(2500)
    leader.thaw()
    world.runFor(500)
    return world
  }

  test('answers nothing that waited', () => {
    const world = sleepOfLeader()
    world.converge()
    expect(world.violation).toBe(null)
  })

  test('and the checker would see it', () => {
    const planted = PLANTED_BUGS.find(({ name }) => name === 'thawed-leader')
    if (planted === undefined) throw new Error('no such bug')
    // Not in every run does a client wait on the leader while it sleeps.
    const seeds = [1, 2, 3, 4, 5, 6, 7, 8]
    const isSeen = (seed: number): boolean =>
      sleepOfLeader({ planted, seed }).violation?.checker === 'ThawedIsSilent'
    expect(seeds.some(isSeen)).toBe(true)
  })
})

describe('a member whose clock is set back between two lives', () => {
  // Sessions that ended before the newest snapshot are known to nobody any more (S1; seed 1056).
  test('opens no session twice', () => {
    const world = begun()
    for (let round = 1; round <= 3; round++) {
      for (const client of world.clients) client.abandon()
      world.runFor(3000)
      for (const host of world.hosts) {
        host.wallSkewMs -= 600_000
        host.crash('reloaded', true)
        world.runFor(6000)
      }
    }
    world.converge()
    expect(world.violation).toBe(null)
  })
})

describe('a member that loses its storage while it writes the epoch it was synchronised in', () => {
  // The process goes before the storage, and what it wrote last may still be done (seed 10732).
  test('counts as having lost it: the next one may not', () => {
    const scenario = new Scenario()
    const { world } = scenario
    scenario.serving(...world.hosts)
    const { leader } = scenario
    const [victim, other] = scenario.others
    if (victim === undefined || other === undefined) throw new Error('three members')
    victim.diskPace.slowness = 20
    leader.crash('killed', true)
    const writesEpoch = (): boolean =>
      victim.inFlight?.some(({ kind }) => kind === 'current-epoch') === true
    scenario.until(writesEpoch, 'it enters the epoch')
    const { inFlight } = victim
    world.probe.on('lost', ({ host }) => {
      expect(host).toBe(victim)
    })
    // As a crash has it half of the time.
    vi.spyOn(victim.prng, 'bool').mockReturnValue(true)
    let isWritten = false
    world.probe.on('durable', ({ batch }) => void (isWritten ||= batch === inFlight))
    world.faults.inflict('wipe', victim)
    vi.restoreAllMocks()
    expect(isWritten).toBe(true)
    world.faults.inflict('wipe', other)
    expect(other.isUp).toBe(true)
    world.converge()
    expect(world.violation).toBe(null)
  })
})
