/** One client connection: its state, what it authenticated as, its queues in both directions. */
import { Deque } from '../base/deque.ts'
import { toSessionId, type SessionId } from '../base/zxid.ts'
import type { Id } from '../jute/data-records.ts'
import { JuteWriter } from '../jute/writer.ts'
import { isIpExpression } from '../tree/ip-acl.ts'
import type { ClientCloseEffect, ClientSendEffect, ConnectionId } from './effect.ts'

/**
 * Bytes of replies joined into one message, ours. Large enough to amortise a message, small enough
 * for every transport's message bound.
 */
export const CLIENT_MESSAGE_BYTES: number = 64 * 1024

/**
 * Bytes of replies to one connection that one step makes, ours: a message of a few kB can ask for
 * gigabytes, and nobody learns in the middle of a step that its reader does not read.
 */
const STEP_BYTES_MAX = 4 * 1024 * 1024

/** Ids of one connection, ours: each write carries them to the leader (A12, A15). */
const AUTH_IDS_MAX = 64

/**
 * waiting: no ConnectRequest yet. establishing: the session is being created or revalidated,
 * nothing more is read (W56). open: requests are taken. closed: nothing enters or leaves.
 */
export type ConnectionState = 'waiting' | 'establishing' | 'open' | 'closed'

/** Reasons of W63 that exist here. */
export type CloseReason =
  | 'client_closed_session'
  | 'client_reconnect'
  | 'client_rate_limit'
  | 'client_zxid_ahead'
  | 'connection_expired'
  | 'failed_handshake'
  | 'auth_failure'
  | 'client_cnx_limit'
  | 'invalid_session'
  | 'io_exception'
  | 'large_request'
  | 'info_probe'
  | 'not_read_only_client'
  | 'not_serving'
  | 'outstanding_limit'
  | 'renew_global_session_in_ro_mode'
  | 'sasl_auth_failure'
  | 'server_shutdown'
  | 'session_closed'
  | 'session_moved'
  | 'sessionless_timeout'
  | 'stale_request'
  | 'unimplemented'

/** Where a connection's messages go. */
export interface ClientOutput {
  effect(effect: ClientSendEffect | ClientCloseEffect): void
  /** Something waits to be flushed; called once until the next flush. */
  dirty(connection: Connection): void
  /** It was closed, by either side: nothing may refer to it any more. */
  closed(connection: Connection): void
}

const NO_SESSION: SessionId = toSessionId(0n)

export class Connection {
  readonly id: ConnectionId
  state: ConnectionState = 'waiting'
  session: SessionId = NO_SESSION
  /** Negotiated (S4). */
  timeoutMs = 0
  /**
   * What the ConnectRequest said, undefined when it lacks the field: the answer must match (W12).
   */
  readOnly: boolean | undefined = undefined
  /** Replaced, never changed, when another id is added: requests keep what they were sent with. */
  authInfo: readonly Id[]
  readonly openedAtMs: number
  heardAtMs: number
  /** Requests that wait in commit order. */
  outstanding = 0
  /** Frames not looked at yet: the connection is establishing, or the member has too much to do. */
  readonly backlog: Deque<Uint8Array> = new Deque()
  backlogBytes = 0
  /** When each of them came; kept only where waiting too long means something (O33). */
  readonly backlogAtMs: Deque<number> = new Deque()
  /** Before this nothing could be handled. */
  openSinceMs = 0
  readonly #output: ClientOutput
  /** Frames to be flushed. */
  #out = new JuteWriter()
  #stepBytes = 0

  /** `ids`: what its transport knows of it already. */
  constructor(
    id: ConnectionId,
    address: string,
    openedAtMs: number,
    output: ClientOutput,
    ids: readonly Id[] = [],
  ) {
    this.id = id
    this.openedAtMs = openedAtMs
    this.heardAtMs = openedAtMs
    // Only a real address makes an id: a tab has none (A5).
    this.authInfo = [...(isIpExpression(address) ? [{ scheme: 'ip', id: address }] : []), ...ids]
    this.#output = output
  }

  get isClosed(): boolean {
    return this.state === 'closed'
  }

  /** So much was said to it in this step that its other requests wait for the next. */
  get isFull(): boolean {
    return this.#stepBytes >= STEP_BYTES_MAX
  }

  /** False: it has too many already. */
  addAuth(ids: readonly Id[]): boolean {
    const isKnown = (id: Id): boolean =>
      this.authInfo.some((known) => known.scheme === id.scheme && known.id === id.id)
    const authInfo = [...this.authInfo, ...ids.filter((id) => !isKnown(id))]
    if (authInfo.length > AUTH_IDS_MAX) return false
    this.authInfo = authInfo
    return true
  }

  /** Queues one frame, a copy of `payload`. Everything leaves in the order of these calls (N19). */
  send(payload: JuteWriter): void {
    if (this.isClosed) return
    if (this.#out.length === 0) this.#output.dirty(this)
    this.#out.frame(payload)
    this.#stepBytes += payload.length
    if (this.#out.length >= CLIENT_MESSAGE_BYTES) this.flush()
  }

  flush(): void {
    if (this.#out.length === 0) return
    const bytes = this.#out.finish()
    // A connection that once got a long reply must not keep its memory for ever.
    if (bytes.length <= 2 * CLIENT_MESSAGE_BYTES) this.#out.reset()
    else this.#out = new JuteWriter()
    this.#output.effect({ kind: 'client-send', connection: this.id, bytes })
  }

  /** Flushes what the step left. */
  endStep(): void {
    this.flush()
    this.#stepBytes = 0
  }

  /** What was queued before still leaves. */
  close(reason: CloseReason): void {
    if (this.isClosed) return
    this.flush()
    this.forget()
    this.#output.effect({ kind: 'client-close', connection: this.id, reason })
  }

  /** The client is gone already: nothing leaves any more. */
  forget(): void {
    if (this.isClosed) return
    this.state = 'closed'
    this.#out.reset()
    this.#output.closed(this)
    this.backlog.clear()
    this.backlogAtMs.clear()
    this.backlogBytes = 0
  }
}
