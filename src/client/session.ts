/**
 * The client's side of a session as a state machine: `step(input, now)` changes state and appends
 * effects, to be performed in order. No timers, promises or platform names inside.
 *
 * A connection goes through: waiting for its time → opening → priming (ConnectRequest, auth and
 * setWatches are out, W57) → live. Requests leave only while live.
 */

import { EMPTY_BYTES } from '../core/base/bytes.ts'
import {
  readConnectResponse,
  readReplyHeader,
  readWatcherEvent,
  writeConnectRequest,
  type ReplyHeader,
} from '../core/jute/connect-records.ts'
import { ErrorCode } from '../core/jute/error-code.ts'
import { EventType, KeeperState } from '../core/jute/event-type.ts'
import { frame, splitFrames } from '../core/jute/framing.ts'
import { JuteError } from '../core/jute/jute-error.ts'
import { OpCode, SpecialXid } from '../core/jute/op-code.ts'
import { JuteReader } from '../core/jute/reader.ts'
import { decode, encodeWith } from '../core/jute/record.ts'
import { AuthBook } from './auth-book.ts'
import { HostRotation } from './host-rotation.ts'
import { REPLY_FRAME_MAX_BYTES, TICK_MS } from './limits.ts'
import { frameMessage, RequestQueue } from './request-queue.ts'
import {
  isAlive,
  type AuthInfo,
  type ClientState,
  type SessionConfig,
  type SessionEffect,
  type SessionInput,
  type SessionRequest,
} from './session-protocol.ts'
import { SessionTimes } from './session-times.ts'
import { setWatchesBatches } from './set-watches.ts'
import { WatchTables } from './watch-tables.ts'
import { NO_ZXID } from './watched-event.ts'

const NEW_PASSWORD_BYTES = 16
/** Of the request that `close` makes; those of callers start at 1. */
const CLOSE_REQUEST_ID = 0

type Phase =
  | { readonly kind: 'waiting'; readonly untilMs: number }
  | { readonly kind: 'opening'; readonly sinceMs: number }
  | { readonly kind: 'priming'; readonly sinceMs: number }
  | { readonly kind: 'live' }
  | { readonly kind: 'over' }

export class ClientSession {
  readonly tables: WatchTables = new WatchTables()
  readonly #config: SessionConfig
  readonly #rotation: HostRotation
  readonly #queue: RequestQueue
  readonly #auth = new AuthBook()
  #effects: SessionEffect[] = []
  #times: SessionTimes
  #state: ClientState = 'NOT_CONNECTED'
  #phase: Phase
  /** Number of the attempt that is under way or live; inputs of others are stale. */
  #attempt = 0
  #sessionId: bigint
  #password: Uint8Array
  #hasSession: boolean
  /** Of replies only: what setWatches may take as seen (N24). */
  #lastZxid = 0n
  /**
   * Also of events, for the rule that a client never goes to a server behind it (S35). Not for
   * setWatches: of several events of one transaction the later ones may have been lost.
   */
  #lastZxidSeen = 0n
  #lastSentMs: number
  #lastHeardMs: number
  /** Since when nobody was heard although we were awake; expiry counts from here (S28). */
  #deafSinceMs: number
  #lastStepMs: number
  /** Same state twice is one event (N35). */
  #lastEventState: KeeperState = KeeperState.Disconnected
  #closing: { readonly untilMs: number } | null = null
  /** Why the last connection went; told to the calls that it took along. */
  #lossReason: string | null = null

  constructor(config: SessionConfig, atMs: number) {
    this.#config = config
    this.#rotation = new HostRotation(config.hosts, config.random)
    this.#queue = new RequestQueue(config.firstXid)
    this.#times = new SessionTimes(config.sessionTimeoutMs)
    this.#hasSession = config.resume !== null
    this.#sessionId = config.resume?.sessionId ?? 0n
    this.#password = config.resume?.password ?? new Uint8Array(NEW_PASSWORD_BYTES)
    this.#lastSentMs = this.#lastHeardMs = this.#deafSinceMs = this.#lastStepMs = atMs
    this.#phase = { kind: 'waiting', untilMs: atMs }
  }

