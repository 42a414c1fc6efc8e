// The table of keys: complete against the reference, without doubles, and none of it for show.
import { expect, test } from 'vitest'
import { METRICS_KEYS } from '../../../src/edge/config/metrics-keys.ts'
import { settingRow, settingTable, SETTING_ROWS } from '../../../src/edge/config/setting-table.ts'
import { withoutEffect, WITHOUT_EFFECT } from '../../../src/edge/config/without-effect.ts'
import { isTlsKey, TLS_KEYS } from '../../../src/edge/tls/tls-keys.ts'
import { DEFAULT_SETTINGS } from '../../../src/edge/settings.ts'
import { sourcesBelow } from '../../tidy/source.ts'

/** The keys of the reference, section 8.4, rows O29 to O32, as a configuration names them. */
const REFERENCE = `
  clientPort dataDir dataLogDir tickTime initLimit syncLimit maxClientCnxns maxCnxns
  minSessionTimeout maxSessionTimeout peerType autopurge.snapRetainCount autopurge.purgeInterval
  admin.enableServer admin.serverPort admin.serverAddress admin.commandURL admin.idleTimeout
  admin.rateLimiterIntervalInMS 4lw.commands.whitelist standaloneEnabled reconfigEnabled
  preAllocSize snapCount snapSizeLimitInKb txnLogSizeLimitInKb commitLogCount snapshotSizeFactor
  forceSync fsync.warningthresholdms flushDelay maxBatchSize maxWriteQueuePollTime
  snapshot.compression.method snapshot.trust.empty db.autocreate
  serializeLastProcessedZxid.enabled digest.enabled closeSessionTxn.enabled
  jute.maxbuffer jute.maxbuffer.extrasize globalOutstandingLimit request_throttle_max_requests
  request_throttle_stall_time request_throttle_drop_stale throttledOpWaitTime largeRequestMaxBytes
  largeRequestThreshold connectionMaxTokens connectionTokenFillTime connectionTokenFillCount
  connectionFreezeTime connectionDropIncrease connectionDropDecrease connectionDecreaseRatio
  enforceQuota nio.sessionlessCnxnTimeout maxResponseCacheSize clientPortListenBacklog
  extendedTypesEnabled localSessionsEnabled localSessionsUpgradingEnabled readonlymode.enabled
  syncEnabled watchManagerName znode.container.checkIntervalMs znode.container.maxPerMinute
  znode.container.maxNeverUsedIntervalMs leaderServes observerMasterPort
  fastleader.minNotificationInterval fastleader.maxNotificationInterval skipACL
  enableEagerACLCheck multiAddress.enabled cnxTimeout quorumListenOnAllIPs secureClientPort
  DigestAuthenticationProvider.superDigest audit.enable ensembleAuthName enforce.auth.enabled
  enforce.auth.schemes ssl.keyStore.location sslQuorum quorum.auth.enableSasl oraclePath
`

test('every key of the reference is honoured, or has a reason why not', () => {
  const unknown = REFERENCE.trim()
    .split(/\s+/)
    .filter((key) => settingRow(key) === null && withoutEffect(key) === null && !isTlsKey(key))
  expect(unknown).toEqual([])
  expect(METRICS_KEYS).toEqual(['className', 'httpHost', 'httpPort', 'exportJvmInfo'])
})

test('no key stands twice, and none is both honoured and not', () => {
  const names = SETTING_ROWS.flatMap((row) => [row.key, ...(row.alsoAs ?? [])])
  const all = [...names, ...WITHOUT_EFFECT.map(({ key }) => key)]
  expect(all.filter((name, at) => all.indexOf(name) !== at)).toEqual([])
})

test('the table of the command has a line for each', () => {
  const table = settingTable()
  for (const { key } of [...SETTING_ROWS, ...WITHOUT_EFFECT]) expect(table).toContain(`\`${key}\``)
  expect(table.split('\n').filter((line) => line.startsWith('| '))).toHaveLength(
    SETTING_ROWS.length + TLS_KEYS.length + WITHOUT_EFFECT.length + 3,
  )
})

test('what a key sets is read by the server: no setting is there for show', () => {
  const texts = sourcesBelow('src/edge')
    .filter(({ path }) => !path.startsWith('src/edge/config/'))
    .filter(({ path }) => path !== 'src/edge/settings.ts')
    .map(({ text }) => text)
  const read = (field: string): boolean => {
    const use = new RegExp(`(settings|this)\\.${field}\\b|[{,]\\s*(?:[\\w,\\s]*\\b)?${field}\\b`)
    return texts.some((text) => use.test(text))
  }
  // Of the list of members, and what it may say: read where the list is.
  const derived = ['standaloneEnabled', 'severalAddressesEnabled']
  const idle = Object.keys(DEFAULT_SETTINGS).filter(
    (field) => !read(field) && !derived.includes(field),
  )
  expect(idle).toEqual([])
})
