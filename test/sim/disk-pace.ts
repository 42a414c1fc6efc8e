/** How long a simulated disk takes. */
import type { Prng } from '../../src/core/base/prng.ts'
import { within } from './draw.ts'
import type { SimContext } from './sim-context.ts'

export class DiskPace {
  /** Factor: 1 normally. */
  slowness = 1
  readonly #world: SimContext
  readonly #prng: Prng
  /** What it is at. */
  readonly #underWay = new Set<() => void>()

  constructor(world: SimContext, prng: Prng) {
    this.#world = world
    this.#prng = prng
  }

  /** Runs `then` once, when the disk is through with it. */
  after(then: () => void): void {
    const finish = (): void => {
      if (this.#underWay.delete(finish)) then()
    }
    this.#underWay.add(finish)
    const delayMs = within(this.#prng, this.#world.draw.diskDelayMs) * this.slowness
    this.#world.timeline.after(delayMs, finish)
  }

  /** A disk that hung is well again: what it was at is done soon. */
  recovers(): void {
    this.slowness = 1
    this.#world.timeline.after(1, () => {
      for (const finish of this.#underWay) finish()
    })
  }
}
