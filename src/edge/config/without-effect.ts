/**
 * Keys of ZooKeeper that mean nothing here, each with the reason: a warning names it. Where the
 * key would protect something, as TLS between servers does, a server that ignored it would betray
 * whoever wrote it: it does not start.
 */

export interface WithoutEffect {
  /** A key, or all that begin so when it ends with `*`. */
  readonly key: string
  readonly alsoAs?: readonly string[]
  readonly why: string
  /** Values that ask for nothing but what this server does anyway: no warning. */
  readonly fine?: readonly string[]
  /** Any other value stops the start. */
  readonly isRefused?: boolean
}

const OFF: readonly string[] = ['false', 'no', '0', '']
const ON: readonly string[] = ['true', 'yes']

const NO_SASL = 'SASL and Kerberos are not built'
const NO_THREADS = 'one event loop does all of it: there are no threads to count'
const NO_NETTY = 'there is no Netty here'
const NO_JVM = 'this is no JVM'
const NEVER_BLOCKS = 'sending and closing never block here'

function all(
  why: string,
  keys: string,
  more: Pick<WithoutEffect, 'fine' | 'isRefused'> = {},
): WithoutEffect[] {
  return keys.split(' ').map((key) => ({ key, why, ...more }))
}

export const WITHOUT_EFFECT: readonly WithoutEffect[] = [
  // --- what protects ---------------------------------------------------------------------------
  ...all(
    NO_SASL,
    'quorum.auth.enableSasl quorum.auth.learnerRequireSasl quorum.auth.serverRequireSasl ' +
      'sessionRequireClientSASLAuth',
    { fine: OFF, isRefused: true },
  ),
  {
    key: 'oraclePath',
    why: 'oracle quorums are not built, and two servers without it are another quorum',
    isRefused: true,
  },
  // --- TLS and SASL ----------------------------------------------------------------------------
  ...all('OpenSSL is told by its own configuration', 'fips-mode', { fine: ON }),
  ...all('the name is all of the subject', 'X509AuthenticationProvider.*'),
  ...all(
    NO_SASL,
    'quorum.auth.* quorum.cnxn.threads.size sasl.* kerberos.* superUser superUser.* ' +
      'SASLAuthenticationProvider.* letAnySaslUserDoX requireKerberosConfig server.realm ' +
      'server.principal security.auth_to_local kinit',
  ),
  ...all(NO_SASL, 'allowSaslFailedClients', { fine: OFF }),
  {
    key: 'authProvider.*',
    why: 'Java classes cannot be loaded here; world, auth, digest, ip and super are built in',
  },
  { key: 'audit.impl.class', why: 'Java classes cannot be loaded here' },
  {
    key: 'DigestAuthenticationProvider.digestAlg',
    why: 'digests are SHA-1',
    fine: ['SHA1', 'SHA-1'],
    isRefused: true,
  },
  ...all('addresses are those of the sockets', 'IPAuthenticationProvider.usexforwardedfor', {
    fine: OFF,
  }),
  // --- Java -------------------------------------------------------------------------------------
  ...all(NO_NETTY, 'netty.* serverCnxnFactory clientCnxnSocket'),
  ...all(
    NO_THREADS,
    'nio.numSelectorThreads nio.numWorkerThreads nio.directBufferBytes nio.shutdownTimeout ' +
      'commitProcessor.* commit.* request_throttler.shutdownTimeout watcherCleanThreadsNum ' +
      'electionPortBindRetry learner.closeSocketAsync',
  ),
  ...all(NEVER_BLOCKS, 'leader.closeSocketAsync learner.asyncSending leader.nodelay'),
  ...all(NEVER_BLOCKS, 'follower.nodelay'),
  ...all(NO_JVM, 'jvm.pause.* jmx.* intBufferStartingSizeBytes log4j.* log.* root.logger'),
  ...all(NO_JVM, 'console.threshold tracelog.* version configuration'),
  { key: 'admin.httpVersion', why: 'it is HTTP/1.1', fine: ['11'] },
  // --- other ways of doing it -------------------------------------------------------------------
  {
    key: 'watchManagerName',
    why: 'there is one table of watches',
    fine: ['org.apache.zookeeper.server.watch.WatchManager'],
  },
  ...all(
    'watches of a closed connection go at once',
    'watcherCleanThreshold watcherCleanIntervalInSeconds maxInProcessingDeadWatchers ' +
      'bitHashCacheSize',
  ),
  ...all(
    'a batch is what came while the disk was busy, so nothing waits for a timer',
    'flushDelay maxWriteQueuePollTime maxBatchSize',
  ),
  ...all(
    'replies are not cached',
    'maxResponseCacheSize maxGetChildrenResponseCacheSize',
    // What it costs is CPU time; nothing is promised to anybody.
    { fine: ['0'] },
  ),
  ...all('it is always done', 'closeSessionTxn.enabled', { fine: ON }),
  ...all('it is always done', 'serializeLastProcessedZxid.enabled syncEnabled', { fine: ON }),
  ...all('it is always done', 'observer.syncEnabled requestStaleConnectionCheck', { fine: ON }),
  ...all('it is always done', 'request_stale_connection_check datadir.autocreate', { fine: ON }),
  ...all('the leader never keeps them', 'forward_learner_requests_to_commit_processor_disabled'),
  ...all('followers pass everything on', 'follower.skipLearnerRequestToNextProcessor', {
    fine: OFF,
  }),
  ...all('silence limits of links find a dead peer', 'tcpKeepAlive clientTcpKeepAlive'),
  ...all('silence limits of links find a dead peer', 'quorumCnxnTimeoutMs'),
  ...all('metrics of the member count what it does', 'messageTracker.* pathStats.*', { fine: OFF }),
  ...all('nothing but the member’s own time-outs', 'request.timeout'),
  ...all('every ack is measured', 'leader.ackLoggingFrequency'),
  // --- not built --------------------------------------------------------------------------------
  // A thread of ZooKeeper's looks again after this time if nobody woke it, and it always is woken.
  ...all(
    'a request that waits goes on as soon as another ends',
    'requestThrottleStallTime request_throttle_stall_time',
  ),
  ...all('dynamic reconfiguration is not built', 'reconfigEnabled', { fine: OFF }),
  ...all('the next address is tried when one does not answer', 'multiAddress.*'),
  ...all('time to live works as since 3.5.4', 'emulate353TTLNodes', { fine: OFF }),
]

/** The row that knows a key, exact ones before those with a `*`. */
export function withoutEffect(key: string): WithoutEffect | null {
  const exact = WITHOUT_EFFECT.find((row) => row.key === key)
  if (exact !== undefined) return exact
  const begins = WITHOUT_EFFECT.filter(
    (row) => row.key.endsWith('*') && key.startsWith(row.key.slice(0, -1)),
  )
  return begins[0] ?? null
}
