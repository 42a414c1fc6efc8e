/**
 * A client that speaks ZooKeeper's frames to a server under test and keeps what it hears, in order.
 */
import { toZxid } from '../../../src/core/base/zxid.ts'
import {
  connectRequestRecord,
  connectResponseRecord,
  replyHeaderRecord,
  watcherEventRecord,
  type ConnectRequest,
  type ConnectResponse,
  type WatcherEvent,
} from '../../../src/core/jute/connect-records.ts'
import { joinFrames, splitFrames } from '../../../src/core/jute/framing.ts'
import type { Acl, Stat } from '../../../src/core/jute/data-records.ts'
import {
  multiRequestRecord,
  multiResponseRecord,
  type MultiOp,
  type MultiResult,
} from '../../../src/core/jute/multi.ts'
import { OpCode, SpecialXid } from '../../../src/core/jute/op-code.ts'
import { OPEN_ACL_UNSAFE } from '../../../src/core/jute/perms.ts'
import * as proto from '../../../src/core/jute/proto-records.ts'
import { JuteReader } from '../../../src/core/jute/reader.ts'
import { decode, encode, type JuteRecord } from '../../../src/core/jute/record.ts'
import { authPacketRecord } from '../../../src/core/jute/session-records.ts'
import { JuteWriter } from '../../../src/core/jute/writer.ts'

/** Hands bytes to the server as connection `id` and runs it until nothing is left to do. */
export interface ClientWire {
  open(id: number, address: string): void
  data(id: number, bytes: Uint8Array): void
  closed(id: number): void
}

export interface Reply {
  readonly kind: 'reply'
  readonly xid: number
  readonly zxid: bigint
  readonly err: number
  readonly body: Uint8Array
}

export interface Event extends WatcherEvent {
  readonly kind: 'event'
  readonly zxid: bigint
}

export class TestClient {
  readonly id: number
  readonly #wire: ClientWire
  /** Everything after the connect response, in order of arrival. */
  readonly received: (Reply | Event)[] = []
  connected: ConnectResponse | null = null
  closedBecause: string | null = null
  #isConnected = false
  #nextXid = 1

  constructor(wire: ClientWire, id: number, address = '') {
    this.#wire = wire
    this.id = id
    wire.open(id, address)
  }

  get events(): Event[] {
    return this.received.filter((m) => m.kind === 'event')
  }

  get replies(): Reply[] {
    return this.received.filter((m) => m.kind === 'reply')
  }

  get session(): bigint {
    return this.connected?.sessionId ?? 0n
  }

  connect(fields: Partial<ConnectRequest> = {}): this {
    const request: ConnectRequest = {
      protocolVersion: 0,
      lastZxidSeen: 0n,
      timeOut: 10_000,
      sessionId: 0n,
      passwd: new Uint8Array(16),
      readOnly: false,
      ...fields,
    }
    this.#isConnected = true
    this.#wire.data(this.id, joinFrames([encode(connectRequestRecord, request)]))
    return this
  }

  /** Comes back with the session of another client. */
  resume(other: TestClient, fields: Partial<ConnectRequest> = {}): this {
    const passwd = other.connected?.passwd ?? null
    return this.connect({ sessionId: other.session, passwd, ...fields })
  }

  raw(bytes: Uint8Array): void {
    this.#isConnected = true
    this.#wire.data(this.id, bytes)
  }

  rawFrames(frames: readonly Uint8Array[]): void {
    this.raw(joinFrames(frames))
  }

  close(): void {
    this.#wire.closed(this.id)
  }

  /** Sends without waiting; returns the xid. */
  send<T>(type: number, record: JuteRecord<T> | null, value?: T, xid = this.#nextXid++): number {
    this.raw(joinFrames([this.frame(type, record, value, xid)]))
    return xid
  }

  frame<T>(
    type: number,
    record: JuteRecord<T> | null,
    value?: T,
    xid = this.#nextXid++,
  ): Uint8Array {
    const w = new JuteWriter()
    w.int(xid)
    w.int(type)
    if (record !== null) record.write(w, value as T)
    return w.finish()
  }

  /** Sends and takes the reply, which must be there by now. */
  call<T>(type: number, record: JuteRecord<T> | null, value?: T): Reply {
    const xid = this.send(type, record, value)
    return this.reply(xid)
  }

  reply(xid: number): Reply {
    const reply = this.received.find((m) => m.kind === 'reply' && m.xid === xid)
    if (reply?.kind !== 'reply') throw new Error(`no reply to ${xid}`)
    return reply
  }

