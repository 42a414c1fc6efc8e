/**
 * A client's channel that counts what passes (W13–W16): the server is given the tap and talks to
 * the client through it. Nothing is decoded but headers.
 */
import { Deque } from '../../core/base/deque.ts'
import { OpCode, SpecialXid } from '../../core/jute/op-code.ts'
import type { ClientChannel } from '../../ports/client-channel.ts'
import { AvgMinMax } from './distribution.ts'

const LENGTH_BYTES = 4
const REQUEST_HEADER_BYTES = 8
const REPLY_HEADER_BYTES = 16
/** Of a ConnectRequest: where the session id stands, and the least it has. */
const CONNECT_SESSION_AT = 16
const CONNECT_BYTES = 24
/** Of a ConnectResponse: version, timeout, session id. */
const ACCEPTED_BYTES = 16
/** Requests whose latency is measured at once. Ours: what one connection may have in the server. */
const PENDING_MAX = 65_536
/** What a channel says when nothing went wrong. */
const CLOSED_BY_CLIENT = 'the connection was closed'
/** How far ahead an answer is looked for when requests before it got none. */
const LOOK_AHEAD = 64

export interface TapFacts {
  readonly address: string
  readonly port: number
  /** ms since 1970. */
  readonly establishedMs: number
}

/** A request and what its answer said; only where somebody listens. */
export interface AnsweredRequest {
  readonly type: number
  /** Behind the request header, still encoded. */
  readonly body: Uint8Array
  readonly err: number
  /** Behind the reply header, still encoded. */
  readonly reply: Uint8Array
}

export interface TrafficListener {
  /** Is the body of this request wanted when it is answered? */
  wants(type: number): boolean
  answered(tap: ConnectionTap, request: AnsweredRequest): void
  /** Its client went first. */
  unanswered(tap: ConnectionTap, type: number, body: Uint8Array): void
  /** `reason`: one of W63. `detail`: what the channel said, when it ended by itself. */
  closed(tap: ConnectionTap, reason: string, detail: string | null): void
  large(tap: ConnectionTap, type: number, bytes: number): void
  slow(tap: ConnectionTap, type: number, tookMs: number): void
}

export interface TrafficLimits {
  /** A request of at least so many bytes is told; −1 = none (largeRequestThreshold). */
  readonly largeRequestBytes: number
  /** A request that took at least so long is told. */
  readonly slowRequestMs: number
}

/** What a tap tells of every frame. */
export interface TapHost {
  readonly limits: TrafficLimits
  readonly now: () => number
  readonly listener: TrafficListener | null
  revalidations: number
  requested(type: number, bytes: number): void
  responded(bytes: number): void
  measured(type: number, tookMs: number): void
  notified(type: number, zxid: bigint, bytes: number): void
  closed(tap: ConnectionTap, reason: string, detail: string | null): void
}

interface Pending {
  readonly xid: number
  readonly type: number
  readonly startedMs: number
  /** Null where nobody wants it. */
  readonly body: Uint8Array | null
}

export class ConnectionTap implements ClientChannel {
  readonly address: string
  readonly port: number
  readonly establishedMs: number
  /** 0 while there is none. */
  session = 0n
  timeoutMs = 0
  received = 0
  sent = 0
  lastType: number = OpCode.notification
  lastCxid = -1
  lastZxid = -1n
  lastResponseMs = 0
  lastLatencyMs = 0
  heardAtMs: number
  readonly latency: AvgMinMax = new AvgMinMax()
  onClose: (reason: string) => void = ignore
  #onMessage: (bytes: Uint8Array) => void = ignore
  readonly #inner: ClientChannel
  readonly #traffic: TapHost
  readonly #pending = new Deque<Pending>()
  #isConnecting = true
  #isAccepted = false

  constructor(inner: ClientChannel, traffic: TapHost, facts: TapFacts) {
    this.address = facts.address
    this.port = facts.port
    this.establishedMs = facts.establishedMs
    this.heardAtMs = traffic.now()
    this.#inner = inner
    this.#traffic = traffic
    inner.onClose = (reason) => this.#ended(reason)
  }

  /** Requests without an answer yet. */
  get outstanding(): number {
    return this.#pending.length
  }

  get onMessage(): (bytes: Uint8Array) => void {
    return this.#onMessage
  }

