/**
 * The leader's removal of container nodes that are empty again and of nodes whose time to live is
 * over (D47–D49). Best effort: a node may stay a check longer than its time.
 */
import type { Zxid } from '../base/zxid.ts'
import { OpCode } from '../jute/op-code.ts'
import type { SimpleTxn } from '../jute/txn.ts'
import type { DataNode } from '../tree/data-node.ts'
import type { DataTree } from '../tree/data-tree.ts'
import { parentOf } from '../tree/path.ts'
import { ttlOf } from '../tree/stat.ts'
import type { Moment } from '../zab/effect.ts'
import type { ChangeRecords } from './change-records.ts'
import { removeChild } from './prep-state.ts'
import type { ServerConfig } from './server-config.ts'

const CHECK_INTERVAL_MS = 60_000
const PER_MINUTE = 10_000
const NEVER_USED_MS = 5 * 60_000
const MINUTE_MS = 60_000

/** Proposes a transaction of the server's own. */
export type ProposeOwn = (type: number, prepare: (zxid: Zxid) => SimpleTxn, at: Moment) => void

export class Reaper {
  readonly #tree: DataTree
  readonly #records: ChangeRecords
  readonly #propose: ProposeOwn
  readonly #intervalMs: number
  readonly #perCheck: number
  readonly #neverUsedMs: number
  #nextMs: number

  constructor(
    config: ServerConfig,
    tree: DataTree,
    records: ChangeRecords,
    propose: ProposeOwn,
    at: Moment,
  ) {
    this.#tree = tree
    this.#records = records
    this.#propose = propose
    this.#intervalMs = config.containerCheckIntervalMs ?? CHECK_INTERVAL_MS
    const perMinute = config.containersPerMinute ?? PER_MINUTE
    this.#perCheck = Math.max(1, Math.floor((perMinute * this.#intervalMs) / MINUTE_MS))
    this.#neverUsedMs = config.containerNeverUsedMs ?? NEVER_USED_MS
    this.#nextMs = at.elapsedMs + this.#intervalMs
  }

  tick(at: Moment): void {
    if (at.elapsedMs < this.#nextMs) return
    this.#nextMs = at.elapsedMs + this.#intervalMs
    let left = this.#perCheck
    for (const path of this.#due(at.wallMs)) {
      if (left-- <= 0) return
      this.#remove(path, at)
    }
  }

  /** A copy: removing changes what is being walked when nothing has to be waited for. */
  #due(wallMs: number): string[] {
    const { containers, ttls } = this.#tree.store.ephemerals
    const isDue = (path: string, rule: (node: DataNode) => boolean): boolean => {
      const node = this.#tree.node(path)
      return node !== undefined && (node.children?.size ?? 0) === 0 && rule(node)
    }
    const unused = [...containers].filter((path) =>
      isDue(path, (node) => {
        const neverUsed = this.#neverUsedMs > 0 && wallMs - node.mtime > this.#neverUsedMs
        return node.cversion > 0 || neverUsed
      }),
    )
    const over = [...ttls].filter((path) =>
      isDue(path, (node) => wallMs - node.mtime > ttlOf(node.ephemeralOwner)),
    )
    return [...unused, ...over]
  }

  /**
   * What is outstanding may give it a child or new data, or make another node in its place, plain
   * or of a session, which must not go (D49). The next check sees what has become of it.
   */
  #remove(path: string, at: Moment): void {
    if (this.#records.isOutstanding(path)) return
    this.#propose(
      OpCode.deleteContainer,
      (zxid) => {
        removeChild(this.#records, zxid, parentOf(path))
        this.#records.addDeleted(zxid, path)
        return { kind: 'delete', path }
      },
      at,
    )
  }
}
