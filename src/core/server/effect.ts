/** Inputs and effects of the whole member: Zab's plus those of clients. */
import type { ServerId } from '../base/zxid.ts'
import type { Id } from '../jute/data-records.ts'
import type { LogRange, Moment, RecoveredState, ZabEffect } from '../zab/effect.ts'

/** Number of one client connection of this member, chosen by the driver, never reused. */
export type ConnectionId = number

export type MemberInput =
  /** Comes about every TICK_INTERVAL_MS, and says how long the oldest unfinished append waits. */
  | { readonly kind: 'tick'; readonly oldestAppendAgeMs: number }
  /**
   * A verified link is open: of a voter to anybody, of an observer to a voter. A newer link-up of
   * the same peer replaces the old link. Whose it is, the owner of the link knows: by the founding
   * record or by the table of observers. When that gives a server id to somebody else, it takes the
   * link down.
   */
  | { readonly kind: 'link-up'; readonly peer: ServerId }
  | { readonly kind: 'link-down'; readonly peer: ServerId; readonly reason: string }
  /** One whole frame from a peer (see zab/frame.ts). */
  | { readonly kind: 'frame'; readonly peer: ServerId; readonly bytes: Uint8Array }
  /** The link's outgoing buffer fell below its low watermark: more bulk may be produced. */
  | { readonly kind: 'link-writable'; readonly peer: ServerId }
  /** A crash hint (design §4): probe that peer with a short time-out; decides nothing itself. */
  | { readonly kind: 'suspect'; readonly peer: ServerId }
  /** From the gate: everything emitted up to `mark` is durable. */
  | { readonly kind: 'persisted'; readonly mark: number }
  /** A truncate effect is durable; this is what the storage holds now. */
  | { readonly kind: 'truncated'; readonly recovered: RecoveredState }
  /** To a read-log effect; null: that part of the log is not there, or cannot be read. */
  | { readonly kind: 'log-read'; readonly id: number; readonly range: LogRange | null }
  /** Storage failed for good: stop serving, stop voting, say so. */
  | { readonly kind: 'storage-failed'; readonly reason: string }
  /** A backup to be the state of the ensemble (zab/state-replacement.ts). Only a leader does it. */
  | { readonly kind: 'replace-state'; readonly chunks: readonly Uint8Array[] }
  /**
   * Somebody with this key wants to be an observer. A serving leader gives it a place through the
   * log, others ignore it; so whoever heard of it tells the member, as often as it likes.
   */
  | { readonly kind: 'admit-observer'; readonly incarnation: string }
  | {
      readonly kind: 'client-open'
      readonly connection: ConnectionId
      readonly address: string
      /** Of its certificate. In no recording: where there is TLS, nothing is recorded. */
      readonly ids?: readonly Id[]
    }
  /** One or more whole length-prefixed frames from a client (jute/framing.ts splitFrames). */
  | { readonly kind: 'client-data'; readonly connection: ConnectionId; readonly bytes: Uint8Array }
  | { readonly kind: 'client-closed'; readonly connection: ConnectionId }

/** Length-prefixed frames for one client; the driver may join several into one message. */
export interface ClientSendEffect {
  readonly kind: 'client-send'
  readonly connection: ConnectionId
  readonly bytes: Uint8Array
}

export interface ClientCloseEffect {
  readonly kind: 'client-close'
  readonly connection: ConnectionId
  /** One of the disconnect reasons of W63. */
  readonly reason: string
}

/** The member stops for good (unknown transaction, failed storage…). Nothing follows. */
export interface HaltEffect {
  readonly kind: 'halt'
  readonly reason: string
}

export type ServerEffect = ZabEffect | ClientSendEffect | ClientCloseEffect

/** The member's effect list, shared with Zab so that persist marks mean the same to both. */
export interface ServerEffects {
  push(effect: ServerEffect): void
  newSnapshotId(at: Moment): number
}

export type MemberEffect = ZabEffect | ClientSendEffect | ClientCloseEffect | HaltEffect
