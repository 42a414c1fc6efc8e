/**
 * The faults of one run: drawn one after another through the safety phase, then all of them end.
 * Every kind is drawn for every seed and every planted bug alike.
 */
import type { Prng } from '../../src/core/base/prng.ts'
import { MemoryDisk } from '../../src/adapters/memory/memory-disk.ts'
import type { PersistEffect } from '../../src/core/zab/effect.ts'
import { FAULT_KINDS, within, type FaultKind } from './draw.ts'
import { foundedDisk } from './founding.ts'
import type { CutMode } from './network.ts'
import type { ObserverPlan } from './observer-plan.ts'
import { TICK_INTERVAL_MS, type SimHost } from './sim-host.ts'
import type { SimClient } from './sim-client.ts'
import type { SimContext } from './sim-context.ts'

/** ms until the first fault: an ensemble should have come to be. */
const FIRST_FAULT_MS = 2000
const RESTART_MS: readonly [number, number] = [80, 5000]
/** Some stay away until the others have moved on far. */
const LONG_RESTART_MS: readonly [number, number] = [8000, 25_000]
const CHANCE_OF_LONG_RESTART = 0.08
/** Tabs beyond the voters come and go. */
const CHANCE_OF_LONG_ABSENCE = 0.3
const THROTTLE_MS: readonly [number, number] = [1500, 8000]
/** ms between two timers of a page in the background (browser-facts). */
const THROTTLED_TICK_MS = 1000
const PARTITION_MS: readonly [number, number] = [300, 8000]
const SLOW_DISK_MS: readonly [number, number] = [300, 4000]
const SLOWNESS = [5, 30, 100, 600]
/** Effects after which a host dies: mostly few, so that the places right ahead are hit. */
const EFFECTS_MAX = [4, 20, 100]
const WALL_JUMP_MS = 3_600_000
/** Kinds of writes to die at; those of elections are rare, so they are asked for more often. */
const WRITE_KINDS: readonly PersistEffect['kind'][] = [
  'append',
  'append',
  'accepted-epoch',
  'accepted-epoch',
  'current-epoch',
  'current-epoch',
  'current-epoch',
  'truncate',
  'truncate',
  'snapshot-commit',
  'snapshot-chunk',
]

/** The world, whose hosts and clients can be hurt. */
export interface FaultTargets extends SimContext {
  readonly hosts: readonly SimHost[]
  readonly voters: readonly SimHost[]
  readonly observers: ObserverPlan
  readonly clients: readonly SimClient[]
  readonly startsByHand: boolean
}

export class FaultPlan {
  readonly #world: FaultTargets
  readonly #prng: Prng
  #isOver = false
  #count = 0
  /** Members that lost acknowledged entries, and that no leader has synchronised since. */
  readonly #lossy = new Set<SimHost>()

  constructor(world: FaultTargets) {
    this.#world = world
    this.#prng = world.prng.fork('faults')
    world.probe.on('stopped', ({ host: { sid } }) => {
      const host = world.hosts.find((each) => each.sid === sid)
      if (host !== undefined) this.#restartLater(host)
    })
    // A storage says that it lost its tail until currentEpoch is written again.
    world.probe.on('durable', ({ host: { sid }, batch }) => {
      const host = world.hosts.find((each) => each.sid === sid)
      const isWhole = batch.some((e) => e.kind === 'current-epoch' || isInstall(e))
      if (isWhole && host?.view.isFounded === true) this.#lossy.delete(host)
    })
  }

  get count(): number {
    return this.#count
  }

  start(): void {
    this.#world.timeline.after(FIRST_FAULT_MS * (0.5 + this.#prng.next()), () => this.#next())
  }

