/** Calls as request frames: ZooKeeper's bytes, nothing in between. */
import { replyHeaderRecord, requestHeaderRecord } from '../../src/core/jute/connect-records.ts'
import type { ReplyHeader } from '../../src/core/jute/connect-records.ts'
import { frame } from '../../src/core/jute/framing.ts'
import { multiRequestRecord } from '../../src/core/jute/multi.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import { OPEN_ACL_UNSAFE } from '../../src/core/jute/perms.ts'
import {
  createRequestRecord,
  deleteRequestRecord,
  existsRequestRecord,
  getChildren2RequestRecord,
  getDataRequestRecord,
  setDataRequestRecord,
  syncRequestRecord,
} from '../../src/core/jute/proto-records.ts'
import type { JuteReader } from '../../src/core/jute/reader.ts'
import { JuteWriter } from '../../src/core/jute/writer.ts'
import type { Call } from '../../src/history/operation.ts'

/** What simulated clients ask for. */
export type SimCall = Exclude<Call, { kind: 'other' }>

export function encodeCall(xid: number, call: SimCall): Uint8Array {
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

export function typeOf(call: SimCall): number {
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

export function readHeader(r: JuteReader): ReplyHeader {
  return replyHeaderRecord.read(r)
}
