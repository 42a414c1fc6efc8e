/**
 * Snapshots of the tree in ZooKeeper's own file layout (P11): header, sessions, ACL table, nodes,
 * "/", seal; digest block, seal; last-zxid block, seal. A seal is the Adler-32 of every byte before
 * it, and the string "/".
 *
 * ZooKeeper's snapshots are fuzzy (P12). These are exact: they show the tree as it was when they
 * began, while transactions go on. How: the store's map is walked in the order of `seq`, so what
 * was there at the start comes before everything newer; a node that changes before the walk reaches
 * it is copied first, and one that is removed is copied and written at the end, again by `seq`. A
 * parent thus always precedes its children: it is older than they are, and is never removed before
 * them.
 */

import { adler32 } from '../base/adler32.ts'
import { assert } from '../base/assert.ts'
import { concat, EMPTY_BYTES } from '../base/bytes.ts'
import { toZxid, type Zxid } from '../base/zxid.ts'
import {
  statPersistedRecord,
  writeAcl,
  type Acl,
  type StatPersisted,
} from '../jute/data-records.ts'
import { JuteError } from '../jute/jute-error.ts'
import { JuteWriter } from '../jute/writer.ts'
import type { AclEntry } from './acl-cache.ts'
import { ChunkReader } from './chunk-reader.ts'
import type { DataNode } from './data-node.ts'
import { DataTree, type DataTreeOptions } from './data-tree.ts'
import type { NodeObserver, NodeStore } from './node-store.ts'
import { nameOf, parentOf } from './path.ts'
import { DIGEST_VERSION } from './tree-digest.ts'

/** "ZKSN". */
const MAGIC = 0x5a4b534e
const VERSION = 2
const DBID = -1n
/** Ends the nodes and each seal; no node has this path here, since the root is written as "". */
const END_PATH = '/'
const ADLER_START = 1
/** A last-zxid block with its seal: all that follows the nodes when digests were off. */
const LAST_ZXID_BLOCK_BYTES = 21
/**
 * Smallest encodings of a session, an ACL list and an ACL: bounds for counts that nobody checked.
 */
const SESSION_BYTES = 12
const ACL_LIST_BYTES = 12
const ACL_BYTES = 12

/** Of a node beside path and data: two lengths, the number of its ACL, its Stat. */
const NODE_BYTES = 4 + 4 + 8 + 60

/** What a snapshot writes of a node; a DataNode is one, and so is a copy of its earlier self. */
interface NodeRecord extends StatPersisted {
  readonly path: string
  readonly seq: number
  readonly data: Uint8Array | null
  readonly acl: AclEntry
}

/**
 * The tree's state as of construction, handed out in chunks. Release it with `cancel` when it is
 * not read to its end: until then changes of the tree cost copies.
 */
export class TreeSnapshot implements NodeObserver {
  readonly zxid: Zxid
  readonly sizeBytes: number
  readonly #store: NodeStore
  readonly #sessions: readonly (readonly [bigint, number])[]
  readonly #acls: readonly AclEntry[]
  readonly #digest: bigint | null
  /** Nodes from this `seq` on are newer than the snapshot. */
  readonly #endSeq: number
  /** Nodes up to this `seq` are written. */
  #writtenSeq = -1
  /** Not written, changed since the start: what they were. */
  readonly #changed = new Map<DataNode, NodeRecord>()
  /** Not written, removed since the start. */
  #removed: NodeRecord[] = []
  readonly #writer = new JuteWriter()
  readonly #steps: Iterator<void, void>
  #isDone = false
  /** Made but not handed out yet. */
  #ready: Uint8Array = EMPTY_BYTES
  #sum = ADLER_START

  constructor(tree: DataTree) {
    this.zxid = tree.lastProcessed
    this.#store = tree.store
    this.sizeBytes = tree.store.approximateDataSize + tree.store.nodeCount * NODE_BYTES
    this.#sessions = [...tree.sessions]
    this.#acls = tree.store.acls.entries()
    this.#digest = tree.digest
    this.#endSeq = tree.store.nextSeq
    this.#steps = this.#write()
    tree.store.observe(this)
  }

