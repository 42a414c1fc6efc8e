/** What the preparation of every kind of request shares. */
import type { ServerId, SessionId, Zxid } from '../base/zxid.ts'
import type { Acl, Id } from '../jute/data-records.ts'
import { ErrorCode } from '../jute/error-code.ts'
import type { SimpleTxn } from '../jute/txn.ts'
import { fixupAcl, permits } from '../tree/acl.ts'
import { quotaValue } from '../jute/quota-text.ts'
import type { Quotas } from '../tree/quotas.ts'
import { changeOf, type ChangeRecords, type NodeView } from './change-records.ts'
import type { Request } from './request.ts'
import type { SessionTracker } from './session-tracker.ts'

/** What preparation reads and writes beside the request itself. */
export interface PrepState {
  readonly records: ChangeRecords
  readonly sessions: SessionTracker
  readonly extendedTypesEnabled: boolean
  /** Committed ephemerals of a session. */
  ephemeralsOf(session: SessionId): Iterable<string>
  /** null: hard limits are not enforced. */
  readonly quotas: Quotas | null
  /** A hard limit refused a change of this node. */
  quotaRefused(path: string): void
  /**
   * Longest log entry: a transaction may grow over its request (W6). Peers refuse what is much
   * longer, and a proposal that no follower takes would end every epoch.
   */
  readonly entryBytesMax: number
  /** Nobody needs a permission (A9). */
  readonly skipsAcl: boolean
  /** May that server write in the name of a session that `sessions` does not know (S25)? */
  isLocal(session: SessionId, owner: ServerId): boolean
  /** Such a one became one of the ensemble before its first ephemeral, or has ended (S23). */
  readonly upgradesSessions: boolean
}

/** One operation: a whole request, or a part of a multi. */
export interface Operation {
  readonly request: Request
  readonly type: number
  readonly zxid: Zxid
}

export type Prepared = SimpleTxn | ErrorCode

/**
 * The list to store, or null for INVALIDACL (A8, D11). ZooKeeper has no bound but the frame;
 * finding duplicates in a frame full of entries would stop a leader for minutes.
 */
export function storedAcl(
  requested: readonly Acl[] | null,
  ids: readonly Id[],
): readonly Acl[] | null {
  if (requested !== null && requested.length > ACL_ENTRIES_MAX) return null
  return fixupAcl(requested, ids)
}

/** Entries of one ACL. Ours: far more than anybody can oversee. */
const ACL_ENTRIES_MAX = 1000

/** OK is 0, so the result reads as "failed with". */
export function checkSession(state: PrepState, { session, owner }: Request): ErrorCode {
  const err = state.sessions.check(session, owner)
  if (err === ErrorCode.OK || state.sessions.has(session)) return err
  return state.isLocal(session, owner) ? ErrorCode.OK : err
}

/** Ephemerals need a session of the ensemble: it has to end for everybody (D9). */
export function checkGlobalSession(state: PrepState, { session, owner }: Request): ErrorCode {
  const err = state.sessions.check(session, owner)
  const isLocal = err !== ErrorCode.OK && !state.sessions.has(session)
  if (!isLocal || state.upgradesSessions || !state.isLocal(session, owner)) return err
  return ErrorCode.EPHEMERALONLOCALSESSION
}

/** A10. */
export function isAllowed(
  state: PrepState,
  op: Operation,
  { acl }: Pick<NodeView, 'acl'>,
  perms: number,
): boolean {
  return state.skipsAcl || permits(acl, perms, op.request.authInfo)
}

/** All that create and delete ask of a path before they look for the parent (D10, D28). */
export function hasParent(path: string): boolean {
  return path.includes('/') && !path.includes('\0')
}

/** The parent as it will be when one child is gone: its stored cversion stays (D29). */
export function removeChild(records: ChangeRecords, zxid: Zxid, parentPath: string): void {
  const parent = records.find(parentPath)
  if (parent === undefined) return
  const record = changeOf(parent, zxid, parentPath)
  record.childCount--
  records.add(record)
}

/**
 * D18, D57: against what is committed, so writes in flight together may go beyond it. Growth alone
 * is counted, but a change that shrinks what is beyond its limit all the same is refused as well,
 * as by ZooKeeper. Soft limits never refuse (D53).
 */
export function exceedsQuota(
  { quotas, quotaRefused }: Pick<PrepState, 'quotas' | 'quotaRefused'>,
  path: string,
  bytesDiff: number,
  countDiff: number,
): boolean {
  const quota = quotas?.of(path) ?? null
  if (quota === null) return false
  const { limits, stats } = quota
  const isBeyond = (diff: number, limit: string, count: string): boolean => {
    const max = quotaValue(limits, limit)
    return diff !== 0 && max > -1 && quotaValue(stats, count) + diff > max
  }
  const isRefused =
    isBeyond(countDiff, 'countHardLimit', 'count') || isBeyond(bytesDiff, 'byteHardLimit', 'bytes')
  if (isRefused) quotaRefused(path)
  return isRefused
}
