/** Settings of the server part of a member and the limits that follow from them. */
import { JUTE_MAX_BUFFER } from '../jute/framing.ts'
import { JUTE_MAX_FIELD } from '../jute/reader.ts'
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
  /**
   * What /zookeeper/config says while this member serves (D3). Absent: what was last written there.
   */
  readonly configurationText?: string
  /** enforceQuota: writes beyond a hard limit are refused (D53). Off by default. */
  readonly enforcesQuota?: boolean
  /** New sessions are known to their server alone (S22); a server alone ignores it. */
  readonly localSessionsEnabled?: boolean
  /** … until their first ephemeral, which they may not have otherwise (S23). */
  readonly localSessionsUpgradingEnabled?: boolean
  /** readonlymode.enabled: reads are answered while there is no leader (S37). */
  readonly readOnlyModeEnabled?: boolean
  /** digest.enabled (P20). On by default. */
  readonly treeDigestEnabled?: boolean
  /** leaderServes: false = while it leads, this member takes no clients (Q53). */
  readonly leaderServes?: boolean
  /** skipACL: no permission is asked for, of clients here and of what is forwarded here (A9). */
  readonly skipsAcl?: boolean
  /** DigestAuthenticationProvider.enabled: false = nobody can authenticate by password (A4). */
  readonly digestAuthEnabled?: boolean
  /** Who has an id of none of these schemes is sent away (A13). Default: none asked for. */
  readonly enforcedAuthSchemes?: readonly string[]
  /** ensembleAuthName: names that the scheme `ensemble` accepts (A7); none: no such scheme. */
  readonly ensembleAuthNames?: readonly string[]
  /** jute.maxbuffer: the longest request (W5). */
  readonly frameBytesMax?: number
  /** jute.maxbuffer.extrasize: what a transaction may be longer. Default the same again (W6). */
  readonly extraBytesMax?: number
  /** nio.sessionlessCnxnTimeout (S13). */
  readonly sessionlessTimeoutMs?: number
  /** request_throttle_max_requests: waiting requests above which no other begins; 0 = no limit. */
  readonly throttleRequestsMax?: number
  /** throttledOpWaitTime: what was held back for longer gets THROTTLEDOP (O33); 0 = never. */
  readonly throttledOpWaitMs?: number
  /** largeRequestThreshold: requests above it are large; −1 = none. */
  readonly largeRequestBytes?: number
  /** largeRequestMaxBytes: of large requests at once; who goes beyond is cut off. */
  readonly largeRequestsBytesMax?: number
  /** connectionMaxTokens: new connections that may come at once; 0 = no limit. */
  readonly connectionTokensMax?: number
  /** connectionTokenFillTime, connectionTokenFillCount: so many come back in so many ms. */
  readonly connectionTokenFillMs?: number
  readonly connectionTokenFillCount?: number
  /** connectionFreezeTime and what goes with it; null: nobody is refused by chance. */
  readonly connectionBlue?: BlueLimits | null
  /** connection_throttle_weight_enabled: tokens by kind of session; null: one for each. */
  readonly connectionWeights?: ConnectionWeights | null
  /** requestStaleLatencyCheck: who was held back beyond its session's time-out is cut off. */
  readonly dropsStaleRequests?: boolean
  /** enableEagerACLCheck: this member asks for permissions before the leader does. */
  readonly checksAclEagerly?: boolean
}

export interface BlueLimits {
  /** connectionFreezeTime. */
  readonly freezeMs: number
  /** connectionDropIncrease: added to the part that is refused while there are no tokens. */
  readonly dropIncrease: number
  /** connectionDropDecrease: … and taken off while there are many. */
  readonly dropDecrease: number
  /** connectionDecreaseRatio: part of the tokens in use below which there are many. */
  readonly decreaseRatio: number
}

