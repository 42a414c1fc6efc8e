/**
 * multi and multiRead: operations and results strung together by MultiHeader records (W47–W50).
 *
 * `done` is looked at before `type`: an error result and the end of the list share type −1 and
 * differ in `done` only (W73).
 */

import { ErrorCode } from './error-code.ts'
import { JuteError } from './jute-error.ts'
import { OpCode } from './op-code.ts'
import {
  readCreate2Response,
  readCreateRequest,
  readCreateTTLRequest,
  readGetChildrenResponse,
  readGetDataResponse,
  readPath,
  readPathVersion,
  readPathWatch,
  readSetDataRequest,
  readStatResponse,
  writeCreate2Response,
  writeCreateRequest,
  writeCreateTTLRequest,
  writeGetChildrenResponse,
  writeGetDataResponse,
  writePath,
  writePathVersion,
  writePathWatch,
  writeSetDataRequest,
  writeStatResponse,
  type CheckVersionRequest,
  type Create2Response,
  type CreateRequest,
  type CreateResponse,
  type CreateTTLRequest,
  type DeleteRequest,
  type GetChildrenRequest,
  type GetChildrenResponse,
  type GetDataRequest,
  type GetDataResponse,
  type SetDataRequest,
  type SetDataResponse,
} from './proto-records.ts'
import type { JuteReader } from './reader.ts'
import type { JuteRecord } from './record.ts'
import { readErrorResponse, writeErrorResponse } from './session-records.ts'
import type { JuteWriter } from './writer.ts'

export interface MultiHeader {
  readonly type: number
  readonly done: boolean
  readonly err: number
}

export const multiHeaderRecord: JuteRecord<MultiHeader> = {
  name: 'MultiHeader',
  write: writeMultiHeader,
  read: readMultiHeader,
}

export function writeMultiHeader(w: JuteWriter, v: MultiHeader): void {
  w.int(v.type)
  w.bool(v.done)
  w.int(v.err)
}

export function readMultiHeader(r: JuteReader): MultiHeader {
  const type = r.int()
  const done = r.bool()
  const err = r.int()
  return { type, done, err }
}

export type MultiCreateOp = {
  readonly type: typeof OpCode.create | typeof OpCode.create2 | typeof OpCode.createContainer
  readonly request: CreateRequest
}

/** What a multi may hold. */
export type MultiOp =
  | MultiCreateOp
  | { readonly type: typeof OpCode.createTTL; readonly request: CreateTTLRequest }
  | { readonly type: typeof OpCode.delete; readonly request: DeleteRequest }
  | { readonly type: typeof OpCode.setData; readonly request: SetDataRequest }
  | { readonly type: typeof OpCode.check; readonly request: CheckVersionRequest }

/** What a multiRead may hold. */
export type MultiReadOp =
  | { readonly type: typeof OpCode.getData; readonly request: GetDataRequest }
  | { readonly type: typeof OpCode.getChildren; readonly request: GetChildrenRequest }

/** createContainer and createTTL answer as create2 (W48). */
export type MultiResult =
  | ({ readonly type: typeof OpCode.create } & CreateResponse)
  | ({ readonly type: typeof OpCode.create2 } & Create2Response)
  | { readonly type: typeof OpCode.delete }
  | ({ readonly type: typeof OpCode.setData } & SetDataResponse)
  | { readonly type: typeof OpCode.check }
  | ({ readonly type: typeof OpCode.getData } & GetDataResponse)
  | ({ readonly type: typeof OpCode.getChildren } & GetChildrenResponse)
  | { readonly type: typeof OpCode.error; readonly err: number }

const END: MultiHeader = { type: -1, done: true, err: -1 }

export const multiRequestRecord: JuteRecord<readonly MultiOp[]> = {
  name: 'MultiOperationRecord',
  write: writeMultiRequest,
  read: readMultiRequest,
}

export function writeMultiRequest(w: JuteWriter, ops: readonly MultiOp[]): void {
  for (const op of ops) {
    writeMultiHeader(w, { type: op.type, done: false, err: -1 })
    writeOp(w, op)
  }
  writeMultiHeader(w, END)
}

export function readMultiRequest(r: JuteReader): MultiOp[] {
  return readItems(r, (header) => readOp(r, header.type))
}

