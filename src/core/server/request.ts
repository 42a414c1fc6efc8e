/** One request on its way through the stages: from a client of this member or from a learner. */
import type { ServerId, SessionId, Zxid } from '../base/zxid.ts'
import type { Id } from '../jute/data-records.ts'
import { ErrorCode } from '../jute/error-code.ts'
import { OpCode } from '../jute/op-code.ts'
import { decode, type JuteRecord } from '../jute/record.ts'
import type { Connection } from './connection.ts'

/** In place of a closeSession that no leader hears of (S22). Ours, on no wire. */
export const CLOSE_LOCAL_SESSION = -1_000

export interface Request {
  readonly session: SessionId
  /** xid of the client; 0 for the server's own requests. */
  readonly cxid: number
  /** An OpCode, unchecked. */
  readonly type: number
  /**
   * The body behind the request header, still encoded: a forwarded request keeps its bytes (Q60).
   */
  readonly body: Uint8Array
  /** Who the client is, for ACL checks at the leader (A15). */
  readonly authInfo: readonly Id[]
  /** The server whose client sent it: the owner that must hold the session (S15). */
  readonly owner: ServerId
  /** The client to answer; null when it came from a learner or from this server itself. */
  readonly connection: Connection | null
  /** Not OK: nothing is done, and this is answered in its turn. */
  readonly refusal: ErrorCode
  /** Leader: the zxid given at preparation, by which its commit is recognised. */
  zxid: Zxid | null
  /** A sync that was answered already because a later write of its session committed. */
  done: boolean
}

export function createRequest(
  fields: Pick<Request, 'session' | 'cxid' | 'type' | 'body' | 'authInfo' | 'owner' | 'connection'>,
  refusal: ErrorCode = ErrorCode.OK,
): Request {
  return {
    session: fields.session,
    cxid: fields.cxid,
    type: refusal === ErrorCode.OK ? fields.type : OpCode.error,
    body: fields.body,
    authInfo: fields.authInfo,
    owner: fields.owner,
    connection: fields.connection,
    refusal,
    zxid: null,
    done: false,
  }
}

/** Changes state, so it goes to the leader and comes back as a transaction (Q60). */
export function isWrite(type: number): boolean {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
    case OpCode.delete:
    case OpCode.setData:
    case OpCode.setACL:
    case OpCode.reconfig:
    case OpCode.multi:
    case OpCode.createSession:
    case OpCode.closeSession:
      return true
    default:
      return false
  }
}

/** Waits for an answer of the leader in its session's order: every write, and sync (Q61). */
export function waitsForLeader(type: number): boolean {
  return type === OpCode.sync || isWrite(type)
}

/**
 * What a client may ask for at the top level. `check` exists inside a multi only (W45); the
 * server's own createSession and deleteContainer would pass ZooKeeper's test but no client needs
 * them (W46).
 */
export function isClientOperation(type: number): boolean {
  switch (type) {
    case OpCode.exists:
    case OpCode.getData:
    case OpCode.getACL:
    case OpCode.getChildren:
    case OpCode.getChildren2:
    case OpCode.getAllChildrenNumber:
    case OpCode.getEphemerals:
    case OpCode.multiRead:
    case OpCode.checkWatches:
    case OpCode.removeWatches:
    case OpCode.addWatch:
    case OpCode.setWatches:
    case OpCode.setWatches2:
    case OpCode.whoAmI:
    case OpCode.ping:
      return true
    case OpCode.createSession:
      return false
    default:
      return waitsForLeader(type)
  }
}

/** Throws JuteError. Bytes behind the record are ignored, as ZooKeeper's readers do. */
export function body<T>(request: Request, record: JuteRecord<T>): T {
  return decode(record, request.body, ALLOW_TRAILING)
}

const ALLOW_TRAILING = { allowTrailing: true } as const
