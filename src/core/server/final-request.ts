/**
 * The last stage: answers reads from the tree and writes from what applying their transaction came
 * to.
 *
 * An event is queued on its connection while the transaction is applied, the reply afterwards, so
 * no client sees a change before the event that tells of it (N19, N20).
 */
import { ErrorCode } from '../jute/error-code.ts'
import { replyHeaderRecord, watcherEventRecord } from '../jute/connect-records.ts'
import { statRecord } from '../jute/data-records.ts'
import { KeeperState, type EventType } from '../jute/event-type.ts'
import { JuteError } from '../jute/jute-error.ts'
import { multiResponseRecord, type MultiResult } from '../jute/multi.ts'
import { OpCode, SpecialXid } from '../jute/op-code.ts'
import { JUTE_MAX_WRITTEN, JuteWriter } from '../jute/writer.ts'
import type { TxnResult } from '../tree/txn-result.ts'
import { CLIENT_MESSAGE_BYTES, type Connection } from './connection.ts'
import { answerRead, type ReadContext } from './read-request.ts'
import { CLOSE_LOCAL_SESSION, isClientOperation, type Request } from './request.ts'

/**
 * Longest reply, bytes. Ours: a getChildren answer has no other bound (D42). Half of what a writer
 * may hold, since a reply is joined to others behind it.
 */
const REPLY_BYTES_MAX = JUTE_MAX_WRITTEN / 2

export class FinalStage {
  #w = replyWriter()

  /**
   * A read or an answered sync. A bad operation is answered in its turn, then the client goes
   * (W45).
   */
  answerRead(ctx: ReadContext, request: Request): void {
    const { connection } = request
    if (connection === null) return
    if (connection.isClosed) return ctx.witness?.count('stale_replies')
    if (request.refusal !== ErrorCode.OK) {
      this.#headerOnly(connection, request.cxid, ctx.tree.lastProcessed, request.refusal)
      return
    }
    if (request.type === CLOSE_LOCAL_SESSION) {
      this.#headerOnly(connection, request.cxid, ctx.tree.lastProcessed, ErrorCode.OK)
      connection.close('client_closed_session')
      return
    }
    if (!isClientOperation(request.type)) {
      // Its zxid is none: the request never got that far (compared with Apache ZooKeeper 3.8).
      this.#headerOnly(connection, request.cxid, -1n, ErrorCode.UNIMPLEMENTED)
      connection.close('unimplemented')
      return
    }
    this.#reply(connection, request.cxid, ctx, (w) => answerRead(ctx, connection, request, w))
  }

  /** A write of our client was committed, or failed and was committed as an error (D31). */
  answerWrite(ctx: ReadContext, request: Request, result: TxnResult): void {
    const { connection } = request
    if (connection === null) return
    if (connection.isClosed) return ctx.witness?.count('stale_replies')
    if (isMoved(result)) {
      // The session lives on another server now; an answer would tell its client of a failure
      // (S15).
      connection.close('session_moved')
      return
    }
    this.#reply(connection, request.cxid, ctx, (w) => writeResult(w, request.type, result))
    if (request.type === OpCode.closeSession) connection.close('client_closed_session')
  }

  /** The header alone, at once and out of order: auth packets (W17, A12). Its zxid is 0. */
  answerAuth(connection: Connection, xid: number, err: ErrorCode): void {
    this.#headerOnly(connection, xid, 0n, err)
  }

  /** We have no SASL: the answer is a null token (W42). */
  answerSasl(connection: Connection, xid: number): void {
    this.#w.reset()
    replyHeaderRecord.write(this.#w, { xid, zxid: 0n, err: ErrorCode.OK })
    this.#w.buffer(null)
    connection.send(this.#w)
  }

  #headerOnly(connection: Connection, xid: number, zxid: bigint, err: ErrorCode): void {
    this.#w.reset()
    replyHeaderRecord.write(this.#w, { xid, zxid, err })
    connection.send(this.#w)
  }

  /** ReplyHeader.zxid is what this server has processed, not the zxid of the operation (W14). */
  #reply(
    connection: Connection,
    xid: number,
    ctx: ReadContext,
    writeBody: (w: JuteWriter) => ErrorCode,
  ): void {
    const w = this.#w
    const zxid = ctx.tree.lastProcessed
    w.reset()
    replyHeaderRecord.write(w, { xid, zxid, err: ErrorCode.OK })
    const err = attempt(w, writeBody)
    if (err !== ErrorCode.OK) {
      w.reset()
      replyHeaderRecord.write(w, { xid, zxid, err })
    }
    connection.send(w)
    if (w.length > CLIENT_MESSAGE_BYTES) this.#w = replyWriter()
  }
}

function replyWriter(): JuteWriter {
  return new JuteWriter(1024, REPLY_BYTES_MAX)
}

/** A body that cannot be read is answered, and the connection stays (W51). */
function attempt(w: JuteWriter, writeBody: (w: JuteWriter) => ErrorCode): ErrorCode {
  try {
    return writeBody(w)
  } catch (error) {
    if (error instanceof JuteError) return ErrorCode.MARSHALLINGERROR
    throw error
  }
}

function writeResult(w: JuteWriter, type: number, result: TxnResult): ErrorCode {
  if (type === OpCode.multi && result.type === OpCode.multi) {
    // A failed multi still answers 0 here and tells in its results (W49).
    multiResponseRecord.write(w, (result.multi ?? []).map(multiResult))
    return ErrorCode.OK
  }
  if (result.err !== ErrorCode.OK) return result.err as ErrorCode
  switch (type) {
    case OpCode.create:
      w.ustring(result.path)
      break
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      w.ustring(result.path)
      writeStat(w, result)
      break
    case OpCode.setData:
    case OpCode.setACL:
      writeStat(w, result)
      break
    default:
      break
  }
  return ErrorCode.OK
}

function writeStat(w: JuteWriter, result: TxnResult): void {
  if (result.stat !== null) statRecord.write(w, result.stat)
}

/** W48: three kinds of create answer as create2. */
function multiResult(result: TxnResult): MultiResult {
  const { type, path, stat } = result
  if (result.err !== ErrorCode.OK || type === OpCode.error) {
    return { type: OpCode.error, err: result.err }
  }
  switch (type) {
    case OpCode.create:
      return { type, path: path ?? '' }
    case OpCode.delete:
    case OpCode.check:
      return { type }
    default:
      if (stat === null) return { type: OpCode.error, err: ErrorCode.RUNTIMEINCONSISTENCY }
      if (type === OpCode.setData) return { type, stat }
      return { type: OpCode.create2, path: path ?? '', stat }
  }
}

function isMoved(result: TxnResult): boolean {
  if (result.err === ErrorCode.SESSIONMOVED) return true
  return result.multi?.some(({ err }) => err === ErrorCode.SESSIONMOVED) ?? false
}

/** Notifications, encoded once for all connections that get the same one (W16). */
export class EventEncoder {
  readonly #w = new JuteWriter(256)
  #type: EventType | null = null
  #path = ''
  #zxid = 0n

  encode(type: EventType, path: string, zxid: bigint): JuteWriter {
    if (type === this.#type && path === this.#path && zxid === this.#zxid) return this.#w
    this.#w.reset()
    replyHeaderRecord.write(this.#w, { xid: SpecialXid.notification, zxid, err: ErrorCode.OK })
    watcherEventRecord.write(this.#w, { type, state: KeeperState.SyncConnected, path })
    this.#type = type
    this.#path = path
    this.#zxid = zxid
    return this.#w
  }
}
