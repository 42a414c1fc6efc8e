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
  /** It came over TLS. */
  readonly isSecure: boolean
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
  notified(type: number, zxidHigh: number, zxidLow: number, bytes: number): void
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
  readonly isSecure: boolean
  /** 0 while there is none. */
  session = 0n
  timeoutMs = 0
  received = 0
  sent = 0
  lastType: number = OpCode.notification
  lastCxid = -1
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
  /** As two numbers: a bigint per answer would cost more than all the rest. */
  #zxidHigh = -1
  #zxidLow = -1
  #isAccepted = false

  constructor(inner: ClientChannel, traffic: TapHost, facts: TapFacts) {
    this.address = facts.address
    this.port = facts.port
    this.establishedMs = facts.establishedMs
    this.isSecure = facts.isSecure
    this.heardAtMs = traffic.now()
    this.#inner = inner
    this.#traffic = traffic
    inner.onClose = (reason) => this.#ended(reason)
  }

  /** Of the last answer; −1 while there was none. */
  get lastZxid(): bigint {
    return (BigInt(this.#zxidHigh) << 32n) | BigInt(this.#zxidLow >>> 0)
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
    this.#zxidHigh = -1
    this.#zxidLow = -1
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
    for (let at = 0; at + LENGTH_BYTES <= message.length;) {
      const start = at + LENGTH_BYTES
      const length = int32(message, at)
      if (length < 0) return
      at = start + length
      this.received++
      if (this.#isConnecting) this.#connects(message, start, length, nowMs)
      else if (length >= REQUEST_HEADER_BYTES) this.#requests(message, start, length, nowMs)
    }
  }

  #connects(message: Uint8Array, at: number, length: number, nowMs: number): void {
    this.#isConnecting = false
    this.#traffic.requested(OpCode.createSession, length)
    if (length < CONNECT_BYTES) return
    if (int64(message, at + CONNECT_SESSION_AT) !== 0n) this.#traffic.revalidations++
    this.#pending.pushBack({ xid: 0, type: OpCode.createSession, startedMs: nowMs, body: null })
  }

  #requests(message: Uint8Array, at: number, length: number, startedMs: number): void {
    const xid = int32(message, at)
    const type = int32(message, at + 4)
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
        ? message.subarray(at + REQUEST_HEADER_BYTES, at + length)
        : null
    this.#pending.pushBack({ xid, type, startedMs, body })
  }

  #countOut(message: Uint8Array): void {
    const nowMs = this.#traffic.now()
    for (let at = 0; at + LENGTH_BYTES <= message.length;) {
      const start = at + LENGTH_BYTES
      const length = int32(message, at)
      if (length < 0) return
      at = start + length
      this.sent++
      if (!this.#isAccepted) this.#accepted(message, start, length, nowMs)
      else if (length >= REPLY_HEADER_BYTES) this.#answers(message, start, length, nowMs)
    }
  }

  #accepted(message: Uint8Array, at: number, length: number, nowMs: number): void {
    this.#isAccepted = true
    this.#traffic.responded(length)
    if (length < ACCEPTED_BYTES) return
    this.timeoutMs = int32(message, at + 4)
    this.session = int64(message, at + 8)
    const begun = this.#pending.popFront()
    if (begun !== undefined) this.#measured(begun, nowMs)
  }

  #answers(message: Uint8Array, at: number, length: number, nowMs: number): void {
    const xid = int32(message, at)
    const [high, low] = [int32(message, at + 4), int32(message, at + 8)]
    if (xid === SpecialXid.notification) {
      const type = length >= REPLY_HEADER_BYTES + 4 ? int32(message, at + REPLY_HEADER_BYTES) : 0
      this.#traffic.notified(type, high, low, length)
      return
    }
    this.#traffic.responded(length)
    const request = this.#take(xid)
    if (request === null) return
    this.#zxidHigh = high
    this.#zxidLow = low
    if (xid >= 0) this.lastCxid = xid
    this.#measured(request, nowMs)
    if (request.body === null) return
    this.#traffic.listener?.answered(this, {
      type: request.type,
      body: request.body,
      err: int32(message, at + 12),
      reply: message.subarray(at + REPLY_HEADER_BYTES, at + length),
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

/** Cheaper than a DataView of every message. */
function int32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  )
}

function int64(bytes: Uint8Array, at: number): bigint {
  return (BigInt(int32(bytes, at)) << 32n) | BigInt(int32(bytes, at + 4) >>> 0)
}

function ignore(): void {}
