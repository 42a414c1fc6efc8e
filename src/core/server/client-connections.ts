/**
 * All client connections of this member: connecting, frames in, throttling, time-outs (W54–W59,
 * S13).
 *
 * Messages cannot be refused the way a socket is left unread, so what must wait stays in the
 * connection's backlog, which is bounded in bytes; a client that goes beyond it is cut off.
 */
import { equal } from '../base/bytes.ts'
import { encodeUtf8 } from '../base/utf8.ts'
import { toSessionId, toZxid, type SessionId, type Zxid } from '../base/zxid.ts'
import {
  connectRequestRecord,
  connectResponseRecord,
  type ConnectRequest,
} from '../jute/connect-records.ts'
import type { Id } from '../jute/data-records.ts'
import { ErrorCode } from '../jute/error-code.ts'
import { splitFrames } from '../jute/framing.ts'
import { JuteError } from '../jute/jute-error.ts'
import { OpCode } from '../jute/op-code.ts'
import { decode } from '../jute/record.ts'
import { JuteWriter } from '../jute/writer.ts'
import type { Moment } from '../zab/effect.ts'
import type { ClientAuth } from './client-auth.ts'
import { Connection, type ClientOutput, type CloseReason } from './connection.ts'
import type { ConnectionThrottle } from './connection-throttle.ts'
import type { ClientCloseEffect, ClientSendEffect, ConnectionId } from './effect.ts'
import type { FinalStage } from './final-request.ts'
import { checkPassword, PASSWORD_BYTES, sessionPassword, type SessionIds } from './session-ids.ts'
import type { ServerLimits } from './server-config.ts'
import type { ServerWitness } from './witness.ts'

const REQUEST_HEADER_BYTES = 8
/**
 * How often connections are looked at for time-outs, ms. Ours: a fraction of the smallest limit.
 */
const SWEEP_INTERVAL_MS = 500

/** What the connections need of their server. */
export interface SessionHost {
  readonly witness: ServerWitness | null
  readonly takesClients: boolean
  /** Only clients that asked for no more (S38). */
  readonly isReadOnly: boolean
  lastProcessed(): Zxid
  /** Requests that wait for the leader. */
  readonly outstanding: number
  readonly outstandingBytes: number
  /** Of the large requests among them. */
  readonly largeBytes: number
  /** False: the session is unknown or closing and its requests are dropped (S8). */
  touch(session: SessionId, timeoutMs: number): boolean
  createSession(connection: Connection): void
  reopenSession(connection: Connection): void
  submit(connection: Connection, xid: number, type: number, body: Uint8Array): void
  /** Answered with that code in its turn; nothing is done. */
  refuse(connection: Connection, xid: number, err: ErrorCode): void
  /** Nobody listens any more: its watches go (N6). */
  forgetWatcher(watcher: ConnectionId): void
  emit(effect: ClientSendEffect | ClientCloseEffect): void
}

export interface ConnectionRules {
  readonly sessionKey: Uint8Array | null
  readonly auth: ClientAuth
  readonly throttle: ConnectionThrottle
  /** New sessions are this member's own. */
  readonly opensLocally: boolean
}

export class ClientConnections implements ClientOutput {
  readonly #host: SessionHost
  readonly #limits: ServerLimits
  readonly #rules: ConnectionRules
  readonly #ids: SessionIds
  readonly #final: FinalStage
  readonly #connections = new Map<ConnectionId, Connection>()
  readonly #bySession = new Map<SessionId, Connection>()
  readonly #dirty = new Set<Connection>()
  /** Connections with a backlog. */
  readonly #held = new Set<Connection>()
  /** Held back, of all connections. */
  #backlogBytes = 0
  #isPumping = false
  #sweptAtMs = 0
  /** Of the input that is being handled. */
  #atMs = 0

  constructor(
    host: SessionHost,
    limits: ServerLimits,
    rules: ConnectionRules,
    ids: SessionIds,
    final: FinalStage,
  ) {
    this.#host = host
    this.#limits = limits
    this.#rules = rules
    this.#ids = ids
    this.#final = final
  }

  get size(): number {
    return this.#connections.size
  }

  find(id: ConnectionId): Connection | undefined {
    return this.#connections.get(id)
  }

