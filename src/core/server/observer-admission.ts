/**
 * The leader gives observers their places: a server id and a range of session ids, through the log
 * (design §4). The table is an ordinary znode that only the leader itself writes.
 *
 * A grant is for one life of an observer: who asks again before it came gets nothing new, who asks
 * after it came and went gets its server id with fresh session ids.
 */
import type { ServerId, Zxid } from '../base/zxid.ts'
import { OpCode } from '../jute/op-code.ts'
import { READ_ACL_UNSAFE } from '../jute/perms.ts'
import type { SimpleTxn } from '../jute/txn.ts'
import { OBSERVERS_PATH, ZOOKEEPER_PATH, type DataTree } from '../tree/data-tree.ts'
import { nextVersion } from '../tree/stat.ts'
import type { Moment } from '../zab/effect.ts'
import type { Broadcaster } from '../zab/replica.ts'
import { changeOf, FRESH, type ChangeRecords } from './change-records.ts'
import {
  formatObservers,
  grantPlace,
  parseObservers,
  type ObserverEntry,
} from './observer-table.ts'

/**
 * ms after a grant in which a place is kept for its observer, which has to make its links first: as
 * long as a connection without a session may take (S13).
 */
export const GRANT_GRACE_MS = 10_000

export interface AdmissionHost {
  readonly voters: readonly ServerId[]
  readonly tree: DataTree
  readonly broadcaster: Pick<Broadcaster, 'isLinked' | 'hasLearner'>
  /** Log and send a transaction of the leader's own. It may be applied before this returns. */
  propose(type: number, prepare: (zxid: Zxid) => SimpleTxn, at: Moment): void
  refused(incarnation: string, reason: string): void
}

export class ObserverAdmission {
  readonly #host: AdmissionHost
  readonly #records: ChangeRecords
  /** What was proposed last and is not applied yet. */
  #pending: { readonly zxid: Zxid; readonly table: readonly ObserverEntry[] } | null = null
  /** When this leader gave a place that nobody has taken since, elapsed ms; by incarnation. */
  readonly #awaited = new Map<string, number>()

  constructor(host: AdmissionHost, records: ChangeRecords) {
    this.#host = host
    this.#records = records
  }

  admit(incarnation: string, at: Moment): void {
    const nowMs = at.elapsedMs
    const { broadcaster, voters } = this.#host
    const table = this.#pending?.table ?? this.#applied()
    const own = table.find((entry) => entry.incarnation === incarnation)
    // Past the grace a new life of the page may ask, which was not told of the grant.
    const isTaken = own !== undefined && broadcaster.hasLearner(own.sid)
    if (isTaken || (own !== undefined && this.#isInGrace(incarnation, nowMs))) return
    const isReclaimable = (entry: ObserverEntry): boolean =>
      !broadcaster.isLinked(entry.sid) && !this.#isInGrace(entry.incarnation, nowMs)
    const grant = grantPlace({ table, voters, isReclaimable }, incarnation)
    if ('refusal' in grant) {
      this.#host.refused(incarnation, grant.refusal)
      return
    }
    const known = new Set(grant.table.map((entry) => entry.incarnation))
    for (const name of this.#awaited.keys()) if (!known.has(name)) this.#awaited.delete(name)
    this.#awaited.set(incarnation, nowMs)
    this.#propose(grant.table, at)
  }

  /** Places whose observers came are taken. */
  tick(): void {
    if (this.#awaited.size === 0) return
    for (const { incarnation, sid } of this.#applied()) {
      if (!this.#host.broadcaster.hasLearner(sid)) continue
      this.#awaited.delete(incarnation)
    }
  }

  committed(zxid: bigint): void {
    if (this.#pending !== null && zxid >= this.#pending.zxid) this.#pending = null
  }

  #applied(): ObserverEntry[] {
    return parseObservers(this.#host.tree.node(OBSERVERS_PATH)?.data ?? null)
  }

  #isInGrace(incarnation: string, nowMs: number): boolean {
    const grantedMs = this.#awaited.get(incarnation)
    return grantedMs !== undefined && nowMs - grantedMs < GRANT_GRACE_MS
  }

  #propose(table: readonly ObserverEntry[], at: Moment): void {
    const data = formatObservers(table)
    const exists = this.#records.find(OBSERVERS_PATH) !== undefined
    const prepare = (zxid: Zxid): SimpleTxn => {
      this.#pending = { zxid, table }
      return exists ? this.#setTable(zxid, data) : this.#createTable(zxid, data)
    }
    this.#host.propose(exists ? OpCode.setData : OpCode.create, prepare, at)
  }

  #createTable(zxid: Zxid, data: Uint8Array): SimpleTxn {
    const parent = this.#records.find(ZOOKEEPER_PATH)
    const parentCVersion = ((parent?.cversion ?? 0) + 1) | 0
    if (parent !== undefined) {
      const changed = changeOf(parent, zxid, ZOOKEEPER_PATH)
      changed.cversion = parentCVersion
      changed.childCount++
      this.#records.add(changed)
    }
    const acl = READ_ACL_UNSAFE
    const created = changeOf(FRESH, zxid, OBSERVERS_PATH)
    created.dataLength = data.length
    created.acl = acl
    this.#records.add(created)
    return { kind: 'create', path: OBSERVERS_PATH, data, acl, ephemeral: false, parentCVersion }
  }

  #setTable(zxid: Zxid, data: Uint8Array): SimpleTxn {
    const node = this.#records.find(OBSERVERS_PATH)
    const version = nextVersion(node?.version ?? 0)
    if (node !== undefined) {
      const changed = changeOf(node, zxid, OBSERVERS_PATH)
      changed.version = version
      changed.dataLength = data.length
      this.#records.add(changed)
    }
    return { kind: 'setData', path: OBSERVERS_PATH, data, version }
  }
}
