/** The table of observers as it is committed here, read again only when it changed. */
import { formatSessionId } from '../base/zxid.ts'
import { OBSERVERS_PATH, type DataTree } from '../tree/data-tree.ts'
import type { TraceEvent } from '../zab/effect.ts'
import { parseObservers, type ObserverEntry } from './observer-table.ts'

export class AppliedObservers {
  #data: Uint8Array | null = null
  #entries: readonly ObserverEntry[] = []

  get entries(): readonly ObserverEntry[] {
    return this.#entries
  }

  /** The whole table, for those who follow it. */
  get event(): TraceEvent {
    const observers = this.#entries.map(({ sid, incarnation, sessionBase }) => {
      return { sid, incarnation, sessionBase: formatSessionId(sessionBase) }
    })
    return { type: 'observers', observers }
  }

  /** true when the table is another one. Cheap: the tree never changes data in place. */
  refresh(tree: DataTree): boolean {
    const data = tree.node(OBSERVERS_PATH)?.data ?? null
    if (data === this.#data) return false
    this.#data = data
    const before = this.#entries
    this.#entries = parseObservers(data)
    return !isSameTable(before, this.#entries)
  }
}

function isSameTable(a: readonly ObserverEntry[], b: readonly ObserverEntry[]): boolean {
  if (a.length !== b.length) return false
  return a.every((entry, i) => {
    const other = b[i]
    if (other?.incarnation !== entry.incarnation) return false
    return other.sid === entry.sid && other.sessionBase === entry.sessionBase
  })
}
