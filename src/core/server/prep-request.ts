/**
 * The leader's first stage: turns a request into the transaction it will cause, or into an error
 * transaction, which is proposed just the same and takes a zxid (D31).
 *
 * Checks come in ZooKeeper's order, because a client sees which one failed first. All of them look
 * at the outstanding changes, never at the tree alone (D33). Nothing here changes the tree; the
 * change records and the session tracker are what this stage owns.
 */
import { assert } from '../base/assert.ts'
import type { Zxid } from '../base/zxid.ts'
import { znodePathProblem } from '../base/znode-path.ts'
import type { Acl } from '../jute/data-records.ts'
import { createModeFromFlag } from '../jute/create-mode.ts'
import { ErrorCode } from '../jute/error-code.ts'
import { multiRequestRecord, type MultiCreateOp, type MultiOp } from '../jute/multi.ts'
import { OpCode } from '../jute/op-code.ts'
import { Perms } from '../jute/perms.ts'
import { JUTE_MAX_BUFFER } from '../jute/framing.ts'
import { reconfigRequestRecord } from '../jute/session-records.ts'
import { JuteError } from '../jute/jute-error.ts'
import {
  checkVersionRequestRecord,
  createRequestRecord,
  createTTLRequestRecord,
  deleteRequestRecord,
  setACLRequestRecord,
  setDataRequestRecord,
  type PathVersionRequest,
  type SetACLRequest,
  type SetDataRequest,
} from '../jute/proto-records.ts'
import { encodeTxn, type SimpleTxn, type Txn } from '../jute/txn.ts'
import { createSessionTxnRecord, type TxnHeader } from '../jute/txn-records.ts'
import { isSpecialPath } from '../tree/data-tree.ts'
import { parentOf } from '../tree/path.ts'
import { matchesVersion, nextVersion } from '../tree/stat.ts'
import { changeOf } from './change-records.ts'
import { prepareCreate } from './prep-create.ts'
import {
  checkSession,
  exceedsQuota,
  hasParent,
  isAllowed,
  removeChild,
  storedAcl,
  type Operation,
  type Prepared,
  type PrepState,
} from './prep-state.ts'
import { body, type Request } from './request.ts'

/**
 * Above this many characters of paths a closeSession lists none. The list makes replay over a fuzzy
 * snapshot exact (P9); ours are exact anyway, and the tree removes what the session still owns.
 */
const LISTED_PATHS_LENGTH_MAX = JUTE_MAX_BUFFER / 3

export interface PreparedEntry {
  readonly txn: Txn
  /** Header and transaction, as they are logged and proposed. */
  readonly entry: Uint8Array
}

export function prepareRequest(
  state: PrepState,
  request: Request,
  zxid: Zxid,
  wallMs: number,
): PreparedEntry {
  const { records } = state
  records.begin()
  const result = prepareBody(state, request, zxid)
  let txn: Txn = typeof result === 'number' ? { kind: 'error', err: result } : result
  let entry = encodeEntry(state, request, txn, zxid, wallMs)
  if (entry === null) {
    records.rollback()
    txn = { kind: 'error', err: ErrorCode.MARSHALLINGERROR }
    entry = encodeEntry(state, request, txn, zxid, wallMs)
    assert(entry !== null, 'an error transaction is short')
  }
  records.end()
  return { txn, entry }
}

/** null when the transaction grew too long: ACLs are expanded, names get suffixes. */
function encodeEntry(
  { entryBytesMax }: PrepState,
  request: Request,
  txn: Txn,
  zxid: Zxid,
  wallMs: number,
): Uint8Array | null {
  const header: TxnHeader = {
    clientId: request.session,
    cxid: request.cxid,
    zxid,
    time: wallMs,
    type: txn.kind === 'error' ? OpCode.error : request.type,
  }
  try {
    const entry = encodeTxn(header, txn)
    return entry.length <= entryBytesMax ? entry : null
  } catch (error) {
    if (error instanceof JuteError) return null
    throw error
  }
}

