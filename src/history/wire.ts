/** Requests and replies on the wire, as calls and outcomes: any client's, ours or not. */
import type { ReplyHeader, RequestHeader } from '../core/jute/connect-records.ts'
import { multiRequestRecord, multiResponseRecord } from '../core/jute/multi.ts'
import { OpCode, opName } from '../core/jute/op-code.ts'
import {
  create2ResponseRecord,
  createRequestRecord,
  createResponseRecord,
  deleteRequestRecord,
  existsRequestRecord,
  existsResponseRecord,
  getChildren2ResponseRecord,
  getChildrenResponseRecord,
  getDataResponseRecord,
  setACLRequestRecord,
  setDataRequestRecord,
  setDataResponseRecord,
  syncRequestRecord,
} from '../core/jute/proto-records.ts'
import type { JuteReader } from '../core/jute/reader.ts'
import { addWatchRequestRecord, removeWatchesRequestRecord } from '../core/jute/session-records.ts'
import type { Call, Outcome } from './operation.ts'

/** What stands behind the header of a request. */
export function readCall({ type }: RequestHeader, r: JuteReader): Call {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL: {
      // A time to live behind it is of no interest here.
      const { path, data, flags } = createRequestRecord.read(r)
      return { kind: 'create', path, data: data ?? NO_DATA, flags }
    }
    case OpCode.setData: {
      const { path, data, version } = setDataRequestRecord.read(r)
      return { kind: 'set', path, data: data ?? NO_DATA, version }
    }
    case OpCode.delete:
      return { kind: 'delete', ...deleteRequestRecord.read(r) }
    case OpCode.getData:
      return { kind: 'get', ...existsRequestRecord.read(r) }
    case OpCode.exists:
      return { kind: 'exists', ...existsRequestRecord.read(r) }
    case OpCode.getChildren:
    case OpCode.getChildren2:
      return { kind: 'children', ...existsRequestRecord.read(r) }
    case OpCode.sync:
      return { kind: 'sync', path: syncRequestRecord.read(r).path }
    case OpCode.multi:
      return { kind: 'multi', ops: multiRequestRecord.read(r) }
    case OpCode.closeSession:
      return { kind: 'close' }
    default:
      return readOther(type, r)
  }
}

function readOther(type: number, r: JuteReader): Call {
  const name = opName(type)
  if (type === OpCode.setACL) {
    const { path } = setACLRequestRecord.read(r)
    return { kind: 'other', name, isWrite: true, path }
  }
  if (type === OpCode.addWatch) {
    const { path } = addWatchRequestRecord.read(r)
    return { kind: 'other', name, isWrite: false, path, watches: 'stay' }
  }
  if (type === OpCode.removeWatches) {
    const { path } = removeWatchesRequestRecord.read(r)
    return { kind: 'other', name, isWrite: false, path, watches: 'go' }
  }
  return { kind: 'other', name, isWrite: type === OpCode.reconfig }
}

/** The body that stands behind a reply header, to a request of that type. */
export function readOutcome(
  type: number,
  header: ReplyHeader,
  r: JuteReader,
  atMs: number,
  server: number,
): Outcome {
  const base = { atMs, zxid: header.zxid, err: header.err, server }
  if (header.err !== 0) return base
  switch (type) {
    case OpCode.create:
      return { ...base, ...createResponseRecord.read(r) }
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      return { ...base, ...create2ResponseRecord.read(r) }
    case OpCode.setData:
      return { ...base, ...setDataResponseRecord.read(r) }
    case OpCode.getData:
      return { ...base, ...getDataResponseRecord.read(r) }
    case OpCode.exists:
      return { ...base, ...existsResponseRecord.read(r) }
    case OpCode.getChildren:
      return { ...base, ...getChildrenResponseRecord.read(r) }
    case OpCode.getChildren2:
      return { ...base, ...getChildren2ResponseRecord.read(r) }
    case OpCode.multi:
      return { ...base, results: multiResponseRecord.read(r) }
    default:
      return base
  }
}

const NO_DATA = new Uint8Array(0)