  /** What came early is delivered the moment somebody listens. */
  set onMessage(listen: (bytes: Uint8Array) => void) {
    this.#onMessage = listen
    this.#inner.onMessage = (bytes) => {
      this.#countIn(bytes)
      this.#onMessage(bytes)
    }
  }

  send(bytes: Uint8Array): void {
    this.#countOut(bytes)
    this.#inner.send(bytes)
  }

  close(reason: string): void {
    this.#inner.close(reason)
    this.#over(reason, null)
  }

  /** As if the client had gone: the server hears of it, too. */
  shed(reason: string): void {
    this.close(reason)
    this.onClose(reason)
  }

  /** crst. */
  reset(): void {
    this.received = 0
    this.sent = 0
    this.lastType = OpCode.notification
    this.lastCxid = -1
    this.lastZxid = -1n
    this.lastResponseMs = 0
    this.lastLatencyMs = 0
    this.latency.reset()
  }

  #ended(reason: string): void {
    const word = reason === CLOSED_BY_CLIENT ? 'client_closed_connection' : 'io_exception'
    this.#over(word, reason)
    this.onClose(reason)
  }

  #over(reason: string, detail: string | null): void {
    for (const { type, body } of this.#pending) {
      if (body !== null) this.#traffic.listener?.unanswered(this, type, body)
    }
    this.#pending.clear()
    this.#traffic.closed(this, reason, detail)
  }

  #countIn(message: Uint8Array): void {
    const nowMs = this.#traffic.now()
    this.heardAtMs = nowMs
    const view = new DataView(message.buffer, message.byteOffset, message.length)
    for (let at = 0; at + LENGTH_BYTES <= message.length;) {
      const start = at + LENGTH_BYTES
      const length = view.getInt32(at)
      at = start + length
      this.received++
      if (this.#isConnecting) this.#connects(view, start, length, nowMs)
      else if (length >= REQUEST_HEADER_BYTES) this.#requests(view, start, length, nowMs)
    }
  }

  #connects(view: DataView, at: number, length: number, nowMs: number): void {
    this.#isConnecting = false
    this.#traffic.requested(OpCode.createSession, length)
    if (length < CONNECT_BYTES) return
    if (view.getBigInt64(at + CONNECT_SESSION_AT) !== 0n) this.#traffic.revalidations++
    this.#pending.pushBack({ xid: 0, type: OpCode.createSession, startedMs: nowMs, body: null })
  }

  #requests(view: DataView, at: number, length: number, startedMs: number): void {
    const xid = view.getInt32(at)
    const type = view.getInt32(at + 4)
    const traffic = this.#traffic
    traffic.requested(type, length)
    const { largeRequestBytes } = traffic.limits
    if (largeRequestBytes >= 0 && length >= largeRequestBytes) {
      traffic.listener?.large(this, type, length)
    }
    // Answered out of turn, and no request of the application.
    if (type === OpCode.auth || type === OpCode.sasl || this.#pending.length >= PENDING_MAX) return
    const body =
      traffic.listener?.wants(type) === true
        ? bytesOf(view, at + REQUEST_HEADER_BYTES, at + length)
        : null
    this.#pending.pushBack({ xid, type, startedMs, body })
  }

  #countOut(message: Uint8Array): void {
    const nowMs = this.#traffic.now()
    const view = new DataView(message.buffer, message.byteOffset, message.length)
    for (let at = 0; at + LENGTH_BYTES <= message.length;) {
      const start = at + LENGTH_BYTES
      const length = view.getInt32(at)
      at = start + length
      this.sent++
      if (!this.#isAccepted) this.#accepted(view, start, length, nowMs)
      else if (length >= REPLY_HEADER_BYTES) this.#answers(view, start, length, nowMs)
    }
  }

  #accepted(view: DataView, at: number, length: number, nowMs: number): void {
    this.#isAccepted = true
    this.#traffic.responded(length)
    if (length < ACCEPTED_BYTES) return
    this.timeoutMs = view.getInt32(at + 4)
    this.session = view.getBigInt64(at + 8)
    const begun = this.#pending.popFront()
    if (begun !== undefined) this.#measured(begun, nowMs)
  }

  #answers(view: DataView, at: number, length: number, nowMs: number): void {
    const xid = view.getInt32(at)
    const zxid = view.getBigInt64(at + 4)
    if (xid === SpecialXid.notification) {
      const type = length >= REPLY_HEADER_BYTES + 4 ? view.getInt32(at + REPLY_HEADER_BYTES) : 0
      this.#traffic.notified(type, zxid, length)
      return
    }
    this.#traffic.responded(length)
    const request = this.#take(xid)
    if (request === null) return
    this.lastZxid = zxid
    if (xid >= 0) this.lastCxid = xid
    this.#measured(request, nowMs)
    if (request.body === null) return
    this.#traffic.listener?.answered(this, {
      type: request.type,
      body: request.body,
      err: view.getInt32(at + 12),
      reply: bytesOf(view, at + REPLY_HEADER_BYTES, at + length),
    })
  }

  #measured({ type, startedMs }: Pending, nowMs: number): void {
    const tookMs = nowMs - startedMs
    this.lastType = type
    this.lastResponseMs = nowMs
    this.lastLatencyMs = tookMs
    this.latency.add(tookMs)
    this.#traffic.measured(type, tookMs)
    if (tookMs >= this.#traffic.limits.slowRequestMs) {
      this.#traffic.listener?.slow(this, type, tookMs)
    }
  }

  /** The request that this answers, without those before it that get no answer; null: none. */
  #take(xid: number): Pending | null {
    const pending = this.#pending
    const end = Math.min(pending.length, LOOK_AHEAD)
    let index = 0
    while (index < end && pending.at(index).xid !== xid) index++
    if (index === end) return null
    for (; index > 0; index--) pending.popFront()
    return pending.popFront() ?? null
  }
}

function bytesOf(view: DataView, from: number, to: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + from, to - from)
}

function ignore(): void {}
