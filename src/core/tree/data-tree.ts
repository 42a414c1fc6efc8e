/**
 * The replicated state: nodes and sessions. It changes by transactions only, in zxid order, and the
 * same transactions make the same tree everywhere.
 *
 * Transactions are state changes that were checked at preparation (P9), so nothing is checked again
 * here beyond what keeps the tree a tree. Replaying one that a fuzzy snapshot already holds is
 * harmless (P12); its error in the result then means nothing.
 */

import { assert, unreachable } from '../base/assert.ts'
import { EMPTY_BYTES, equal } from '../base/bytes.ts'
import { Deque } from '../base/deque.ts'
import { encodeUtf8 } from '../base/utf8.ts'
import { toZxid, ZXID_NONE, type Zxid } from '../base/zxid.ts'
import type { Acl, Stat } from '../jute/data-records.ts'
import { ErrorCode } from '../jute/error-code.ts'
import { OpCode } from '../jute/op-code.ts'
import { READ_ACL_UNSAFE } from '../jute/perms.ts'
import type { TxnDigest, TxnHeader } from '../jute/txn-records.ts'
import { txnType, type MultiTxn, type SimpleTxn, type Txn } from '../jute/txn.ts'
import { OPEN_ACL_ENTRY } from './acl-cache.ts'
import type { DataNode } from './data-node.ts'
import { NodeStore } from './node-store.ts'
import { parentOf } from './path.ts'
import { QUOTA_PATH, Quotas, type QuotaAlarm } from './quotas.ts'
import { CONTAINER_OWNER, isLaterCversion, isValidTtl, ttlOwner, visibleStat } from './stat.ts'
import { DIGEST_VERSION } from './tree-digest.ts'
import type { TxnResult } from './txn-result.ts'
import { WatchManager, type WatchSink } from './watch-manager.ts'

export interface DataTreeOptions {
  /** Watches of this server's connections; without it, a manager of its own. */
  readonly watches?: WatchManager
  /** Keep the tree digest (default true). */
  readonly digest?: boolean
  /** For restoring: no root and nothing below it. */
  readonly empty?: boolean
  readonly onQuotaExceeded?: (alarm: QuotaAlarm) => void
  /** A node was made, changed or removed; `bytes` is what its data is long now. */
  readonly onWrite?: (write: 'create' | 'setData' | 'delete', node: DataNode, bytes: number) => void
}

export interface ZxidDigest {
  readonly zxid: Zxid
  readonly digest: bigint
}

export const ZOOKEEPER_PATH = '/zookeeper'
export const CONFIG_PATH = '/zookeeper/config'
/** The observers that were given a place; made by the first grant. Ours. */
export const OBSERVERS_PATH = '/zookeeper/observers'

const SPECIAL_PATHS: ReadonlySet<string> = new Set([
  '/',
  '',
  ZOOKEEPER_PATH,
  QUOTA_PATH,
  CONFIG_PATH,
  OBSERVERS_PATH,
])

/** One digest is kept per this many zxids, this many of them (P22, ZooKeeper's numbers). */
const DIGEST_LOG_INTERVAL_BITS = 7
const DIGEST_LOG_MAX = 1024

/** Paths that no client may delete (D2). */
export function isSpecialPath(path: string): boolean {
  return SPECIAL_PATHS.has(path)
}

export class DataTree {
  /** Read it freely; only this class and a restore change it. */
  readonly store: NodeStore
  readonly watches: WatchManager
  readonly quotas: Quotas
  readonly #sessions = new Map<bigint, number>()
  readonly #digestLog = new Deque<ZxidDigest>()
  readonly #onWrite: DataTreeOptions['onWrite']
  #lastProcessed: Zxid = ZXID_NONE
  #expectedDigest: ZxidDigest | null = null
  #digestMismatches = 0

  constructor(options: DataTreeOptions = {}) {
    this.store = new NodeStore(options.digest ?? true)
    this.quotas = new Quotas(this.store, options.onQuotaExceeded)
    this.watches = options.watches ?? new WatchManager()
    this.#onWrite = options.onWrite
    if (options.empty !== true) this.#plantSpecialNodes()
  }

  /** The last transaction that is applied as a whole (P13). */
  get lastProcessed(): Zxid {
    return this.#lastProcessed
  }

