/** The bytes of a step's request, below the root that belongs to its run. */
import { concat } from '../../src/core/base/bytes.ts'
import { encodeUtf8 } from '../../src/core/base/utf8.ts'
import {
  multiReadRequestRecord,
  multiRequestRecord,
  type MultiOp,
  type MultiReadOp,
} from '../../src/core/jute/multi.ts'
import { OpCode } from '../../src/core/jute/op-code.ts'
import * as proto from '../../src/core/jute/proto-records.ts'
import { encode } from '../../src/core/jute/record.ts'
import * as session from '../../src/core/jute/session-records.ts'
import type { Change, MultiPart, Request } from './step.ts'

export interface RequestBytes {
  readonly type: number
  readonly body: Uint8Array
}

const NO_BODY = new Uint8Array(0)

/** What stands for the place of this run's quotas. */
export const QUOTA_MARK = '@quota'

/** Absolute paths go below the root; odd ones stay as odd as they are. */
export function below(root: string, path: string): string {
  if (path.startsWith(QUOTA_MARK)) return `/zookeeper/quota${root}${path.slice(QUOTA_MARK.length)}`
  return path === '/' ? root : path.startsWith('/') ? root + path : path
}

export function requestBytes(request: Request, root: string): RequestBytes {
  const at = (path: string): string => below(root, path)
  switch (request.op) {
    case 'multi': {
      const parts = request.parts.map((part) => multiOp(part, at))
      return { type: OpCode.multi, body: encode(multiRequestRecord, parts) }
    }
    case 'multiRead': {
      const parts = request.parts.map(({ op, path, watch }): MultiReadOp => ({
        type: OpCode[op],
        request: { path: at(path), watch },
      }))
      return { type: OpCode.multiRead, body: encode(multiReadRequestRecord, parts) }
    }
    case 'auth': {
      const { scheme, id } = request
      const body = encode(session.authPacketRecord, { type: 0, scheme, auth: encodeUtf8(id) })
      return { type: OpCode.auth, body }
    }
    case 'whoAmI':
    case 'ping':
    case 'closeSession':
      return { type: OpCode[request.op], body: NO_BODY }
    case 'reconfig': {
      const { joining, leaving, members, version } = request
      const asked = {
        joiningServers: joining,
        leavingServers: leaving,
        newMembers: members,
        curConfigId: BigInt(version),
      }
      return { type: OpCode.reconfig, body: encode(session.reconfigRequestRecord, asked) }
    }
    case 'broken': {
      const { type, body } = requestBytes(request.of, root)
      return { type, body: request.changes.reduce(changed, body) }
    }
    case 'raw':
      return { type: request.type, body: new Uint8Array(request.bytes) }
    case 'reconnect':
    case 'expire':
      throw new Error(`${request.op} is no request`)
    default:
      return pathBytes(request, at)
  }
}

type PathRequest = Exclude<
  Request,
  {
    op:
      | ('multi' | 'multiRead' | 'auth' | 'whoAmI' | 'ping' | 'closeSession' | 'raw')
      | ('reconfig' | 'broken' | 'reconnect' | 'expire')
  }
>

/** Requests about one path. */
function pathBytes(request: PathRequest, at: (path: string) => string): RequestBytes {
  const path = at(request.path)
  switch (request.op) {
    case 'exists':
    case 'getData':
    case 'getChildren':
    case 'getChildren2':
      return {
        type: OpCode[request.op],
        body: encode(proto.existsRequestRecord, { path, watch: request.watch }),
      }
    case 'getACL':
    case 'sync':
    case 'getAllChildrenNumber':
      return { type: OpCode[request.op], body: encode(proto.getACLRequestRecord, { path }) }
    case 'getEphemerals':
      return {
        type: OpCode.getEphemerals,
        body: encode(session.getEphemeralsRequestRecord, { prefixPath: path }),
      }
    case 'setACL': {
      const { acl, version } = request
      return {
        type: OpCode.setACL,
        body: encode(proto.setACLRequestRecord, { path, acl, version }),
      }
    }
    case 'addWatch': {
      const { mode } = request
      return { type: OpCode.addWatch, body: encode(session.addWatchRequestRecord, { path, mode }) }
    }
    case 'checkWatches':
    case 'removeWatches': {
      const { type } = request
      const body = encode(session.checkWatchesRequestRecord, { path, type })
      return { type: OpCode[request.op], body }
    }
    default:
      return partBytes(request, at)
  }
}

function partBytes(part: MultiPart, at: (path: string) => string): RequestBytes {
  const op = multiOp(part, at)
  switch (op.type) {
    case OpCode.delete:
      return { type: op.type, body: encode(proto.deleteRequestRecord, op.request) }
    case OpCode.check:
      return { type: op.type, body: encode(proto.checkVersionRequestRecord, op.request) }
    case OpCode.setData:
      return { type: op.type, body: encode(proto.setDataRequestRecord, op.request) }
    case OpCode.createTTL:
      return { type: op.type, body: encode(proto.createTTLRequestRecord, op.request) }
    default:
      return { type: op.type, body: encode(proto.createRequestRecord, op.request) }
  }
}

function multiOp(part: MultiPart, at: (path: string) => string): MultiOp {
  const path = at(part.path)
  switch (part.op) {
    case 'delete':
    case 'check':
      return { type: OpCode[part.op], request: { path, version: part.version } }
    case 'setData': {
      const { version } = part
      return { type: OpCode.setData, request: { path, data: bytesOf(part.data), version } }
    }
    default: {
      const { acl, flags } = part
      const request = { path, data: bytesOf(part.data), acl, flags }
      if (part.op !== 'createTTL') return { type: OpCode[part.op], request }
      return { type: OpCode.createTTL, request: { ...request, ttl: BigInt(part.ttl) } }
    }
  }
}

function bytesOf(text: string | null): Uint8Array | null {
  return text === null ? null : encodeUtf8(text)
}

function changed(body: Uint8Array, change: Change): Uint8Array {
  if (change.kind === 'more') return concat([body, new Uint8Array(change.bytes)])
  const at = body.length === 0 ? 0 : change.at % body.length
  if (change.kind === 'cut') return body.slice(0, at)
  const bytes = body.slice()
  if (change.kind === 'bit') bytes[at] = (bytes[at] ?? 0) ^ (1 << change.bit)
  else if (bytes.length >= 4) {
    new DataView(bytes.buffer).setInt32(Math.min(at, bytes.length - 4), change.value)
  }
  return bytes
}
