/** Keys of ports, ensembles, sessions and limits (O29, O31, O32, S- and Q-rows). */
import { ConfigError } from './config-error.ts'
import { parseRole } from './server-line.ts'
import {
  custom,
  flag,
  fraction,
  number,
  parseWhole,
  port,
  text,
  type SettingRow,
} from './setting-row.ts'

const EXTRA_SIZE = 'jute.maxbuffer.extrasize'

const LISTEN: readonly SettingRow[] = [
  port('clientPort', {
    key: 'clientPort',
    means: 'clients; 0 takes any free port. Also in the line of this server, after ;',
  }),
  text(
    'clientAddress',
    { key: 'clientPortAddress', means: 'address of this machine for clients' },
    'every one',
  ),
  custom({
    key: 'clientPortListenBacklog',
    means: 'connections that the system lets wait',
    kind: '1–…, or −1 for the system’s',
    byDefault: '-1',
    read: (value) => {
      const backlog = parseWhole('clientPortListenBacklog', value, -1, 0x7fffffff)
      return { listenBacklog: backlog < 1 ? null : backlog }
    },
  }),
  number('connectionsPerAddressMax', {
    key: 'maxClientCnxns',
    means: 'connections of one address; 0 = no limit',
  }),
  number('connectionsMax', { key: 'maxCnxns', means: 'connections at all; 0 = no limit' }),
  number(
    'sessionlessTimeoutMs',
    {
      key: 'nio.sessionlessCnxnTimeout',
      means: 'a connection that asks for no session is closed after',
    },
    { min: 1, unit: 'ms' },
  ),
  flag('quorumListensOnAllAddresses', {
    key: 'quorumListenOnAllIPs',
    means: 'quorum and election ports on every address, not only on that of the list',
  }),
  flag('severalAddressesEnabled', {
    key: 'multiAddress.enabled',
    means: 'servers of the list may have several addresses, between |, tried in turn',
  }),
]

const ENSEMBLE: readonly SettingRow[] = [
  number(
    'tickTimeMs',
    { key: 'tickTime', means: 'the unit of the limits below' },
    { min: 1, unit: 'ms', byDefault: '3000; 2000 for zabra member' },
  ),
  number(
    'initLimitTicks',
    { key: 'initLimit', means: 'to find the leader and catch up with it' },
    { min: 1, unit: 'ticks', byDefault: 'has to be given in an ensemble' },
  ),
  number(
    'syncLimitTicks',
    { key: 'syncLimit', means: 'that a member may be silent' },
    { min: 1, unit: 'ticks', byDefault: 'has to be given in an ensemble' },
  ),
  custom({
    key: 'peerType',
    means: 'what this server is; the list of servers wins where they differ',
    kind: 'participant or observer',
    byDefault: 'participant',
    read: (value) => ({ role: parseRole(value, `peerType=${value}`) }),
  }),
  custom({
    key: 'electionAlg',
    means: 'there is one election',
    kind: '3',
    byDefault: '3',
    read: (value) => {
      if (value === '3') return {}
      throw new ConfigError(`electionAlg=${value}: only 3 is supported; take the line out`)
    },
  }),
  flag('standaloneEnabled', {
    key: 'standaloneEnabled',
    means: 'one server in the list needs no quorum ports',
  }),
  flag('leaderServes', { key: 'leaderServes', means: 'the leader serves clients too' }),
  number(
    'electionConnectTimeoutMs',
    { key: 'cnxTimeout', means: 'to connect to an election port' },
    { min: 1, unit: 'ms' },
  ),
]

const SESSIONS: readonly SettingRow[] = [
  number(
    'sessionTimeoutMinMs',
    { key: 'minSessionTimeout', means: 'the shortest time-out a client gets' },
    { min: -1, unit: 'ms', byDefault: '2 ticks' },
  ),
  number(
    'sessionTimeoutMaxMs',
    { key: 'maxSessionTimeout', means: 'the longest' },
    { min: -1, unit: 'ms', byDefault: '20 ticks' },
  ),
  flag('localSessionsEnabled', {
    key: 'localSessionsEnabled',
    means: 'sessions are this member’s own until they need the ensemble',
  }),
  flag('localSessionsUpgradingEnabled', {
    key: 'localSessionsUpgradingEnabled',
    means: '… and become the ensemble’s with their first ephemeral',
  }),
  flag('readOnlyModeEnabled', {
    key: 'readonlymode.enabled',
    means: 'without a quorum, clients that asked for it may read',
  }),
]

