/** The calls of the handle: how each is written and how its answer is read (W19–W43). */

import { EMPTY_BYTES } from '../core/base/bytes.ts'
import { CreateMode } from '../core/jute/create-mode.ts'
import type { Acl, ClientInfo, Stat } from '../core/jute/data-records.ts'
import { ErrorCode } from '../core/jute/error-code.ts'
import { AddWatchMode, type WatcherType } from '../core/jute/event-type.ts'
import {
  readMultiResponse,
  writeMultiReadRequest,
  writeMultiRequest,
  type MultiResult,
} from '../core/jute/multi.ts'
import { OpCode } from '../core/jute/op-code.ts'
import { OPEN_ACL_UNSAFE } from '../core/jute/perms.ts'
import * as proto from '../core/jute/proto-records.ts'
import type { JuteReader } from '../core/jute/reader.ts'
import { encodeWith } from '../core/jute/record.ts'
import * as records from '../core/jute/session-records.ts'
import type { Call } from './call.ts'
import type { Chroot } from './chroot.ts'
import { ZooKeeperError } from './errors.ts'
import {
  checkPath,
  toData,
  toMultiOp,
  toOpResults,
  type CreateOptions,
  type Op,
  type OpResult,
  type ZnodeData,
} from './transaction.ts'
import type { WatchKind } from './watch-tables.ts'
import type { Watcher } from './watched-event.ts'

export interface DataAndStat {
  readonly data: Uint8Array | null
  readonly stat: Stat
}

export interface ChildrenAndStat {
  readonly children: readonly string[]
  readonly stat: Stat
}

export interface AclAndStat {
  readonly acl: readonly Acl[]
  readonly stat: Stat
}

export interface PathAndStat {
  /** With the suffix of a sequential node. */
  readonly path: string
  readonly stat: Stat
}

/** One read of a multiRead. */
export type ReadOp = { readonly kind: 'getData' | 'getChildren'; readonly path: string }

/** Each read succeeds or fails by itself (W50). */
export type ReadResult =
  | ({ readonly kind: 'getData' } & DataAndStat)
  | { readonly kind: 'getChildren'; readonly children: readonly string[] }
  | { readonly kind: 'error'; readonly code: number }

export function createCall(
  chroot: Chroot,
  path: string,
  data: ZnodeData,
  options: CreateOptions,
): Call<string> {
  // Containers and nodes with TTL answer with a Stat as well, behind the path (W36, W38).
  const read = (r: JuteReader): string => chroot.toClient(r.string('path'))
  return { ...creation(chroot, path, data, options, OpCode.create), read }
}

export function create2Call(
  chroot: Chroot,
  path: string,
  data: ZnodeData,
  options: CreateOptions,
): Call<PathAndStat> {
  const read = (r: JuteReader): PathAndStat => {
    const created = proto.readCreate2Response(r)
    return { path: chroot.toClient(created.path), stat: created.stat }
  }
  return { ...creation(chroot, path, data, options, OpCode.create2), read }
}

export function deleteCall(chroot: Chroot, path: string, version: number): Call<void> {
  checkPath(path)
  const request = { path: chroot.toServer(path), version }
  return write(OpCode.delete, path, encodeWith(proto.writePathVersion, request), nothing)
}

export function existsCall(
  chroot: Chroot,
  path: string,
  watcher: Watcher | null,
): Call<Stat | null> {
  return {
    ...watchedRead(chroot, OpCode.exists, path, watcher, 'exists'),
    read: (r) => proto.readStatResponse(r).stat,
    onError: (err) => (err === ErrorCode.NONODE ? null : undefined),
  }
}

export function getDataCall(
  chroot: Chroot,
  path: string,
  watcher: Watcher | null,
): Call<DataAndStat> {
  return {
    ...watchedRead(chroot, OpCode.getData, path, watcher, 'data'),
    read: (r) => ownData(proto.readGetDataResponse(r)),
  }
}

