/** What befalls pages while they found an ensemble: each fault with a chance of its own. */
import type { Prng } from '../../../src/core/base/prng.ts'
import { within } from '../draw.ts'
import type { SimContext } from '../sim-context.ts'
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

type RoomFault =
  'crash' | 'crash-at-step' | 'crash-all' | 'cut' | 'pause' | 'refuse' | 'away' | 'wipe'

/** As often as they stand here. */
const KINDS: readonly RoomFault[] = [
  ...(['crash', 'crash', 'crash-at-step', 'crash-at-step', 'crash-at-step', 'crash-all'] as const),
  ...(['cut', 'cut', 'pause', 'pause', 'refuse', 'away', 'wipe'] as const),
]

/** Before their names, where they are counted. */
const IN_A_ROOM = 'room '
export const ROOM_FAULTS: readonly string[] = [...new Set(KINDS)].map((kind) => IN_A_ROOM + kind)

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
    const gapMs = -Math.log(1 - this.#prng.next()) * this.#meanGapMs
    this.#context.timeline.after(gapMs, () => {
      if (this.#isOver || this.#context.timeline.nowMs > this.#limitMs) return
      this.#inflict(this.#prng.pick(KINDS), this.#victim())
      this.#later()
    })
  }

  /** The creator as often as all others together. */
  #victim(): RoomMachine {
    const [creator] = this.#machines
    return creator !== undefined && this.#prng.bool() ? creator : this.#prng.pick(this.#machines)
  }

  #inflict(kind: RoomFault, victim: RoomMachine): void {
    const context = this.#context
    const happens = context.tally.drawn(`${IN_A_ROOM}${kind}`)
    context.digest.text(kind)
    context.say('fault', () => `room ${kind}: ${victim.name}`)
    context.probe.emit('fault', { what: `room: ${kind}`, sids: [] })
    switch (kind) {
      case 'crash':
        if (victim.isOpen) happens()
        victim.crash('killed', this.#prng.bool())
        break
      case 'crash-at-step':
        victim.crashPlan.afterEffects(this.#prng.int(STEPS_MAX), happens)
        break
      case 'crash-all':
        if (this.#machines.some(({ isOpen }) => isOpen)) happens()
        for (const each of this.#machines) each.crash('killed with all', this.#prng.bool())
        break
      case 'cut':
        if (this.#cut(victim)) happens()
        break
      case 'pause':
        if (this.#pause(victim)) happens()
        break
      case 'refuse':
        victim.diskRefuses = happens
        break
      case 'away':
        happens()
        this.#network.isBrokerAway = true
        context.timeline.after(within(this.#prng, AWAY_MS), () => {
          this.#network.isBrokerAway = false
        })
        break
      case 'wipe':
        if (this.#wipe(victim)) happens()
        break
    }
  }

  #cut(victim: RoomMachine): boolean {
    const network = this.#network
    let isAny = false
    for (const other of this.#machines) {
      if (other === victim || this.#prng.bool()) continue
      isAny = true
      network.cut(victim, other)
      this.#context.timeline.after(within(this.#prng, CUT_MS), () => network.mend(victim, other))
    }
    return isAny
  }

  #pause(victim: RoomMachine): boolean {
    if (!victim.isOpen || victim.isPaused) return false
    const { life } = victim
    victim.pause()
    this.#context.timeline.after(within(this.#prng, PAUSE_MS), () => {
      if (victim.life === life && victim.isPaused) victim.thaw()
    })
    return true
  }

  /**
   * Only of who has no seat, only as many as an ensemble can do without, and never of the creator:
   * without its key, or the only copy of the record, a room founds nothing (design §4).
   */
  #wipe(victim: RoomMachine): boolean {
    if (victim === this.#machines[0] || victim.host !== null) return false
    if (2 * (this.#wipes + 1) >= this.#size) return false
    this.#wipes++
    victim.crash('its storage is wiped', this.#prng.bool())
    victim.wipe()
    return true
  }
}