  get state(): ClientState {
    return this.#state
  }

  get sessionId(): bigint {
    return this.#sessionId
  }

  get password(): Uint8Array {
    return this.#password
  }

  get negotiatedTimeoutMs(): number {
    return this.#hasSession ? this.#times.sessionTimeoutMs : 0
  }

  get lastZxid(): bigint {
    return this.#lastZxidSeen
  }

  /** Nothing more will be queued: the caller is to refuse with THROTTLEDOP. */
  get isFull(): boolean {
    return this.#queue.isFull
  }

  /** When the next attempt is due; null while one is under way or live. */
  get nextAttemptMs(): number | null {
    return this.#phase.kind === 'waiting' ? this.#phase.untilMs : null
  }

  takeEffects(): SessionEffect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  step(input: SessionInput, atMs: number): void {
    // Time first: after a sleep the caller hears Disconnected before any queued reply (design §4).
    if (input.kind !== 'submit') this.#checkTime(atMs)
    switch (input.kind) {
      case 'submit':
        return this.#onSubmit(input.request)
      case 'tick':
        this.#onTick(atMs)
        break
      case 'opened':
        if (this.#isCurrent(input.attempt, 'opening')) this.#prime(atMs)
        break
      case 'closed':
        if (input.attempt === this.#attempt) this.#onClosed(input.reason, atMs)
        break
      case 'message':
        if (input.attempt === this.#attempt) this.#onMessage(input.bytes, atMs)
        break
      case 'cancel':
        this.#queue.settle(input.id)
        break
      case 'auth':
        this.#onAuth(input.info, atMs)
        break
      case 'close':
        this.#onClose(atMs)
        break
      case 'rebalance': {
        const isBound = this.#phase.kind !== 'waiting' && isAlive(this.#state)
        if (this.#rotation.rebalance() && isBound) this.#drop('the list of servers changed', atMs)
        break
      }
      case 'flush':
        break
    }
    this.#flush(atMs)
  }

  // — time —

  #checkTime(atMs: number): void {
    const sleptMs = atMs - this.#lastStepMs
    this.#lastStepMs = atMs
    if (!isAlive(this.#state)) return
    // Asleep we could not have heard anybody, and the servers may have slept as well: they decide.
    if (sleptMs >= this.#times.readTimeoutMs) this.#deafSinceMs = atMs
    if (this.#closing !== null && atMs >= this.#closing.untilMs) return this.#endClosed()
    if (this.#hasSession && atMs - this.#deafSinceMs >= this.#times.expirationMs) {
      return this.#endExpired('no server heard for 4/3 of the session time-out')
    }
    const phase = this.#phase
    if (phase.kind === 'live') {
      const idleMs = atMs - this.#lastHeardMs
      if (idleMs >= this.#times.readTimeoutMs) this.#drop(`nothing heard for ${idleMs} ms`, atMs)
    } else if (phase.kind === 'opening' || phase.kind === 'priming') {
      const triedMs = atMs - phase.sinceMs
      if (triedMs >= this.#times.connectTimeoutMs(this.#rotation.size)) {
        this.#drop(`no session within ${triedMs} ms`, atMs)
      }
    }
    if (this.#phase.kind === 'waiting' && atMs >= this.#phase.untilMs) this.#attemptNext(atMs)
  }

  #onTick(atMs: number): void {
    for (const { request, wasSent } of this.#queue.overdue(atMs)) {
      const isLate = request.deadlineMs !== null && atMs >= request.deadlineMs
      const err = isLate ? ErrorCode.REQUESTTIMEOUT : ErrorCode.CONNECTIONLOSS
      this.#queue.settle(request.id)
      this.#settleLost(request, err, wasSent)
    }
    if (this.#phase.kind !== 'live') return
    if (this.#times.untilPingMs(atMs - this.#lastSentMs) > 0) return
    this.#send(frameMessage(SpecialXid.ping, OpCode.ping, EMPTY_BYTES), atMs)
  }

  // — connecting —

  #attemptNext(atMs: number): void {
    const host = this.#rotation.next()
    this.#setState('CONNECTING')
    if (host === null) {
      // Nobody is known yet: asking again costs nothing.
      this.#phase = { kind: 'waiting', untilMs: atMs + TICK_MS }
      return
    }
    this.#attempt++
    this.#phase = { kind: 'opening', sinceMs: atMs }
    this.#effects.push({ kind: 'connect', attempt: this.#attempt, host })
  }

  /** A random delay before every attempt but the first, a pause after a full round (S29). */
  #wait(atMs: number): void {
    const pauseMs = this.#rotation.isRoundOver ? this.#config.roundPauseMs : 0
    const delayMs = this.#config.random() * this.#config.reconnectDelayMaxMs
    this.#phase = { kind: 'waiting', untilMs: atMs + pauseMs + delayMs }
  }

  /** ConnectRequest, auth, setWatches: in this order, without waiting in between (W57, W58). */
  #prime(atMs: number): void {
    const request = encodeWith(writeConnectRequest, {
      protocolVersion: 0,
      lastZxidSeen: this.#lastZxidSeen,
      timeOut: this.#config.sessionTimeoutMs,
      sessionId: this.#sessionId,
      passwd: this.#password,
      readOnly: this.#config.canBeReadOnly,
    })
    this.#phase = { kind: 'priming', sinceMs: atMs }
    this.#send(frame(request), atMs)
    for (const message of this.#auth.messages()) this.#send(message, atMs)
    for (const batch of setWatchesBatches(this.tables.paths(), this.#lastZxid)) {
      this.#queue.sent(batch.type, SpecialXid.setWatches, batch.body)
      this.#send(frameMessage(SpecialXid.setWatches, batch.type, batch.body), atMs)
    }
  }

  #onConnectResponse(payload: Uint8Array, atMs: number): void {
    const response = decode({ name: 'ConnectResponse', read: readConnectResponse }, payload)
    // The answer to an unknown or expired session, and to a wrong password (W55).
    if (response.timeOut <= 0) return this.#endExpired('the server says so')
    const isReadOnly = response.readOnly === true
    this.#phase = { kind: 'live' }
    this.#hasSession = true
    this.#sessionId = response.sessionId
    this.#password = response.passwd?.slice() ?? new Uint8Array(NEW_PASSWORD_BYTES)
    this.#times = new SessionTimes(response.timeOut)
    this.#heard(atMs)
    this.#rotation.connected()
    this.#setState(isReadOnly ? 'CONNECTEDREADONLY' : 'CONNECTED')
    this.#sessionEvent(isReadOnly ? KeeperState.ConnectedReadOnly : KeeperState.SyncConnected)
  }

  #onClosed(reason: string, atMs: number): void {
    if (!isAlive(this.#state) || this.#phase.kind === 'waiting') return
    this.#lossReason = reason
    this.#lose(atMs)
    if (this.#closing !== null) this.#endClosed()
  }

  /** Gives the connection up from our side. */
  #drop(reason: string, atMs: number): void {
    this.#effects.push({ kind: 'disconnect', attempt: this.#attempt, reason })
    this.#onClosed(reason, atMs)
  }

  /** Answers to what was sent cannot come any more (W58); what was not sent stays queued. */
  #lose(atMs: number): void {
    this.#attempt++
    this.#auth.connectionLost()
    for (const request of this.#queue.dropInFlight()) {
      this.#settleLost(request, ErrorCode.CONNECTIONLOSS, true)
    }
    this.#wait(atMs)
    // What a read-only server gave was no session of the ensemble: the next one is a new one (S42).
    if (this.#state === 'CONNECTEDREADONLY') this.#sessionId = 0n
    this.#setState('CONNECTING')
    if (this.#closing === null) this.#sessionEvent(KeeperState.Disconnected)
  }

  // — messages —

  #onMessage(bytes: Uint8Array, atMs: number): void {
    const attempt = this.#attempt
    try {
      for (const payload of splitFrames(bytes, REPLY_FRAME_MAX_BYTES)) {
        if (this.#phase.kind === 'priming') this.#onConnectResponse(payload, atMs)
        else this.#onReply(payload, atMs)
        if (this.#attempt !== attempt || this.#phase.kind !== 'live') return
      }
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
      this.#drop(`malformed reply: ${error.message}`, atMs)
    }
  }

  #onReply(payload: Uint8Array, atMs: number): void {
    this.#heard(atMs)
    const reader = new JuteReader(payload)
    const header = readReplyHeader(reader)
    switch (header.xid) {
      case SpecialXid.ping:
        return
      case SpecialXid.auth:
        return this.#onAuthReply(header.err)
      case SpecialXid.notification:
        return this.#onNotification(header, reader)
      default:
        return this.#onAnswer(header, payload.subarray(payload.length - reader.remaining), atMs)
    }
  }

  #onNotification(header: ReplyHeader, reader: JuteReader): void {
    const { type, path } = readWatcherEvent(reader)
    if (header.zxid > this.#lastZxidSeen) this.#lastZxidSeen = header.zxid
    const eventType = type as EventType
    const watchers = this.tables.fire(eventType, path)
    if (watchers.length === 0) return
    const state = KeeperState.SyncConnected
    const event = { type: eventType, state, path, zxid: header.zxid }
    this.#effects.push({ kind: 'event', event, watchers })
  }

  #onAnswer(header: ReplyHeader, body: Uint8Array, atMs: number): void {
    const entry = this.#queue.answered()
    if (entry === undefined) return this.#drop(`reply ${header.xid} to nothing`, atMs)
    const { request, isSettled } = entry
    if (entry.xid !== header.xid) {
      if (request !== null && !isSettled) {
        this.#settleLost(request, ErrorCode.CONNECTIONLOSS, true)
      }
      return this.#drop(`reply ${header.xid} where ${entry.xid} is due`, atMs)
    }
    if (header.zxid > 0n) this.#lastZxid = header.zxid
    if (header.zxid > this.#lastZxidSeen) this.#lastZxidSeen = header.zxid
    if (request === null || isSettled) return
    if (request.id === CLOSE_REQUEST_ID) return this.#endClosed()
    if (request.register !== null) this.tables.register(request.register, header.err)
    if (request.unregister !== null) this.#unregister(request, header.err)
    const { err, zxid } = header
    const settlement = { err, zxid, body, outcomeUnknown: false, reason: null }
    this.#effects.push({ kind: 'settle', id: request.id, settlement })
  }

  /** The watchers learn that they were removed before the caller does (N39). */
  #unregister(request: SessionRequest, err: number): void {
    const removal = request.unregister
    if (removal === null || (err !== ErrorCode.OK && !removal.isLocal)) return
    for (const { type, watchers } of this.tables.remove(removal)) {
      const state = KeeperState.SyncConnected
      const event = { type, state, path: removal.path, zxid: NO_ZXID }
      this.#effects.push({ kind: 'event', event, watchers })
    }
  }

  #heard(atMs: number): void {
    this.#lastHeardMs = atMs
    this.#deafSinceMs = atMs
  }

  // — what callers do —

  #onSubmit(request: SessionRequest): void {
    if (!isAlive(this.#state)) return this.#settleLost(request, this.#deadCode(), false)
    if (this.#closing !== null) return this.#settleLost(request, ErrorCode.SESSIONEXPIRED, false)
    // A local removal does not wait for a server that is not there (N38).
    if (request.unregister?.isLocal === true && this.#phase.kind !== 'live') {
      this.#unregister(request, ErrorCode.CONNECTIONLOSS)
      return this.#settleId(request.id, ErrorCode.OK)
    }
    this.#queue.push(request)
  }

  #onAuth(info: AuthInfo, atMs: number): void {
    if (!isAlive(this.#state)) return this.#settleId(info.id, this.#deadCode())
    if (!this.#auth.remember(info)) return this.#settleId(info.id, ErrorCode.THROTTLEDOP)
    // Not ahead of what was queued before it.
    this.#flush(atMs)
    const { kind } = this.#phase
    if (kind === 'priming' || kind === 'live') this.#send(this.#auth.messageFor(info), atMs)
  }

  #onAuthReply(err: number): void {
    const id = this.#auth.answered()
    if (err !== ErrorCode.OK) {
      if (id !== null) this.#settleId(id, ErrorCode.AUTHFAILED)
      return this.#end('AUTH_FAILED', KeeperState.AuthFailed, 'authentication failed')
    }
    if (id !== null) this.#settleId(id, ErrorCode.OK)
  }

  #onClose(atMs: number): void {
    if (!isAlive(this.#state) || this.#closing !== null) return
    // Without a connection under way nobody can be told: the session expires by itself (S20).
    if (this.#phase.kind === 'waiting' || this.#phase.kind === 'opening') return this.#endClosed()
    this.#closing = { untilMs: atMs + this.#config.closeWaitMs }
    this.#queue.push({
      id: CLOSE_REQUEST_ID,
      type: OpCode.closeSession,
      body: EMPTY_BYTES,
      isWrite: true,
      register: null,
      unregister: null,
      deadlineMs: null,
      unsentDeadlineMs: null,
    })
  }

  #flush(atMs: number): void {
    if (this.#phase.kind !== 'live') return
    for (const message of this.#queue.takeMessages()) this.#send(message, atMs)
  }

  #send(bytes: Uint8Array, atMs: number): void {
    this.#lastSentMs = atMs
    this.#effects.push({ kind: 'send', attempt: this.#attempt, bytes })
  }

  // — the end —

  #endClosed(): void {
    this.#end('CLOSED', KeeperState.Closed, 'closed by the client')
  }

  #endExpired(reason: string): void {
    this.#end('CLOSED', KeeperState.Expired, reason)
  }

  /** The handle is dead for good; whoever still waits is told. */
  #end(state: 'CLOSED' | 'AUTH_FAILED', event: KeeperState, reason: string): void {
    if (this.#phase.kind !== 'waiting') {
      this.#effects.push({ kind: 'disconnect', attempt: this.#attempt, reason })
    }
    this.#attempt++
    this.#lossReason = reason
    this.#phase = { kind: 'over' }
    this.#setState(state)
    const sent = this.#queue.dropInFlight()
    for (const request of sent) this.#settleLost(request, this.#deadCode(), true)
    for (const request of this.#queue.dropQueued()) {
      this.#settleLost(request, this.#deadCode(), false)
    }
    for (const id of this.#auth.end()) this.#settleId(id, this.#deadCode())
    this.#sessionEvent(event)
  }

  #deadCode(): ErrorCode {
    return this.#state === 'AUTH_FAILED' ? ErrorCode.AUTHFAILED : ErrorCode.SESSIONEXPIRED
  }

  #settleLost(request: SessionRequest, err: ErrorCode, wasSent: boolean): void {
    if (request.id === CLOSE_REQUEST_ID) return
    this.#settleId(request.id, err, wasSent && request.isWrite)
  }

  #settleId(id: number, err: ErrorCode, outcomeUnknown = false): void {
    const reason = err === ErrorCode.OK ? null : this.#lossReason
    const settlement = { err, zxid: NO_ZXID, body: EMPTY_BYTES, outcomeUnknown, reason }
    this.#effects.push({ kind: 'settle', id, settlement })
  }

  #setState(state: ClientState): void {
    if (state === this.#state) return
    this.#state = state
    this.#effects.push({ kind: 'state', state })
  }

  /** To every watcher, consuming none (N33, N35). */
  #sessionEvent(state: KeeperState): void {
    if (state === this.#lastEventState) return
    this.#lastEventState = state
    const event = { type: EventType.None, state, path: null, zxid: NO_ZXID }
    this.#effects.push({ kind: 'event', event, watchers: this.tables.all() })
  }

  #isCurrent(attempt: number, kind: Phase['kind']): boolean {
    return attempt === this.#attempt && this.#phase.kind === kind
  }
}
