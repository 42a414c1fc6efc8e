/**
 * What the tree was at every zxid, from the global log alone and by rules of its own: the judge of
 * reads, of watches and of the members' trees. Nothing is ever forgotten, so any moment can be
 * asked.
 */
import { ErrorCode } from '../core/jute/error-code.ts'
import type { TxnHeader } from '../core/jute/txn-records.ts'
import type { SimpleTxn, Txn } from '../core/jute/txn.ts'
import { CONTAINER_OWNER, ownerKind, ttlOwner } from '../core/tree/stat.ts'
import type { RecordedNode, RecordedTree } from './recorded-tree.ts'

/** A node from `zxid` on, until its next version. */
export interface NodeVersion {
  readonly zxid: bigint
  /** false: deleted. */
  readonly exists: boolean
  readonly data: Uint8Array | null
  readonly version: number
  readonly czxid: bigint
  readonly mzxid: bigint
  readonly owner: bigint
}

interface ChildLife {
  readonly name: string
  readonly from: bigint
  to: bigint
}

/** What is known of a node's children from `zxid` on, until the next one. */
export interface ChildrenVersion {
  readonly zxid: bigint
  /** Creates below it, ever; the suffix of the next sequential child (D14). */
  readonly creates: number
  readonly pzxid: bigint
}

interface PathHistory {
  readonly versions: NodeVersion[]
  readonly childrenVersions: ChildrenVersion[]
  readonly children: ChildLife[]
  /** zxids at which a data or exists watch fires. */
  readonly dataChanges: bigint[]
  /** zxids at which a child watch fires. */
  readonly childChanges: bigint[]
}

const FOREVER = 1n << 62n
const NO_CHILDREN: ChildrenVersion = { zxid: 0n, creates: 0, pzxid: 0n }

export class ReferenceTree {
  readonly #paths = new Map<string, PathHistory>()
  readonly #sessions = new Map<bigint, { readonly opened: bigint; closed: bigint }>()
  readonly #ephemerals = new Map<bigint, Set<string>>()
  /** Ephemerals that a session had when it ended. */
  readonly #left = new Map<bigint, readonly string[]>()
  #last = 0n

