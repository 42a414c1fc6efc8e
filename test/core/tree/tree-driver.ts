/** Makes transactions the way a leader would, one zxid each, and applies them to a tree. */

import { makeZxid, type Zxid } from '../../../src/core/base/zxid.ts'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import type { Acl } from '../../../src/core/jute/data-records.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { OPEN_ACL_UNSAFE } from '../../../src/core/jute/perms.ts'
import type { TxnHeader } from '../../../src/core/jute/txn-records.ts'
import { txnType, type SimpleTxn, type Txn } from '../../../src/core/jute/txn.ts'
import { eventTypeName, type EventType } from '../../../src/core/jute/event-type.ts'
import { DataTree } from '../../../src/core/tree/data-tree.ts'
import { parentOf, sequentialName } from '../../../src/core/tree/path.ts'
import { nextVersion } from '../../../src/core/tree/stat.ts'
import type { TxnResult } from '../../../src/core/tree/txn-result.ts'
import type { WatchSink } from '../../../src/core/tree/watch-manager.ts'

export interface CreateOptions {
  readonly data?: Uint8Array | null
  readonly acl?: readonly Acl[]
  /** Session that owns the node; 0n = persistent. */
  readonly owner?: bigint
  readonly type?: number
}

export interface Applied {
  readonly header: TxnHeader
  readonly txn: Txn
}

/** Events as '7 NodeCreated /a', in order. */
export class EventLog implements WatchSink {
  readonly zxids: bigint[] = []
  #lines: string[] = []

  event(watcher: number, type: EventType, path: string, zxid: bigint): void {
    this.#lines.push(`${watcher} ${eventTypeName(type)} ${path}`)
    this.zxids.push(zxid)
  }

  take(): string[] {
    const lines = this.#lines
    this.#lines = []
    return lines
  }
}

export class TreeDriver {
  tree: DataTree
  readonly events = new EventLog()
  /** Everything applied, for replays. */
  readonly applied: Applied[] = []
  #counter: number
  timeMs = 1_000

  constructor(tree: DataTree = new DataTree(), counter = 0) {
    this.tree = tree
    this.#counter = counter
  }

  get zxid(): Zxid {
    return makeZxid(1, this.#counter)
  }

  bytes(path: string): Uint8Array | null | undefined {
    return this.tree.node(path)?.data
  }

  create(path: string, options: CreateOptions = {}): TxnResult {
    const { owner = 0n, type = OpCode.create } = options
    return this.apply(this.createTxn(path, options), { clientId: owner, type })
  }

  createTxn(path: string, options: CreateOptions = {}): SimpleTxn & { kind: 'create' } {
    const { data = null, acl = OPEN_ACL_UNSAFE, owner = 0n } = options
    const parent = this.tree.node(parentOf(path))
    return {
      kind: 'create',
      path,
      data,
      acl,
      ephemeral: owner !== 0n,
      parentCVersion: ((parent?.cversion ?? 0) + 1) | 0,
    }
  }

  sequential(prefix: string, options: CreateOptions = {}): string {
    const parent = this.tree.node(parentOf(prefix))
    const path = sequentialName(prefix, parent?.cversion ?? 0)
    this.create(path, options)
    return path
  }

  delete(path: string): TxnResult {
    return this.apply({ kind: 'delete', path })
  }

  set(path: string, data: Uint8Array | string | null): TxnResult {
    const version = nextVersion(this.tree.node(path)?.version ?? 0)
    const bytes = typeof data === 'string' ? encodeUtf8(data) : data
    return this.apply({ kind: 'setData', path, data: bytes, version })
  }

  setAcl(path: string, acl: readonly Acl[]): TxnResult {
    const version = nextVersion(this.tree.node(path)?.aversion ?? 0)
    return this.apply({ kind: 'setACL', path, acl, version })
  }

  open(session: bigint, timeOut = 4_000): TxnResult {
    return this.apply({ kind: 'createSession', timeOut }, { clientId: session })
  }

  close(session: bigint, paths?: readonly string[] | null): TxnResult {
    const owned = [...this.tree.store.ephemerals.of(session)]
    return this.apply(
      { kind: 'closeSession', paths: paths === undefined ? owned : paths },
      { clientId: session },
    )
  }

  apply(txn: Txn, over: Partial<TxnHeader> = {}): TxnResult {
    this.#counter++
    this.timeMs++
    const header: TxnHeader = {
      clientId: 0n,
      cxid: this.#counter,
      zxid: this.zxid,
      time: this.timeMs,
      type: txnType(txn),
      ...over,
    }
    this.applied.push({ header, txn })
    return this.tree.applyTxn(header, txn, this.events)
  }
}

/** Breaks of what must hold of every tree (T46), as sentences. */
export function treeFaults(tree: DataTree): string[] {
  const faults: string[] = []
  const ephemerals = new Map<bigint, string[]>()
  let order = -1
  for (const node of tree.store.nodes()) {
    if (node.seq <= order) faults.push(`${node.path} out of order`)
    order = node.seq
    for (const name of node.children ?? []) {
      const path = node.path === '/' ? `/${name}` : `${node.path}/${name}`
      if (tree.node(path) === undefined) faults.push(`${path} is listed but missing`)
    }
    if (node.path !== '/') {
      const parent = tree.node(parentOf(node.path))
      const name = node.path.slice(node.path.lastIndexOf('/') + 1)
      if (parent?.children?.has(name) !== true) faults.push(`${node.path} is not listed`)
      if (parent !== undefined && parent.ephemeralOwner > 0n) {
        faults.push(`${node.path} lies under an ephemeral`)
      }
    }
    if (node.ephemeralOwner > 0n) {
      const paths = ephemerals.get(node.ephemeralOwner) ?? []
      ephemerals.set(node.ephemeralOwner, [...paths, node.path])
    }
  }
  let count = 0
  for (const owner of tree.store.ephemerals.owners()) {
    const indexed = [...tree.store.ephemerals.of(owner)].sort()
    const actual = (ephemerals.get(owner) ?? []).sort()
    if (indexed.join() !== actual.join()) faults.push(`index of session ${owner}`)
    count += indexed.length
  }
  if (count !== tree.store.ephemerals.count) faults.push('ephemeral count')
  return faults
}

/** Everything a snapshot must keep, in one comparable text per node. */
export function describeTree(tree: DataTree): string[] {
  const lines: string[] = []
  for (const n of tree.store.nodes()) {
    const acl = n.acl.list.map((a) => `${a.perms}:${a.id.scheme}:${a.id.id}`).join(',')
    const data = n.data === null ? 'null' : [...n.data].join('.')
    const stats = [n.czxid, n.mzxid, n.pzxid, n.ctime, n.mtime, n.version, n.cversion, n.aversion]
    lines.push(`${n.path} ${data} ${acl} ${stats.join(' ')} ${n.ephemeralOwner}`)
  }
  return lines.sort()
}
