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
    if (isFirst) return
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
