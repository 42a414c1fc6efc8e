/**
 * All links of one machine under one table of rules. Who is at the other end is known when the
 * machine lets it in; until then the rule for others holds.
 */
import { Prng } from '../core/base/prng.ts'
import type { Link } from '../ports/link.ts'
import type { LaneClock } from './faulty-lane.ts'
import { FaultyLink } from './faulty-link.ts'
import {
  NO_LINK_FAULTS,
  ruleFor,
  type LinkDirection,
  type LinkRule,
  type LinkRules,
} from './link-rules.ts'

/**
 * What clients and servers tell each other has no number, as in ZooKeeper: what came twice would be
 * done twice.
 */
const ORDERLY: LinkRule = { duplicate: 0, reorder: 0 }

export class FaultyLinks {
  readonly #clock: LaneClock
  #prng = new Prng(0)
  readonly #links = new Set<FaultyLink>()
  readonly #peers = new Map<string, string>()
  #waiters: { readonly linkId: string; readonly go: () => void }[] = []
  #rules: LinkRules = NO_LINK_FAULTS
  #made = 0

  constructor(clock: LaneClock) {
    this.#clock = clock
  }

  seed(seed: string): void {
    this.#prng = new Prng(seed)
  }

  /** `isCounted`: whoever hears it knows when a message comes twice or too early. */
  wrap(linkId: string, link: Link, { isCounted }: { readonly isCounted: boolean }): Link {
    const fates = isCounted ? {} : ORDERLY
    const wrapped = new FaultyLink({
      link,
      clock: this.#clock,
      prng: this.#prng.fork(`link ${++this.#made}`),
      rule: (direction) => ({
        ...ruleFor(this.#rules, direction, this.#peers.get(linkId) ?? null),
        ...fates,
      }),
      onEnded: () => this.#links.delete(wrapped),
    })
    this.#links.add(wrapped)
    return wrapped
  }

  /** The machine at the other end of the link. */
  name(linkId: string, incarnation: string): void {
    this.#peers.set(linkId, incarnation)
  }

  forget(linkId: string): void {
    this.#peers.delete(linkId)
    this.#release((waiter) => waiter.linkId === linkId)
  }

  set(rules: LinkRules): void {
    this.#rules = rules
    for (const link of [...this.#links]) link.pump()
    this.#release(({ linkId }) => !this.isCut(linkId))
  }

  /** No connection comes about unless both directions work. */
  isCut(linkId: string, directions: readonly LinkDirection[] = ['inbound', 'outbound']): boolean {
    const peer = this.#peers.get(linkId) ?? null
    return directions.some((direction) => ruleFor(this.#rules, direction, peer).cut === true)
  }

  /** Resolves when the link is not cut any more, or forgotten. */
  async passable(linkId: string): Promise<void> {
    if (!this.isCut(linkId)) return
    await new Promise<void>((go) => this.#waiters.push({ linkId, go }))
  }

  #release(isIt: (waiter: { readonly linkId: string }) => boolean): void {
    const released = this.#waiters.filter(isIt)
    this.#waiters = this.#waiters.filter((waiter) => !released.includes(waiter))
    for (const { go } of released) go()
  }
}
