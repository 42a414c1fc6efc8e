/** Session set-up and the headers of everything after it (W11–W16). */

import { JuteError } from './jute-error.ts'
import type { JuteReader } from './reader.ts'
import type { JuteRecord } from './record.ts'
import type { JuteWriter } from './writer.ts'

export interface ConnectRequest {
  readonly protocolVersion: number
  readonly lastZxidSeen: bigint
  /** Wanted session time-out in ms. */
  readonly timeOut: number
  /** 0 asks for a new session. */
  readonly sessionId: bigint
  readonly passwd: Uint8Array | null
  /** undefined: the client is older than 3.4 and does not send the field. */
  readonly readOnly: boolean | undefined
}

export interface ConnectResponse {
  readonly protocolVersion: number
  /** Negotiated time-out in ms; ≤ 0 tells the client that its session is expired (W55). */
  readonly timeOut: number
  readonly sessionId: bigint
  readonly passwd: Uint8Array | null
  /** Sent only to clients that sent it (W12); undefined otherwise. */
  readonly readOnly: boolean | undefined
}

export interface RequestHeader {
  readonly xid: number
  /** An OpCode, but any int can come in (W45). */
  readonly type: number
}

export interface ReplyHeader {
  readonly xid: number
  /**
   * The server's last processed zxid when it answered (W14), of the event in a notification
   * (W16).
   */
  readonly zxid: bigint
  /** An ErrorCode; when it is not 0 no body follows. */
  readonly err: number
}

export interface WatcherEvent {
  readonly type: number
  readonly state: number
  readonly path: string
}

export const connectRequestRecord: JuteRecord<ConnectRequest> = {
  name: 'ConnectRequest',
  write: writeConnectRequest,
  read: readConnectRequest,
}

export function writeConnectRequest(w: JuteWriter, v: ConnectRequest): void {
  w.int(v.protocolVersion)
  w.long(v.lastZxidSeen)
  w.int(v.timeOut)
  w.long(v.sessionId)
  w.buffer(v.passwd)
  if (v.readOnly !== undefined) w.bool(v.readOnly)
}

export function readConnectRequest(r: JuteReader): ConnectRequest {
  const protocolVersion = r.int()
  const lastZxidSeen = r.long()
  const timeOut = r.int()
  const sessionId = r.long()
  const passwd = r.buffer()
  return { protocolVersion, lastZxidSeen, timeOut, sessionId, passwd, readOnly: readOnlyFlag(r) }
}

export const connectResponseRecord: JuteRecord<ConnectResponse> = {
  name: 'ConnectResponse',
  write: writeConnectResponse,
  read: readConnectResponse,
}

export function writeConnectResponse(w: JuteWriter, v: ConnectResponse): void {
  w.int(v.protocolVersion)
  w.int(v.timeOut)
  w.long(v.sessionId)
  w.buffer(v.passwd)
  if (v.readOnly !== undefined) w.bool(v.readOnly)
}

export function readConnectResponse(r: JuteReader): ConnectResponse {
  const protocolVersion = r.int()
  const timeOut = r.int()
  const sessionId = r.long()
  const passwd = r.buffer()
  return { protocolVersion, timeOut, sessionId, passwd, readOnly: readOnlyFlag(r) }
}

export const requestHeaderRecord: JuteRecord<RequestHeader> = {
  name: 'RequestHeader',
  write: writeRequestHeader,
  read: readRequestHeader,
}

export function writeRequestHeader(w: JuteWriter, v: RequestHeader): void {
  w.int(v.xid)
  w.int(v.type)
}

export function readRequestHeader(r: JuteReader): RequestHeader {
  const xid = r.int()
  const type = r.int()
  return { xid, type }
}

export const replyHeaderRecord: JuteRecord<ReplyHeader> = {
  name: 'ReplyHeader',
  write: writeReplyHeader,
  read: readReplyHeader,
}

export function writeReplyHeader(w: JuteWriter, v: ReplyHeader): void {
  w.int(v.xid)
  w.long(v.zxid)
  w.int(v.err)
}

export function readReplyHeader(r: JuteReader): ReplyHeader {
  const xid = r.int()
  const zxid = r.long()
  const err = r.int()
  return { xid, zxid, err }
}

/** A session event has no path; Java sends the empty string for it. */
export const watcherEventRecord: JuteRecord<WatcherEvent> = {
  name: 'WatcherEvent',
  write: writeWatcherEvent,
  read: readWatcherEvent,
}

export function writeWatcherEvent(w: JuteWriter, v: WatcherEvent): void {
  w.int(v.type)
  w.int(v.state)
  w.ustring(v.path)
}

export function readWatcherEvent(r: JuteReader): WatcherEvent {
  const type = r.int()
  const state = r.int()
  const path = r.ustring() ?? ''
  return { type, state, path }
}

/** Told by the end of the frame (W11). */
function readOnlyFlag(r: JuteReader): boolean | undefined {
  if (r.atEnd) return undefined
  const flag = r.byte()
  if (flag > 1) throw new JuteError(`readOnly is ${flag}`)
  return flag === 1
}
