/**
 * What the nodes will look like once everything proposed so far is committed (D33): preparation
 * checks against these records first and against the tree only when there is none. Without them a
 * pipelined create /a, create /a/b would fail.
 *
 * A record lives until its transaction is applied. Records of a failing multi are taken back, the
 * parent's counter with them, so a failed multi burns no sequence number (D38, ZOOKEEPER-1624).
 */
import { assert } from '../base/assert.ts'
import { Deque } from '../base/deque.ts'
import type { Zxid } from '../base/zxid.ts'
import type { Acl } from '../jute/data-records.ts'

/** The fields of a node that a check may ask for. */
export interface NodeView {
  readonly version: number
  /** The stored one, which counts creates (D14, D20). */
  readonly cversion: number
  readonly aversion: number
  readonly ephemeralOwner: bigint
  readonly childCount: number
  readonly dataLength: number
  readonly acl: readonly Acl[]
}

export interface ChangeRecord extends NodeView {
  readonly zxid: Zxid
  readonly path: string
  /** False when the transaction deletes the node. */
  readonly exists: boolean
}

/** One that is being made: not to be changed once it was added. */
type Draft = { -readonly [Field in keyof ChangeRecord]: ChangeRecord[Field] }

/** Field by field: copying a view by spreading it took a quarter of a write's time. */
export function changeOf(view: NodeView, zxid: Zxid, path: string): Draft {
  return {
    zxid,
    path,
    exists: true,
    version: view.version,
    cversion: view.cversion,
    aversion: view.aversion,
    ephemeralOwner: view.ephemeralOwner,
    childCount: view.childCount,
    dataLength: view.dataLength,
    acl: view.acl,
  }
}

/** A node of the tree, or undefined. */
export type NodeLookup = (path: string) => NodeView | undefined

interface Undo {
  readonly record: ChangeRecord
  readonly previous: ChangeRecord | undefined
}

export class ChangeRecords {
  readonly #lookup: NodeLookup
  /** In zxid order. */
  readonly #outstanding = new Deque<ChangeRecord>()
  /** The newest record of each path. */
  readonly #byPath = new Map<string, ChangeRecord>()
  /** Additions since `begin`, oldest first. */
  readonly #undo: Undo[] = []
  #isUndoable = false

  constructor(lookup: NodeLookup) {
    this.#lookup = lookup
  }

  get size(): number {
    return this.#outstanding.length
  }

  /** The node as the next transaction will find it; undefined when it will not exist. */
  find(path: string): NodeView | undefined {
    const record = this.#byPath.get(path)
    if (record === undefined) return this.#lookup(path)
    return record.exists ? record : undefined
  }

  /** Something proposed and not yet committed changes this node, or its list of children. */
  isOutstanding(path: string): boolean {
    return this.#byPath.has(path)
  }

  add(record: ChangeRecord): void {
    if (this.#isUndoable) this.#undo.push({ record, previous: this.#byPath.get(record.path) })
    this.#outstanding.pushBack(record)
    this.#byPath.set(record.path, record)
  }

  addDeleted(zxid: Zxid, path: string): void {
    const record = changeOf(FRESH, zxid, path)
    record.exists = false
    this.add(record)
  }

  /** What is added from here on can be taken back, until `end`. */
  begin(): void {
    assert(!this.#isUndoable, 'a preparation inside a preparation')
    this.#isUndoable = true
  }

  /** Back to what was outstanding at `begin`. */
  rollback(): void {
    assert(this.#isUndoable, 'rollback outside a preparation')
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) {
      const { record, previous } = undo
      assert(this.#outstanding.popBack() === record, 'change records out of order')
      if (previous === undefined) this.#byPath.delete(record.path)
      else this.#byPath.set(record.path, previous)
    }
  }

  end(): void {
    this.#isUndoable = false
    this.#undo.length = 0
  }

  /** The tree shows everything up to this zxid now. */
  committed(zxid: bigint): void {
    for (;;) {
      const record = this.#outstanding.peekFront()
      if (record === undefined || record.zxid > zxid) return
      this.#outstanding.popFront()
      if (this.#byPath.get(record.path) === record) this.#byPath.delete(record.path)
    }
  }

  /**
   * Ephemerals of a session after all that is outstanding: pending creates in, deletes out (D45).
   */
  ephemeralsOf(session: bigint, committed: Iterable<string>): string[] {
    const paths = new Set(committed)
    for (const record of this.#outstanding) {
      if (!record.exists) paths.delete(record.path)
      else if (record.ephemeralOwner === session) paths.add(record.path)
    }
    return [...paths]
  }
}

/** A node that has just been made, before anything is known of it. */
export const FRESH: NodeView = {
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  childCount: 0,
  dataLength: 0,
  acl: [],
}