function prepareBody(state: PrepState, request: Request, zxid: Zxid): Txn | ErrorCode {
  try {
    if (request.type === OpCode.multi) return prepareMulti(state, request, zxid)
    return prepareSingle(state, { request, type: request.type, zxid })
  } catch (error) {
    if (!(error instanceof JuteError)) throw error
    // The parts of a multi before the one that cannot be read left records.
    state.records.rollback()
    return ErrorCode.MARSHALLINGERROR
  }
}

function prepareSingle(state: PrepState, op: Operation): Prepared {
  const { request, type } = op
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
      return prepareCreate(state, op, { ...body(request, createRequestRecord), ttl: -1n })
    case OpCode.createTTL:
      return prepareCreate(state, op, body(request, createTTLRequestRecord))
    case OpCode.delete:
      return prepareDelete(state, op, body(request, deleteRequestRecord))
    case OpCode.setData:
      return prepareSetData(state, op, body(request, setDataRequestRecord))
    case OpCode.setACL:
      return prepareSetAcl(state, op, body(request, setACLRequestRecord))
    case OpCode.check:
      return prepareCheck(state, op, body(request, checkVersionRequestRecord))
    case OpCode.createSession:
      return prepareCreateSession(body(request, createSessionTxnRecord).timeOut)
    case OpCode.closeSession:
      return prepareCloseSession(state, op)
    case OpCode.reconfig:
      body(request, reconfigRequestRecord)
      return checkSession(state, request) || ErrorCode.RECONFIGDISABLED
    default:
      return ErrorCode.UNIMPLEMENTED
  }
}

/** Later operations see earlier ones; the first failure takes all of it back (D37, D38, W49). */
function prepareMulti(state: PrepState, request: Request, zxid: Zxid): Txn {
  const ops = body(request, multiRequestRecord)
  const txns: SimpleTxn[] = []
  for (const part of ops) {
    const result = preparePart(state, request, zxid, part)
    if (typeof result === 'number') {
      state.records.rollback()
      return { kind: 'multi', txns: failedMulti(ops.length, txns.length, result) }
    }
    txns.push(result)
  }
  return { kind: 'multi', txns }
}

function preparePart(state: PrepState, request: Request, zxid: Zxid, part: MultiOp): Prepared {
  const op: Operation = { request, type: part.type, zxid }
  switch (part.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      return preparePartCreate(state, op, part)
    case OpCode.delete:
      return prepareDelete(state, op, part.request)
    case OpCode.setData:
      return prepareSetData(state, op, part.request)
    case OpCode.check:
      return prepareCheck(state, op, part.request)
  }
}

type MultiCreation = MultiCreateOp | Extract<MultiOp, { readonly type: typeof OpCode.createTTL }>

/**
 * In a multi ZooKeeper reads every kind of create by its flags, so a create2 makes a plain node and
 * is answered as a create (compared with Apache ZooKeeper 3.8).
 */
function preparePartCreate(state: PrepState, op: Operation, part: MultiCreation): Prepared {
  const mode = createModeFromFlag(part.request.flags)
  if (mode?.isTTL === true) {
    // ZooKeeper reads on for a time that is not there, and answers the whole multi with an error.
    if (part.type !== OpCode.createTTL) throw new JuteError('a time to live without its time')
    return prepareCreate(state, op, part.request)
  }
  const type = mode?.isContainer === true ? OpCode.createContainer : OpCode.create
  return prepareCreate(state, { ...op, type }, { ...part.request, ttl: -1n })
}

/** 0 before the failing operation, its code there, RUNTIMEINCONSISTENCY behind (W49). */
function failedMulti(count: number, failedAt: number, err: ErrorCode): SimpleTxn[] {
  const txns: SimpleTxn[] = []
  for (let i = 0; i < count; i++) {
    const behind = i < failedAt ? ErrorCode.OK : ErrorCode.RUNTIMEINCONSISTENCY
    txns.push({ kind: 'error', err: i === failedAt ? err : behind })
  }
  return txns
}

/**
 * D28: the parent's permission is asked before the node itself, the version before the children.
 */
