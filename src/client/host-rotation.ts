/** Which member to try next (S29): the own tab's first, the others in a shuffled round. */

import type { ClientHost } from './transport.ts'

export class HostRotation {
  readonly #hosts: () => readonly ClientHost[]
  readonly #random: () => number
  /** Ids in the order of trying. Members that come later are put at its end. */
  #order: string[] = []
  /** Index in `#order` of the one tried last. */
  #index = -1
  #triesInRound = 0

  constructor(hosts: () => readonly ClientHost[], random: () => number) {
    this.#hosts = hosts
    this.#random = random
  }

  get size(): number {
    return this.#hosts().length
  }

  /** Everybody was tried since the last success: time for a pause. */
  get isRoundOver(): boolean {
    return this.#triesInRound >= Math.max(1, this.size)
  }

  /** null while nobody is known. */
  next(): ClientHost | null {
    const hosts = this.#hosts()
    if (this.isRoundOver) this.#triesInRound = 0
    this.#triesInRound++
    if (hosts.length === 0) return null
    this.#follow(hosts)
    this.#index = (this.#index + 1) % this.#order.length
    const id = this.#order[this.#index]
    return hosts.find((candidate) => candidate.id === id) ?? null
  }

  /** A session is served: the next loss starts a new round. */
  connected(): void {
    this.#triesInRound = 0
  }

  /**
   * The list has changed: true when this client is to go to another member, so that all clients
   * together, each by chance, are spread evenly over the new list (S30, ZOOKEEPER-1355).
   */
  rebalance(): boolean {
    const own = this.#order[this.#index]
    const hosts = this.#hosts()
    const before = this.#order.length
    const known = new Set(this.#order)
    const listed = hosts.map((host) => host.id)
    const kept = listed.filter((id) => known.has(id))
    const fresh = listed.filter((id) => !known.has(id))
    const isListed = own !== undefined && listed.includes(own)
    const freshShare = this.#freshShare(before, kept.length, listed.length, isListed)
    this.#follow(hosts)
    if (before === 0 || freshShare === null) return false
    this.#order = this.#mixed(this.#shuffled(fresh), this.#shuffled(kept), freshShare)
    this.#index = -1
    this.#triesInRound = 0
    return true
  }

  /** The chance that a new member is tried next; null: this client stays where it is. */
  #freshShare(before: number, kept: number, after: number, isListed: boolean): number | null {
    if (after > before) {
      // As many leave each of the old ones as make all equal.
      return !isListed || this.#random() <= 1 - before / after ? 1 : null
    }
    if (isListed) return null
    // Those of the members that left; the ones that stay have their own clients already.
    return 1 - (kept * (before - after)) / (after * (before - kept))
  }

  #mixed(fresh: string[], kept: string[], freshShare: number): string[] {
    const mixed: string[] = []
    while (fresh.length > 0 && kept.length > 0) {
      const id = this.#random() <= freshShare ? fresh.shift() : kept.shift()
      if (id !== undefined) mixed.push(id)
    }
    return [...mixed, ...fresh, ...kept]
  }

  #follow(hosts: readonly ClientHost[]): void {
    const current = this.#order[this.#index]
    const known = new Set(this.#order)
    const listed = new Set(hosts.map((host) => host.id))
    const isFirst = this.#order.length === 0
    const fresh = hosts.filter((host) => !known.has(host.id))
    const kept = this.#order.filter((id) => listed.has(id))
    const local = fresh.filter((host) => host.isLocal).map((host) => host.id)
    const others = this.#shuffled(fresh.filter((host) => !host.isLocal).map((host) => host.id))
    this.#order = [...local, ...kept, ...others]
    if (isFirst || this.#index < 0) return
    const at = current === undefined ? -1 : this.#order.indexOf(current)
    // When the last one tried has left, go on where it stood.
    this.#index = at >= 0 ? at : Math.min(this.#index, this.#order.length) - 1
  }

  #shuffled(ids: readonly string[]): string[] {
    const shuffled = [...ids]
    for (let i = shuffled.length - 1; i > 0; i--) {
      const k = Math.floor(this.#random() * (i + 1))
      const swapped = shuffled[i]
      const other = shuffled[k]
      if (swapped === undefined || other === undefined) continue
      shuffled[i] = other
      shuffled[k] = swapped
    }
    return shuffled
  }
}
