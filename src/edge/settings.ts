/**
 * The one typed description of a Node server: what a zoo.cfg, `-Dzookeeper.…` options and the
 * options of a command say, with every default filled in. Units come last in names; `null` means
 * that the setting was not given and what depends on it decides.
 *
 * The names of ZooKeeper's own keys are in the comments; `config/` holds the table of them.
 */
import type { SnapshotPacking } from '../adapters/files/file-names.ts'
import type { QuorumMember } from '../adapters/tcp/quorum-member.ts'
import type { ServerId } from '../core/base/zxid.ts'
import type { QuorumGroup } from '../core/zab/hierarchical-verifier.ts'
import type { TlsKeys } from './tls/tls-settings.ts'

export type MemberRole = 'participant' | 'observer'

/**
 * One `server.N=host:quorumPort:electionPort[|…][:role][;[clientAddress:]clientPort[;…]]` (Q2), as
 * the network of the members has it.
 */
export type EnsembleMember = QuorumMember

export interface FileSettings {
  /** dataDir: snapshots, epochs, myid. */
  readonly dataDirectory: string
  /** dataLogDir: null = the data directory (P1). */
  readonly logDirectory: string | null
  /** preAllocSize; 0 = files grow as they are written (P5). */
  readonly preallocateBytes: number
  /** forceSync; false trades safety for speed (P6). */
  readonly forceSync: boolean
  /** fsync.warningthresholdms (P6). */
  readonly slowSyncMs: number
  /** snapCount: a snapshot after half to all of so many transactions (P16). */
  readonly snapCount: number
  /** snapSizeLimitInKb: … or of so many bytes of log; 0 = the count alone (P16). */
  readonly snapSizeBytes: number
  /** txnLogSizeLimitInKb; 0 = a new file only after a snapshot (P7). */
  readonly logFileBytesMax: number
  /** snapshot.compression.method (P10). */
  readonly snapshotPacking: SnapshotPacking
  /** snapshot.trust.empty: logs without a snapshot begin with the empty tree (P15). */
  readonly trustsLogsAlone: boolean
  /** db.autocreate: an empty directory becomes an empty database (P15). */
  readonly createsDatabase: boolean
  /** autopurge.snapRetainCount, at least 3 (P18). */
  readonly snapshotsRetained: number
  /** autopurge.purgeInterval; 0 = nothing is purged (P18). */
  readonly purgeIntervalMs: number
}

export interface ListenSettings {
  /** clientPort: 0 = any free one (ours, for tests), null = no client port. */
  readonly clientPort: number | null
  /** clientPortAddress: null = every address of this machine. */
  readonly clientAddress: string | null
  /** clientPortListenBacklog: null = the system's. */
  readonly listenBacklog: number | null
  /** maxClientCnxns: connections of one address; 0 = no limit. */
  readonly connectionsPerAddressMax: number
  /** maxCnxns: connections at all; 0 = no limit. */
  readonly connectionsMax: number
  /** nio.sessionlessCnxnTimeout (O31). */
  readonly sessionlessTimeoutMs: number
  /** quorumListenOnAllIPs: the quorum and election ports on every address. */
  readonly quorumListensOnAllAddresses: boolean
  /** multiAddress.enabled: a server of the list may have several addresses. */
  readonly severalAddressesEnabled: boolean
}

