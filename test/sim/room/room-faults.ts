/**
 * What befalls pages while they found an ensemble. Each fault has a number and a chance of its own:
 * when it comes, what it is and whom it hurts is the same without the others.
 */
import type { Prng } from '../../../src/core/base/prng.ts'
import { within } from '../draw.ts'
import type { FaultId } from '../faults/fault-choice.ts'
import type { SimContext } from '../sim-context.ts'
import { WEIGHED_ROOM_FAULTS, type RoomFaultKind } from './room-fault-kinds.ts'
import type { RoomMachine } from './room-machine.ts'
import type { RoomNetwork } from './room-network.ts'

/** Mean ms between two faults: a founding without any takes some 500 ms. */
const MEAN_GAPS_MS = [100, 300, 1000]
/** Steps after which a page dies: there are few in a founding. */
const STEPS_MAX = 9
const CUT_MS: readonly [number, number] = [200, 4000]
const PAUSE_MS: readonly [number, number] = [100, 4000]
const AWAY_MS: readonly [number, number] = [300, 4000]
/** Until they are left alone. In some rooms they are not, as long as anything is broken at all. */
const LIMIT_MS = 6000
const CHANCE_OF_NO_LIMIT = 0.25

/** What one of them finds. */
interface RoomFaultScene {
  readonly victim: RoomMachine
  /** Of this fault alone. */
  readonly prng: Prng
  /** Tells of it: whom or what it hurts, and for how long. */
  tell(whom: string, forMs?: number): void
  /** It has found something to hurt. */
  happens(): void
}

export class RoomFaults {
  readonly #context: SimContext
  readonly #network: RoomNetwork
  /** The creator first. */
  readonly #machines: readonly RoomMachine[]
  readonly #size: number
  readonly #prng: Prng
  readonly #meanGapMs: number
  readonly #limitMs: number
  #isOver = false
  #drawn = 0
  #wipes = 0

  constructor(
    context: SimContext,
    network: RoomNetwork,
    machines: readonly RoomMachine[],
    size: number,
  ) {
    this.#context = context
    this.#network = network
    this.#machines = machines
    this.#size = size
    this.#prng = context.prng.fork('faults of the room')
    this.#meanGapMs = this.#prng.pick(MEAN_GAPS_MS)
    this.#limitMs = this.#prng.bool(CHANCE_OF_NO_LIMIT) ? Number.POSITIVE_INFINITY : LIMIT_MS
  }

  start(): void {
    this.#later()
  }

  end(): void {
    this.#isOver = true
  }

  #later(): void {
    const id = `r${++this.#drawn}` as const
    const chance = this.#prng.fork(`fault ${id}`)
    const gapMs = -Math.log(1 - chance.next()) * this.#meanGapMs
    const { timeline, choice } = this.#context
    timeline.after(gapMs, () => {
      if (this.#isOver || timeline.nowMs > this.#limitMs) return
      const kind = chance.pick(WEIGHED_ROOM_FAULTS)
      const victim = this.#victim(chance)
      if (choice.takes(id, kind)) this.#inflict(kind, this.#scene(id, kind, victim, chance))
      this.#later()
    })
  }

  /** The creator as often as all others together. */
  #victim(chance: Prng): RoomMachine {
    const [creator] = this.#machines
    return creator !== undefined && chance.bool() ? creator : chance.pick(this.#machines)
  }

  #scene(id: FaultId, kind: RoomFaultKind, victim: RoomMachine, prng: Prng): RoomFaultScene {
    const { tally, digest, probe, timeline } = this.#context
    digest.text(kind)
    return {
      victim,
      prng,
      tell: (whom, forMs) => {
        const span = forMs === undefined ? '' : ` for ${forMs.toFixed(0)} ms`
        this.#context.say('fault', () => `${id} ${kind}: ${whom}${span}`)
        const untilMs = forMs === undefined ? {} : { untilMs: timeline.nowMs + forMs }
        probe.emit('fault', { what: `${kind}: ${whom}`, sids: [], ...untilMs })
      },
      happens: tally.drawn(kind),
    }
  }

  #inflict(kind: RoomFaultKind, scene: RoomFaultScene): void {
    const { victim, prng, tell, happens } = scene
    switch (kind) {
      case 'room-crash':
        tell(victim.name)
        if (victim.isOpen) happens()
        victim.crash('killed', prng.bool())
        break
      case 'room-crash-at-step': {
        const steps = prng.int(STEPS_MAX)
        tell(`${victim.name} to die after ${steps} steps`)
        victim.crashPlan.afterEffects(steps, happens)
        break
      }
      case 'room-crash-all':
        tell('all pages')
        if (this.#machines.some(({ isOpen }) => isOpen)) happens()
        for (const each of this.#machines) each.crash('killed with all', prng.bool())
        break
      case 'room-cut':
        this.#cut(scene)
        break
      case 'room-pause':
        this.#pause(scene)
        break
      case 'room-refuse':
        tell(`the disk of ${victim.name}`)
        victim.diskRefuses = happens
        break
      case 'room-away': {
        const forMs = within(prng, AWAY_MS)
        tell('the broker', forMs)
        happens()
        this.#network.isBrokerAway = true
        this.#context.timeline.after(forMs, () => {
          this.#network.isBrokerAway = false
        })
        break
      }
      case 'room-wipe':
        this.#wipe(scene)
        break
    }
  }

  #cut({ victim, prng, tell, happens }: RoomFaultScene): void {
    for (const other of this.#machines) {
      if (other === victim || prng.bool()) continue
      const forMs = within(prng, CUT_MS)
      tell(`${victim.name} from ${other.name}`, forMs)
      happens()
      this.#network.cut(victim, other)
      this.#context.timeline.after(forMs, () => this.#network.mend(victim, other))
    }
  }

  #pause({ victim, prng, tell, happens }: RoomFaultScene): void {
    if (!victim.isOpen || victim.isPaused) return
    const forMs = within(prng, PAUSE_MS)
    tell(victim.name, forMs)
    happens()
    const { life } = victim
    victim.pause()
    this.#context.timeline.after(forMs, () => {
      if (victim.life === life && victim.isPaused) victim.thaw()
    })
  }

  /**
   * Only of who has no seat, only as many as an ensemble can do without, and never of the creator:
   * without its key, or the only copy of the record, a room founds nothing (design §4).
   */
  #wipe({ victim, prng, tell, happens }: RoomFaultScene): void {
    if (victim === this.#machines[0] || victim.host !== null) return
    if (2 * (this.#wipes + 1) >= this.#size) return
    this.#wipes++
    tell(victim.name)
    happens()
    victim.crash('its storage is wiped', prng.bool())
    victim.wipe()
  }
}
