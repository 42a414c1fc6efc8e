/**
 * What the replication core asks of the world. `step` never does I/O: it appends values of this
 * closed union to a list, in order, and the EffectGate decides when each may run (design §5).
 *
 * The ordering rule, in one sentence: a persist effect joins the storage batch that is being
 * collected; a send with `when: 'persisted'` leaves only after every persist effect emitted before
 * it is durable; a send with `when: 'now'` leaves at once, unless an earlier send on the same
 * (peer, 'stream') is still held, in which case it queues behind it, because the learner protocol
 * needs FIFO (reference Q82).
 */
import type { ServerId, Zxid } from '../base/zxid.ts'

/** Both clocks of one step. Elapsed time rules every deadline; the wall clock only stamps data. */
export interface Moment {
  /** Monotonic milliseconds since an arbitrary origin. Never goes back. */
  readonly elapsedMs: number
  /** Wall clock, ms since 1970. May jump; never expires a session by itself (design §4). */
  readonly wallMs: number
}

/**
 * Lanes of one link. `pulse` and `election` are never held by the gate; `stream` is the ordered
 * learner conversation, SNAP chunks included. `request` is the learner's way to the leader for what
 * owes nothing to the disk (REQUEST, REVALIDATE, PING answers): it belongs to the conversation, is
 * in order in itself, and is never held, so that a request does not wait for the acks before it.
 */
export type Lane = 'pulse' | 'election' | 'stream' | 'request'

export interface SendEffect {
  readonly kind: 'send'
  readonly peer: ServerId
  readonly lane: Lane
  /** Number of the learner-leader conversation; 0 on the pulse and election lanes. */
  readonly conversation: number
  readonly when: 'now' | 'persisted'
  /** One packet: a Jute QuorumPacket (stream), a Notification (election) or a pulse. */
  readonly packet: Uint8Array
}

/** The conversation is over: its held and queued stream packets are dropped, unsent. */
export interface EndConversationEffect {
  readonly kind: 'end-conversation'
  readonly peer: ServerId
  readonly conversation: number
}

/** The link is suspected dead or broke the protocol: close it; the page makes a fresh one. */
export interface CloseLinkEffect {
  readonly kind: 'close-link'
  readonly peer: ServerId
  readonly reason: string
}

/** One log entry: header + txn (+ digest), the bytes of the PROPOSAL (Q45, P3). */
export interface AppendEffect {
  readonly kind: 'append'
  readonly zxid: Zxid
  readonly entry: Uint8Array
}

export interface AcceptedEpochEffect {
  readonly kind: 'accepted-epoch'
  readonly epoch: number
}

export interface CurrentEpochEffect {
  readonly kind: 'current-epoch'
  readonly epoch: number
}

/**
 * Cut the log after `to` (TRUNC). A barrier: nothing later joins its batch. The driver re-reads
 * the storage afterwards and feeds a `truncated` input with what it found; until then the core
 * stays in synchronisation and keeps the following packets.
 */
export interface TruncateEffect {
  readonly kind: 'truncate'
  readonly to: Zxid
}

/** Stage one chunk (≤ SNAPSHOT_CHUNK_BYTES) of snapshot `id`. Chunks of one id come in order. */
export interface SnapshotChunkEffect {
  readonly kind: 'snapshot-chunk'
  readonly id: number
  readonly index: number
  readonly bytes: Uint8Array
}

/**
 * Make snapshot `id` (state exactly at `zxid`, `chunks` chunks) the newest one, in one write.
 * - `install: false`: a local snapshot; older snapshots beyond the retained ones and the log
 *   entries that only they need are purged (P18).
 * - `install: true`: a SNAP from the leader; in the SAME transaction the whole log and every older
 *   snapshot are dropped and, when given, currentEpoch is written (Q36). A barrier like truncate.
 */
export interface SnapshotCommitEffect {
  readonly kind: 'snapshot-commit'
  readonly id: number
  readonly zxid: Zxid
  readonly chunks: number
  readonly install: boolean
  readonly currentEpoch?: number
}

/** Forget staged chunks of an abandoned snapshot. */
export interface SnapshotAbandonEffect {
  readonly kind: 'snapshot-abandon'
  readonly id: number
}

export type PersistEffect =
  | AppendEffect
  | AcceptedEpochEffect
  | CurrentEpochEffect
  | TruncateEffect
  | SnapshotChunkEffect
  | SnapshotCommitEffect
  | SnapshotAbandonEffect

/** A part of the log on disk. */
export interface LogWanted {
  /** What is read comes behind it. */
  readonly after: Zxid
  /** Nothing newer. Durable when this is asked. */
  readonly upTo: Zxid
  /** No more entries once they have so many bytes; one at least. */
  readonly bytesMax: number
}

/**
 * Read the log back: what a learner lacks and memory holds no more. Its place among writes does not
 * matter. The driver answers with one `log-read` input of this id, whatever comes of it.
 */
export interface ReadLogEffect extends LogWanted {
  readonly kind: 'read-log'
  readonly id: number
}

/** A fact for observers (UI, tests, flight recorder). Never needed for correctness. */
export interface TraceEffect {
  readonly kind: 'trace'
  readonly event: TraceEvent
}

