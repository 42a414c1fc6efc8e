/** Keys of ports with TLS. What stands behind `ssl.` is in tls/tls-keys.ts. */
import { custom, flag, port, text, type SettingRow } from './setting-row.ts'

export const TLS_SETTINGS: readonly SettingRow[] = [
  port('secureClientPort', { key: 'secureClientPort', means: 'clients, with TLS' }),
  text(
    'secureClientAddress',
    { key: 'secureClientPortAddress', means: 'address of this machine for clients with TLS' },
    'every one',
  ),
  flag('clientPortTakesTls', {
    key: 'client.portUnification',
    means: 'clientPort takes connections with TLS as well',
  }),
  custom({
    key: 'X509AuthenticationProvider.superUser',
    means: 'whose certificate has this name passes every ACL',
    kind: 'a distinguished name',
    byDefault: 'nobody',
    read: (value) => ({ x509SuperUser: value === '' ? null : value }),
  }),
  flag('quorumUsesTls', {
    key: 'sslQuorum',
    means: 'TLS between the servers, with the keys behind ssl.quorum.',
  }),
  flag('clientTlsReloads', {
    key: 'client.certReload',
    means: 'the files behind ssl. are read again when they change',
  }),
  flag('quorumTlsReloads', {
    key: 'sslQuorumReloadCertFiles',
    means: '… and those behind ssl.quorum.',
  }),
  flag('quorumTakesBoth', {
    key: 'portUnification',
    means: 'ports between servers take connections with TLS and without, for changing over',
  }),
]