function prepareDelete(
  state: PrepState,
  op: Operation,
  { path, version }: PathVersionRequest,
): Prepared {
  const expired = checkSession(state, op.request)
  if (expired) return expired
  if (!hasParent(path) || isSpecialPath(path)) return ErrorCode.BADARGUMENTS
  const parentPath = parentOf(path)
  const parent = state.records.find(parentPath)
  if (parent === undefined) return ErrorCode.NONODE
  if (!isAllowed(state, op, parent, Perms.DELETE)) return ErrorCode.NOAUTH
  const node = state.records.find(path)
  if (node === undefined) return ErrorCode.NONODE
  if (!matchesVersion(version, node.version)) return ErrorCode.BADVERSION
  if (node.childCount > 0) return ErrorCode.NOTEMPTY
  removeChild(state.records, op.zxid, parentPath)
  state.records.addDeleted(op.zxid, path)
  return { kind: 'delete', path }
}

/** D24. */
function prepareSetData(state: PrepState, op: Operation, r: SetDataRequest): Prepared {
  const expired = checkSession(state, op.request)
  if (expired) return expired
  if (znodePathProblem(r.path) !== null) return ErrorCode.BADARGUMENTS
  const node = state.records.find(r.path)
  if (node === undefined) return ErrorCode.NONODE
  if (!isAllowed(state, op, node, Perms.WRITE)) return ErrorCode.NOAUTH
  const dataLength = r.data?.length ?? 0
  if (exceedsQuota(state, r.path, dataLength - node.dataLength, 0)) {
    return ErrorCode.QUOTAEXCEEDED
  }
  if (!matchesVersion(r.version, node.version)) return ErrorCode.BADVERSION
  const version = nextVersion(node.version)
  const record = changeOf(node, op.zxid, r.path)
  record.version = version
  record.dataLength = dataLength
  state.records.add(record)
  return { kind: 'setData', path: r.path, data: r.data, version }
}

/** D27. */
function prepareSetAcl(state: PrepState, op: Operation, r: SetACLRequest): Prepared {
  const expired = checkSession(state, op.request)
  if (expired) return expired
  if (znodePathProblem(r.path) !== null) return ErrorCode.BADARGUMENTS
  const acl: readonly Acl[] | null = storedAcl(r.acl, op.request.authInfo)
  if (acl === null) return ErrorCode.INVALIDACL
  const node = state.records.find(r.path)
  if (node === undefined) return ErrorCode.NONODE
  if (!isAllowed(state, op, node, Perms.ADMIN)) return ErrorCode.NOAUTH
  if (!matchesVersion(r.version, node.aversion)) return ErrorCode.BADVERSION
  const aversion = nextVersion(node.aversion)
  const record = changeOf(node, op.zxid, r.path)
  record.aversion = aversion
  record.acl = acl
  state.records.add(record)
  return { kind: 'setACL', path: r.path, acl, version: aversion }
}

/** D30: version −1 asks only whether the node exists. */
function prepareCheck(
  state: PrepState,
  op: Operation,
  { path, version }: PathVersionRequest,
): Prepared {
  const expired = checkSession(state, op.request)
  if (expired) return expired
  if (znodePathProblem(path) !== null) return ErrorCode.BADARGUMENTS
  const node = state.records.find(path)
  if (node === undefined) return ErrorCode.NONODE
  if (!isAllowed(state, op, node, Perms.READ)) return ErrorCode.NOAUTH
  if (!matchesVersion(version, node.version)) return ErrorCode.BADVERSION
  return { kind: 'check', path, version: nextVersion(node.version) }
}

function prepareCreateSession(timeOut: number): Prepared {
  return { kind: 'createSession', timeOut }
}

/**
 * D45. Not owner-checked: expiry sends it without owning the session, and it is the session's last
 * request anyway (S16). The session counts as closing from here on.
 */
function prepareCloseSession(state: PrepState, op: Operation): Prepared {
  const { session } = op.request
  const paths = state.records.ephemeralsOf(session, state.ephemeralsOf(session))
  const length = paths.reduce((sum, path) => sum + path.length, 0)
  for (const path of paths) {
    removeChild(state.records, op.zxid, parentOf(path))
    state.records.addDeleted(op.zxid, path)
  }
  state.sessions.setClosing(session)
  return { kind: 'closeSession', paths: length > LISTED_PATHS_LENGTH_MAX ? [] : paths }
}