const LIMITS: readonly SettingRow[] = [
  number(
    'frameBytesMax',
    { key: 'jute.maxbuffer', means: 'the longest packet, up to 31 MiB' },
    { min: 1024, unit: 'bytes' },
  ),
  custom({
    key: EXTRA_SIZE,
    means: 'what a transaction may be longer than the packet that caused it',
    kind: '0–… bytes',
    byDefault: 'as much again',
    // ZooKeeper's least: what a header takes.
    read: (value) => ({
      extraBytesMax: Math.max(1_024, parseWhole(EXTRA_SIZE, value, 0, 0x7fffffff)),
    }),
  }),
  number(
    'outstandingMax',
    {
      key: 'globalOutstandingLimit',
      means: 'requests that wait for commits, in the whole ensemble',
    },
    { min: 1 },
  ),
  number('throttleRequestsMax', {
    key: 'requestThrottleLimit',
    alsoAs: ['request_throttle_max_requests'],
    means: 'requests in the pipeline before others wait in front of it; 0 = no limit',
  }),
  number(
    'throttledOpWaitMs',
    {
      key: 'throttledOpWaitTime',
      alsoAs: ['throttled_op_wait_time'],
      means: 'a request that waited longer is answered with THROTTLEDOP; 0 = never',
    },
    { unit: 'ms' },
  ),
  number(
    'largeRequestsBytesMax',
    { key: 'largeRequestMaxBytes', means: 'of all large requests under way' },
    { unit: 'bytes' },
  ),
  number(
    'largeRequestBytes',
    { key: 'largeRequestThreshold', means: 'a request from this size on is large; −1 = none is' },
    { min: -1, unit: 'bytes' },
  ),
  number('connectionTokensMax', {
    key: 'connectionMaxTokens',
    alsoAs: ['connection_throttle_tokens'],
    means: 'new connections that may come at once; 0 = no limit',
  }),
  number(
    'connectionTokenFillMs',
    {
      key: 'connectionTokenFillTime',
      alsoAs: ['connection_throttle_fill_time'],
      means: '… and so often there may be',
    },
    { min: 1, unit: 'ms' },
  ),
  number(
    'connectionFreezeMs',
    {
      key: 'connectionFreezeTime',
      alsoAs: ['connection_throttle_freeze_time'],
      means: 'how often the chance to be refused changes; −1 = there is none',
    },
    { min: -1, unit: 'ms' },
  ),
  fraction('connectionDropIncrease', {
    key: 'connectionDropIncrease',
    alsoAs: ['connection_throttle_drop_increase'],
    means: '… it grows by so much while no token is left',
  }),
  fraction('connectionDropDecrease', {
    key: 'connectionDropDecrease',
    alsoAs: ['connection_throttle_drop_decrease'],
    means: '… and shrinks by so much while many are',
  }),
  fraction('connectionDecreaseRatio', {
    key: 'connectionDecreaseRatio',
    alsoAs: ['connection_throttle_decrease_ratio'],
    means: '… which is when no larger part of them is taken',
  }),
  flag('weighsConnections', {
    key: 'connection_throttle_weight_enabled',
    means: 'a connection takes as many tokens as its kind of session weighs',
  }),
  number('globalSessionWeight', {
    key: 'connection_throttle_global_session_weight',
    means: '… a new session',
  }),
  number('localSessionWeight', {
    key: 'connection_throttle_local_session_weight',
    means: '… a new one where localSessionsEnabled is on',
  }),
  number('renewedSessionWeight', {
    key: 'connection_throttle_renew_session_weight',
    means: '… one that came back',
  }),
  flag('dropsStaleRequests', {
    key: 'requestThrottleDropStale',
    alsoAs: ['request_throttle_drop_stale'],
    means: 'the throttle forgets what nobody waits for; what closed connections sent always is',
  }),
  flag('checksStaleLatency', {
    key: 'requestStaleLatencyCheck',
    alsoAs: ['request_stale_latency_check'],
    means: '… and so does nobody for what waited longer than its session’s time-out',
  }),
  number('connectionTokenFillCount', {
    key: 'connectionTokenFillCount',
    alsoAs: ['connection_throttle_fill_count'],
    means: '… so many more',
  }),
]

export const SERVER_SETTINGS: readonly SettingRow[] = [
  ...LISTEN,
  ...ENSEMBLE,
  ...SESSIONS,
  ...LIMITS,
]
