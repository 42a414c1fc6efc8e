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
  checkVersionRequestRecord,
  create2ResponseRecord,
  createRequestRecord,
  createResponseRecord,
  createTTLRequestRecord,
  deleteRequestRecord,
  getChildrenRequestRecord,
  getChildrenResponseRecord,
  getDataRequestRecord,
  getDataResponseRecord,
  setDataRequestRecord,
  setDataResponseRecord,
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
import { errorResponseRecord } from './session-records.ts'
import type { JuteWriter } from './writer.ts'

export interface MultiHeader {
  readonly type: number
  readonly done: boolean
  readonly err: number
}

export const multiHeaderRecord: JuteRecord<MultiHeader> = {
  name: 'MultiHeader',
  write(w: JuteWriter, v: MultiHeader): void {
    w.int(v.type)
    w.bool(v.done)
    w.int(v.err)
  },
  read(r: JuteReader): MultiHeader {
    const type = r.int()
    const done = r.bool()
    const err = r.int()
    return { type, done, err }
  },
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
  write(w: JuteWriter, ops: readonly MultiOp[]): void {
    for (const op of ops) {
      multiHeaderRecord.write(w, { type: op.type, done: false, err: -1 })
      writeOp(w, op)
    }
    multiHeaderRecord.write(w, END)
  },
  read(r: JuteReader): MultiOp[] {
    return readItems(r, (header) => readOp(r, header.type))
  },
}

export const multiReadRequestRecord: JuteRecord<readonly MultiReadOp[]> = {
  name: 'MultiOperationRecord (read)',
  write(w: JuteWriter, ops: readonly MultiReadOp[]): void {
    for (const op of ops) {
      multiHeaderRecord.write(w, { type: op.type, done: false, err: -1 })
      if (op.type === OpCode.getData) getDataRequestRecord.write(w, op.request)
      else getChildrenRequestRecord.write(w, op.request)
    }
    multiHeaderRecord.write(w, END)
  },
  read(r: JuteReader): MultiReadOp[] {
    return readItems(r, (header) => readReadOp(r, header.type))
  },
}

/** The answer to multi and to multiRead. */
export const multiResponseRecord: JuteRecord<readonly MultiResult[]> = {
  name: 'MultiResponse',
  write(w: JuteWriter, results: readonly MultiResult[]): void {
    for (const result of results) writeResult(w, result)
    multiHeaderRecord.write(w, END)
  },
  read(r: JuteReader): MultiResult[] {
    return readItems(r, (header) => readResult(r, header.type))
  },
}

function readItems<T>(r: JuteReader, readItem: (header: MultiHeader) => T): T[] {
  const items: T[] = []
  for (;;) {
    const header = multiHeaderRecord.read(r)
    if (header.done) return items
    items.push(readItem(header))
  }
}

function writeOp(w: JuteWriter, op: MultiOp): void {
  switch (op.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
      return createRequestRecord.write(w, op.request)
    case OpCode.createTTL:
      return createTTLRequestRecord.write(w, op.request)
    case OpCode.delete:
      return deleteRequestRecord.write(w, op.request)
    case OpCode.setData:
      return setDataRequestRecord.write(w, op.request)
    case OpCode.check:
      return checkVersionRequestRecord.write(w, op.request)
  }
}

function readOp(r: JuteReader, type: number): MultiOp {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
      return { type, request: createRequestRecord.read(r) }
    case OpCode.createTTL:
      return { type, request: createTTLRequestRecord.read(r) }
    case OpCode.delete:
      return { type, request: deleteRequestRecord.read(r) }
    case OpCode.setData:
      return { type, request: setDataRequestRecord.read(r) }
    case OpCode.check:
      return { type, request: checkVersionRequestRecord.read(r) }
    default:
      throw new JuteError(`operation ${type} in a multi`)
  }
}

function readReadOp(r: JuteReader, type: number): MultiReadOp {
  switch (type) {
    case OpCode.getData:
      return { type, request: getDataRequestRecord.read(r) }
    case OpCode.getChildren:
      return { type, request: getChildrenRequestRecord.read(r) }
    default:
      throw new JuteError(`operation ${type} in a multiRead`)
  }
}

function writeResult(w: JuteWriter, result: MultiResult): void {
  // The code of an error stands in the header and again in the body (W48).
  const err = result.type === OpCode.error ? result.err : ErrorCode.OK
  multiHeaderRecord.write(w, { type: result.type, done: false, err })
  switch (result.type) {
    case OpCode.create:
      return createResponseRecord.write(w, result)
    case OpCode.create2:
      return create2ResponseRecord.write(w, result)
    case OpCode.setData:
      return setDataResponseRecord.write(w, result)
    case OpCode.getData:
      return getDataResponseRecord.write(w, result)
    case OpCode.getChildren:
      return getChildrenResponseRecord.write(w, result)
    case OpCode.error:
      return errorResponseRecord.write(w, result)
    case OpCode.delete:
    case OpCode.check:
      return undefined
  }
}

function readResult(r: JuteReader, type: number): MultiResult {
  switch (type) {
    case OpCode.create:
      return { type, ...createResponseRecord.read(r) }
    case OpCode.create2:
      return { type, ...create2ResponseRecord.read(r) }
    case OpCode.setData:
      return { type, ...setDataResponseRecord.read(r) }
    case OpCode.getData:
      return { type, ...getDataResponseRecord.read(r) }
    case OpCode.getChildren:
      return { type, ...getChildrenResponseRecord.read(r) }
    case OpCode.error:
      return { type, ...errorResponseRecord.read(r) }
    case OpCode.delete:
    case OpCode.check:
      return { type }
    default:
      throw new JuteError(`result of operation ${type} in a multi`)
  }
}