  /** `before`: goes on from there; what was earlier cannot be asked. */
  constructor(before?: RecordedTree) {
    if (before !== undefined) {
      this.#begin(before)
      return
    }
    for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
      const history = this.#history(path)
      const node = { zxid: 0n, exists: true, data: new Uint8Array(0), version: 0 }
      history.versions.push({ ...node, czxid: 0n, mzxid: 0n, owner: 0n })
    }
    this.#history('/').children.push({ name: 'zookeeper', from: 0n, to: FOREVER })
  }

  get last(): bigint {
    return this.#last
  }

  apply(header: TxnHeader, txn: Txn): void {
    this.#last = header.zxid
    if (txn.kind !== 'multi') {
      this.#applySimple(header, txn)
      return
    }
    if (txn.txns.some(({ kind }) => kind === 'error')) return
    for (const each of txn.txns) this.#applySimple(header, each)
  }

  /** A backup is the state from here on. What was before can still be asked. */
  replace({ zxid, nodes, sessions }: RecordedTree): void {
    this.#last = zxid
    for (const session of this.#sessions.values()) {
      if (session.closed === FOREVER) session.closed = zxid
    }
    for (const session of sessions) this.#sessions.set(session, { opened: zxid, closed: FOREVER })
    this.#ephemerals.clear()
    for (const history of this.#paths.values()) {
      for (const life of history.children) if (life.to === FOREVER) life.to = zxid
      const old = history.versions.at(-1)
      if (old?.exists === true) history.versions.push({ ...old, zxid, exists: false })
    }
    for (const node of nodes) this.#place(node, zxid, zxid)
  }

  /** What is there now. */
  asRecorded(): RecordedTree {
    const nodes = [...this.paths()].flatMap((path): readonly RecordedNode[] => {
      const history = this.#history(path)
      const node = history.versions.at(-1)
      if (node === undefined) return []
      const { data, version, czxid, mzxid, owner } = node
      const { pzxid, creates } = newest(history)
      return [{ path, data, version, czxid, mzxid, pzxid, owner, creates }]
    })
    return { zxid: this.#last, nodes, sessions: this.openSessions() }
  }

  /** The node as of `zxid`, or null where it did not exist. */
  at(path: string, zxid: bigint): NodeVersion | null {
    const versions = this.#paths.get(path)?.versions ?? []
    const found = versions.findLast((version) => version.zxid <= zxid)
    return found?.exists === true ? found : null
  }

  childrenAt(path: string, zxid: bigint): string[] {
    const children = this.#paths.get(path)?.children ?? []
    return children.filter(({ from, to }) => from <= zxid && zxid < to).map(({ name }) => name)
  }

  childrenVersionAt(path: string, zxid: bigint): ChildrenVersion {
    const versions = this.#paths.get(path)?.childrenVersions
    return versions?.findLast((version) => version.zxid <= zxid) ?? NO_CHILDREN
  }

  /** Creates ever made below it, up to now. */
  createsBelow(path: string): number {
    return newest(this.#paths.get(path)).creates
  }

  pzxidNow(path: string): bigint {
    return newest(this.#paths.get(path)).pzxid
  }

  /** Last change of that kind in (after, upTo], or null. */
  changedBetween(path: string, kind: 'data' | 'child', after: bigint, upTo: bigint): bigint | null {
    const history = this.#paths.get(path)
    const changes = kind === 'data' ? history?.dataChanges : history?.childChanges
    const last = changes?.findLast((zxid) => zxid <= upTo)
    return last !== undefined && last > after ? last : null
  }

  isSessionOpen(session: bigint, zxid: bigint): boolean {
    const life = this.#sessions.get(session)
    return life !== undefined && life.opened <= zxid && zxid < life.closed
  }

  openSessions(): bigint[] {
    return [...this.#sessions].filter(([, { closed }]) => closed === FOREVER).map(([id]) => id)
  }

  /** What a session owned when it ended. */
  ownedAtEnd(session: bigint): readonly string[] {
    return this.#left.get(session) ?? []
  }

  ephemeralsOf(session: bigint): ReadonlySet<string> {
    return this.#ephemerals.get(session) ?? new Set()
  }

  /** Every path that exists now. */
  *paths(): IterableIterator<string> {
    for (const [path, { versions }] of this.#paths) if (versions.at(-1)?.exists === true) yield path
  }

  #begin({ zxid, nodes, sessions }: RecordedTree): void {
    this.#last = zxid
    for (const session of sessions) this.#sessions.set(session, { opened: 0n, closed: FOREVER })
    for (const node of nodes) this.#place(node, node.mzxid, node.czxid)
  }

  /** A node with all it has: known as it is from one zxid on, and as a child from another. */
  #place({ path, pzxid, creates, ...node }: RecordedNode, zxid: bigint, from: bigint): void {
    const history = this.#history(path)
    history.versions.push({ ...node, zxid, exists: true })
    history.childrenVersions.push({ zxid, creates, pzxid })
    if (path === '/') return
    const name = path.slice(path.lastIndexOf('/') + 1)
    this.#history(parentPath(path)).children.push({ name, from, to: FOREVER })
    this.#own(node.owner, path)
  }

  #applySimple(header: TxnHeader, txn: SimpleTxn): void {
    const { zxid, clientId } = header
    switch (txn.kind) {
      case 'create':
        this.#create(zxid, txn.path, txn.data, txn.ephemeral ? clientId : 0n)
        break
      case 'createContainer':
        this.#create(zxid, txn.path, txn.data, CONTAINER_OWNER)
        break
      case 'createTTL':
        this.#create(zxid, txn.path, txn.data, ttlOwner(Number(txn.ttl)))
        break
      case 'delete':
        this.#delete(zxid, txn.path)
        break
      case 'setData':
        this.#set(zxid, txn.path, txn.data)
        break
      case 'createSession':
        this.#sessions.set(clientId, { opened: zxid, closed: FOREVER })
        break
      case 'closeSession': {
        const session = this.#sessions.get(clientId)
        if (session !== undefined && session.closed === FOREVER) session.closed = zxid
        const owned = [...this.ephemeralsOf(clientId)]
        this.#left.set(clientId, owned)
        for (const path of owned) this.#delete(zxid, path)
        break
      }
      default:
        break
    }
  }

  #create(zxid: bigint, path: string, data: Uint8Array | null, owner: bigint): void {
    const history = this.#history(path)
    const node = { zxid, exists: true, data, version: 0, czxid: zxid, mzxid: zxid, owner }
    history.versions.push(node)
    history.dataChanges.push(zxid)
    history.childrenVersions.push({ zxid, creates: 0, pzxid: zxid })
    const parent = this.#history(parentPath(path))
    parent.childrenVersions.push({ zxid, creates: newest(parent).creates + 1, pzxid: zxid })
    parent.childChanges.push(zxid)
    parent.children.push({ name: path.slice(path.lastIndexOf('/') + 1), from: zxid, to: FOREVER })
    this.#own(owner, path)
  }

  #own(owner: bigint, path: string): void {
    if (ownerKind(owner) !== 'session') return
    const owned = this.#ephemerals.get(owner) ?? new Set<string>()
    this.#ephemerals.set(owner, owned.add(path))
  }

  #delete(zxid: bigint, path: string): void {
    const history = this.#history(path)
    const old = history.versions.at(-1)
    if (old?.exists !== true) return
    history.versions.push({ ...old, zxid, exists: false })
    history.dataChanges.push(zxid)
    history.childChanges.push(zxid)
    this.#ephemerals.get(old.owner)?.delete(path)
    const parent = this.#history(parentPath(path))
    parent.childrenVersions.push({ zxid, creates: newest(parent).creates, pzxid: zxid })
    parent.childChanges.push(zxid)
    const name = path.slice(path.lastIndexOf('/') + 1)
    const life = parent.children.findLast((child) => child.name === name)
    if (life !== undefined) life.to = zxid
  }

  #set(zxid: bigint, path: string, data: Uint8Array | null): void {
    const history = this.#history(path)
    const old = history.versions.at(-1)
    if (old?.exists !== true) return
    history.versions.push({ ...old, zxid, data, version: old.version + 1, mzxid: zxid })
    history.dataChanges.push(zxid)
  }

  #history(path: string): PathHistory {
    let history = this.#paths.get(path)
    if (history === undefined) {
      history = {
        versions: [],
        childrenVersions: [],
        children: [],
        dataChanges: [],
        childChanges: [],
      }
      this.#paths.set(path, history)
    }
    return history
  }
}

