/**
 * Nodes whose ephemeralOwner means something, by that meaning.
 *
 * Invariant (T46): for every session the set is exactly the live nodes with that owner; no set is
 * empty.
 */

import { ownerKind } from './stat.ts'

const NONE: ReadonlySet<string> = new Set()

export class Ephemerals {
  readonly #byOwner = new Map<bigint, Set<string>>()
  /** Candidates for removal by the leader once empty (D47). */
  readonly #containers = new Set<string>()
  /** Candidates for removal by the leader once empty and old (D48). */
  readonly #ttls = new Set<string>()
  #count = 0

  /** Ephemeral nodes of all sessions. */
  get count(): number {
    return this.#count
  }

  get containers(): ReadonlySet<string> {
    return this.#containers
  }

  get ttls(): ReadonlySet<string> {
    return this.#ttls
  }

  /** Paths of one session. Live: copy before changing the tree. */
  of(owner: bigint): ReadonlySet<string> {
    return this.#byOwner.get(owner) ?? NONE
  }

  owners(): IterableIterator<bigint> {
    return this.#byOwner.keys()
  }

  add(path: string, owner: bigint): void {
    switch (ownerKind(owner)) {
      case 'none':
        return
      case 'container':
        this.#containers.add(path)
        return
      case 'ttl':
        this.#ttls.add(path)
        return
      case 'session': {
        const paths = this.#byOwner.get(owner)
        if (paths === undefined) this.#byOwner.set(owner, new Set([path]))
        else paths.add(path)
        this.#count++
      }
    }
  }

  remove(path: string, owner: bigint): void {
    switch (ownerKind(owner)) {
      case 'none':
        return
      case 'container':
        this.#containers.delete(path)
        return
      case 'ttl':
        this.#ttls.delete(path)
        return
      case 'session': {
        const paths = this.#byOwner.get(owner)
        if (paths?.delete(path) !== true) return
        this.#count--
        if (paths.size === 0) this.#byOwner.delete(owner)
      }
    }
  }
}