  hasReply(xid: number): boolean {
    return this.received.some((m) => m.kind === 'reply' && m.xid === xid)
  }

  // --- calls with decoded answers; a number is an error code
  // --------------------------------------

  create(
    path: string,
    data: string | null = '',
    flags = 0,
    acl: readonly Acl[] = OPEN_ACL_UNSAFE,
  ): string | number {
    const reply = this.call(
      OpCode.create,
      proto.createRequestRecord,
      createRequest(path, data, flags, acl),
    )
    return reply.err === 0 ? decode(proto.createResponseRecord, reply.body).path : reply.err
  }

  create2(
    path: string,
    data: string | null = '',
    flags = 0,
    type: number = OpCode.create2,
  ): proto.Create2Response | number {
    const reply = this.call(
      type,
      proto.createRequestRecord,
      createRequest(path, data, flags, OPEN_ACL_UNSAFE),
    )
    return reply.err === 0 ? decode(proto.create2ResponseRecord, reply.body) : reply.err
  }

  delete(path: string, version = -1): number {
    return this.call(OpCode.delete, proto.deleteRequestRecord, { path, version }).err
  }

  setData(path: string, data: string | null, version = -1): Stat | number {
    return statOf(
      this.call(OpCode.setData, proto.setDataRequestRecord, { path, data: bytesOf(data), version }),
    )
  }

  setAcl(path: string, acl: readonly Acl[], version = -1): Stat | number {
    return statOf(this.call(OpCode.setACL, proto.setACLRequestRecord, { path, acl, version }))
  }

  exists(path: string, watch = false): Stat | number {
    return statOf(this.call(OpCode.exists, proto.existsRequestRecord, { path, watch }))
  }

  getData(path: string, watch = false): { data: string | null; stat: Stat } | number {
    const reply = this.call(OpCode.getData, proto.getDataRequestRecord, { path, watch })
    if (reply.err !== 0) return reply.err
    const { data, stat } = decode(proto.getDataResponseRecord, reply.body)
    return { data: data === null ? null : textOf(data), stat }
  }

  getChildren(path: string, watch = false): readonly string[] | number {
    const reply = this.call(OpCode.getChildren, proto.getChildrenRequestRecord, { path, watch })
    return reply.err === 0
      ? decode(proto.getChildrenResponseRecord, reply.body).children
      : reply.err
  }

  getAcl(path: string): readonly Acl[] | number {
    const reply = this.call(OpCode.getACL, proto.getACLRequestRecord, { path })
    return reply.err === 0 ? decode(proto.getACLResponseRecord, reply.body).acl : reply.err
  }

  multi(ops: readonly MultiOp[]): readonly MultiResult[] | number {
    const reply = this.call(OpCode.multi, multiRequestRecord, ops)
    return reply.err === 0 ? decode(multiResponseRecord, reply.body) : reply.err
  }

  addAuth(scheme: string, auth: string): number {
    const packet = { type: 0, scheme, auth: bytesOf(auth) }
    this.send(OpCode.auth, authPacketRecord, packet, SpecialXid.auth)
    return this.replies.filter((r) => r.xid === SpecialXid.auth).at(-1)?.err ?? 1
  }

  // --- from the server
  // ----------------------------------------------------------------------------

  onBytes(bytes: Uint8Array): void {
    for (const payload of splitFrames(bytes)) {
      if (this.#isConnected && this.connected === null) {
        this.connected = decode(connectResponseRecord, payload)
        continue
      }
      const r = new JuteReader(payload)
      const header = replyHeaderRecord.read(r)
      const body = r.raw(r.remaining)
      if (header.xid === SpecialXid.notification) {
        this.received.push({
          kind: 'event',
          zxid: header.zxid,
          ...decode(watcherEventRecord, body),
        })
      } else {
        this.received.push({ kind: 'reply', ...header, zxid: toZxid(header.zxid), body })
      }
    }
  }

  onClosed(reason: string): void {
    this.closedBecause = reason
  }
}

export function createRequest(
  path: string,
  data: string | null = '',
  flags = 0,
  acl: readonly Acl[] | null = OPEN_ACL_UNSAFE,
): proto.CreateRequest {
  return { path, data: bytesOf(data), acl, flags }
}

export function bytesOf(text: string | null): Uint8Array | null {
  return text === null ? null : new TextEncoder().encode(text)
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

function statOf(reply: Reply): Stat | number {
  return reply.err === 0 ? decode(proto.existsResponseRecord, reply.body).stat : reply.err
}