export type TraceEvent =
  | { readonly type: 'role'; readonly role: Role; readonly epoch: number; readonly reason: string }
  | {
      readonly type: 'vote'
      readonly leader: number
      readonly zxid: string
      readonly round: number
    }
  | {
      readonly type: 'sync'
      /** 'in' on the learner, 'out' on the leader. */
      readonly direction: 'in' | 'out'
      readonly mode: 'DIFF' | 'TRUNC' | 'SNAP'
      readonly peer: number
      readonly from: string
      readonly to: string
    }
  | { readonly type: 'established'; readonly epoch: number; readonly leader: number }
  | { readonly type: 'session-opened' | 'session-closed'; readonly session: string }
  | { readonly type: 'session-expired'; readonly session: string }
  | { readonly type: 'snapshot'; readonly zxid: string; readonly bytes: number }
  | { readonly type: 'link'; readonly peer: number; readonly up: boolean; readonly reason: string }
  /** Who has a place as an observer, as committed; whenever that changes. */
  | { readonly type: 'observers'; readonly observers: readonly TracedObserver[] }
  /** The leader has no place for it. */
  | {
      readonly type: 'observer-refused'
      readonly incarnation: string
      readonly reason: string
    }
  /** This member's tree is not what it should be: it leaves service and builds it anew (P22). */
  | {
      readonly type: 'diverged'
      readonly zxid: string
      readonly ownDigest: string
      /** What the others have; null: its own tree showed it. */
      readonly otherDigest: string | null
      readonly what: string
      /** Where it gets its tree from now; none: it halts. */
      readonly cure: 'disk' | 'snapshot' | 'none'
    }
  /** It serves again after that. */
  | { readonly type: 'healed'; readonly zxid: string }
  /** A change went beyond a soft limit; whoever stays beyond it is told of once (D53). */
  | {
      readonly type: 'quota-exceeded'
      readonly path: string
      readonly of: 'count' | 'bytes'
      readonly used: number
      readonly limit: number
    }
  /** The leader's state is a backup now; it counts when this member leads again. */
  | { readonly type: 'replaced'; readonly zxid: string }
  | { readonly type: 'slept'; readonly elapsedMs: number }
  | { readonly type: 'protocol-error'; readonly peer: number; readonly what: string }

export interface TracedObserver {
  readonly sid: number
  readonly incarnation: string
  /** Low 56 bits at which its session ids begin, in hex. */
  readonly sessionBase: string
}

/** The roles a page shows, in ZooKeeper's words (Q1). */
export type Role = 'looking' | 'following' | 'leading' | 'observing'

const PERSIST_KINDS: ReadonlySet<string> = new Set<PersistEffect['kind']>([
  'append',
  'accepted-epoch',
  'current-epoch',
  'truncate',
  'snapshot-chunk',
  'snapshot-commit',
  'snapshot-abandon',
])

/** Has a mark: joins a storage batch. */
export function isPersistEffect(effect: { readonly kind: string }): effect is PersistEffect {
  return PERSIST_KINDS.has(effect.kind)
}

export type ZabEffect =
  SendEffect | EndConversationEffect | CloseLinkEffect | PersistEffect | ReadLogEffect | TraceEffect

/** The inputs that are Zab's; the member machine adds those of clients. */
export type ZabInput =
  | { readonly kind: 'tick'; readonly oldestAppendAgeMs: number }
  | { readonly kind: 'link-up'; readonly peer: ServerId }
  | { readonly kind: 'link-down'; readonly peer: ServerId; readonly reason: string }
  | { readonly kind: 'frame'; readonly peer: ServerId; readonly bytes: Uint8Array }
  | { readonly kind: 'link-writable'; readonly peer: ServerId }
  | { readonly kind: 'suspect'; readonly peer: ServerId }
  | { readonly kind: 'persisted'; readonly mark: number }
  | { readonly kind: 'truncated'; readonly recovered: RecoveredState }
  | { readonly kind: 'log-read'; readonly id: number; readonly range: LogRange | null }
  | { readonly kind: 'storage-failed'; readonly reason: string }
  /**
   * An administrator's backup: a leader that serves makes it the state of the ensemble, anybody
   * else ignores it. The trace `replaced` tells of it.
   */
  | { readonly kind: 'replace-state'; readonly chunks: readonly Uint8Array[] }

/** What storage held when it was opened or re-read after TRUNC. Everything in it is durable. */
export interface RecoveredState {
  readonly acceptedEpoch: number
  readonly currentEpoch: number
  /** Newest valid snapshot; null = this storage never accepted a founding record: no vote (Q18). */
  readonly snapshot: { readonly zxid: Zxid; readonly chunks: readonly Uint8Array[] } | null
  /** Every entry after that snapshot, in order, verified by checksum. */
  readonly log: readonly LogEntry[]
  /** Entries that were here and are lost, though maybe acknowledged; absent = 0. */
  readonly droppedTail?: number
}

export interface LogEntry {
  readonly zxid: Zxid
  readonly entry: Uint8Array
}

/** What was read of the log. */
export interface LogRange {
  /** The newest entry of the log that is not newer than `after`. */
  readonly from: Zxid
  /** Those directly behind `after`, in order, verified; as far as they are whole. */
  readonly entries: readonly LogEntry[]
}

export const SNAPSHOT_CHUNK_BYTES = 60_000
