/** Calls as request frames, and reply bodies as outcomes: ZooKeeper's bytes, nothing in between. */
import { replyHeaderRecord, requestHeaderRecord } from '../../src/core/jute/connect-records.ts'
import type { ReplyHeader } from '../../src/core/jute/connect-records.ts'
import { frame } from '../../src/core/jute/framing.ts'
import { multiRequestRecord, multiResponseRecord } from '../../src/core/jute/multi.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import { OPEN_ACL_UNSAFE } from '../../src/core/jute/perms.ts'
import {
  create2ResponseRecord,
  createRequestRecord,
  deleteRequestRecord,
  existsRequestRecord,
  existsResponseRecord,
  getChildren2RequestRecord,
  getChildren2ResponseRecord,
  getDataRequestRecord,
  getDataResponseRecord,
  setDataRequestRecord,
  setDataResponseRecord,
  syncRequestRecord,
} from '../../src/core/jute/proto-records.ts'
import type { JuteReader } from '../../src/core/jute/reader.ts'
import { JuteWriter } from '../../src/core/jute/writer.ts'
import type { Call, Outcome } from './operation.ts'

export function encodeCall(xid: number, call: Call): Uint8Array {
  const w = new JuteWriter()
  requestHeaderRecord.write(w, { xid, type: typeOf(call) })
  switch (call.kind) {
    case 'create': {
      const { path, data, flags } = call
      createRequestRecord.write(w, { path, data, acl: OPEN_ACL_UNSAFE, flags })
      break
    }
    case 'set':
      setDataRequestRecord.write(w, call)
      break
    case 'delete':
      deleteRequestRecord.write(w, call)
      break
    case 'get':
      getDataRequestRecord.write(w, call)
      break
    case 'exists':
      existsRequestRecord.write(w, call)
      break
    case 'children':
      getChildren2RequestRecord.write(w, call)
      break
    case 'sync':
      syncRequestRecord.write(w, call)
      break
    case 'multi':
      multiRequestRecord.write(w, call.ops)
      break
    case 'close':
      break
  }
  return frame(w.finish())
}

function typeOf(call: Call): number {
  switch (call.kind) {
    case 'create':
      return OpCode.create2
    case 'set':
      return OpCode.setData
    case 'delete':
      return OpCode.delete
    case 'get':
      return OpCode.getData
    case 'exists':
      return OpCode.exists
    case 'children':
      return OpCode.getChildren2
    case 'sync':
      return OpCode.sync
    case 'multi':
      return OpCode.multi
    case 'close':
      return OpCode.closeSession
  }
}

/** The body that stands behind a reply header. */
export function readOutcome(
  call: Call,
  header: ReplyHeader,
  r: JuteReader,
  atMs: number,
  server: number,
): Outcome {
  const base = { atMs, zxid: header.zxid, err: header.err, server }
  if (header.err !== 0) return base
  switch (call.kind) {
    case 'create':
      return { ...base, ...create2ResponseRecord.read(r) }
    case 'set':
      return { ...base, ...setDataResponseRecord.read(r) }
    case 'get':
      return { ...base, ...getDataResponseRecord.read(r) }
    case 'exists':
      return { ...base, ...existsResponseRecord.read(r) }
    case 'children':
      return { ...base, ...getChildren2ResponseRecord.read(r) }
    case 'multi':
      return { ...base, results: multiResponseRecord.read(r) }
    case 'delete':
    case 'sync':
    case 'close':
      return base
  }
}

export function readHeader(r: JuteReader): ReplyHeader {
  return replyHeaderRecord.read(r)
}
