/**
 * Where a member keeps what it must never forget. One Storage = one member identity.
 *
 * Guarantees an implementation must give:
 * - `write` is one atomic, strictly durable transaction: when its promise resolves, all of it is on
 *   disk (IndexedDB `durability: 'strict'`, fsync on files); when it rejects, none of it counts and
 *   the storage is failed for good (`StorageError.fatal`): the caller stops acknowledging.
 * - Writes and `recover` take effect in the order of their calls, one at a time.
 * - Staged snapshot chunks of an id that was never committed are invisible to `recover` and are
 *   removed at the next open.
 * - Every write verifies the owner token: when another holder opened the same storage since, it
 *   rejects with code 'not-owner' and nothing is written.
 * - What comes back is verified by checksum. A torn or corrupt LAST log value is dropped and
 *   reported in `droppedTail`; corruption before the tail is a StorageError 'corrupt'.
 */
import type { LogRange, LogWanted, PersistEffect, RecoveredState } from '../core/zab/effect.ts'
export type {
  LogEntry,
  LogRange,
  LogWanted,
  PersistEffect,
  RecoveredState,
  SnapshotAbandonEffect,
  SnapshotChunkEffect,
  SnapshotCommitEffect,
} from '../core/zab/effect.ts'

export type StorageErrorCode =
  | 'quota'
  | 'closed'
  /** Another founding record is pinned already. Not fatal: the storage goes on. */
  | 'already-founded'
  | 'blocked'
  | 'not-owner'
  | 'corrupt'
  | 'newer-format'
  | 'wiped'
  | 'unavailable'
  | 'timeout'

export class StorageError extends Error {
  readonly code: StorageErrorCode
  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StorageError'
    this.code = code
  }
}

export interface Recovered extends RecoveredState {
  /**
   * Entries dropped from a torn tail; 0 normally. They may have been acknowledged, so such a member
   * must neither vote nor lead until a leader has synchronised it: the figure stays, over restarts
   * too, until a `current-epoch` or an installed snapshot is written.
   */
  readonly droppedTail: number
}

/** Everything about the member that is not the replicated log. */
export interface MemberMeta {
  /** Signed founding record bytes this member pinned, or null before the founding (design §4). */
  readonly founding: Uint8Array | null
  /** Tokens `LIFE.RANDOM`, one per start, newest last, at most START_CHAIN_MAX. */
  readonly startChain: readonly string[]
  /** Number of starts of this identity. */
  readonly lives: number
  /**
   * Newest start token seen of each peer, by incarnation: detects a rolled-back profile. At most
   * PEER_TOKENS_MAX; the peers not heard of for longest are forgotten first.
   */
  readonly peerTokens: Readonly<Record<string, string>>
}

/**
 * Starts that a peer may miss before it can no longer verify this member (about 20 bytes each in a
 * handshake). Ours: a peer that was closed while a tab was reloaded all day must still find its
 * token.
 */
export const START_CHAIN_MAX = 256

/** Peers remembered. Ours: voters and observers of one room are far fewer. */
export const PEER_TOKENS_MAX = 64

/**
 * Newest snapshots kept, and the log from the oldest of them on (autopurge.snapRetainCount, P18).
 */
export const SNAPSHOTS_RETAINED = 3

export interface Storage {
  /** Verify, repair a torn tail, and read everything. */
  recover(): Promise<Recovered>
  /** One atomic, strictly durable transaction of these effects, in this order. */
  write(batch: readonly PersistEffect[]): Promise<void>
  /**
   * Entries of the log, of those as well that are older than the newest snapshot. In no order with
   * writes, but what was durable before the call is seen. What is damaged or missing ends the
   * range. null: no entry here is as old as `after`. A rejection is no reason to stop the member.
   */
  readLog(wanted: LogWanted): Promise<LogRange | null>
  meta(): Promise<MemberMeta>
  /**
   * Pin the founding record, strictly, once: in the same transaction writes the empty snapshot of
   * zxid 0 and both epochs 0 (the `initialize` marker, Q18/P15). Rejects when another record is
   * already pinned; resolves when the same bytes are. `emptySnapshot` null: what this storage was
   * given before, a snapshot and its epochs, is the marker, and stays.
   */
  pinFounding(record: Uint8Array, emptySnapshot: Uint8Array | null): Promise<void>
  rememberPeerToken(incarnation: string, token: string): Promise<void>
  /** Resolves once with the reason when the storage dies under us (connection lost, wiped…). */
  readonly failed: Promise<StorageError>
  close(): Promise<void>
}
