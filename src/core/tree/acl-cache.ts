/**
 * Distinct ACL lists, shared by nodes and counted (A14): most trees have a handful for all nodes,
 * and a snapshot writes each once.
 *
 * Invariant: an entry is in the table ⟺ its uses > 0. The open entry is never in the table.
 */

import { assert } from '../base/assert.ts'
import type { Acl } from '../jute/data-records.ts'
import { ANYONE_ID_UNSAFE, OPEN_ACL_UNSAFE } from '../jute/perms.ts'

export interface AclEntry {
  /** Names the list in a snapshot; −1 = open. Local to this server, never replicated. */
  readonly index: number
  readonly list: readonly Acl[]
  uses: number
}

/** What a null list means: everyone may do everything. */
export const OPEN_ACL_ENTRY: AclEntry = { index: -1, list: OPEN_ACL_UNSAFE, uses: 0 }

/** No permission for anyone; an empty list would mean the opposite (A9). */
const CLOSED_ACL: readonly Acl[] = [{ perms: 0, id: ANYONE_ID_UNSAFE }]

export class AclCache {
  readonly #byIndex = new Map<number, AclEntry>()
  readonly #byKey = new Map<string, AclEntry>()
  #lastIndex = 0
  /** Most creates use the list of the create before: comparing is cheaper than making a key. */
  #latest: AclEntry | null = null

  get size(): number {
    return this.#byIndex.size
  }

  /** The entry of an equal list, counted once more. */
  acquire(list: readonly Acl[] | null): AclEntry {
    if (list === null) return OPEN_ACL_ENTRY
    const latest = this.#latest
    if (latest !== null && latest.uses > 0 && sameAcl(latest.list, list)) {
      latest.uses++
      return latest
    }
    const key = aclKey(list)
    let entry = this.#byKey.get(key)
    if (entry === undefined) {
      entry = { index: ++this.#lastIndex, list, uses: 0 }
      this.#byKey.set(key, entry)
      this.#byIndex.set(entry.index, entry)
    }
    entry.uses++
    this.#latest = entry
    return entry
  }

  release(entry: AclEntry): void {
    if (entry === OPEN_ACL_ENTRY) return
    assert(entry.uses > 0, `ACL ${entry.index} released too often`)
    entry.uses--
    if (entry.uses === 0) this.#forget(entry)
  }

  /** The table as it is now. Lists never change, so the copy stays true. */
  entries(): AclEntry[] {
    return [...this.#byIndex.values()]
  }

  /** Restore: a list under the index that the snapshot gave it, not used yet. */
  load(index: number, list: readonly Acl[]): void {
    const entry: AclEntry = { index, list, uses: 0 }
    this.#byIndex.set(index, entry)
    this.#byKey.set(aclKey(list), entry)
    this.#lastIndex = Math.max(this.#lastIndex, index)
  }

  /**
   * Restore: the entry of a node, counted. ZooKeeper's fuzzy snapshots may name a list that is
   * missing from the table; replaying the create or setACL puts it right, and until then nobody
   * gets in.
   */
  acquireIndex(index: number): AclEntry {
    if (index === OPEN_ACL_ENTRY.index) return OPEN_ACL_ENTRY
    let entry = this.#byIndex.get(index)
    if (entry === undefined) {
      entry = { index, list: CLOSED_ACL, uses: 0 }
      this.#byIndex.set(index, entry)
      this.#lastIndex = Math.max(this.#lastIndex, index)
    }
    entry.uses++
    return entry
  }

  /** Restore: drops what no node uses. */
  purgeUnused(): void {
    for (const entry of this.entries()) if (entry.uses === 0) this.#forget(entry)
  }

  #forget(entry: AclEntry): void {
    this.#byIndex.delete(entry.index)
    const key = aclKey(entry.list)
    if (this.#byKey.get(key) === entry) this.#byKey.delete(key)
  }
}

export function sameAcl(a: readonly Acl[], b: readonly Acl[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as Acl
    const y = b[i] as Acl
    if (x.perms !== y.perms || x.id.scheme !== y.id.scheme || x.id.id !== y.id.id) return false
  }
  return true
}

/** Lengths keep two lists apart whose texts would run together. */
export function aclKey(list: readonly Acl[]): string {
  let key = ''
  for (const { perms, id } of list) {
    key += `${perms},${id.scheme.length},${id.id.length},${id.scheme}${id.id}`
  }
  return key
}