function newest(history: PathHistory | undefined): ChildrenVersion {
  return history?.childrenVersions.at(-1) ?? NO_CHILDREN
}

export function parentPath(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')))
}

/** What a write must come to, given the state right before it (D12–D28). */
export function expectedError(
  tree: ReferenceTree,
  zxid: bigint,
  call:
    | { readonly kind: 'create'; readonly path: string; readonly isSequential: boolean }
    | {
        readonly kind: 'set' | 'delete' | 'check'
        readonly path: string
        readonly version: number
      },
): number {
  const before = zxid - 1n
  const node = tree.at(call.path, before)
  if (call.kind === 'create') {
    const parent = tree.at(parentPath(call.path), before)
    if (parent === null) return ErrorCode.NONODE
    if (!call.isSequential && node !== null) return ErrorCode.NODEEXISTS
    const isEphemeral = ownerKind(parent.owner) === 'session'
    return isEphemeral ? ErrorCode.NOCHILDRENFOREPHEMERALS : ErrorCode.OK
  }
  if (node === null) return ErrorCode.NONODE
  if (call.version !== -1 && call.version !== node.version) return ErrorCode.BADVERSION
  const isFull = call.kind === 'delete' && tree.childrenAt(call.path, before).length > 0
  return isFull ? ErrorCode.NOTEMPTY : ErrorCode.OK
}
