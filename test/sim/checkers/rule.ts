/** One named rule: counts how often it was looked at and reports when it is broken. */
import type { World } from '../world.ts'

export class Rule {
  readonly #world: World
  readonly #name: string

  constructor(world: World, name: string) {
    this.#world = world
    this.#name = name
  }

  /** The words are made only when they are needed. */
  holds(isKept: boolean, what: () => string): void {
    this.#world.checks++
    if (!isKept) this.#world.fail(this.#name, what())
  }
}

/** As everywhere in ZooKeeper. */
export function hex(zxid: bigint): string {
  return `0x${zxid.toString(16)}`
}