  /** Session id → negotiated time-out in ms (S6). */
  get sessions(): ReadonlyMap<bigint, number> {
    return this.#sessions
  }

  /** P20, signed; null when digests are off. */
  get digest(): bigint | null {
    return this.store.digest
  }

  /** Digests at every 128th zxid, oldest first (P22). */
  get digestLog(): Iterable<ZxidDigest> {
    return this.#digestLog
  }

  /** How often an expected digest was not met (P21): this member's state has diverged. */
  get digestMismatches(): number {
    return this.#digestMismatches
  }

  node(path: string): DataNode | undefined {
    return this.store.node(path)
  }

  /** `sink` hears of watches that fire; null while nobody is served (recovery, fast-forward). */
  applyTxn(header: TxnHeader, txn: Txn, sink: WatchSink | null): TxnResult {
    const result =
      txn.kind === 'multi'
        ? this.#applyMulti(header, txn, sink)
        : this.#applySimple(header, txn, header.type, sink)
    if (header.zxid > this.#lastProcessed) {
      this.#lastProcessed = toZxid(header.zxid)
      this.#recordDigest(this.#lastProcessed)
    }
    return result
  }

  /** A new epoch begins at counter 0, which no transaction has (Q3). Never goes back. */
  advanceTo(zxid: Zxid): void {
    if (zxid > this.#lastProcessed) this.#lastProcessed = zxid
  }

  /** P21: compares the tree as it is now with what the leader expected after that transaction. */
  checkDigest(expected: TxnDigest): boolean {
    const actual = this.store.digest
    if (actual === null || expected.version !== DIGEST_VERSION) return true
    if (actual === expected.treeDigest) return true
    this.#digestMismatches++
    return false
  }

  /**
   * Restore only, once the nodes are in: where the snapshot stands. Snapshots from before 3.5 have
   * no /zookeeper/config.
   */
  finishRestore(zxid: Zxid, sessions: Iterable<readonly [bigint, number]>): void {
    assert(this.#lastProcessed === ZXID_NONE, 'restored twice')
    this.#plantSpecialNodes()
    this.quotas.restored()
    this.#lastProcessed = zxid
    for (const [id, timeoutMs] of sessions) this.#sessions.set(id, timeoutMs)
  }

  /**
   * Restore only: what the digest must be at that zxid, which a fuzzy snapshot is still to reach.
   */
  expectDigest(expected: ZxidDigest): void {
    if (expected.zxid < this.#lastProcessed) return
    this.#expectedDigest = expected
    if (expected.zxid === this.#lastProcessed) this.#meetExpectedDigest(expected)
  }

  /**
   * D3: the membership as this server was configured with it, at version −1 and no zxid. Local
   * state, of no digest, as ZooKeeper has it; for a time when nobody watches. Undefined: as it is.
   */
  plantConfiguration(text: string | undefined, timeMs: number): void {
    if (text === undefined) return
    const { store } = this
    const node = store.node(CONFIG_PATH)
    const data = encodeUtf8(text)
    if (node === undefined || (node.data !== null && equal(node.data, data))) return
    store.beforeChange(node)
    store.setData(node, data)
    node.version = -1
    node.mzxid = ZXID_NONE
    node.mtime = timeMs
    store.afterChange(node)
  }

  /** D1, D3, D4, where missing: no zxid, no time, and stored cversions of 0. */
  #plantSpecialNodes(): void {
    const { store } = this
    for (const path of ['/', ZOOKEEPER_PATH, QUOTA_PATH, CONFIG_PATH]) {
      if (store.node(path) !== undefined) continue
      const parent = store.node(parentOf(path))
      const node = store.insert(path, EMPTY_BYTES, OPEN_ACL_ENTRY, 0n, 0n, 0)
      if (parent !== undefined) store.adopt(parent, path)
      if (path === CONFIG_PATH) {
        store.setAcl(node, READ_ACL_UNSAFE)
        node.aversion = -1
      }
      store.afterChange(node)
    }
  }

  #applySimple(header: TxnHeader, txn: SimpleTxn, type: number, sink: WatchSink | null): TxnResult {
    switch (txn.kind) {
      case 'create': {
        const owner = txn.ephemeral ? header.clientId : 0n
        return this.#create(header, txn, type, owner, type !== OpCode.create, sink)
      }
      case 'createContainer':
        return this.#create(header, txn, type, CONTAINER_OWNER, true, sink)
      case 'createTTL': {
        const ttlMs = Number(txn.ttl)
        if (!isValidTtl(ttlMs)) {
          return resultOf(header, type, ErrorCode.BADARGUMENTS, txn.path, null)
        }
        return this.#create(header, txn, type, ttlOwner(ttlMs), true, sink)
      }
      case 'delete':
        return resultOf(header, type, this.#delete(txn.path, header.zxid, sink), txn.path, null)
      case 'setData':
        return this.#setData(header, txn.path, txn.data, txn.version, type, sink)
      case 'setACL':
        return this.#setAcl(header, txn.path, txn.acl, txn.version, type)
      case 'check':
        return resultOf(header, type, ErrorCode.OK, txn.path, null)
      case 'createSession':
        this.#sessions.set(header.clientId, txn.timeOut)
        return resultOf(header, type, ErrorCode.OK, null, null)
      case 'closeSession':
        this.#closeSession(header.clientId, txn.paths ?? [], header.zxid, sink)
        return resultOf(header, type, ErrorCode.OK, null, null)
      case 'error':
        return resultOf(header, type, txn.err, null, null)
      default:
        return unreachable(txn)
    }
  }

  /**
   * All or nothing (D36): one error among the operations means that none is applied, and the others
   * become errors too, OK before it and RUNTIMEINCONSISTENCY after it (W49).
   */
  #applyMulti(header: TxnHeader, multi: MultiTxn, sink: WatchSink | null): TxnResult {
    const isFailed = multi.txns.some((txn) => txn.kind === 'error')
    const results: TxnResult[] = []
    let err: number = ErrorCode.OK
    let pastFailure = false
    for (const txn of multi.txns) {
      let result: TxnResult
      if (txn.kind === 'error') {
        result = resultOf(header, OpCode.error, txn.err, null, null)
        pastFailure = true
      } else if (isFailed) {
        const code = pastFailure ? ErrorCode.RUNTIMEINCONSISTENCY : ErrorCode.OK
        result = resultOf(header, OpCode.error, code, null, null)
      } else {
        result = this.#applySimple(header, txn, txnType(txn), sink)
      }
      if (err === ErrorCode.OK) err = result.err
      results.push(result)
    }
    return { ...resultOf(header, OpCode.multi, err, null, null), multi: results }
  }

  /** D19, P12. `type` is that of the operation. */
  #create(
    header: TxnHeader,
    txn: {
      readonly path: string
      readonly data: Uint8Array | null
      readonly acl: readonly Acl[]
      readonly parentCVersion: number
    },
    type: number,
    owner: bigint,
    hasStat: boolean,
    sink: WatchSink | null,
  ): TxnResult {
    const { store } = this
    const { path } = txn
    const { zxid, time } = header
    const parentPath = parentOf(path)
    const parent = store.node(parentPath)
    if (parent === undefined) return resultOf(header, type, ErrorCode.NONODE, path, null)
    this.#raiseParent(parent, txn.parentCVersion, zxid)
    const existing = store.node(path)
    if (existing !== undefined) {
      // A fuzzy snapshot may have taken the node without the list that its ACL index names.
      store.beforeChange(existing)
      store.setAcl(existing, txn.acl)
      return resultOf(header, type, ErrorCode.NODEEXISTS, path, null)
    }
    const node = store.insert(path, txn.data, store.acls.acquire(txn.acl), owner, zxid, time)
    store.adopt(parent, path)
    store.afterChange(node)
    const stat = hasStat ? visibleStat(node) : null
    this.quotas.created(node)
    this.#onWrite?.('create', node, txn.data?.length ?? 0)
    if (sink !== null) {
      this.watches.nodeCreated(path, parentPath, zxid, node.acl.list, parent.acl.list, sink)
    }
    return resultOf(header, type, ErrorCode.OK, path, stat)
  }

  /** Only forwards: a replayed create must not take back what later ones did (P12). */
  #raiseParent(parent: DataNode, cversion: number, zxid: bigint): void {
    const next = cversion === -1 ? (parent.cversion + 1) | 0 : cversion
    if (!isLaterCversion(next, parent.cversion)) return
    this.store.beforeChange(parent)
    parent.cversion = next
    parent.pzxid = zxid
    this.store.afterChange(parent)
  }