  bySession(session: SessionId): Connection | undefined {
    return this.#bySession.get(session)
  }

  all(): IterableIterator<Connection> {
    return this.#connections.values()
  }

  open(id: ConnectionId, address: string, at: Moment, ids: readonly Id[] = []): void {
    if (this.#connections.has(id)) return
    const connection = new Connection(id, address, at.elapsedMs, this, ids)
    this.#connections.set(id, connection)
    if (!this.#host.takesClients) connection.close('not_serving')
    else if (this.#connections.size > this.#limits.connectionsMax) {
      connection.close('client_cnx_limit')
    }
  }

  data(id: ConnectionId, message: Uint8Array, at: Moment): void {
    const connection = this.#connections.get(id)
    if (connection === undefined) return
    connection.heardAtMs = at.elapsedMs
    this.#atMs = at.elapsedMs
    // Waiting frames are touched here too: a client is alive even if it has to wait.
    const { state, session, timeoutMs } = connection
    if (state === 'open' && !this.#host.touch(session, timeoutMs)) return
    if (state === 'waiting' && isProbe(message)) {
      const bytes = encodeUtf8(this.#host.isReadOnly ? 'ro' : 'rw')
      this.#host.emit({ kind: 'client-send', connection: id, bytes })
      connection.close('info_probe')
      return
    }
    const frames = this.#split(connection, message)
    for (const frame of frames) {
      connection.backlog.pushBack(frame)
      if (this.#minds) connection.backlogAtMs.pushBack(at.elapsedMs)
      connection.backlogBytes += frame.length
      this.#backlogBytes += frame.length
    }
    this.#pump(connection)
    if (this.#isTooMuch(connection)) connection.close('outstanding_limit')
    this.resume()
  }

  clientClosed(id: ConnectionId): void {
    this.#connections.get(id)?.forget()
  }

  /** Goes on with held connections as far as the limits let. */
  resume(): void {
    if (this.#isPumping || this.#held.size === 0) return
    for (const connection of [...this.#held]) this.#pump(connection)
  }

  /** Every connection goes, with what was queued for it (Q54). */
  closeAll(reason: CloseReason): void {
    for (const connection of [...this.#connections.values()]) connection.close(reason)
  }

  closeSession(session: SessionId, reason: CloseReason): void {
    this.#bySession.get(session)?.close(reason)
  }

  flush(): void {
    if (this.#dirty.size === 0) return
    for (const connection of this.#dirty) connection.endStep()
    this.#dirty.clear()
  }

  /** S13: connections without a session, and those that fell silent beyond their time-out. */
  sweep(at: Moment): void {
    this.#atMs = at.elapsedMs
    if (at.elapsedMs - this.#sweptAtMs < SWEEP_INTERVAL_MS) return
    this.#sweptAtMs = at.elapsedMs
    for (const connection of [...this.#connections.values()]) {
      const { state, openedAtMs, heardAtMs, timeoutMs } = connection
      if (state === 'waiting') {
        if (at.elapsedMs - openedAtMs > this.#limits.sessionlessTimeoutMs) {
          connection.close('sessionless_timeout')
        }
      } else if (at.elapsedMs - heardAtMs > timeoutMs + this.#limits.tickTimeMs) {
        connection.close('connection_expired')
      }
    }
  }

  /**
   * The session exists now, was confirmed, or was refused (W55). Its requests wait for `resume`.
   */
  finishConnect(connection: Connection, isValid: boolean): void {
    if (connection.state !== 'establishing') return
    const { session, timeoutMs, readOnly } = connection
    const w = new JuteWriter()
    connectResponseRecord.write(w, {
      protocolVersion: 0,
      timeOut: isValid ? timeoutMs : 0,
      sessionId: isValid ? session : 0n,
      passwd: isValid
        ? sessionPassword(this.#rules.sessionKey, session)
        : new Uint8Array(PASSWORD_BYTES),
      readOnly: readOnly === undefined ? undefined : this.#host.isReadOnly,
    })
    connection.send(w)
    if (!isValid) {
      connection.close('invalid_session')
      return
    }
    connection.state = 'open'
    connection.openSinceMs = this.#atMs
  }

  effect(effect: ClientSendEffect | ClientCloseEffect): void {
    this.#host.emit(effect)
  }

  dirty(connection: Connection): void {
    this.#dirty.add(connection)
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection.id)
    this.#held.delete(connection)
    this.#backlogBytes -= connection.backlogBytes
    if (this.#bySession.get(connection.session) === connection) {
      this.#bySession.delete(connection.session)
    }
    this.#host.forgetWatcher(connection.id)
  }

  #split(connection: Connection, message: Uint8Array): readonly Uint8Array[] {
    try {
      return splitFrames(message, this.#limits.frameBytesMax)
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
      connection.close('io_exception')
      return []
    }
  }

  #isTooMuch({ backlogBytes }: Connection): boolean {
    const { backlogBytesMax, backlogBytesMaxTotal } = this.#limits
    if (backlogBytes > backlogBytesMax) return true
    return backlogBytes > 0 && this.#backlogBytes > backlogBytesMaxTotal
  }

  /** Handles frames until the connection has to wait. */
  #pump(connection: Connection): void {
    const wasPumping = this.#isPumping
    this.#isPumping = true
    while (connection.backlog.length > 0 && !this.#mustWait(connection)) {
      const frame = connection.backlog.popFront() as Uint8Array
      connection.backlogBytes -= frame.length
      this.#backlogBytes -= frame.length
      const cameAtMs = connection.backlogAtMs.popFront() ?? this.#atMs
      if (connection.state === 'waiting') this.#connect(connection, frame)
      else this.#request(connection, frame, cameAtMs)
    }
    this.#isPumping = wasPumping
    if (connection.backlog.length > 0) this.#held.add(connection)
    else this.#held.delete(connection)
  }

  /** A connection without a request in flight is always let in, so all make progress (Q47). */
  #mustWait(connection: Connection): boolean {
    if (connection.state === 'establishing' || connection.isFull) return true
    const { outstandingMax, outstandingBytesMax, throttleRequestsMax } = this.#limits
    const { outstanding, outstandingBytes } = this.#host
    // This one asks everybody to wait (O33).
    if (throttleRequestsMax > 0 && outstanding >= throttleRequestsMax) {
      if (!this.#held.has(connection)) this.#host.witness?.count('request_throttle_wait_count')
      return true
    }
    if (connection.outstanding === 0) return false
    return outstanding >= outstandingMax || outstandingBytes >= outstandingBytesMax
  }

  #connect(connection: Connection, frame: Uint8Array): void {
    let request: ConnectRequest
    try {
      request = decode(connectRequestRecord, frame, { allowTrailing: true })
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
      connection.close('io_exception')
      return
    }
    const { throttle } = this.#rules
    const isTaken = throttle.take(this.#atMs, this.#weightOf(request))
    this.#host.witness?.measure('connection_drop_probability', throttle.dropChance)
    if (!isTaken) {
      connection.close('client_rate_limit')
      return
    }
    this.#host.witness?.measure('connection_token_deficit', throttle.deficit)
    if (this.#host.isReadOnly && request.readOnly !== true) {
      connection.close('not_read_only_client')
      return
    }
    if (toZxid(request.lastZxidSeen) > this.#host.lastProcessed()) {
      // Without a word: the client has seen a later state and must try another server (W54).
      connection.close('client_zxid_ahead')
      return
    }
    const { sessionTimeoutMinMs, sessionTimeoutMaxMs } = this.#limits
    connection.timeoutMs = Math.min(
      Math.max(request.timeOut, sessionTimeoutMinMs),
      sessionTimeoutMaxMs,
    )
    connection.readOnly = request.readOnly
    connection.state = 'establishing'
    if (request.sessionId === 0n) this.#createSession(connection)
    else this.#reopenSession(connection, toSessionId(request.sessionId), request.passwd)
  }

  /** Tokens that a connection takes (O31). */
  #weightOf({ sessionId }: ConnectRequest): number {
    const weights = this.#limits.connectionWeights
    if (weights === null) return 1
    if (sessionId !== 0n) return weights.renewed
    return this.#rules.opensLocally ? weights.local : weights.global
  }

  #createSession(connection: Connection): void {
    connection.session = this.#ids.next()
    this.#bySession.set(connection.session, connection)
    this.#host.createSession(connection)
  }

  #reopenSession(connection: Connection, session: SessionId, password: Uint8Array | null): void {
    if (!checkPassword(this.#rules.sessionKey, session, password)) {
      this.finishConnect(connection, false)
      return
    }
    this.closeSession(session, 'client_reconnect')
    connection.session = session
    this.#bySession.set(session, connection)
    this.#host.reopenSession(connection)
  }

  #request(connection: Connection, frame: Uint8Array, cameAtMs: number): void {
    if (frame.length < REQUEST_HEADER_BYTES) {
      connection.close('io_exception')
      return
    }
    const view = new DataView(frame.buffer, frame.byteOffset, REQUEST_HEADER_BYTES)
    const xid = view.getInt32(0)
    const type = view.getInt32(4)
    const body = frame.subarray(REQUEST_HEADER_BYTES)
    if (type === OpCode.auth) this.#auth(connection, xid, body)
    else if (type === OpCode.sasl) this.#final.answerSasl(connection, xid)
    else if (!this.#rules.auth.isAdmitted(connection)) {
      this.#final.answerAuth(connection, xid, ErrorCode.SESSIONCLOSEDREQUIRESASLAUTH)
      connection.close('sasl_auth_failure')
    } else if (this.#isTooLarge(frame)) {
      this.#host.witness?.count('large_requests_rejected')
      connection.close('large_request')
    } else if (this.#isStale(connection, cameAtMs)) {
      this.#host.witness?.count('stale_requests_dropped')
      connection.close('stale_request')
    } else {
      this.#noteWait(connection, cameAtMs)
      if (this.#isTooLate(connection, type, cameAtMs)) {
        this.#host.witness?.count('throttled_ops')
        this.#host.refuse(connection, xid, ErrorCode.THROTTLEDOP)
      } else this.#host.submit(connection, xid, type, body)
    }
  }

  #noteWait({ openSinceMs }: Connection, cameAtMs: number): void {
    if (this.#limits.throttleRequestsMax === 0) return
    const waitedMs = this.#atMs - Math.max(cameAtMs, openSinceMs)
    this.#host.witness?.measure('request_throttle_queue_time_ms', waitedMs)
  }

  #isTooLarge({ length }: Uint8Array): boolean {
    const { largeRequestBytes, largeRequestsBytesMax } = this.#limits
    if (largeRequestBytes < 0 || length <= largeRequestBytes) return false
    return this.#host.largeBytes + length > largeRequestsBytesMax
  }

  /** It matters how long a frame waited. */
  get #minds(): boolean {
    const { throttledOpWaitMs, dropsStaleRequests, throttleRequestsMax } = this.#limits
    return throttledOpWaitMs > 0 || dropsStaleRequests || throttleRequestsMax > 0
  }

  /** Nobody waits for its answer any more. */
  #isStale({ openSinceMs, timeoutMs }: Connection, cameAtMs: number): boolean {
    if (!this.#limits.dropsStaleRequests) return false
    return this.#atMs - Math.max(cameAtMs, openSinceMs) > timeoutMs
  }

  /** O33. What waited for its session to come about did not wait for others. */
  #isTooLate({ openSinceMs }: Connection, type: number, cameAtMs: number): boolean {
    const { throttledOpWaitMs } = this.#limits
    if (throttledOpWaitMs === 0 || type === OpCode.ping || type === OpCode.closeSession)
      return false
    return this.#atMs - Math.max(cameAtMs, openSinceMs) > throttledOpWaitMs
  }

  /** Answered at once, ahead of requests that wait; a failure ends the connection (A12). */
  #auth(connection: Connection, xid: number, body: Uint8Array): void {
    const { answer, closeReason } = this.#rules.auth.authenticate(connection, body)
    if (answer !== null) this.#final.answerAuth(connection, xid, answer)
    if (closeReason !== null) connection.close(closeReason)
  }
}

/** The word `isro`, where a listener that knows all of them does not answer it before (S41). */
function isProbe(message: Uint8Array): boolean {
  return message.length === PROBE.length && equal(message, PROBE)
}

const PROBE = encodeUtf8('isro')
