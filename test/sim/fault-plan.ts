/**
 * The faults of one run: drawn one after another through the safety phase, then all of them end.
 * Every kind is drawn for every seed and every planted bug alike. Each fault has a number and a
 * chance of its own, so that a run can be made again without some of them.
 */
import type { Prng } from '../../src/core/base/prng.ts'
import { TICK_INTERVAL_MS } from '../../src/core/zab/constants.ts'
import type { PersistEffect } from '../../src/core/zab/effect.ts'
import { FAULT_KINDS, within, type FaultKind } from './draw.ts'
import { FAULTS } from './faults/all-faults.ts'
import type { FaultTargets, Scene } from './faults/fault.ts'
import type { SimHost } from './sim-host.ts'

/** ms until the first fault: an ensemble should have come to be. */
const FIRST_FAULT_MS = 2000
const RESTART_MS: readonly [number, number] = [80, 5000]
/** Some stay away until the others have moved on far. */
const LONG_RESTART_MS: readonly [number, number] = [8000, 25_000]
const CHANCE_OF_LONG_RESTART = 0.08
/** Tabs beyond the voters come and go. */
const CHANCE_OF_LONG_ABSENCE = 0.3

export class FaultPlan {
  readonly #world: FaultTargets
  readonly #prng: Prng
  /** When who went down comes back. */
  readonly #restarts: Prng
  #isOver = false
  #drawn = 0
  readonly #endings = new Set<() => void>()
  /** Members that lost acknowledged entries, and that no leader has synchronised since. */
  readonly #lossy = new Set<SimHost>()
  /** Until it is established, an ensemble has its beginning on one disk. */
  #hasBegun = false

  constructor(world: FaultTargets) {
    this.#world = world
    this.#prng = world.prng.fork('faults')
    // Of its own, so that a death in a room changes no fault; seeds without one draw as they did.
    this.#restarts = world.room === null ? this.#prng : world.prng.fork('restarts')
    world.probe.on('stopped', ({ host: { sid } }) => {
      const host = world.hosts.find((each) => each.sid === sid)
      if (host !== undefined) this.#restartLater(host)
    })
    world.probe.on('service', ({ service }) => {
      if (service.kind === 'leading') this.#hasBegun = true
    })
    // After the process is gone: a write in flight may have been one that makes it whole.
    world.probe.on('lost', ({ host: { sid } }) => {
      const host = world.voters.find((each) => each.sid === sid)
      if (host !== undefined) this.#lossy.add(host)
    })
    // A storage says that it lost its tail until currentEpoch is written again.
    world.probe.on('durable', ({ host: { sid }, batch }) => {
      const host = world.hosts.find((each) => each.sid === sid)
      const isWhole = batch.some((e) => e.kind === 'current-epoch' || isInstall(e))
      if (isWhole && host?.view.isFounded === true) this.#lossy.delete(host)
    })
  }

  start(): void {
    this.#world.timeline.after(FIRST_FAULT_MS * (0.5 + this.#prng.next()), () => this.#next())
  }

  /** All faults end: whoever is down starts, whoever sleeps wakes, paths are whole. */
  heal(): void {
    this.#isOver = true
    const { network, hosts, timeline } = this.#world
    network.heal()
    for (const end of [...this.#endings]) end()
    for (const client of this.#world.clients) client.wake()
    for (const host of hosts) {
      host.crashPlan.disarm()
      host.diskTrouble.failsNext = null
      host.tickEvery(TICK_INTERVAL_MS)
      host.diskPace.recovers()
      if (host.isPaused) host.thaw()
      if (!host.isUp) timeline.after(this.#prng.next() * 1000, () => this.#restart(host))
    }
  }

  #next(): void {
    if (this.#isOver) return
    const kind = this.#drawKind()
    const number = ++this.#drawn
    const chance = this.#prng.fork(`fault ${number}`)
    const gapMs = -Math.log(1 - this.#prng.next()) * this.#world.draw.faults.meanGapMs
    if (this.#world.choice.takes(number, kind)) {
      this.#world.digest.text(kind)
      FAULTS[kind](this.#scene(kind, number, chance, this.#victim(chance)))
    }
    this.#world.timeline.after(gapMs, () => this.#next())
  }

  #drawKind(): FaultKind {
    const { weights } = this.#world.draw.faults
    const total = FAULT_KINDS.reduce((sum, kind) => sum + weights[kind], 0)
    let left = this.#prng.next() * total
    for (const kind of FAULT_KINDS) {
      left -= weights[kind]
      if (left < 0) return kind
    }
    return 'crash'
  }

  /** For scenarios: this one, to this one, now. It has no number among those that are drawn. */
  inflict(kind: FaultKind, victim: SimHost): void {
    FAULTS[kind](this.#scene(kind, 0, this.#prng.fork(`inflicted ${kind}`), victim))
  }

  #scene(kind: FaultKind, number: number, prng: Prng, victim: SimHost): Scene {
    const world = this.#world
    const happens = world.tally.drawn(kind)
    const tell: Scene['tell'] = (what, sids, forMs) => {
      const whom = sids.length === 0 ? '' : ` (member ${sids.join(', ')})`
      world.say('fault', () => `${number} ${kind}: ${what}${whom}`)
      const untilMs = forMs === undefined ? {} : { untilMs: world.timeline.nowMs + forMs }
      world.probe.emit('fault', { what: `${kind}: ${what}`, sids, ...untilMs })
    }
    return {
      world,
      prng,
      victim,
      tell,
      happens,
      note: (what, sids, forMs) => {
        tell(what, sids, forMs)
        happens()
      },
      endsAfter: (forMs, end) => this.#endsAfter(forMs, end),
      mayLose: (host) => this.#mayLose(host),
    }
  }

  #endsAfter(forMs: number, end: () => void): void {
    const once = (): void => {
      if (this.#endings.delete(once)) end()
    }
    this.#endings.add(once)
    this.#world.timeline.after(forMs, once)
  }

  #victim(prng: Prng): SimHost {
    const { hosts } = this.#world
    const leader = hosts.find((host) => host.isLeading)
    return leader !== undefined && prng.bool() ? leader : prng.pick(hosts)
  }

  /** Only a minority may have lost anything at any time: nobody promises more (T48). */
  #mayLose(host: SimHost): boolean {
    if (!host.view.isFounded) return false
    if (this.#world.origin !== null && !this.#hasBegun) return false
    if (this.#world.room?.isFounding === true) return false
    if (host.isObserver) return true
    const { voters } = this.#world
    return this.#lossy.has(host) || 2 * (this.#lossy.size + 1) < voters.length
  }

  #restartLater(host: SimHost): void {
    if (this.#world.startsByHand && !this.#isOver) return
    const { life } = host
    const chance = host.isObserver ? CHANCE_OF_LONG_ABSENCE : CHANCE_OF_LONG_RESTART
    const range = this.#restarts.bool(chance) ? LONG_RESTART_MS : RESTART_MS
    const delayMs = this.#isOver ? 500 : within(this.#restarts, range)
    this.#world.timeline.after(delayMs, () => {
      if (host.life === life) this.#restart(host)
    })
  }

  #restart(host: SimHost): void {
    if (host.isObserver) this.#world.observers.restart(host)
    else if (!host.isUp && this.#world.room?.isSeated(host) !== false) host.start()
  }
}

function isInstall(effect: PersistEffect): boolean {
  return effect.kind === 'snapshot-commit' && effect.install
}