  /** D29, P12. Preparation lets no special path through; here it would break the tree. */
  #delete(path: string, zxid: bigint, sink: WatchSink | null): ErrorCode {
    const { store } = this
    if (isSpecialPath(path)) return ErrorCode.BADARGUMENTS
    const node = store.node(path)
    // Preparation saw no children. So these are newer than this transaction: a fuzzy snapshot took
    // them, and the rest of the replay makes them again, under the parent's next life.
    if (node !== undefined && node.children !== null && node.children.size > 0) {
      for (const name of [...node.children]) this.#delete(`${path}/${name}`, zxid, sink)
    }
    const parentPath = parentOf(path)
    const parent = store.node(parentPath)
    if (parent === undefined) return ErrorCode.NONODE
    if (zxid > parent.pzxid) {
      store.beforeChange(parent)
      parent.pzxid = zxid
      store.afterChange(parent)
    }
    if (node === undefined) return ErrorCode.NONODE
    const acl = node.acl.list
    store.remove(node)
    this.quotas.deleted(node)
    this.#onWrite?.('delete', node, 0)
    if (sink !== null) {
      this.watches.nodeDeleted(path, parentPath, zxid, acl, parent.acl.list, sink)
    }
    return ErrorCode.OK
  }

  /** D24. */
  #setData(
    header: TxnHeader,
    path: string,
    data: Uint8Array | null,
    version: number,
    type: number,
    sink: WatchSink | null,
  ): TxnResult {
    const { store } = this
    const node = store.node(path)
    if (node === undefined) return resultOf(header, type, ErrorCode.NONODE, path, null)
    store.beforeChange(node)
    const grownBy = store.setData(node, data)
    node.version = version
    node.mzxid = header.zxid
    node.mtime = header.time
    store.afterChange(node)
    const stat = visibleStat(node)
    this.quotas.changed(path, grownBy, 0)
    this.#onWrite?.('setData', node, data?.length ?? 0)
    if (sink !== null) this.watches.dataChanged(path, header.zxid, node.acl.list, sink)
    return resultOf(header, type, ErrorCode.OK, path, stat)
  }

  /** D27; fires nothing (N10). */
  #setAcl(
    header: TxnHeader,
    path: string,
    acl: readonly Acl[],
    version: number,
    type: number,
  ): TxnResult {
    const { store } = this
    const node = store.node(path)
    if (node === undefined) return resultOf(header, type, ErrorCode.NONODE, path, null)
    store.beforeChange(node)
    store.setAcl(node, acl)
    node.aversion = version
    store.afterChange(node)
    return resultOf(header, type, ErrorCode.OK, path, visibleStat(node))
  }

  /** D45: what the transaction lists, in its order, then what else the session still owns here. */
  #closeSession(
    session: bigint,
    listed: readonly string[],
    zxid: bigint,
    sink: WatchSink | null,
  ): void {
    for (const path of listed) this.#delete(path, zxid, sink)
    for (const path of [...this.store.ephemerals.of(session)]) this.#delete(path, zxid, sink)
    this.#sessions.delete(session)
  }

  #recordDigest(zxid: Zxid): void {
    const expected = this.#expectedDigest
    if (expected !== null && zxid >= expected.zxid) this.#meetExpectedDigest(expected)
    if (BigInt.asUintN(DIGEST_LOG_INTERVAL_BITS, zxid) !== 0n) return
    const digest = this.store.digest
    if (digest === null) return
    this.#digestLog.pushBack({ zxid, digest })
    if (this.#digestLog.length > DIGEST_LOG_MAX) this.#digestLog.popFront()
  }

  #meetExpectedDigest(expected: ZxidDigest): void {
    this.#expectedDigest = null
    if (expected.zxid !== this.#lastProcessed) return
    const actual = this.store.digest
    if (actual !== null && actual !== expected.digest) this.#digestMismatches++
  }
}

function resultOf(
  header: TxnHeader,
  type: number,
  err: number,
  path: string | null,
  stat: Stat | null,
): TxnResult {
  const { clientId, cxid, zxid } = header
  return { clientId, cxid, zxid, type, err, path, stat, multi: null }
}