export const multiReadRequestRecord: JuteRecord<readonly MultiReadOp[]> = {
  name: 'MultiOperationRecord (read)',
  write: writeMultiReadRequest,
  read: readMultiReadRequest,
}

export function writeMultiReadRequest(w: JuteWriter, ops: readonly MultiReadOp[]): void {
  for (const op of ops) {
    writeMultiHeader(w, { type: op.type, done: false, err: -1 })
    if (op.type === OpCode.getData) writePathWatch(w, op.request)
    else writePathWatch(w, op.request)
  }
  writeMultiHeader(w, END)
}

export function readMultiReadRequest(r: JuteReader): MultiReadOp[] {
  return readItems(r, (header) => readReadOp(r, header.type))
}

/** The answer to multi and to multiRead. */
export const multiResponseRecord: JuteRecord<readonly MultiResult[]> = {
  name: 'MultiResponse',
  write: writeMultiResponse,
  read: readMultiResponse,
}

export function writeMultiResponse(w: JuteWriter, results: readonly MultiResult[]): void {
  for (const result of results) writeResult(w, result)
  writeMultiHeader(w, END)
}

export function readMultiResponse(r: JuteReader): MultiResult[] {
  return readItems(r, (header) => readResult(r, header.type))
}

function readItems<T>(r: JuteReader, readItem: (header: MultiHeader) => T): T[] {
  const items: T[] = []
  for (;;) {
    const header = readMultiHeader(r)
    if (header.done) return items
    items.push(readItem(header))
  }
}

function writeOp(w: JuteWriter, op: MultiOp): void {
  switch (op.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
      return writeCreateRequest(w, op.request)
    case OpCode.createTTL:
      return writeCreateTTLRequest(w, op.request)
    case OpCode.delete:
      return writePathVersion(w, op.request)
    case OpCode.setData:
      return writeSetDataRequest(w, op.request)
    case OpCode.check:
      return writePathVersion(w, op.request)
  }
}

function readOp(r: JuteReader, type: number): MultiOp {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
      return { type, request: readCreateRequest(r) }
    case OpCode.createTTL:
      return { type, request: readCreateTTLRequest(r) }
    case OpCode.delete:
      return { type, request: readPathVersion(r) }
    case OpCode.setData:
      return { type, request: readSetDataRequest(r) }
    case OpCode.check:
      return { type, request: readPathVersion(r) }
    default:
      throw new JuteError(`operation ${type} in a multi`)
  }
}

function readReadOp(r: JuteReader, type: number): MultiReadOp {
  switch (type) {
    case OpCode.getData:
      return { type, request: readPathWatch(r) }
    case OpCode.getChildren:
      return { type, request: readPathWatch(r) }
    default:
      throw new JuteError(`operation ${type} in a multiRead`)
  }
}

function writeResult(w: JuteWriter, result: MultiResult): void {
  // The code of an error stands in the header and again in the body (W48).
  const err = result.type === OpCode.error ? result.err : ErrorCode.OK
  writeMultiHeader(w, { type: result.type, done: false, err })
  switch (result.type) {
    case OpCode.create:
      return writePath(w, result)
    case OpCode.create2:
      return writeCreate2Response(w, result)
    case OpCode.setData:
      return writeStatResponse(w, result)
    case OpCode.getData:
      return writeGetDataResponse(w, result)
    case OpCode.getChildren:
      return writeGetChildrenResponse(w, result)
    case OpCode.error:
      return writeErrorResponse(w, result)
    case OpCode.delete:
    case OpCode.check:
      return undefined
  }
}

function readResult(r: JuteReader, type: number): MultiResult {
  switch (type) {
    case OpCode.create:
      return { type, ...readPath(r) }
    case OpCode.create2:
      return { type, ...readCreate2Response(r) }
    case OpCode.setData:
      return { type, ...readStatResponse(r) }
    case OpCode.getData:
      return { type, ...readGetDataResponse(r) }
    case OpCode.getChildren:
      return { type, ...readGetChildrenResponse(r) }
    case OpCode.error:
      return { type, ...readErrorResponse(r) }
    case OpCode.delete:
    case OpCode.check:
      return { type }
    default:
      throw new JuteError(`result of operation ${type} in a multi`)
  }
}
