/**
 * Reads and watch operations, answered from this server's own tree (D59–D63, N1–N5, N24–N29).
 *
 * Each function checks, writes the reply's body, and returns the code. A watch is registered only
 * by a read that succeeded, or by exists on a missing node (N2, N3).
 */
import { statRecord, writeAcl, type Id } from '../jute/data-records.ts'
import { ErrorCode } from '../jute/error-code.ts'
import { isAddWatchMode, isWatcherType } from '../jute/event-type.ts'
import {
  multiReadRequestRecord,
  multiResponseRecord,
  type MultiReadOp,
  type MultiResult,
} from '../jute/multi.ts'
import { OpCode } from '../jute/op-code.ts'
import {
  existsRequestRecord,
  getACLRequestRecord,
  getAllChildrenNumberRequestRecord,
  getChildrenRequestRecord,
  getDataRequestRecord,
  syncRequestRecord,
  syncResponseRecord,
} from '../jute/proto-records.ts'
import {
  addWatchRequestRecord,
  checkWatchesRequestRecord,
  getEphemeralsRequestRecord,
  setWatches2Record,
  setWatchesRecord,
  whoAmIResponseRecord,
} from '../jute/session-records.ts'
import { writeUstring, type JuteWriter } from '../jute/writer.ts'
import { SUPER_ID, userOf } from '../tree/acl.ts'
import type { DataTree } from '../tree/data-tree.ts'
import { rearmWatches, type RearmLists } from '../tree/rearm-watches.ts'
import * as read from '../tree/tree-reader.ts'
import type { WatchSink } from '../tree/watch-manager.ts'
import type { Connection } from './connection.ts'
import { body, type Request } from './request.ts'
import type { ServerWitness } from './witness.ts'

export interface ReadContext {
  readonly tree: DataTree
  readonly sink: WatchSink
  /** Nobody needs a permission (A9). */
  readonly skipsAcl: boolean
  readonly witness: ServerWitness | null
}

/** One read by one connection; `w` takes the body of the reply, which an error throws away. */
interface Reading {
  readonly tree: DataTree
  readonly sink: WatchSink
  readonly connection: Connection
  /** Whose permissions count. */
  readonly ids: readonly Id[]
  readonly request: Request
  readonly w: JuteWriter
  readonly witness: ServerWitness | null
}

/** What ZooKeeper adds for the Stat of what was read. */
const STAT_BYTES = 68

function noteRead({ witness }: Reading, path: string, bytes: number): void {
  witness?.concerning('read_per_namespace', path, path.length + bytes + STAT_BYTES)
}

function noteChildren(reading: Reading, path: string, names: readonly string[]): void {
  if (reading.witness === null) return
  noteRead(
    reading,
    path,
    names.reduce((sum, { length }) => sum + length, 0),
  )
}

export function answerRead(
  ctx: ReadContext,
  connection: Connection,
  request: Request,
  w: JuteWriter,
): ErrorCode {
  const handle = HANDLERS.get(request.type)
  if (handle === undefined) return ErrorCode.UNIMPLEMENTED
  const { authInfo } = connection
  const ids = ctx.skipsAcl ? [...authInfo, SUPER_ID] : authInfo
  const { tree, sink, witness } = ctx
  return handle({ tree, sink, connection, ids, request, w, witness })
}

const HANDLERS: ReadonlyMap<number, (r: Reading) => ErrorCode> = new Map([
  [OpCode.getData, handleGetData],
  [OpCode.exists, handleExists],
  [OpCode.getChildren, handleGetChildren],
  [OpCode.getChildren2, handleGetChildren2],
  [OpCode.getACL, handleGetAcl],
  [OpCode.getAllChildrenNumber, handleGetAllChildrenNumber],
  [OpCode.getEphemerals, handleGetEphemerals],
  [OpCode.multiRead, handleMultiRead],
  [OpCode.sync, handleSync],
  [OpCode.ping, () => ErrorCode.OK],
  [OpCode.whoAmI, handleWhoAmI],
  [OpCode.addWatch, handleAddWatch],
  [OpCode.checkWatches, handleCheckWatches],
  [OpCode.removeWatches, handleRemoveWatches],
  [OpCode.setWatches, handleSetWatches],
  [OpCode.setWatches2, handleSetWatches2],
])

function handleGetData(reading: Reading): ErrorCode {
  const { tree, connection, ids, request, w } = reading
  const { path, watch } = body(request, getDataRequestRecord)
  const answer = read.getData(tree, path, ids)
  if (read.isErrorCode(answer)) return answer
  w.buffer(answer.data)
  statRecord.write(w, answer.stat)
  noteRead(reading, path, answer.data?.length ?? 0)
  if (watch) tree.watches.addData(path, connection.id)
  return ErrorCode.OK
}

/** A missing node is watched all the same, an unreadable one is not (N2, N3). */
function handleExists(reading: Reading): ErrorCode {
  const { tree, connection, ids, request, w } = reading
  const { path, watch } = body(request, existsRequestRecord)
  const answer = read.exists(tree, path, ids)
  const isError = read.isErrorCode(answer)
  if (isError && answer !== ErrorCode.NONODE) return answer
  if (watch) tree.watches.addData(path, connection.id)
  if (isError) return answer
  noteRead(reading, path, 0)
  statRecord.write(w, answer)
  return ErrorCode.OK
}

