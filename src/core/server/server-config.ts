/** Settings of the server part of a member and the limits that follow from them. */
import { JUTE_MAX_BUFFER } from '../jute/framing.ts'
import type { ServerId } from '../base/zxid.ts'

export interface ServerConfig {
  readonly sid: ServerId
  /** Default: this member alone. An observer is none of them. */
  readonly voters?: readonly ServerId[]
  /** Observer: where its session ids begin, granted with its sid. Voters take the clock (S1). */
  readonly sessionBase?: bigint
  /** Shared by the ensemble: makes and checks session passwords (S2). null: as ZooKeeper does. */
  readonly sessionKey: Uint8Array | null
  /**
   * Chance of this life: another number at every start. Spreads snapshots over time (P16) and keeps
   * session ids of lives apart whose clock was set back (S1).
   */
  readonly seed: number
  readonly tickTimeMs: number
  /** Default 2 ticks (S4). */
  readonly minSessionTimeoutMs?: number
  /** Default 20 ticks (S4). */
  readonly maxSessionTimeoutMs?: number
  /** A local snapshot after half to all of this many transactions (P16). Default 100 000. */
  readonly snapCount?: number
  /** … or after half to all of this many bytes of log. Default 64 MiB: what a tab may keep. */
  readonly snapSizeBytes?: number
  /** 'super:hash' of the super user (A6); none by default. */
  readonly superDigest?: string
  /**
   * Requests that wait for commits before connections are held back. ZooKeeper's default is 1000.
   */
  readonly globalOutstandingLimit?: number
  /** Client connections at once. */
  readonly maxClientConnections?: number
  /**
   * extendedTypesEnabled: nodes with a time to live. Off by default: on, no server may have id 255,
   * whose session ids would read as times to live (D7, D44).
   */
  readonly extendedTypesEnabled?: boolean
  /** znode.container.checkIntervalMs (D47). Default a minute. */
  readonly containerCheckIntervalMs?: number
  /** znode.container.maxPerMinute (D47). Default 10 000. */
  readonly containersPerMinute?: number
  /** znode.container.maxNeverUsedIntervalMs (D47), 0 = never. Default five minutes. */
  readonly containerNeverUsedMs?: number
  /** enforceQuota: writes beyond a hard limit are refused (D53). Off by default. */
  readonly enforceQuota?: boolean
}

export interface ServerLimits {
  readonly tickTimeMs: number
  readonly sessionTimeoutMinMs: number
  readonly sessionTimeoutMaxMs: number
  readonly sessionlessTimeoutMs: number
  readonly outstandingMax: number
  readonly outstandingBytesMax: number
  readonly backlogBytesMax: number
  readonly backlogBytesMaxTotal: number
  readonly connectionsMax: number
  readonly snapCount: number
  readonly snapSizeBytes: number
}

const SESSION_TIMEOUT_MIN_TICKS = 2
const SESSION_TIMEOUT_MAX_TICKS = 20
/** nio.sessionlessCnxnTimeout (S13). */
const SESSIONLESS_TIMEOUT_MS = 10_000
/** globalOutstandingLimit. */
const OUTSTANDING_MAX = 1000
/** Bodies of waiting requests, bytes. Half of the lag that a follower may have (zab/constants). */
const OUTSTANDING_BYTES_MAX = 16 * (JUTE_MAX_BUFFER + 1)
/** Held-back frames of one connection, bytes. Ours: several of the longest frames fit. */
const BACKLOG_BYTES_MAX = 16 * (JUTE_MAX_BUFFER + 1)
/** Held-back frames of all connections, bytes. Ours: what a tab can spare. */
const BACKLOG_BYTES_MAX_TOTAL = 4 * BACKLOG_BYTES_MAX
/** Ours: far more than one browser's pages, and a bound on what a peer can make us keep. */
const CONNECTIONS_MAX = 1024
const SNAP_COUNT = 100_000
const SNAP_SIZE_BYTES = 64 * 1024 * 1024

export function limitsOf(config: ServerConfig): ServerLimits {
  const { tickTimeMs } = config
  return {
    tickTimeMs,
    sessionTimeoutMinMs: config.minSessionTimeoutMs ?? SESSION_TIMEOUT_MIN_TICKS * tickTimeMs,
    sessionTimeoutMaxMs: config.maxSessionTimeoutMs ?? SESSION_TIMEOUT_MAX_TICKS * tickTimeMs,
    sessionlessTimeoutMs: SESSIONLESS_TIMEOUT_MS,
    outstandingMax: config.globalOutstandingLimit ?? OUTSTANDING_MAX,
    outstandingBytesMax: OUTSTANDING_BYTES_MAX,
    backlogBytesMax: BACKLOG_BYTES_MAX,
    backlogBytesMaxTotal: BACKLOG_BYTES_MAX_TOTAL,
    connectionsMax: config.maxClientConnections ?? CONNECTIONS_MAX,
    snapCount: config.snapCount ?? SNAP_COUNT,
    snapSizeBytes: config.snapSizeBytes ?? SNAP_SIZE_BYTES,
  }
}