  /** The next bytes, `maxBytes` of them until the rest is shorter; null at the end. */
  next(maxBytes: number): Uint8Array | null {
    assert(maxBytes > 0, `chunk of ${maxBytes} bytes`)
    while (!this.#isDone && this.#ready.length + this.#writer.length < maxBytes) {
      if (this.#steps.next().done === true) this.#isDone = true
    }
    this.#flush()
    if (this.#ready.length === 0) return null
    const chunk = this.#ready.slice(0, maxBytes)
    this.#ready = this.#ready.subarray(chunk.length)
    return chunk
  }

  cancel(): void {
    this.#release()
    this.#isDone = true
    this.#ready = EMPTY_BYTES
    this.#writer.reset()
  }

  beforeChange(node: DataNode): void {
    if (this.#isPast(node) || this.#changed.has(node)) return
    this.#changed.set(node, copyOf(node))
  }

  beforeRemove(node: DataNode): void {
    if (this.#isPast(node)) return
    this.#removed.push(this.#changed.get(node) ?? copyOf(node))
    this.#changed.delete(node)
  }

  #isPast(node: DataNode): boolean {
    return node.seq <= this.#writtenSeq || node.seq >= this.#endSeq
  }

  #release(): void {
    this.#store.unobserve(this)
    this.#writtenSeq = this.#endSeq
    this.#changed.clear()
    this.#removed = []
  }

  /** Yields after each small piece, so that `next` can stop in time. */
  *#write(): Generator<void, void> {
    const w = this.#writer
    w.int(MAGIC)
    w.int(VERSION)
    w.long(DBID)
    w.int(this.#sessions.length)
    for (const [id, timeoutMs] of this.#sessions) {
      w.long(id)
      w.int(timeoutMs)
      yield
    }
    w.int(this.#acls.length)
    for (const { index, list } of this.#acls) {
      w.longNumber(index)
      w.vector(list, writeAcl)
      yield
    }
    yield* this.#writeNodes(w)
    w.ustring(END_PATH)
    this.#seal()
    // As ZooKeeper does, zeros where no digest is known.
    const hasDigest = this.#digest !== null && this.zxid > 0n
    w.long(hasDigest ? this.zxid : 0n)
    w.int(DIGEST_VERSION)
    w.long(hasDigest ? this.#digest : 0n)
    this.#seal()
    w.long(this.zxid)
    this.#seal()
  }

  *#writeNodes(w: JuteWriter): Generator<void, void> {
    for (const node of this.#store.nodes()) {
      if (node.seq >= this.#endSeq) break
      writeNode(w, this.#changed.get(node) ?? node)
      this.#changed.delete(node)
      this.#writtenSeq = node.seq
      yield
    }
    const removed = this.#removed.sort((a, b) => a.seq - b.seq)
    this.#release()
    for (const node of removed) {
      writeNode(w, node)
      yield
    }
  }

  #seal(): void {
    this.#flush()
    this.#writer.longNumber(this.#sum)
    this.#writer.ustring(END_PATH)
  }

  #flush(): void {
    if (this.#writer.length === 0) return
    const bytes = this.#writer.finish()
    this.#writer.reset()
    this.#sum = adler32(bytes, this.#sum)
    this.#ready = this.#ready.length === 0 ? bytes : concat([this.#ready, bytes])
  }
}

export interface RestoreOptions extends Omit<DataTreeOptions, 'empty'> {
  /**
   * What the snapshot's name says. It outranks the last-zxid block: a fuzzy snapshot of ZooKeeper
   * is named by its start and must be replayed from there (P10, P12). Needed where that block is
   * missing.
   */
  readonly zxid?: Zxid
}

/** Throws a JuteError when the bytes are no whole, sealed snapshot of a tree. */
export function restoreTree(chunks: readonly Uint8Array[], options: RestoreOptions = {}): DataTree {
  const tree = new DataTree({ ...options, empty: true })
  const r = new ChunkReader(chunks)
  if (r.int() !== MAGIC) throw new JuteError('no snapshot: wrong magic number')
  const version = r.int()
  if (version !== VERSION) throw new JuteError(`snapshot of version ${version}`)
  r.long()
  const sessions = readSessions(r)
  readAcls(r, tree.store)
  readNodes(r, tree.store)
  checkSeal(r)
  const digest = r.atEnd || r.remaining === LAST_ZXID_BLOCK_BYTES ? null : readDigest(r)
  const lastZxid = r.atEnd ? undefined : readLastZxid(r)
  if (!r.atEnd) throw new JuteError(`${r.remaining} bytes after a snapshot`)
  const zxid = options.zxid ?? lastZxid
  if (zxid === undefined) throw new JuteError('snapshot without a zxid')
  tree.finishRestore(zxid, sessions)
  if (digest !== null) tree.expectDigest(digest)
  return tree
}

function readSessions(r: ChunkReader): (readonly [bigint, number])[] {
  const sessions: (readonly [bigint, number])[] = []
  for (let left = r.count('sessions', SESSION_BYTES); left > 0; left--) {
    const id = r.long()
    sessions.push([id, r.int()])
  }
  return sessions
}

function readAcls(r: ChunkReader, store: NodeStore): void {
  for (let left = r.count('ACL lists', ACL_LIST_BYTES); left > 0; left--) {
    const index = r.longNumber()
    if (index < 0) throw new JuteError(`ACL list of index ${index}`)
    const list: Acl[] = []
    for (let items = r.count('ACLs', ACL_BYTES); items > 0; items--) {
      const perms = r.int()
      const scheme = r.ustring()
      list.push({ perms, id: { scheme, id: r.ustring() } })
    }
    store.acls.load(index, list)
  }
}

function readNodes(r: ChunkReader, store: NodeStore): void {
  for (let path = r.ustring(); path !== END_PATH; path = r.ustring()) {
    const data = r.buffer()
    const aclIndex = r.longNumber()
    const czxid = r.long()
    const mzxid = r.long()
    const ctime = r.longNumber()
    const mtime = r.longNumber()
    const version = r.int()
    const cversion = r.int()
    const aversion = r.int()
    const owner = r.long()
    const parent = parentAt(path, store)
    const key = path === '' ? '/' : path
    const acl = store.acls.acquireIndex(aclIndex)
    const node = store.insert(key, data, acl, owner, czxid, ctime)
    node.mzxid = mzxid
    node.mtime = mtime
    node.version = version
    node.cversion = cversion
    node.aversion = aversion
    node.pzxid = r.long()
    store.afterChange(node)
    if (parent !== null) store.adopt(parent, path)
  }
  if (store.node('/') === undefined) throw new JuteError('snapshot without a root')
  store.acls.purgeUnused()
}

/** A node's parent comes before it, and no node comes twice. Null for the root. */
function parentAt(path: string, store: NodeStore): DataNode | null {
  if (store.node(path) !== undefined) throw new JuteError(`snapshot has ${path} twice`)
  if (path === '') return null
  if (!path.startsWith('/') || nameOf(path) === '') throw new JuteError(`snapshot has path ${path}`)
  const parent = store.node(parentOf(path))
  if (parent === undefined) throw new JuteError(`no parent of ${path}`)
  return parent
}

function checkSeal(r: ChunkReader): void {
  const actual = r.checksum()
  const expected = r.longNumber()
  if (actual !== expected) throw new JuteError('snapshot checksum does not match')
  if (r.ustring() !== END_PATH) throw new JuteError('snapshot seal is broken')
}

/** Null when the block is empty or of a version that cannot be compared. */
function readDigest(r: ChunkReader): { zxid: Zxid; digest: bigint } | null {
  const zxid = toZxid(r.long())
  const version = r.int()
  // Before version 2 the digest was a string of hex digits.
  const digest = version < 2 ? (r.ustring(), 0n) : r.long()
  checkSeal(r)
  return version === DIGEST_VERSION && zxid > 0n ? { zxid, digest } : null
}

function readLastZxid(r: ChunkReader): Zxid {
  const zxid = toZxid(r.long())
  checkSeal(r)
  return zxid
}

function writeNode(w: JuteWriter, node: NodeRecord): void {
  w.ustring(node.path === '/' ? '' : node.path)
  w.buffer(node.data)
  w.longNumber(node.acl.index)
  statPersistedRecord.write(w, node)
}

/** Data and ACL lists are never changed in place, so the references are enough. */
function copyOf(node: DataNode): NodeRecord {
  return {
    path: node.path,
    seq: node.seq,
    data: node.data,
    acl: node.acl,
    czxid: node.czxid,
    mzxid: node.mzxid,
    ctime: node.ctime,
    mtime: node.mtime,
    version: node.version,
    cversion: node.cversion,
    aversion: node.aversion,
    ephemeralOwner: node.ephemeralOwner,
    pzxid: node.pzxid,
  }
}
