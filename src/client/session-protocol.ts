/** Inputs and effects of the session state machine. Times are monotonic ms. */

import type { ClientHost } from './transport.ts'
import type { WatchRegistration, WatchRemoval } from './watch-tables.ts'
import type { WatchedEvent, Watcher } from './watched-event.ts'

/** The states of ZooKeeper's handle (S31). */
export type ClientState =
  | 'NOT_CONNECTED'
  | 'CONNECTING'
  | 'ASSOCIATING'
  | 'CONNECTED'
  | 'CONNECTEDREADONLY'
  | 'CLOSED'
  | 'AUTH_FAILED'

export function isAlive(state: ClientState): boolean {
  return state !== 'CLOSED' && state !== 'AUTH_FAILED'
}

export function isConnected(state: ClientState): boolean {
  return state === 'CONNECTED' || state === 'CONNECTEDREADONLY'
}

export interface SessionRequest {
  /** Chosen by the caller, never reused. */
  readonly id: number
  /** An OpCode. */
  readonly type: number
  /** The encoded body; empty when the operation has none. */
  readonly body: Uint8Array
  /** May it change something at the servers? Decides what a loss means (W58). */
  readonly isWrite: boolean
  readonly register: WatchRegistration | null
  readonly unregister: WatchRemoval | null
  /** Given up as REQUESTTIMEOUT at this time (S36); null: never. */
  readonly deadlineMs: number | null
  /** Given up as CONNECTIONLOSS if it has not left by then; null: waits as long as the session. */
  readonly unsentDeadlineMs: number | null
}

export interface AuthInfo {
  readonly id: number
  readonly scheme: string
  readonly auth: Uint8Array | null
}

export type SessionInput =
  | { readonly kind: 'tick' }
  /** The connection of this attempt is open. */
  | { readonly kind: 'opened'; readonly attempt: number }
  /** It could not be opened, or is gone. */
  | { readonly kind: 'closed'; readonly attempt: number; readonly reason: string }
  | { readonly kind: 'message'; readonly attempt: number; readonly bytes: Uint8Array }
  /** Queues only; what is queued leaves with the next input of another kind. */
  | { readonly kind: 'submit'; readonly request: SessionRequest }
  /** The caller has lost interest. Nothing is settled; an unsent request is not sent. */
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'auth'; readonly info: AuthInfo }
  | { readonly kind: 'flush' }
  /** Who can be tried has changed, and this client may have to move (S30). */
  | { readonly kind: 'rebalance' }
  | { readonly kind: 'close' }

/** How a request or an addAuthInfo ended. */
export interface Settlement {
  /** 0, or an ErrorCode. */
  readonly err: number
  readonly zxid: bigint
  /** What follows the header; a view of the message. */
  readonly body: Uint8Array
  readonly outcomeUnknown: boolean
  /** Why the connection or the session ended, for people; null for an answer of the server. */
  readonly reason: string | null
}

/** To be performed in this order. */
export type SessionEffect =
  | { readonly kind: 'connect'; readonly attempt: number; readonly host: ClientHost }
  | { readonly kind: 'send'; readonly attempt: number; readonly bytes: Uint8Array }
  | { readonly kind: 'disconnect'; readonly attempt: number; readonly reason: string }
  | { readonly kind: 'settle'; readonly id: number; readonly settlement: Settlement }
  | {
      readonly kind: 'event'
      readonly event: WatchedEvent
      readonly watchers: readonly Watcher[]
    }
  | { readonly kind: 'state'; readonly state: ClientState }

export interface SessionConfig {
  readonly sessionTimeoutMs: number
  readonly hosts: () => readonly ClientHost[]
  /** In [0, 1). */
  readonly random: () => number
  /** Continues a session that another handle had (S18). */
  readonly resume: { readonly sessionId: bigint; readonly password: Uint8Array } | null
  /** Accept a read-only server (S38). */
  readonly canBeReadOnly: boolean
  readonly reconnectDelayMaxMs: number
  readonly roundPauseMs: number
  readonly closeWaitMs: number
  /** 1, but for tests of the wrap (W15). */
  readonly firstXid: number
}
