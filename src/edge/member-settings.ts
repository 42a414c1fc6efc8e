/** What a Node server's settings make of the member inside it. */
import { configText } from '../adapters/tcp/quorum-member.ts'
import type { QuorumNetworkOptions } from '../adapters/tcp/quorum-network.ts'
import { toServerId, type ServerId } from '../core/base/zxid.ts'
import type { MemberConfig } from '../core/server/member-machine.ts'
import {
  COMMIT_LOG_BYTES_MAX,
  PEER_PACKET_MAX_BYTES,
  SILENCE_LIMIT_MS,
} from '../core/zab/constants.ts'
import type { ZabTuning } from '../core/zab/role.ts'
import { isStandalone, type ServerSettings } from './settings.ts'

/** createSessionTrackerServerId: what the session ids of a standalone server begin with (S1). */
const STANDALONE_SID: ServerId = toServerId(1)

/**
 * A process that ends closes its connections, and is missed at once; only one that hangs is missed
 * by its silence. A server under load is deaf for longer than a tab may be. ZooKeeper waits for
 * syncLimit, five ticks.
 */
const SILENCE_LIMIT_TICKS = 2

/** `seed`: chance of this life. */
export function memberConfigOf(settings: ServerSettings, seed: number): MemberConfig {
  return {
    ...quorumOf(settings),
    // The members share a file and no secret, and Apache's may be among them (S2).
    sessionKey: null,
    seed,
    tickTimeMs: settings.tickTimeMs,
    initLimitTicks: settings.initLimitTicks,
    syncLimitTicks: settings.syncLimitTicks,
    silenceLimitMs: Math.max(SILENCE_LIMIT_MS, SILENCE_LIMIT_TICKS * settings.tickTimeMs),
    ...(settings.sessionTimeoutMinMs === null
      ? {}
      : { minSessionTimeoutMs: settings.sessionTimeoutMinMs }),
    ...(settings.sessionTimeoutMaxMs === null
      ? {}
      : { maxSessionTimeoutMs: settings.sessionTimeoutMaxMs }),
    snapCount: settings.snapCount,
    // 0: the count alone decides.
    snapSizeBytes: settings.snapSizeBytes || Number.MAX_SAFE_INTEGER,
    ...(settings.superDigest === null ? {} : { superDigest: settings.superDigest }),
    globalOutstandingLimit: outstandingOf(settings),
    // The listener counts them; of those there the core has no opinion of its own.
    maxClientConnections: Number.MAX_SAFE_INTEGER,
    extendedTypesEnabled: settings.extendedTypesEnabled,
    containerCheckIntervalMs: settings.containerCheckIntervalMs,
    containersPerMinute: settings.containersPerMinute,
    containerNeverUsedMs: settings.containerNeverUsedMs,
    ...serviceOf(settings),
  }
}

/** What has the same name and meaning in both. */
function serviceOf(settings: ServerSettings): Partial<MemberConfig> {
  return {
    localSessionsEnabled: settings.localSessionsEnabled,
    localSessionsUpgradingEnabled: settings.localSessionsUpgradingEnabled,
    readOnlyModeEnabled: settings.readOnlyModeEnabled,
    enforcesQuota: settings.enforcesQuota,
    treeDigestEnabled: settings.treeDigestEnabled,
    leaderServes: settings.leaderServes,
    skipsAcl: settings.skipsAcl,
    digestAuthEnabled: settings.digestAuthEnabled,
    enforcedAuthSchemes: settings.enforcedAuthSchemes,
    ensembleAuthNames: settings.ensembleAuthNames,
    frameBytesMax: settings.frameBytesMax,
    ...(settings.extraBytesMax === null ? {} : { extraBytesMax: settings.extraBytesMax }),
    sessionlessTimeoutMs: settings.sessionlessTimeoutMs,
    throttleRequestsMax: settings.throttleRequestsMax,
    throttledOpWaitMs: settings.throttledOpWaitMs,
    largeRequestBytes: settings.largeRequestBytes,
    largeRequestsBytesMax: settings.largeRequestsBytesMax,
    connectionTokensMax: settings.connectionTokensMax,
    connectionTokenFillMs: settings.connectionTokenFillMs,
    connectionTokenFillCount: settings.connectionTokenFillCount,
    ...admissionOf(settings),
    checksAclEagerly: settings.checksAclEagerly,
    ...zabOf(settings),
  }
}

