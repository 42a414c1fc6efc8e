/** Who hears whom, as a test wants it: from its words to the rules of each machine. */
import type { DelayMs, DirectionRules, LinkRule, LinkRules } from '../faults/link-rules.ts'

/** A machine by its incarnation. */
type Name = string

interface Between<T> {
  readonly value: T
  /** null: all of them. */
  readonly pair: readonly [Name, Name] | null
}

export class EnsembleLinks {
  #groups: readonly (readonly Name[])[] = []
  readonly #isolated = new Set<Name>()
  readonly #oneWays: (readonly [from: Name, to: Name])[] = []
  readonly #delays: Between<DelayMs>[] = []
  readonly #drops: Between<number>[] = []
  readonly #duplicates: Between<number>[] = []
  readonly #reorders: Between<number>[] = []

  partition(groups: readonly (readonly Name[])[]): void {
    this.#groups = groups
  }

  isolate(name: Name): void {
    this.#isolated.add(name)
  }

  oneWay(from: Name, to: Name): void {
    this.#oneWays.push([from, to])
  }

  delay(delayMs: DelayMs, pair: readonly [Name, Name] | null): void {
    this.#delays.push({ value: delayMs, pair })
  }

  drop(chance: number, pair: readonly [Name, Name] | null): void {
    this.#drops.push({ value: chance, pair })
  }

  duplicate(chance: number, pair: readonly [Name, Name] | null): void {
    this.#duplicates.push({ value: chance, pair })
  }

  reorder(chance: number, pair: readonly [Name, Name] | null): void {
    this.#reorders.push({ value: chance, pair })
  }

  heal(): void {
    this.#groups = []
    this.#isolated.clear()
    for (const all of [this.#oneWays, this.#delays, this.#drops, this.#duplicates]) all.length = 0
    this.#reorders.length = 0
  }

  /**
   * `known`: machines whose own worker has rules as well. A delay or a loss on the way to one of
   * those is its sender's business alone, a cut is that of both.
   */
  rulesOf(name: Name, known: readonly Name[]): LinkRules {
    const others = known.filter((other) => other !== name)
    return {
      inbound: this.#direction(others, (other) => ({ ...this.#cut(other, name) }), {
        ...this.#cut(null, name),
        ...this.#costs(name, null),
      }),
      outbound: this.#direction(
        others,
        (other) => ({ ...this.#cut(name, other), ...this.#costs(name, other) }),
        { ...this.#cut(name, null), ...this.#costs(name, null) },
      ),
    }
  }

  #direction(
    others: readonly Name[],
    rule: (other: Name) => LinkRule,
    ofStrangers: LinkRule,
  ): DirectionRules {
    return { peers: Object.fromEntries(others.map((o) => [o, rule(o)])), others: ofStrangers }
  }

  /** null: somebody whom nobody named. */
  #cut(from: Name | null, to: Name | null): LinkRule {
    // Whoever is in no group is together with the others of that kind.
    const groupOf = (name: Name | null): number =>
      name === null ? -1 : this.#groups.findIndex((group) => group.includes(name))
    const isApart = groupOf(from) !== groupOf(to)
    const isIsolated = [from, to].some((name) => name !== null && this.#isolated.has(name))
    const isMute = this.#oneWays.some(([one, other]) => one === from && other === to)
    return isApart || isIsolated || isMute ? { cut: true } : {}
  }

  #costs(from: Name, to: Name | null): LinkRule {
    const isBetween = ({ pair }: Between<unknown>): boolean =>
      pair === null || (to !== null && pair.includes(from) && pair.includes(to))
    const delay = this.#delays.findLast(isBetween)
    const chances = {
      drop: this.#drops.findLast(isBetween)?.value ?? 0,
      duplicate: this.#duplicates.findLast(isBetween)?.value ?? 0,
      reorder: this.#reorders.findLast(isBetween)?.value ?? 0,
    }
    return { ...(delay === undefined ? {} : { delayMs: delay.value }), ...chances }
  }
}
