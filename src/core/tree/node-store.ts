/**
 * The nodes themselves: one map from path to node, and everything that must move along with it: ACL
 * table, ephemeral index, sizes, digest, and the snapshots that are being taken.
 *
 * Invariants (T46): every node but the root has its parent here and is among its children, with a
 * larger `seq`; the map's order is the order of `seq`. The root is under '/' only; '' finds it too
 * (D1).
 *
 * Whoever changes a node's data or stat calls `beforeChange` before and `afterChange` after.
 */

import { assert } from '../base/assert.ts'
import type { Acl } from '../jute/data-records.ts'
import { AclCache, type AclEntry } from './acl-cache.ts'
import { DataNode } from './data-node.ts'
import { Ephemerals } from './ephemerals.ts'
import { nameOf, parentOf } from './path.ts'
import { TreeDigest } from './tree-digest.ts'

/** Sees each node as it was, before it changes or goes. */
export interface NodeObserver {
  beforeChange(node: DataNode): void
  beforeRemove(node: DataNode): void
}

/** Snapshots at once: one for the disk and one per learner that is being synchronised. Ours. */
export const OBSERVERS_MAX = 16

export class NodeStore {
  readonly acls: AclCache = new AclCache()
  readonly ephemerals: Ephemerals = new Ephemerals()
  readonly #nodes = new Map<string, DataNode>()
  readonly #digest: TreeDigest | null
  #observers: readonly NodeObserver[] = []
  #nextSeq = 0
  #textAndDataSize = 0

  constructor(hasDigest: boolean) {
    this.#digest = hasDigest ? new TreeDigest() : null
  }

  /** ZooKeeper counts the root under both of its names. */
  get nodeCount(): number {
    return this.#nodes.size + 1
  }

  /** Characters of paths plus bytes of data: ZooKeeper's zk_approximate_data_size. */
  get approximateDataSize(): number {
    return this.#textAndDataSize
  }

  /** P20; null when digests are off. */
  get digest(): bigint | null {
    return this.#digest === null ? null : this.#digest.value
  }

  /** Every node made from now on has at least this `seq`. */
  get nextSeq(): number {
    return this.#nextSeq
  }

  get observerCount(): number {
    return this.#observers.length
  }

  node(path: string): DataNode | undefined {
    return this.#nodes.get(path) ?? (path === '' ? this.#nodes.get('/') : undefined)
  }

  /** In the order of `seq`. Live: goes on over changes, and shows nodes made meanwhile. */
  nodes(): IterableIterator<DataNode> {
    return this.#nodes.values()
  }

  observe(observer: NodeObserver): void {
    assert(this.#observers.length < OBSERVERS_MAX, `more than ${OBSERVERS_MAX} snapshots at once`)
    this.#observers = [...this.#observers, observer]
  }

  unobserve(observer: NodeObserver): void {
    this.#observers = this.#observers.filter((other) => other !== observer)
  }

  /**
   * Makes a node. The caller completes its stat, calls `afterChange`, and `adopt` unless it is the
   * root.
   */
  insert(
    path: string,
    data: Uint8Array | null,
    acl: AclEntry,
    owner: bigint,
    zxid: bigint,
    time: number,
  ): DataNode {
    const sizeBefore = this.#nodes.size
    const node = new DataNode(path, this.#nextSeq++, ownBytes(data), acl, owner, zxid, time)
    this.#nodes.set(path, node)
    assert(this.#nodes.size > sizeBefore, `${path} inserted twice`)
    if (owner !== 0n) this.ephemerals.add(path, owner)
    this.#textAndDataSize += path.length + lengthOf(node.data)
    return node
  }

  /** Enters a new node among its parent's children. */
  adopt(parent: DataNode, path: string): void {
    parent.children ??= new Set()
    parent.children.add(nameOf(path))
  }

  /** The node must have no children. */
  remove(node: DataNode): void {
    for (const observer of this.#observers) observer.beforeRemove(node)
    this.#nodes.delete(node.path)
    this.#nodes.get(parentOf(node.path))?.children?.delete(nameOf(node.path))
    if (node.ephemeralOwner !== 0n) this.ephemerals.remove(node.path, node.ephemeralOwner)
    this.#textAndDataSize -= node.path.length + lengthOf(node.data)
    this.#digest?.removed(node)
    this.acls.release(node.acl)
  }

  beforeChange(node: DataNode): void {
    for (const observer of this.#observers) observer.beforeChange(node)
  }

  afterChange(node: DataNode): void {
    this.#digest?.changed(node)
  }

  /** By how many bytes the node grew. */
  setData(node: DataNode, data: Uint8Array | null): number {
    const owned = ownBytes(data)
    const grownBy = lengthOf(owned) - lengthOf(node.data)
    this.#textAndDataSize += grownBy
    node.data = owned
    return grownBy
  }

  /** The list alone, without a version: an ACL is no part of the digest. */
  setAcl(node: DataNode, acl: readonly Acl[] | null): void {
    const entry = this.acls.acquire(acl)
    this.acls.release(node.acl)
    node.acl = entry
  }
}

/**
 * Decoded buffers are views of a whole frame, log batch or snapshot chunk: a small one must not
 * keep a large one alive.
 */
function ownBytes(data: Uint8Array | null): Uint8Array | null {
  if (data === null || 2 * data.length >= data.buffer.byteLength) return data
  return data.slice()
}

function lengthOf(data: Uint8Array | null): number {
  return data === null ? 0 : data.length
}
