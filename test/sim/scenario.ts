/** Scenarios: what happens is written down instead of drawn; all checkers watch. */
import type { TraceEvent } from '../../src/core/zab/effect.ts'
import { listen } from './checkers/all-checkers.ts'
import type { Draw } from './draw.ts'
import { PLANTED_BUGS } from './planted/bugs.ts'
import { NO_BUG, type PlantedBug } from './planted/planted-bug.ts'
import type { SimHost } from './sim-host.ts'
import { World } from './world.ts'

/** Quick links and disks, many writes, no faults of their own. */
export const QUICK = {
  voters: 3,
  clients: 4,
  readers: 0,
  observers: 0,
  observerMasters: false,
  linkDelayMs: [0.3, 3],
  linkSpikeChance: 0,
  diskDelayMs: [0.5, 4],
  disks: 'whole',
  snapCount: 100_000,
  thinkMs: 30,
  pipeline: 4,
  clockDrift: 0,
  foundingMs: 300,
  oldMembers: 0,
  localSessions: false,
  readOnlyMode: false,
  hasOrigin: false,
  pages: 0,
  restores: false,
} as const

const STEP_MS = 10
/** Virtual ms after which a step of a scenario has failed. */
const PATIENCE_MS = 15_000

export interface Noted {
  readonly host: SimHost
  readonly event: TraceEvent
}

export class Scenario {
  readonly world: World
  readonly traces: Noted[] = []
  /** Members that start from now on have the planted bug. */
  hasBug = false

  constructor(draw: Partial<Draw> = {}, bug: PlantedBug = NO_BUG) {
    const isPlanted = (): boolean => this.hasBug
    const planted: PlantedBug = {
      name: bug.name,
      what: bug.what,
      foundBy: bug.foundBy,
      get zabRules() {
        return isPlanted() ? (bug.zabRules ?? {}) : {}
      },
    }
    this.world = new World({ seed: 1, draw: { ...QUICK, ...draw }, startsByHand: true, planted })
    listen(this.world)
    this.world.probe.on('trace', ({ host: { sid }, event }) => {
      const host = this.world.hosts.find((each) => each.sid === sid)
      if (host !== undefined) this.traces.push({ host, event })
    })
    this.world.begin()
  }

  get leader(): SimHost {
    const leader = this.world.hosts.find((host) => host.isLeading && serves(host))
    if (leader === undefined) throw new Error('nobody leads')
    return leader
  }

  get others(): readonly SimHost[] {
    const { leader } = this
    return this.world.hosts.filter((host) => host !== leader)
  }

  /** All of them serve. Ends early when a checker has found something. */
  serving(...hosts: readonly SimHost[]): void {
    this.until(() => hosts.every(serves), `${hosts.map(({ name }) => name).join(', ')} serve`)
  }

  until(isSo: () => boolean, what: string): void {
    const { world } = this
    const untilMs = world.timeline.nowMs + PATIENCE_MS
    while (!isSo() && world.violation === null) {
      if (world.timeline.nowMs >= untilMs) throw new Error(`never came to be: ${what}`)
      world.runFor(STEP_MS)
    }
  }

  /** How this host was synchronised, newest last. */
  syncsOf(host: SimHost): string[] {
    return this.traces
      .filter((noted) => noted.host === host)
      .flatMap(({ event }) =>
        event.type === 'sync' && event.direction === 'in' ? [event.mode] : [],
      )
  }
}

export function serves(host: SimHost): boolean {
  return host.isUp && host.machine?.status(host.now()).serving === true
}

export function planted(name: string): PlantedBug {
  const bug = PLANTED_BUGS.find((each) => each.name === name)
  if (bug === undefined) throw new Error(`no planted bug ${name}`)
  return bug
}
