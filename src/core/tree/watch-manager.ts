/**
 * Watches of this server's connections (N1–N18, N37–N42).
 *
 * Two tables: getData and exists register in `data`, getChildren in `child`; a persistent watch is
 * in both, a recursive one only in `data` (N4), which is why it never hears NodeChildrenChanged
 * (N13). Watches live in memory only and go with their connection (N6).
 */

import { EventType, WatcherType } from '../jute/event-type.ts'
import { AddWatchMode } from '../jute/event-type.ts'
import type { Acl } from '../jute/data-records.ts'
import { Perms } from '../jute/perms.ts'
import { permits } from './acl.ts'
import { WatchMode, WatchTable } from './watch-table.ts'

/** Where events go, in order. `watcher` is the number of a client connection. */
export interface WatchSink {
  /** `zxid` is that of the transaction, or −1 for catch-up events (W16). */
  event(watcher: number, type: EventType, path: string, zxid: bigint): void
}

/** May the ids of this watcher READ a node with this ACL? Asked once per event (N17). */
export type MayRead = (watcher: number, acl: readonly Acl[]) => boolean

/** The figures of `wchs`. */
export interface WatchSummary {
  readonly watchers: number
  readonly paths: number
  readonly watches: number
}

export class WatchManager {
  readonly #data = new WatchTable()
  readonly #child = new WatchTable()
  readonly #mayRead: MayRead

  /** Without a function that knows the watchers' ids, only events of world-readable nodes pass. */
  constructor(mayRead: MayRead = (_watcher, acl) => permits(acl, Perms.READ, [])) {
    this.#mayRead = mayRead
  }

  /** Entries of both tables (N43). */
  get size(): number {
    return this.#data.size + this.#child.size
  }

  summary(): WatchSummary {
    const watchers = new Set([...this.#data.watchers(), ...this.#child.watchers()]).size
    return { watchers, paths: this.#data.pathCount + this.#child.pathCount, watches: this.size }
  }

  /** What `wchs`, `wchc` and `wchp` show is this table alone. To be read only. */
  get dataWatches(): WatchTable {
    return this.#data
  }

  /** Entries of one watcher in both tables. */
  countOf(watcher: number): number {
    return this.#data.pathsOf(watcher).size + this.#child.pathsOf(watcher).size
  }

  dataPathsOf(watcher: number): ReadonlySet<string> {
    return this.#data.pathsOf(watcher)
  }

  childPathsOf(watcher: number): ReadonlySet<string> {
    return this.#child.pathsOf(watcher)
  }

  /** getData, and exists also where no node is (N2). */
  addData(path: string, watcher: number): void {
    this.#data.add(path, watcher, WatchMode.standard)
  }

  addChild(path: string, watcher: number): void {
    this.#child.add(path, watcher, WatchMode.standard)
  }

  /** addWatch: needs neither a node nor a permission (N4). */
  add(path: string, watcher: number, mode: AddWatchMode): void {
    if (mode === AddWatchMode.PERSISTENT_RECURSIVE) {
      this.#data.add(path, watcher, WatchMode.recursive)
    } else {
      this.#data.add(path, watcher, WatchMode.persistent)
      this.#child.add(path, watcher, WatchMode.persistent)
    }
  }

  /** checkWatches (W34). */
  contains(path: string, watcher: number, type: WatcherType): boolean {
    const data = this.#data.modes(path, watcher)
    switch (type) {
      case WatcherType.Children:
        return (this.#child.modes(path, watcher) & WatchMode.standard) !== 0
      case WatcherType.Data:
        return (data & WatchMode.standard) !== 0
      case WatcherType.Persistent:
        return (data & WatchMode.persistent) !== 0
      case WatcherType.PersistentRecursive:
        return (data & WatchMode.recursive) !== 0
      case WatcherType.Any:
        return data !== 0 || this.#child.modes(path, watcher) !== 0
    }
  }

  /** removeWatches (N40). False: there was none, which the server answers with NOWATCHER (N38). */
  remove(path: string, watcher: number, type: WatcherType): boolean {
    switch (type) {
      case WatcherType.Children:
        return this.#child.remove(path, watcher, WatchMode.standard)
      case WatcherType.Data:
        return this.#data.remove(path, watcher, WatchMode.standard)
      case WatcherType.Persistent:
        return this.#removeFromBoth(path, watcher, WatchMode.persistent)
      case WatcherType.PersistentRecursive:
        return this.#data.remove(path, watcher, WatchMode.recursive)
      case WatcherType.Any:
        return this.#removeFromBoth(path, watcher, undefined)
    }
  }

  /** The connection is closed. */
  removeWatcher(watcher: number): void {
    this.#data.removeWatcher(watcher)
    this.#child.removeWatcher(watcher)
  }

  /** N7. `parentAcl` rules who hears of the parent (N17). */
  nodeCreated(
    path: string,
    parent: string,
    zxid: bigint,
    acl: readonly Acl[],
    parentAcl: readonly Acl[],
    sink: WatchSink,
  ): void {
    this.#deliver(this.#data.fire(path), null, EventType.NodeCreated, path, zxid, acl, sink)
    this.#childrenChanged(parent, zxid, parentAcl, sink)
  }

  /** N8, in the order of N12. `acl` is the one that the deleted node had. */
  nodeDeleted(
    path: string,
    parent: string,
    zxid: bigint,
    acl: readonly Acl[],
    parentAcl: readonly Acl[],
    sink: WatchSink,
  ): void {
    const told = this.#data.fire(path)
    this.#deliver(told, null, EventType.NodeDeleted, path, zxid, acl, sink)
    this.#deliver(this.#child.fire(path), told, EventType.NodeDeleted, path, zxid, acl, sink)
    this.#childrenChanged(parent, zxid, parentAcl, sink)
  }

  /** N9. */
  dataChanged(path: string, zxid: bigint, acl: readonly Acl[], sink: WatchSink): void {
    this.#deliver(this.#data.fire(path), null, EventType.NodeDataChanged, path, zxid, acl, sink)
  }

  #childrenChanged(parent: string, zxid: bigint, parentAcl: readonly Acl[], sink: WatchSink): void {
    const fired = this.#child.fire(parent)
    this.#deliver(fired, null, EventType.NodeChildrenChanged, parent, zxid, parentAcl, sink)
  }

  /** `told` already has this event for this path (N8). A filtered event is used up all the same. */
  #deliver(
    fired: ReadonlySet<number> | null,
    told: ReadonlySet<number> | null,
    type: EventType,
    path: string,
    zxid: bigint,
    acl: readonly Acl[],
    sink: WatchSink,
  ): void {
    if (fired === null) return
    for (const watcher of fired) {
      if (told?.has(watcher) === true) continue
      if (this.#mayRead(watcher, acl)) sink.event(watcher, type, path, zxid)
    }
  }

  #removeFromBoth(path: string, watcher: number, modes: number | undefined): boolean {
    const fromChild = this.#child.remove(path, watcher, modes)
    const fromData = this.#data.remove(path, watcher, modes)
    return fromChild || fromData
  }
}