export function setDataCall(
  chroot: Chroot,
  path: string,
  data: ZnodeData,
  version: number,
): Call<Stat> {
  checkPath(path)
  const request = { path: chroot.toServer(path), data: toData(data), version }
  const body = encodeWith(proto.writeSetDataRequest, request)
  return write(OpCode.setData, path, body, (r) => proto.readStatResponse(r).stat)
}

export function getChildrenCall(
  chroot: Chroot,
  path: string,
  watcher: Watcher | null,
): Call<readonly string[]> {
  return {
    ...watchedRead(chroot, OpCode.getChildren, path, watcher, 'child'),
    read: (r) => proto.readGetChildrenResponse(r).children,
  }
}

export function getChildren2Call(
  chroot: Chroot,
  path: string,
  watcher: Watcher | null,
): Call<ChildrenAndStat> {
  return {
    ...watchedRead(chroot, OpCode.getChildren2, path, watcher, 'child'),
    read: (r) => proto.readGetChildren2Response(r),
  }
}

export function getACLCall(chroot: Chroot, path: string): Call<AclAndStat> {
  checkPath(path)
  const body = encodeWith(proto.writePath, { path: chroot.toServer(path) })
  return read(OpCode.getACL, path, body, (r) => proto.readGetACLResponse(r))
}

export function setACLCall(
  chroot: Chroot,
  path: string,
  acl: readonly Acl[],
  version: number,
): Call<Stat> {
  checkPath(path)
  checkAcl(acl)
  const body = encodeWith(proto.writeSetACLRequest, { path: chroot.toServer(path), acl, version })
  return write(OpCode.setACL, path, body, (r) => proto.readStatResponse(r).stat)
}

export function syncCall(chroot: Chroot, path: string): Call<void> {
  checkPath(path)
  const body = encodeWith(proto.writePath, { path: chroot.toServer(path) })
  return read(OpCode.sync, path, body, nothing)
}

export function multiCall(chroot: Chroot, ops: readonly Op[]): Call<OpResult[]> {
  const body = encodeWith(
    writeMultiRequest,
    ops.map((op) => toMultiOp(op, chroot)),
  )
  return write(OpCode.multi, null, body, (r) => toOpResults(ops, readMultiResponse(r), chroot))
}

export function multiReadCall(chroot: Chroot, ops: readonly ReadOp[]): Call<ReadResult[]> {
  const requests = ops.map(({ kind, path }) => {
    checkPath(path)
    return { type: OpCode[kind], request: { path: chroot.toServer(path), watch: false } }
  })
  const body = encodeWith(writeMultiReadRequest, requests)
  return read(OpCode.multiRead, null, body, (r) => readMultiResponse(r).map(toReadResult))
}

export function addWatchCall(
  chroot: Chroot,
  path: string,
  mode: AddWatchMode,
  watcher: Watcher,
): Call<void> {
  checkPath(path)
  const serverPath = chroot.toServer(path)
  const kind: WatchKind = mode === AddWatchMode.PERSISTENT ? 'persistent' : 'recursive'
  const body = encodeWith(records.writeAddWatchRequest, { path: serverPath, mode })
  return {
    ...read(OpCode.addWatch, path, body, nothing),
    register: { kind, path: serverPath, watcher },
  }
}

export interface WatchRemovalOptions {
  readonly type: WatcherType
  /** null: all watchers of the path. */
  readonly watcher: Watcher | null
  readonly isLocal: boolean
  /** Only ask whether the server has it: other watchers still need its entry (N37). */
  readonly keepAtServer: boolean
}

/** The answer: was it the server that agreed? */
export function removeWatchesCall(
  chroot: Chroot,
  path: string,
  options: WatchRemovalOptions,
): Call<boolean> {
  const { type, watcher, isLocal } = options
  const serverPath = chroot.toServer(path)
  const opCode = options.keepAtServer ? OpCode.checkWatches : OpCode.removeWatches
  const body = encodeWith(records.writeWatches, { path: serverPath, type })
  return {
    ...read(opCode, path, body, () => true),
    unregister: { path: serverPath, type, watcher, isLocal },
    // Removed here whatever the server says (N38).
    onError: () => (isLocal ? false : undefined),
  }
}