/** Who may connect, and for how long what it asks may wait (O31, O33). */
function admissionOf(settings: ServerSettings): Partial<MemberConfig> {
  const { dropsStaleRequests, checksStaleLatency, throttleRequestsMax } = settings
  return {
    connectionBlue:
      settings.connectionFreezeMs === -1
        ? null
        : {
            freezeMs: settings.connectionFreezeMs,
            dropIncrease: settings.connectionDropIncrease,
            dropDecrease: settings.connectionDropDecrease,
            decreaseRatio: settings.connectionDecreaseRatio,
          },
    connectionWeights: settings.weighsConnections
      ? {
          global: settings.globalSessionWeight,
          local: settings.localSessionWeight,
          renewed: settings.renewedSessionWeight,
        }
      : null,
    // Only the throttle lets a request become stale.
    dropsStaleRequests: dropsStaleRequests && checksStaleLatency && throttleRequestsMax > 0,
  }
}

function zabOf(settings: ServerSettings): ZabTuning {
  return {
    packetBytesMax: packetBytesOf(settings),
    commitLogCount: settings.commitLogCount,
    snapshotSizeFactor: settings.snapshotSizeFactor,
    // A socket takes more than a data channel.
    logDiffBytesMax: COMMIT_LOG_BYTES_MAX,
    notificationIntervalMs: settings.notificationIntervalMs,
    notificationIntervalMaxMs: settings.notificationIntervalMaxMs,
    observerSnapsMax: settings.observerSnapsMax,
    observerDiffsMax: settings.observerDiffsMax,
    alwaysSendsSnapshot: settings.alwaysSendsSnapshot,
    observerDelayMs: settings.observerDelayMs,
    reconnectDelayMs: settings.observerReconnectDelayMs,
    ...(settings.observerMasterPort === null
      ? {}
      : { observerMaster: { lagBytesMax: settings.observerLagBytesMax } }),
    ...(settings.epochWaitMs === null ? {} : { epochWaitMs: settings.epochWaitMs }),
  }
}

function quorumOf(
  settings: ServerSettings,
): Pick<
  MemberConfig,
  'sid' | 'voters' | 'groups' | 'clusterId' | 'peerType' | 'configurationText'
> {
  if (isStandalone(settings)) {
    return { sid: STANDALONE_SID, voters: [STANDALONE_SID], clusterId: 'standalone' }
  }
  const sid = sidOf(settings)
  const voters = settings.members.filter(({ role }) => role === 'participant')
  return {
    sid,
    voters: voters.map((member) => member.sid),
    ...(settings.groups.length === 0 ? {} : { groups: settings.groups }),
    clusterId: 'configured',
    configurationText: configText(settings.members, settings.groups),
    peerType: settings.role,
  }
}

/** A transaction, its head, and the identities of whoever asked for it. */
function packetBytesOf({ frameBytesMax, extraBytesMax }: ServerSettings): number {
  const entryBytes = frameBytesMax + (extraBytesMax ?? frameBytesMax)
  return Math.max(PEER_PACKET_MAX_BYTES, entryBytes + PACKET_HEAD_BYTES)
}

/** Ours: AUTH_IDS_MAX ids of the longest kind. */
const PACKET_HEAD_BYTES = 512 * 1024

type NetworkTuning = Pick<
  QuorumNetworkOptions,
  'connectTimeoutMs' | 'leaderRetryMs' | 'leaderConnectMs' | 'packetBytesMax' | 'observerMasterPort'
>

/** How members reach each other, and what one believes of another. */
export function networkTuningOf(settings: ServerSettings): NetworkTuning {
  const { leaderRetryMs, leaderConnectTicks, tickTimeMs } = settings
  const limit = leaderConnectTicks === 0 ? {} : { leaderConnectMs: leaderConnectTicks * tickTimeMs }
  return {
    connectTimeoutMs: settings.electionConnectTimeoutMs,
    packetBytesMax: packetBytesOf(settings),
    observerMasterPort: settings.observerMasterPort,
    leaderRetryMs,
    ...limit,
  }
}

/** Throws an Error that says what is missing where. */
export function sidOf({ sid, members, role }: ServerSettings): ServerId {
  if (sid === null) throw new Error('the ensemble has members, and no myid says which one this is')
  const self = members.find((member) => member.sid === sid)
  if (self === undefined) throw new Error(`myid is ${sid}, and no server.${sid} is in the list`)
  if (self.role !== role) {
    throw new Error(`peerType is ${role}, and server.${sid} is a ${self.role} in the list (Q2)`)
  }
  if (!members.some((member) => member.role === 'participant')) {
    throw new Error('an ensemble of observers alone elects nobody')
  }
  return sid
}

/** Divided by those who forward to a leader (O31). */
function outstandingOf({ outstandingMax, members }: ServerSettings): number {
  const count = members.length
  return count > 2 ? Math.max(1, Math.floor(outstandingMax / (count - 1))) : outstandingMax
}