function handleGetChildren(reading: Reading): ErrorCode {
  const { tree, connection, ids, request, w } = reading
  const { path, watch } = body(request, getChildrenRequestRecord)
  const answer = read.getChildren(tree, path, ids)
  if (read.isErrorCode(answer)) return answer
  w.vector(answer, writeUstring)
  noteChildren(reading, path, answer)
  if (watch) tree.watches.addChild(path, connection.id)
  return ErrorCode.OK
}

function handleGetChildren2(reading: Reading): ErrorCode {
  const { tree, connection, ids, request, w } = reading
  const { path, watch } = body(request, getChildrenRequestRecord)
  const answer = read.getChildren2(tree, path, ids)
  if (read.isErrorCode(answer)) return answer
  w.vector(answer.children, writeUstring)
  statRecord.write(w, answer.stat)
  noteChildren(reading, path, answer.children)
  if (watch) tree.watches.addChild(path, connection.id)
  return ErrorCode.OK
}

function handleGetAcl({ tree, ids, request, w }: Reading): ErrorCode {
  const { path } = body(request, getACLRequestRecord)
  const answer = read.getAcl(tree, path, ids)
  if (read.isErrorCode(answer)) return answer
  w.vector(answer.acl, writeAcl)
  statRecord.write(w, answer.stat)
  return ErrorCode.OK
}

function handleGetAllChildrenNumber({ tree, ids, request, w }: Reading): ErrorCode {
  const { path } = body(request, getAllChildrenNumberRequestRecord)
  const answer = read.getAllChildrenNumber(tree, path, ids)
  if (read.isErrorCode(answer)) return answer
  w.int(answer.totalNumber)
  return ErrorCode.OK
}

function handleGetEphemerals({ tree, connection, request, w }: Reading): ErrorCode {
  const { prefixPath } = body(request, getEphemeralsRequestRecord)
  w.vector(read.getEphemerals(tree, connection.session, prefixPath), writeUstring)
  return ErrorCode.OK
}

/** Every operation answers for itself (W50). */
function handleMultiRead(reading: Reading): ErrorCode {
  const ops = body(reading.request, multiReadRequestRecord)
  multiResponseRecord.write(
    reading.w,
    ops.map((op) => readOne(reading, op)),
  )
  return ErrorCode.OK
}

/** Watches are not set, whatever the request says (compared with Apache ZooKeeper 3.8). */
function readOne(reading: Reading, op: MultiReadOp): MultiResult {
  const { tree, ids } = reading
  const { path } = op.request
  if (op.type === OpCode.getData) {
    const answer = read.getData(tree, path, ids)
    if (read.isErrorCode(answer)) return { type: OpCode.error, err: answer }
    noteRead(reading, path, answer.data?.length ?? 0)
    return { type: op.type, ...answer }
  }
  const children = read.getChildren(tree, path, ids)
  if (read.isErrorCode(children)) return { type: OpCode.error, err: children }
  noteChildren(reading, path, children)
  return { type: op.type, children }
}

/** Its moment has come when this runs: commit order held it back (Q64). */
function handleSync({ request, w }: Reading): ErrorCode {
  syncResponseRecord.write(w, body(request, syncRequestRecord))
  return ErrorCode.OK
}

/** The ids of the connection, the user part of digests only (D63). */
function handleWhoAmI({ connection, w }: Reading): ErrorCode {
  const clientInfo = connection.authInfo.map((id) => ({ authScheme: id.scheme, user: userOf(id) }))
  whoAmIResponseRecord.write(w, { clientInfo })
  return ErrorCode.OK
}

/** Needs neither a node nor a permission (N4); answers an ErrorResponse of 0 (W43). */
function handleAddWatch({ tree, connection, request, w }: Reading): ErrorCode {
  const { path, mode } = body(request, addWatchRequestRecord)
  if (!isAddWatchMode(mode)) return ErrorCode.MARSHALLINGERROR
  tree.watches.add(path, connection.id, mode)
  w.int(ErrorCode.OK)
  return ErrorCode.OK
}

function handleCheckWatches({ tree, connection, request }: Reading): ErrorCode {
  const { path, type } = body(request, checkWatchesRequestRecord)
  if (!isWatcherType(type)) return ErrorCode.MARSHALLINGERROR
  const found = tree.watches.contains(path, connection.id, type)
  return found ? ErrorCode.OK : ErrorCode.NOWATCHER
}

function handleRemoveWatches({ tree, connection, request }: Reading): ErrorCode {
  const { path, type } = body(request, checkWatchesRequestRecord)
  if (!isWatcherType(type)) return ErrorCode.MARSHALLINGERROR
  const found = tree.watches.remove(path, connection.id, type)
  return found ? ErrorCode.OK : ErrorCode.NOWATCHER
}

function handleSetWatches(reading: Reading): ErrorCode {
  const lists = body(reading.request, setWatchesRecord)
  return rearm(reading, {
    relativeZxid: lists.relativeZxid,
    data: lists.dataWatches,
    exist: lists.existWatches,
    child: lists.childWatches,
    persistent: [],
    recursive: [],
  })
}

function handleSetWatches2(reading: Reading): ErrorCode {
  const lists = body(reading.request, setWatches2Record)
  return rearm(reading, {
    relativeZxid: lists.relativeZxid,
    data: lists.dataWatches,
    exist: lists.existWatches,
    child: lists.childWatches,
    persistent: lists.persistentWatches,
    recursive: lists.persistentRecursiveWatches,
  })
}

function rearm({ tree, connection, sink }: Reading, lists: RearmLists): ErrorCode {
  rearmWatches(tree, tree.watches, connection.id, lists, sink)
  return ErrorCode.OK
}