export interface EnsembleSettings {
  /** The myid file; null = standalone. */
  readonly sid: ServerId | null
  /** Empty = standalone. */
  readonly members: readonly EnsembleMember[]
  /** group.N and weight.N; empty = more than half of the participants (Q6). */
  readonly groups: readonly QuorumGroup[]
  readonly role: MemberRole
  readonly tickTimeMs: number
  readonly initLimitTicks: number
  readonly syncLimitTicks: number
  /** standaloneEnabled: a list of one participant needs no quorum (Q80). */
  readonly standaloneEnabled: boolean
  /** leaderServes: false = the leader accepts no clients. */
  readonly leaderServes: boolean
  /** cnxTimeout: connecting to an election port. */
  readonly electionConnectTimeoutMs: number
  /** fastleader.minNotificationInterval and maxNotificationInterval (Q17). */
  readonly notificationIntervalMs: number
  readonly notificationIntervalMaxMs: number
  /** commitLogCount (Q32). */
  readonly commitLogCount: number
  /** snapshotSizeFactor (Q30). */
  readonly snapshotSizeFactor: number
  /** leader.maxTimeToWaitForEpoch: null = our own limit. */
  readonly epochWaitMs: number | null
  /** leader.maxConcurrentSnapSyncs, leader.maxConcurrentDiffSyncs (Q41). */
  readonly observerSnapsMax: number
  readonly observerDiffsMax: number
  /** forceSnapshotSync. */
  readonly alwaysSendsSnapshot: boolean
  /** observer.election.DelayMs. */
  readonly observerDelayMs: number
  /** observer.reconnectDelayMs (Q57). */
  readonly observerReconnectDelayMs: number
  /** observerMasterPort: null = observers learn from the leader (Q58). */
  readonly observerMasterPort: number | null
  /** observerMaster.sizeLimit. */
  readonly observerLagBytesMax: number
  /** leaderConnectDelayDuringRetryMs: between attempts to reach a leader's quorum port. */
  readonly leaderRetryMs: number
  /** connectToLearnerMasterLimit: ticks for one attempt; 0 = our own limit. */
  readonly leaderConnectTicks: number
}

export interface SessionSettings {
  /** minSessionTimeout: null = 2 ticks (S4). */
  readonly sessionTimeoutMinMs: number | null
  /** maxSessionTimeout: null = 20 ticks (S4). */
  readonly sessionTimeoutMaxMs: number | null
  readonly localSessionsEnabled: boolean
  readonly localSessionsUpgradingEnabled: boolean
  /** readonlymode.enabled. */
  readonly readOnlyModeEnabled: boolean
}

export interface LimitSettings {
  /** jute.maxbuffer: the longest packet. */
  readonly frameBytesMax: number
  /** jute.maxbuffer.extrasize: what a transaction may be longer; null = as much again. */
  readonly extraBytesMax: number | null
  /** globalOutstandingLimit, divided by n − 1 in an ensemble of more than two (O31). */
  readonly outstandingMax: number
  /** request_throttle_max_requests; 0 = no throttle. */
  readonly throttleRequestsMax: number
  /** throttledOpWaitTime; 0 = never. */
  readonly throttledOpWaitMs: number
  /** largeRequestMaxBytes. */
  readonly largeRequestsBytesMax: number
  /** largeRequestThreshold; −1 = none is large. */
  readonly largeRequestBytes: number
  /** connectionMaxTokens: new connections that may come at once; 0 = no limit. */
  readonly connectionTokensMax: number
  /** connectionTokenFillTime and connectionTokenFillCount. */
  readonly connectionTokenFillMs: number
  readonly connectionTokenFillCount: number
  /** connectionFreezeTime; −1 = nobody is refused by chance. */
  readonly connectionFreezeMs: number
  /** connectionDropIncrease, connectionDropDecrease, connectionDecreaseRatio. */
  readonly connectionDropIncrease: number
  readonly connectionDropDecrease: number
  readonly connectionDecreaseRatio: number
  /** connection_throttle_weight_enabled; false = each connection takes one token. */
  readonly weighsConnections: boolean
  readonly globalSessionWeight: number
  readonly localSessionWeight: number
  readonly renewedSessionWeight: number
  /** requestThrottleDropStale and requestStaleLatencyCheck (O33). */
  readonly dropsStaleRequests: boolean
  readonly checksStaleLatency: boolean
}

export interface SecuritySettings {
  /** DigestAuthenticationProvider.superDigest, 'super:hash' (A6). */
  readonly superDigest: string | null
  /** DigestAuthenticationProvider.enabled (A4). */
  readonly digestAuthEnabled: boolean
  /** skipACL (A9). */
  readonly skipsAcl: boolean
  /** enableEagerACLCheck: each member asks before the leader does. */
  readonly checksAclEagerly: boolean
  /** enforce.auth.schemes when enforce.auth.enabled, else empty (A13). */
  readonly enforcedAuthSchemes: readonly string[]
  /** ensembleAuthName: comma-separated names that the scheme `ensemble` accepts (A7). */
  readonly ensembleAuthNames: readonly string[]
  /** audit.enable (A18). */
  readonly auditEnabled: boolean
}