export function whoAmICall(): Call<readonly ClientInfo[]> {
  return read(OpCode.whoAmI, null, EMPTY_BYTES, (r) => records.readWhoAmIResponse(r).clientInfo)
}

export function reconfigCall(request: records.ReconfigRequest): Call<DataAndStat> {
  const body = encodeWith(records.writeReconfigRequest, request)
  return write(OpCode.reconfig, null, body, (r) => ownData(proto.readGetDataResponse(r)))
}

export function getEphemeralsCall(chroot: Chroot, prefix: string): Call<readonly string[]> {
  checkPath(prefix)
  const body = encodeWith(records.writeGetEphemeralsRequest, {
    prefixPath: chroot.toServer(prefix),
  })
  return read(OpCode.getEphemerals, prefix, body, (r) =>
    records
      .readGetEphemeralsResponse(r)
      // The prefix is a plain string to the server: it also finds siblings of the chroot (D59).
      .ephemerals.filter((path) => chroot.contains(path))
      .map((path) => chroot.toClient(path)),
  )
}

export function getAllChildrenNumberCall(chroot: Chroot, path: string): Call<number> {
  checkPath(path)
  const request = { path: chroot.toServer(path) }
  const body = encodeWith(proto.writePath, request)
  return read(
    OpCode.getAllChildrenNumber,
    path,
    body,
    (r) => records.readGetAllChildrenNumberResponse(r).totalNumber,
  )
}

function creation(
  chroot: Chroot,
  path: string,
  data: ZnodeData,
  options: CreateOptions,
  plainType: typeof OpCode.create | typeof OpCode.create2,
): Omit<Call<never>, 'read'> {
  const { mode = CreateMode.PERSISTENT, acl = OPEN_ACL_UNSAFE, ttlMs = 0 } = options
  checkPath(path, mode.isSequential)
  checkAcl(acl)
  const request = { path: chroot.toServer(path), data: toData(data), acl, flags: mode.flag }
  if (mode.isTTL) {
    const body = encodeWith(proto.writeCreateTTLRequest, { ...request, ttl: BigInt(ttlMs) })
    return { type: OpCode.createTTL, path, body, isWrite: true }
  }
  const type = mode.isContainer ? OpCode.createContainer : plainType
  return { type, path, body: encodeWith(proto.writeCreateRequest, request), isWrite: true }
}

/** As the Java client does, without a path. */
function checkAcl(acl: readonly Acl[]): void {
  if (acl.length === 0) throw new ZooKeeperError(ErrorCode.INVALIDACL)
}

function watchedRead(
  chroot: Chroot,
  type: number,
  path: string,
  watcher: Watcher | null,
  kind: WatchKind,
): Omit<Call<never>, 'read' | 'onError'> {
  checkPath(path)
  const serverPath = chroot.toServer(path)
  const body = encodeWith(proto.writePathWatch, { path: serverPath, watch: watcher !== null })
  const register = watcher === null ? null : { kind, path: serverPath, watcher }
  return { type, path, body, isWrite: false, register }
}

function read<T>(
  type: number,
  path: string | null,
  body: Uint8Array,
  readAnswer: (r: JuteReader) => T,
): Call<T> {
  return { type, path, body, isWrite: false, read: readAnswer }
}

function write<T>(
  type: number,
  path: string | null,
  body: Uint8Array,
  readAnswer: (r: JuteReader) => T,
): Call<T> {
  return { type, path, body, isWrite: true, read: readAnswer }
}

function nothing(): void {}

/** The record holds a view of the whole message: the caller gets bytes of its own. */
function ownData(answer: proto.GetDataResponse): DataAndStat {
  return { data: answer.data?.slice() ?? null, stat: answer.stat }
}

function toReadResult(result: MultiResult): ReadResult {
  switch (result.type) {
    case OpCode.getData:
      return { kind: 'getData', ...ownData(result) }
    case OpCode.getChildren:
      return { kind: 'getChildren', children: result.children }
    case OpCode.error:
      return { kind: 'error', code: result.err }
    default:
      return { kind: 'error', code: ErrorCode.MARSHALLINGERROR }
  }
}
