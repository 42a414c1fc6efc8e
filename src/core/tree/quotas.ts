/**
 * Which subtrees have a quota, and the count of what is in them (D52–D57).
 *
 * A subtree has one while its zookeeper_limits node exists. Its zookeeper_stats node is local
 * state: it follows every change without a transaction, zxid, version or event of its own, and is
 * counted anew when it is created and when a snapshot is loaded (D55). Of nested quotas the nearest
 * one counts a change (D54), a fresh count takes the whole subtree: ZooKeeper's numbers.
 */
import { encodeUtf8 } from '../base/utf8.ts'
import type { DataNode } from './data-node.ts'
import type { NodeStore } from './node-store.ts'
import { joinPath, nameOf, parentOf } from './path.ts'
import { quotaValue, readQuota, writeQuota, type QuotaText } from '../jute/quota-text.ts'

export const QUOTA_PATH = '/zookeeper/quota'
const LIMITS = 'zookeeper_limits'
const STATS = 'zookeeper_stats'

export interface Quota {
  /** The root of the subtree. */
  readonly path: string
  readonly limits: QuotaText
  readonly stats: QuotaText
}

/** A change went beyond a soft limit, which refuses nothing (D53). */
export interface QuotaAlarm {
  /** The root of the subtree. */
  readonly path: string
  readonly of: 'count' | 'bytes'
  readonly used: number
  readonly limit: number
}

export class Quotas {
  readonly #store: NodeStore
  readonly #onExceeded: (alarm: QuotaAlarm) => void
  /** Subtrees with a quota. */
  readonly #paths = new Set<string>()

  constructor(store: NodeStore, onExceeded: (alarm: QuotaAlarm) => void = () => undefined) {
    this.#store = store
    this.#onExceeded = onExceeded
  }

  /** Every subtree that has one. */
  *all(): Iterable<Quota> {
    for (const path of this.#paths) {
      const quota = this.of(path)
      if (quota?.path === path) yield quota
    }
  }

  /** The node is in the tree. */
  created({ path, data }: DataNode): void {
    const subtree = subtreeOf(path)
    if (subtree !== null && nameOf(path) === LIMITS) this.#paths.add(subtree)
    if (subtree !== null && nameOf(path) === STATS) this.#recount(subtree)
    this.changed(path, lengthOf(data), 1)
  }

  /** The node is no longer in the tree. */
  deleted({ path, data }: DataNode): void {
    const subtree = subtreeOf(path)
    if (subtree !== null && nameOf(path) === LIMITS) this.#paths.delete(subtree)
    this.changed(path, -lengthOf(data), -1)
  }

  changed(path: string, bytesDiff: number, countDiff: number): void {
    const nearest = this.#nearest(path)
    if (nearest === null) return
    const node = this.#store.node(nodePath(nearest, STATS))
    if (node === undefined) return
    const stats = new Map(readQuota(node.data))
    const limits = readQuota(this.#store.node(nodePath(nearest, LIMITS))?.data ?? null)
    for (const [of, diff] of [
      ['count', countDiff],
      ['bytes', bytesDiff],
    ] as const) {
      const before = quotaValue(stats, of)
      const limit = quotaValue(limits, of)
      const used = before + diff
      stats.set(of, used)
      // Once each time: whoever stays beyond it writes on.
      if (limit > -1 && before <= limit && used > limit) {
        this.#onExceeded({ path: nearest, of, used, limit })
      }
    }
    this.#write(node, writeQuota(stats))
  }

  /** What limits that path now; null: nothing, or one of the two nodes is missing. */
  of(path: string): Quota | null {
    const nearest = this.#nearest(path)
    if (nearest === null) return null
    const limits = this.#store.node(nodePath(nearest, LIMITS))
    const stats = this.#store.node(nodePath(nearest, STATS))
    if (limits === undefined || stats === undefined) return null
    return { path: nearest, limits: readQuota(limits.data), stats: readQuota(stats.data) }
  }

  /** All nodes of a snapshot are in the tree. */
  restored(): void {
    this.#paths.clear()
    for (const path of this.#below(QUOTA_PATH)) {
      const subtree = subtreeOf(path)
      if (subtree === null || nameOf(path) !== LIMITS) continue
      this.#paths.add(subtree)
      this.#recount(subtree)
    }
  }

  #nearest(path: string): string | null {
    if (this.#paths.size === 0) return null
    for (let at = path; at !== '/'; at = parentOf(at)) if (this.#paths.has(at)) return at
    return null
  }

  #recount(subtree: string): void {
    const node = this.#store.node(nodePath(subtree, STATS))
    if (node === undefined) return
    let count = 0
    let bytes = 0
    for (const path of this.#below(subtree)) {
      count++
      bytes += lengthOf(this.#store.node(path)?.data ?? null)
    }
    this.#write(node, encodeUtf8(`count=${count},bytes=${bytes}`))
  }

  /** With the root itself; nothing when there is none. */
  *#below(root: string): Iterable<string> {
    const waiting = [root]
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const node = this.#store.node(path)
      if (node === undefined) continue
      yield path
      for (const name of node.children ?? []) waiting.push(joinPath(path, name))
    }
  }

  /** Snapshots that are being taken show one moment: they are told before. */
  #write(node: DataNode, data: Uint8Array): void {
    this.#store.beforeChange(node)
    this.#store.setData(node, data)
    this.#store.afterChange(node)
  }
}

/** '/zookeeper/quota/a/zookeeper_limits' → '/a'; null for what stands for no subtree. */
function subtreeOf(path: string): string | null {
  if (!path.startsWith(`${QUOTA_PATH}/`)) return null
  const subtree = path.slice(QUOTA_PATH.length, path.lastIndexOf('/'))
  return subtree === '' ? null : subtree
}

function nodePath(subtree: string, name: string): string {
  return `${QUOTA_PATH}${subtree}/${name}`
}

function lengthOf(data: Uint8Array | null): number {
  return data === null ? 0 : data.length
}
