/** One named rule: counts how often it was looked at and reports when it is broken. */
import type { Verdicts } from './history-events.ts'

export class Rule {
  readonly #verdicts: Verdicts
  readonly #name: string

  constructor(verdicts: Verdicts, name: string) {
    this.#verdicts = verdicts
    this.#name = name
    verdicts.ruleNames.add(name)
  }

  /** The words are made only when they are needed. */
  holds(isKept: boolean, what: () => string): void {
    this.#verdicts.checks++
    if (!isKept) this.#verdicts.fail(this.#name, what())
  }
}

/** As everywhere in ZooKeeper. */
export function hex(zxid: bigint): string {
  return `0x${zxid.toString(16)}`
}