export interface ConnectionWeights {
  readonly global: number
  readonly local: number
  readonly renewed: number
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
  readonly frameBytesMax: number
  readonly throttleRequestsMax: number
  readonly throttledOpWaitMs: number
  readonly largeRequestBytes: number
  readonly largeRequestsBytesMax: number
  readonly connectionTokensMax: number
  readonly connectionTokenFillMs: number
  readonly connectionTokenFillCount: number
  readonly connectionBlue: BlueLimits | null
  readonly connectionWeights: ConnectionWeights | null
  readonly dropsStaleRequests: boolean
}

const SESSION_TIMEOUT_MIN_TICKS = 2
const SESSION_TIMEOUT_MAX_TICKS = 20
/** nio.sessionlessCnxnTimeout (S13). */
const SESSIONLESS_TIMEOUT_MS = 10_000
/** globalOutstandingLimit. */
const OUTSTANDING_MAX = 1000
/** Bodies of waiting requests, frames. Half of the lag that a follower may have (zab/constants). */
const OUTSTANDING_FRAMES_MAX = 16
/** Held back of one connection, in frames of the longest kind. Ours. */
const BACKLOG_FRAMES_MAX = 16
/** Of all connections. Ours: what a tab can spare. */
const BACKLOG_FRAMES_MAX_TOTAL = 4 * BACKLOG_FRAMES_MAX
/** Ours: far more than one browser's pages, and a bound on what a peer can make us keep. */
const CONNECTIONS_MAX = 1024
const SNAP_COUNT = 100_000
const SNAP_SIZE_BYTES = 64 * 1024 * 1024
/** largeRequestMaxBytes. */
const LARGE_REQUESTS_BYTES_MAX = 100 * 1024 * 1024

export function limitsOf(config: ServerConfig): ServerLimits {
  const { tickTimeMs, frameBytesMax = JUTE_MAX_BUFFER } = config
  const frameBytes = Math.max(frameBytesMax, JUTE_MAX_BUFFER) + 1
  return {
    tickTimeMs,
    sessionTimeoutMinMs: config.minSessionTimeoutMs ?? SESSION_TIMEOUT_MIN_TICKS * tickTimeMs,
    sessionTimeoutMaxMs: config.maxSessionTimeoutMs ?? SESSION_TIMEOUT_MAX_TICKS * tickTimeMs,
    sessionlessTimeoutMs: config.sessionlessTimeoutMs ?? SESSIONLESS_TIMEOUT_MS,
    outstandingMax: config.globalOutstandingLimit ?? OUTSTANDING_MAX,
    outstandingBytesMax: OUTSTANDING_FRAMES_MAX * frameBytes,
    backlogBytesMax: BACKLOG_FRAMES_MAX * frameBytes,
    backlogBytesMaxTotal: BACKLOG_FRAMES_MAX_TOTAL * frameBytes,
    connectionsMax: config.maxClientConnections ?? CONNECTIONS_MAX,
    snapCount: config.snapCount ?? SNAP_COUNT,
    snapSizeBytes: config.snapSizeBytes ?? SNAP_SIZE_BYTES,
    frameBytesMax,
    throttleRequestsMax: config.throttleRequestsMax ?? 0,
    throttledOpWaitMs: config.throttledOpWaitMs ?? 0,
    largeRequestBytes: config.largeRequestBytes ?? -1,
    largeRequestsBytesMax: config.largeRequestsBytesMax ?? LARGE_REQUESTS_BYTES_MAX,
    connectionTokensMax: config.connectionTokensMax ?? 0,
    connectionTokenFillMs: config.connectionTokenFillMs ?? 1,
    connectionTokenFillCount: config.connectionTokenFillCount ?? 1,
    connectionBlue: config.connectionBlue ?? null,
    connectionWeights: config.connectionWeights ?? null,
    dropsStaleRequests: config.dropsStaleRequests ?? false,
  }
}

/** Longest transaction. By default that of the default: a smaller jute.maxbuffer shortens none. */
export function entryBytesMax({
  frameBytesMax = JUTE_MAX_BUFFER,
  extraBytesMax,
}: ServerConfig): number {
  return Math.max(frameBytesMax + (extraBytesMax ?? frameBytesMax), JUTE_MAX_FIELD)
}