  /** All faults end: whoever is down starts, whoever sleeps wakes, paths are whole. */
  heal(): void {
    this.#isOver = true
    const { network, hosts, timeline } = this.#world
    network.heal()
    for (const client of this.#world.clients) client.wake()
    for (const host of hosts) {
      host.crashPlan.disarm()
      host.diskFailsNext = false
      host.tickIntervalMs = TICK_INTERVAL_MS
      host.diskRecovers()
      if (host.isPaused) host.thaw()
      if (!host.isUp) timeline.after(this.#prng.next() * 1000, () => this.#restart(host))
    }
  }

  #next(): void {
    if (this.#isOver) return
    const kind = this.#drawKind()
    this.#count++
    this.#world.digest.text(kind)
    this.#world.say('fault', () => kind)
    this.#inject(kind)
    const gapMs = -Math.log(1 - this.#prng.next()) * this.#world.draw.faults.meanGapMs
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

  #inject(kind: FaultKind): void {
    const prng = this.#prng
    const host = this.#victim()
    this.#world.probe.emit('fault', { what: kind, sids: [host.sid] })
    switch (kind) {
      case 'crash':
        return host.crash('killed', prng.bool())
      case 'crash-at-effect':
        return host.crashPlan.afterEffects(prng.int(prng.pick(EFFECTS_MAX)))
      case 'crash-at-write':
        return this.#crashAtWrite(host)
      case 'crash-all':
        for (const each of this.#world.hosts) each.crash('killed with all', prng.bool())
        return undefined
      case 'partition':
        return this.#partition()
      case 'link-loss':
        return this.#loseLink(host)
      case 'pause':
      case 'suspend':
        return this.#pause(host, kind === 'suspend')
      case 'throttle':
        return this.#throttle(host)
      case 'slow-disk':
        return this.#slowDisk(host)
      case 'disk-fails':
        host.diskFailsNext = true
        return undefined
      case 'wall-jump':
        // Not of a machine that is suspended: with both clocks wrong nothing tells that it slept.
        if (!host.isPaused) host.wallSkewMs += Math.round((prng.next() - 0.5) * 2 * WALL_JUMP_MS)
        return undefined
      case 'wipe':
        return this.#wipe(host)
      case 'tear':
        return this.#tear(host)
      case 'hint': {
        const peer = prng.pick(this.#world.hosts)
        if (peer !== host) host.inputs({ kind: 'suspect', peer: peer.sid })
        return undefined
      }
      case 'client-cut': {
        const client = prng.pick(this.#world.clients)
        const how = prng.next()
        if (how < 0.25) client.abandon()
        else if (how < 0.5) client.sleep(prng.next() * 2.5 * client.timeoutMs)
        else client.cut()
        return undefined
      }
    }
  }

  /** Anybody, but the leader as often as all others together. */
  #victim(): SimHost {
    const { hosts } = this.#world
    const leader = hosts.find((host) => host.isLeading)
    return leader !== undefined && this.#prng.bool() ? leader : this.#prng.pick(hosts)
  }

  /** Elections bring epoch writes about, so the leader often goes as well. */
  #crashAtWrite(host: SimHost): void {
    const prng = this.#prng
    host.crashPlan.atWrite(prng.pick(WRITE_KINDS), prng.bool() ? 'before' : 'after')
    const leader = this.#world.hosts.find((each) => each.isLeading)
    if (leader !== undefined && leader !== host && prng.bool()) leader.crash('killed', prng.bool())
  }

  #partition(): void {
    const prng = this.#prng
    const { hosts, network } = this.#world
    const mode: CutMode = prng.bool() ? 'vanish' : 'stall'
    const shape = prng.int(4)
    const alone = this.#victim()
    const side = new Set(hosts.filter(() => prng.bool()))
    const chance = 0.3
    for (const from of hosts) {
      for (const to of hosts) {
        if (from === to) continue
        const isCut =
          shape === 0
            ? side.has(from) !== side.has(to)
            : shape === 1
              ? from === alone || to === alone
              : shape === 2
                ? prng.bool(chance)
                : from === alone && prng.bool()
        if (isCut) network.cut(from.sid, to.sid, mode)
      }
    }
    this.#world.timeline.after(within(prng, PARTITION_MS), () => network.heal())
  }

  #loseLink(host: SimHost): void {
    const prng = this.#prng
    const ends = [...host.ends.values()]
    if (ends.length === 0) return
    const end = prng.pick(ends)
    if (prng.bool()) end.broken = true
    else host.linkDies(end, 'connection reset')
  }

  #pause(host: SimHost, isSuspended: boolean): void {
    const prng = this.#prng
    if (!host.isRunning) return
    const range = prng.pick([
      [200, 1100],
      [1250, 5000],
      [1250, 3000],
      [5000, 12_000],
    ] as const)
    const { life } = host
    host.pause(isSuspended)
    this.#world.timeline.after(within(prng, range), () => {
      if (host.life === life) host.thaw()
    })
  }

  #throttle(host: SimHost): void {
    host.tickIntervalMs = THROTTLED_TICK_MS
    this.#world.timeline.after(within(this.#prng, THROTTLE_MS), () => {
      host.tickIntervalMs = TICK_INTERVAL_MS
    })
  }

  #slowDisk(host: SimHost): void {
    host.diskSlowness = this.#prng.pick(SLOWNESS)
    this.#world.timeline.after(within(this.#prng, SLOW_DISK_MS), () => host.diskRecovers())
  }

  /** Only a minority may have lost anything at any time: nobody promises more (T48). */
  #mayLose(host: SimHost): boolean {
    if (!host.view.isFounded) return false
    if (host.isObserver) return true
    return this.#lossy.has(host) || 2 * (this.#lossy.size + 1) < this.#world.voters.length
  }

  /** The last written value of the log is damaged, though it was acknowledged. */
  #tear(host: SimHost): void {
    if (!this.#mayLose(host)) return
    if (!host.isObserver) this.#lossy.add(host)
    host.crash('the end of its log is torn', this.#prng.bool())
    this.#world.probe.emit('lost', { host })
    host.disk.tearTail()
  }

  #wipe(host: SimHost): void {
    const { probe, planted } = this.#world
    if (!this.#mayLose(host)) return
    if (!host.isObserver) this.#lossy.add(host)
    host.crash('its storage is wiped', this.#prng.bool())
    probe.emit('lost', { host })
    // The member that comes back has another identity, so no founding record names it (Q84). An
    // observer takes the record anew.
    const isFounded = host.isObserver || planted.refoundsWiped === true
    host.disk = isFounded ? foundedDisk() : new MemoryDisk()
    host.view.reset(host.disk.recoverSync())
    this.#world.say(host.name, () => 'has lost its storage')
  }

  #restartLater(host: SimHost): void {
    if (this.#world.startsByHand && !this.#isOver) return
    const { life } = host
    const chance = host.isObserver ? CHANCE_OF_LONG_ABSENCE : CHANCE_OF_LONG_RESTART
    const range = this.#prng.bool(chance) ? LONG_RESTART_MS : RESTART_MS
    const delayMs = this.#isOver ? 500 : within(this.#prng, range)
    this.#world.timeline.after(delayMs, () => {
      if (host.life === life) this.#restart(host)
    })
  }

  #restart(host: SimHost): void {
    if (host.isObserver) this.#world.observers.restart(host)
    else if (!host.isUp) host.start()
  }
}

function isInstall(effect: PersistEffect): boolean {
  return effect.kind === 'snapshot-commit' && effect.install
}
