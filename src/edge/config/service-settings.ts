/** Keys of security, the tree and administration (A- and D-rows, O14–O17, O27). */
import { ConfigError } from './config-error.ts'
import { custom, flag, number, port, text, words, type SettingRow } from './setting-row.ts'

const SECURITY: readonly SettingRow[] = [
  custom({
    key: 'DigestAuthenticationProvider.superDigest',
    means: 'who authenticates as this user passes every ACL',
    kind: 'super:base64 of SHA-1',
    byDefault: 'nobody',
    read: (value) => ({ superDigest: value === '' ? null : superDigest(value) }),
  }),
  flag('digestAuthEnabled', {
    key: 'DigestAuthenticationProvider.enabled',
    means: 'the scheme digest',
  }),
  flag('skipsAcl', { key: 'skipACL', means: 'no ACL is checked' }),
  flag('checksAclEagerly', {
    key: 'enableEagerACLCheck',
    means: 'each member refuses what its own tree does not permit, before the leader is asked',
  }),
  custom({
    key: 'enforce.auth.enabled',
    means: 'who has an id of none of the schemes below is sent away',
    kind: 'true or false',
    byDefault: 'false',
    // What it does to the schemes is told when both are known.
    read: () => ({}),
  }),
  words('enforcedAuthSchemes', {
    key: 'enforce.auth.schemes',
    means: 'schemes of which a client must have an id',
  }),
  words('ensembleAuthNames', {
    key: 'ensembleAuthName',
    means: 'names by which a client may mean this ensemble; another one closes its connection',
  }),
  flag('auditEnabled', { key: 'audit.enable', means: 'one line per change and its author' }),
]

const TREE: readonly SettingRow[] = [
  flag('extendedTypesEnabled', {
    key: 'extendedTypesEnabled',
    means: 'nodes with a time to live; no server may have the id 255 then',
  }),
  flag('enforcesQuota', { key: 'enforceQuota', means: 'hard quotas refuse, soft ones warn' }),
  flag('treeDigestEnabled', {
    key: 'digest.enabled',
    means: 'members compare sums of all nodes and tell when they differ',
  }),
  number(
    'containerCheckIntervalMs',
    { key: 'znode.container.checkIntervalMs', means: 'how often dead nodes are looked for' },
    { min: 1, unit: 'ms' },
  ),
  number(
    'containersPerMinute',
    { key: 'znode.container.maxPerMinute', means: 'deletions of them' },
    { min: 1 },
  ),
  number(
    'containerNeverUsedMs',
    {
      key: 'znode.container.maxNeverUsedIntervalMs',
      means: 'a container that never had a child lives so long; 0 = for ever',
    },
    { unit: 'ms' },
  ),
]

const ADMIN: readonly SettingRow[] = [
  words('wordsAllowed', {
    key: '4lw.commands.whitelist',
    means: 'four-letter words that are answered; * = all. srvr always is',
  }),
  flag('adminEnabled', { key: 'admin.enableServer', means: 'HTTP for administration' }),
  port('adminPort', { key: 'admin.serverPort', means: 'its port; 0 takes any free one' }),
  custom({
    key: 'admin.serverAddress',
    means: 'its address',
    kind: 'text',
    byDefault: '0.0.0.0',
    read: (value) => ({ adminAddress: value === '' || value === '0.0.0.0' ? null : value }),
  }),
  text('adminCommandPath', { key: 'admin.commandURL', means: 'its path' }, '/commands'),
  number(
    'adminIdleTimeoutMs',
    { key: 'admin.idleTimeout', means: 'an idle connection is closed after' },
    { min: 1, unit: 'ms' },
  ),
  flag('adminForcesTls', {
    key: 'admin.forceHttps',
    means: 'it is https, with the keys behind ssl.quorum.',
  }),
  flag('adminTakesBoth', {
    key: 'admin.portUnification',
    means: 'it is http and https on one port, unless https is forced',
  }),
  flag('adminNeedsCertificate', {
    key: 'admin.needClientAuth',
    means: 'by https comes only who shows a certificate',
  }),
  number(
    'adminRateLimitIntervalMs',
    { key: 'admin.rateLimiterIntervalInMS', means: 'between two snapshots or restores by HTTP' },
    { unit: 'ms' },
  ),
  flag('adminSnapshotEnabled', { key: 'admin.snapshot.enabled', means: 'the command snapshot' }),
  flag('adminRestoreEnabled', { key: 'admin.restore.enabled', means: 'the command restore' }),
]

export const SERVICE_SETTINGS: readonly SettingRow[] = [...SECURITY, ...TREE, ...ADMIN]

/** A clear password here would let nobody in, and say it to everybody who reads the file. */
function superDigest(value: string): string {
  if (/^[^:]+:[A-Za-z0-9+/]{27,}=*$/.test(value)) return value
  const key = 'DigestAuthenticationProvider.superDigest'
  throw new ConfigError(`${key}: it is super: and the base64 of the SHA-1 of 'super:password'`)
}
