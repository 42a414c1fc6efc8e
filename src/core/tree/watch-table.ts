/**
 * One table of watches: path → watchers, each with its set of modes.
 *
 * A (watcher, path) pair is one entry however many modes it has, so it gets one event per change
 * (N5). Invariant: `#byWatcher` is the transpose of `#byPath`; neither holds an empty collection.
 */

/** Bits, so that an entry's set of modes is a number (N5). */
export const WatchMode = {
  /** One-shot: gone when it fires (N14). */
  standard: 1,
  persistent: 2,
  /** Also covers everything below its path. */
  recursive: 4,
} as const

export type WatchMode = (typeof WatchMode)[keyof typeof WatchMode]

const ALL_MODES = 7

export class WatchTable {
  readonly #byPath = new Map<string, Map<number, number>>()
  readonly #byWatcher = new Map<number, Set<string>>()
  /** Entries with the recursive mode. While it is 0 no event has to look at ancestors (N42). */
  #recursiveCount = 0
  #size = 0

  /** Number of (watcher, path) entries. */
  get size(): number {
    return this.#size
  }

  get pathCount(): number {
    return this.#byPath.size
  }

  get recursiveCount(): number {
    return this.#recursiveCount
  }

  watchers(): IterableIterator<number> {
    return this.#byWatcher.keys()
  }

  paths(): IterableIterator<string> {
    return this.#byPath.keys()
  }

  watchersOf(path: string): Iterable<number> {
    return this.#byPath.get(path)?.keys() ?? []
  }

  /** Paths that `watcher` has an entry for. */
  pathsOf(watcher: number): ReadonlySet<string> {
    return this.#byWatcher.get(watcher) ?? NO_PATHS
  }

  /** The modes of one entry, 0 if there is none. */
  modes(path: string, watcher: number): number {
    return this.#byPath.get(path)?.get(watcher) ?? 0
  }

  /** False when the entry had the mode already. */
  add(path: string, watcher: number, mode: WatchMode): boolean {
    let entries = this.#byPath.get(path)
    if (entries === undefined) {
      entries = new Map()
      this.#byPath.set(path, entries)
    }
    const before = entries.get(watcher) ?? 0
    if ((before & mode) !== 0) return false
    entries.set(watcher, before | mode)
    if (before === 0) this.#link(path, watcher)
    if (mode === WatchMode.recursive) this.#recursiveCount++
    return true
  }

  /** Takes `modes` (default: all) off one entry; false when it had none of them. */
  remove(path: string, watcher: number, modes: number = ALL_MODES): boolean {
    const entries = this.#byPath.get(path)
    const before = entries?.get(watcher) ?? 0
    if (entries === undefined || (before & modes) === 0) return false
    this.#replace(path, entries, watcher, before, before & ~modes)
    return true
  }

  /** The watcher is gone, and its watches with it (N6). */
  removeWatcher(watcher: number): void {
    const paths = this.#byWatcher.get(watcher)
    if (paths === undefined) return
    for (const path of [...paths]) this.remove(path, watcher)
  }

  /**
   * Who hears of a change at `path`: every entry of the path itself, whose one-shot mode this uses
   * up, then recursive entries of its ancestors, nearest first. Each watcher once; null when nobody
   * does.
   */
  fire(path: string): Set<number> | null {
    let fired: Set<number> | null = null
    const entries = this.#byPath.get(path)
    if (entries !== undefined) {
      fired = new Set()
      for (const [watcher, modes] of entries) {
        fired.add(watcher)
        if ((modes & WatchMode.standard) === 0) continue
        this.#replace(path, entries, watcher, modes, modes & ~WatchMode.standard)
      }
    }
    return this.#recursiveCount === 0 ? fired : this.#fireAbove(path, fired)
  }

  #fireAbove(path: string, firedHere: Set<number> | null): Set<number> | null {
    let fired = firedHere
    for (let at = path; at !== '/';) {
      const slash = at.lastIndexOf('/')
      at = slash <= 0 ? '/' : at.slice(0, slash)
      const entries = this.#byPath.get(at)
      if (entries === undefined) continue
      for (const [watcher, modes] of entries) {
        if ((modes & WatchMode.recursive) === 0) continue
        fired ??= new Set()
        fired.add(watcher)
      }
    }
    return fired
  }

  #replace(
    path: string,
    entries: Map<number, number>,
    watcher: number,
    before: number,
    after: number,
  ): void {
    if ((before & ~after & WatchMode.recursive) !== 0) this.#recursiveCount--
    if (after !== 0) {
      entries.set(watcher, after)
      return
    }
    entries.delete(watcher)
    if (entries.size === 0) this.#byPath.delete(path)
    this.#unlink(path, watcher)
  }

  #link(path: string, watcher: number): void {
    this.#size++
    const paths = this.#byWatcher.get(watcher)
    if (paths === undefined) this.#byWatcher.set(watcher, new Set([path]))
    else paths.add(path)
  }

  #unlink(path: string, watcher: number): void {
    this.#size--
    const paths = this.#byWatcher.get(watcher)
    if (paths === undefined) return
    paths.delete(path)
    if (paths.size === 0) this.#byWatcher.delete(watcher)
  }
}

const NO_PATHS: ReadonlySet<string> = new Set()