export interface TreeSettings {
  readonly extendedTypesEnabled: boolean
  readonly enforcesQuota: boolean
  /** digest.enabled (P20). */
  readonly treeDigestEnabled: boolean
  /** znode.container.checkIntervalMs (D47). */
  readonly containerCheckIntervalMs: number
  /** znode.container.maxPerMinute (D47). */
  readonly containersPerMinute: number
  /** znode.container.maxNeverUsedIntervalMs; 0 = never (D47). */
  readonly containerNeverUsedMs: number
}

export interface AdminSettings {
  /** 4lw.commands.whitelist: the words, or `*` for all (O14). */
  readonly wordsAllowed: readonly string[]
  /** admin.enableServer. */
  readonly adminEnabled: boolean
  /** admin.serverPort: 0 = any free one. */
  readonly adminPort: number
  /** admin.serverAddress: null = every address of this machine. */
  readonly adminAddress: string | null
  /** admin.commandURL. */
  readonly adminCommandPath: string
  /** admin.idleTimeout. */
  readonly adminIdleTimeoutMs: number
  /** admin.forceHttps: TLS, with the keys of ssl.quorum. */
  readonly adminForcesTls: boolean
  /** admin.portUnification: connections with TLS and without. */
  readonly adminTakesBoth: boolean
  /** admin.needClientAuth: over TLS, whoever comes shows a certificate. */
  readonly adminNeedsCertificate: boolean
  /** admin.rateLimiterIntervalInMS (O17). */
  readonly adminRateLimitIntervalMs: number
  /** admin.snapshot.enabled. */
  readonly adminSnapshotEnabled: boolean
  /** admin.restore.enabled. */
  readonly adminRestoreEnabled: boolean
  /** metricsProvider.className: null = no provider but the words and admin commands. */
  readonly metrics: PrometheusSettings | null
}

/** metricsProvider.httpHost, httpPort, exportJvmInfo (O27). */
export interface PrometheusSettings {
  readonly host: string
  readonly port: number
  /** Of the process, which here is no JVM: its memory, CPU time and event loop. */
  readonly exportsProcessInfo: boolean
}

export interface TlsSettings {
  /** secureClientPort: null = none. */
  readonly secureClientPort: number | null
  /** secureClientPortAddress: null = every address of this machine. */
  readonly secureClientAddress: string | null
  /** client.portUnification: clientPort takes TLS as well. */
  readonly clientPortTakesTls: boolean
  /** ssl.…; null = none was given. */
  readonly clientTls: TlsKeys | null
  /** X509AuthenticationProvider.superUser: the name in a certificate that passes every ACL. */
  readonly x509SuperUser: string | null
  /** sslQuorum: TLS between the servers. */
  readonly quorumUsesTls: boolean
  /** portUnification: the ports between servers take connections with TLS and without. */
  readonly quorumTakesBoth: boolean
  /** ssl.quorum.… */
  readonly quorumTls: TlsKeys | null
  /** client.certReload: files behind ssl. are read again when they change. */
  readonly clientTlsReloads: boolean
  /** sslQuorumReloadCertFiles: the same of ssl.quorum. */
  readonly quorumTlsReloads: boolean
}

export interface ServerSettings
  extends
    FileSettings,
    ListenSettings,
    EnsembleSettings,
    SessionSettings,
    LimitSettings,
    SecuritySettings,
    TlsSettings,
    TreeSettings,
    AdminSettings {}

const FILE_DEFAULTS: Omit<FileSettings, 'dataDirectory'> = {
  logDirectory: null,
  preallocateBytes: 64 * 1024 * 1024,
  forceSync: true,
  slowSyncMs: 1_000,
  snapCount: 100_000,
  snapSizeBytes: 4 * 1024 * 1024 * 1024,
  logFileBytesMax: 0,
  snapshotPacking: 'plain',
  trustsLogsAlone: false,
  createsDatabase: true,
  snapshotsRetained: 3,
  purgeIntervalMs: 0,
}

const LISTEN_DEFAULTS: ListenSettings = {
  clientPort: 2181,
  clientAddress: null,
  listenBacklog: null,
  connectionsPerAddressMax: 60,
  connectionsMax: 0,
  sessionlessTimeoutMs: 10_000,
  quorumListensOnAllAddresses: false,
  severalAddressesEnabled: false,
}

