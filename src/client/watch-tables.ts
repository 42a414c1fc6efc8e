/** The five tables of watchers a client keeps (N32–N35, N37–N39). Paths are the server's. */

import { EventType, WatcherType } from '../core/jute/event-type.ts'
import { ErrorCode } from '../core/jute/error-code.ts'
import type { Watcher } from './watched-event.ts'

type Table = Map<string, Set<Watcher>>

/** What a request asks to watch; where it lands depends on the reply's code (N32). */
export type WatchKind = 'data' | 'exists' | 'child' | 'persistent' | 'recursive'

export interface WatchRegistration {
  readonly kind: WatchKind
  readonly path: string
  readonly watcher: Watcher
}

export interface WatchRemoval {
  readonly path: string
  readonly type: WatcherType
  /** null: all of them. */
  readonly watcher: Watcher | null
  /** Also when the server refuses or cannot be reached (N38). */
  readonly isLocal: boolean
}

/** Which event a removal causes for which watchers (N39). */
export interface RemovedWatches {
  readonly type: EventType
  readonly watchers: readonly Watcher[]
}

/** Paths by table, as setWatches2 wants them. */
export interface WatchedPaths {
  readonly data: readonly string[]
  readonly exist: readonly string[]
  readonly child: readonly string[]
  readonly persistent: readonly string[]
  readonly recursive: readonly string[]
}

export class WatchTables {
  readonly #data: Table = new Map()
  readonly #exist: Table = new Map()
  readonly #child: Table = new Map()
  readonly #persistent: Table = new Map()
  readonly #recursive: Table = new Map()

  /** To be called when the reply arrives, before anything that comes after it. */
  register(registration: WatchRegistration, err: number): void {
    const table = this.#tableFor(registration.kind, err)
    if (table === null) return
    const watchers = table.get(registration.path)
    if (watchers === undefined) table.set(registration.path, new Set([registration.watcher]))
    else watchers.add(registration.watcher)
  }

  /**
   * Who is told of a node event. Takes the one-shot watchers that it consumes out of their tables.
   * A watcher that is found more than once is told once (N34).
   */
  fire(type: EventType, path: string): Watcher[] {
    const found = new Set<Watcher>()
    switch (type) {
      case EventType.NodeCreated:
      case EventType.NodeDataChanged:
        take(this.#data, path, found)
        take(this.#exist, path, found)
        break
      case EventType.NodeChildrenChanged:
        take(this.#child, path, found)
        break
      case EventType.NodeDeleted:
        take(this.#data, path, found)
        take(this.#exist, path, found)
        take(this.#child, path, found)
        break
      default:
        return []
    }
    add(this.#persistent.get(path), found)
    // A standard child watch below makes the server send child events that are not for these (N13).
    if (type !== EventType.NodeChildrenChanged) this.#addRecursive(path, found)
    return [...found]
  }

  /** Everybody, for a session event. Consumes nothing (N35). */
  all(): Watcher[] {
    const found = new Set<Watcher>()
    for (const table of this.#tables()) for (const watchers of table.values()) add(watchers, found)
    return [...found]
  }

  /** true when the tables of `type` hold `watcher` (any, if null) for `path`. */
  has(path: string, type: WatcherType, watcher: Watcher | null): boolean {
    return this.#tablesOf(type).some(([table]) => {
      const watchers = table.get(path)
      return watchers !== undefined && (watcher === null || watchers.has(watcher))
    })
  }

  /** true when another watcher than this one is there: the server must keep its entry (N37). */
  hasOther(path: string, type: WatcherType, watcher: Watcher): boolean {
    return this.#tablesOf(type).some(([table]) => {
      const watchers = table.get(path)
      return watchers !== undefined && watchers.size > (watchers.has(watcher) ? 1 : 0)
    })
  }

  remove(removal: WatchRemoval): RemovedWatches[] {
    const byEvent = new Map<EventType, Set<Watcher>>()
    for (const [table, event] of this.#tablesOf(removal.type)) {
      const watchers = table.get(removal.path)
      if (watchers === undefined) continue
      const gone = byEvent.get(event) ?? new Set<Watcher>()
      byEvent.set(event, gone)
      if (removal.watcher === null) add(watchers, gone)
      else if (watchers.has(removal.watcher)) gone.add(removal.watcher)
      for (const watcher of gone) watchers.delete(watcher)
      if (watchers.size === 0) table.delete(removal.path)
    }
    return [...byEvent]
      .filter(([, watchers]) => watchers.size > 0)
      .map(([type, watchers]) => ({ type, watchers: [...watchers] }))
  }

  paths(): WatchedPaths {
    return {
      data: [...this.#data.keys()],
      exist: [...this.#exist.keys()],
      child: [...this.#child.keys()],
      persistent: [...this.#persistent.keys()],
      recursive: [...this.#recursive.keys()],
    }
  }

  /** A watch that exists set on a present node is a data watch, on a missing one not (N27). */
  #tableFor(kind: WatchKind, err: number): Table | null {
    const isOk = err === ErrorCode.OK
    const isMissing = err === ErrorCode.NONODE
    switch (kind) {
      case 'data':
        return isOk ? this.#data : null
      case 'exists':
        return isOk ? this.#data : isMissing ? this.#exist : null
      case 'child':
        return isOk ? this.#child : null
      case 'persistent':
        return isOk || isMissing ? this.#persistent : null
      case 'recursive':
        return isOk || isMissing ? this.#recursive : null
    }
  }

  #tablesOf(type: WatcherType): (readonly [Table, EventType])[] {
    const data = [
      [this.#data, EventType.DataWatchRemoved],
      [this.#exist, EventType.DataWatchRemoved],
    ] as const
    const child = [this.#child, EventType.ChildWatchRemoved] as const
    const persistent = [this.#persistent, EventType.PersistentWatchRemoved] as const
    const recursive = [this.#recursive, EventType.PersistentWatchRemoved] as const
    switch (type) {
      case WatcherType.Data:
        return [...data]
      case WatcherType.Children:
        return [child]
      case WatcherType.Persistent:
        return [persistent]
      case WatcherType.PersistentRecursive:
        return [recursive]
      case WatcherType.Any:
        return [child, ...data, persistent, recursive]
    }
  }

  #addRecursive(path: string, found: Set<Watcher>): void {
    if (this.#recursive.size === 0) return
    for (let at = path; at !== '/'; at = parentOf(at)) add(this.#recursive.get(at), found)
    add(this.#recursive.get('/'), found)
  }

  #tables(): Table[] {
    return [this.#data, this.#exist, this.#child, this.#persistent, this.#recursive]
  }
}

function take(table: Table, path: string, found: Set<Watcher>): void {
  const watchers = table.get(path)
  if (watchers === undefined) return
  table.delete(path)
  add(watchers, found)
}

function add(watchers: ReadonlySet<Watcher> | undefined, found: Set<Watcher>): void {
  if (watchers === undefined) return
  for (const watcher of watchers) found.add(watcher)
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash <= 0 ? '/' : path.slice(0, slash)
}