const ENSEMBLE_DEFAULTS: EnsembleSettings = {
  sid: null,
  members: [],
  groups: [],
  role: 'participant',
  tickTimeMs: 2_000,
  initLimitTicks: 10,
  syncLimitTicks: 5,
  standaloneEnabled: true,
  leaderServes: true,
  electionConnectTimeoutMs: 5_000,
  notificationIntervalMs: 200,
  // ZooKeeper's 60 s is an outage after a long partition.
  notificationIntervalMaxMs: 1_600,
  commitLogCount: 500,
  snapshotSizeFactor: 0.33,
  epochWaitMs: null,
  observerSnapsMax: 10,
  observerDiffsMax: 100,
  alwaysSendsSnapshot: false,
  observerDelayMs: 0,
  observerReconnectDelayMs: 0,
  observerMasterPort: null,
  observerLagBytesMax: 32 * 1024 * 1024,
  leaderRetryMs: 100,
  leaderConnectTicks: 0,
}

const SESSION_DEFAULTS: SessionSettings = {
  sessionTimeoutMinMs: null,
  sessionTimeoutMaxMs: null,
  localSessionsEnabled: false,
  localSessionsUpgradingEnabled: false,
  readOnlyModeEnabled: false,
}

const LIMIT_DEFAULTS: LimitSettings = {
  frameBytesMax: 0xfffff,
  extraBytesMax: null,
  outstandingMax: 1_000,
  throttleRequestsMax: 0,
  throttledOpWaitMs: 0,
  largeRequestsBytesMax: 100 * 1024 * 1024,
  largeRequestBytes: -1,
  connectionTokensMax: 0,
  connectionTokenFillMs: 1,
  connectionTokenFillCount: 1,
  connectionFreezeMs: -1,
  connectionDropIncrease: 0.02,
  connectionDropDecrease: 0.002,
  connectionDecreaseRatio: 0,
  weighsConnections: false,
  globalSessionWeight: 3,
  localSessionWeight: 1,
  renewedSessionWeight: 2,
  dropsStaleRequests: true,
  checksStaleLatency: false,
}

const SECURITY_DEFAULTS: SecuritySettings = {
  superDigest: null,
  digestAuthEnabled: true,
  skipsAcl: false,
  checksAclEagerly: false,
  enforcedAuthSchemes: [],
  ensembleAuthNames: [],
  auditEnabled: false,
}

const TLS_DEFAULTS: TlsSettings = {
  secureClientPort: null,
  secureClientAddress: null,
  clientPortTakesTls: false,
  clientTls: null,
  x509SuperUser: null,
  quorumUsesTls: false,
  quorumTakesBoth: false,
  quorumTls: null,
  clientTlsReloads: false,
  quorumTlsReloads: false,
}

const TREE_DEFAULTS: TreeSettings = {
  extendedTypesEnabled: false,
  enforcesQuota: false,
  treeDigestEnabled: true,
  containerCheckIntervalMs: 60_000,
  containersPerMinute: 10_000,
  containerNeverUsedMs: 300_000,
}

const ADMIN_DEFAULTS: AdminSettings = {
  wordsAllowed: ['srvr'],
  adminEnabled: true,
  adminPort: 8080,
  adminAddress: null,
  adminCommandPath: '/commands',
  adminIdleTimeoutMs: 30_000,
  adminForcesTls: false,
  adminTakesBoth: false,
  adminNeedsCertificate: false,
  adminRateLimitIntervalMs: 300_000,
  adminSnapshotEnabled: true,
  adminRestoreEnabled: true,
  metrics: null,
}

export const DEFAULT_SETTINGS: Omit<ServerSettings, 'dataDirectory'> = {
  ...FILE_DEFAULTS,
  ...LISTEN_DEFAULTS,
  ...ENSEMBLE_DEFAULTS,
  ...SESSION_DEFAULTS,
  ...LIMIT_DEFAULTS,
  ...SECURITY_DEFAULTS,
  ...TLS_DEFAULTS,
  ...TREE_DEFAULTS,
  ...ADMIN_DEFAULTS,
}

/** ZooKeeper's defaults with what was said. */
export function serverSettings(
  said: Partial<ServerSettings> & Pick<ServerSettings, 'dataDirectory'>,
): ServerSettings {
  return { ...DEFAULT_SETTINGS, ...said }
}

/** No quorum code: no list of members, or one participant where that is allowed (Q80). */
export function isStandalone(settings: ServerSettings): boolean {
  const { members, standaloneEnabled } = settings
  if (members.length === 0) return true
  return members.length === 1 && members[0]?.role === 'participant' && standaloneEnabled
}
