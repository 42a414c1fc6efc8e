/** `ssl.…` and `ssl.quorum.…` (O32): what they say, without a look at any file. */
import { getCiphers, type SecureVersion } from 'node:tls'
import { ConfigError } from '../config/config-error.ts'
import { parseFlag, parseWhole, parseWords } from '../config/setting-row.ts'
import type { KeyStore, TlsKeys } from './tls-settings.ts'

interface TlsKey {
  readonly key: string
  readonly kind: string
  readonly means: string
}

/** Behind `ssl.` for clients, behind `ssl.quorum.` between servers. */
export const TLS_KEYS: readonly TlsKey[] = [
  { key: 'keyStore.location', kind: 'file', means: 'private key and certificates' },
  { key: 'keyStore.type', kind: 'PEM or PKCS12', means: 'by default what its ending says' },
  { key: 'keyStore.password', kind: 'text', means: 'of the file, or of its private key' },
  { key: 'keyStore.passwordPath', kind: 'file', means: '… in a file of its own' },
  { key: 'trustStore.location', kind: 'file', means: 'whose certificates are believed' },
  { key: 'trustStore.type', kind: 'PEM or PKCS12', means: 'by default what its ending says' },
  { key: 'trustStore.password', kind: 'text', means: 'of the file' },
  { key: 'trustStore.passwordPath', kind: 'file', means: '… in a file of its own' },
  { key: 'clientAuth', kind: 'none, want or need', means: 'who calls shows a certificate: need' },
  { key: 'protocol', kind: 'TLSv1.2 or TLSv1.3', means: 'the only version; both by default' },
  { key: 'enabledProtocols', kind: 'words between commas', means: 'versions from–to' },
  { key: 'ciphersuites', kind: 'words between commas', means: 'Java’s names or OpenSSL’s' },
  { key: 'hostnameVerification', kind: 'true or false', means: 'of whoever is called: true' },
  { key: 'clientHostnameVerification', kind: 'true or false', means: 'of other servers: true' },
  { key: 'handshakeDetectionTimeoutMillis', kind: '1–… ms', means: 'for the handshake: 5000' },
  { key: 'crl', kind: 'true or false', means: 'the trust store has lists of revoked ones: false' },
]

/** It would protect, and nothing here does it. */
const REFUSED = 'ocsp'
const QUORUM = 'quorum.'
const VERSIONS: readonly string[] = ['TLSv1.2', 'TLSv1.3']
/** X509Util.DEFAULT_HANDSHAKE_DETECTION_TIMEOUT_MILLIS. */
const HANDSHAKE_MS = 5_000
const TO_PKCS12 = 'keytool -importkeystore -srckeystore FILE.jks -destkeystore FILE.p12'
const TO_PEM = 'keytool -exportcert -rfc -alias NAME -keystore FILE.jks >> FILE.pem'

export function isTlsKey(key: string): boolean {
  return key.startsWith('ssl.')
}

/** null: none was given. Throws a ConfigError that says what to change. */
export function tlsKeys(
  given: ReadonlyMap<string, string>,
  of: 'clients' | 'quorum',
  warn: (text: string) => void,
): TlsKeys | null {
  const prefix = of === 'quorum' ? `ssl.${QUORUM}` : 'ssl.'
  const own = new Map<string, string>()
  for (const [key, value] of given) {
    const isOfQuorum = key.startsWith(`ssl.${QUORUM}`)
    if (isOfQuorum !== (of === 'quorum')) continue
    const name = key.slice(prefix.length)
    own.set(name, value)
    if (TLS_KEYS.some((known) => known.key === name)) continue
    if (name === REFUSED && parseFlag(key, value)) {
      throw new ConfigError(`${key}=${value}: nobody is asked here; take it out, or use crl`)
    }
    if (name !== REFUSED) warn(`${key}=${value}: it means nothing here: it is ignored`)
  }
  return own.size === 0 ? null : readKeys(prefix, own)
}

function readKeys(prefix: string, own: ReadonlyMap<string, string>): TlsKeys {
  const flagOf = (name: string, byDefault: boolean): boolean =>
    parseFlag(prefix + name, own.get(name) ?? String(byDefault))
  const checksClient = own.get('clientHostnameVerification')
  const handshake = 'handshakeDetectionTimeoutMillis'
  const suites = own.get('ciphersuites')
  return {
    prefix,
    keyStore: storeOf(prefix, 'keyStore', own),
    trustStore: storeOf(prefix, 'trustStore', own),
    clientAuth: clientAuthOf(`${prefix}clientAuth`, own.get('clientAuth') ?? 'need'),
    ...versionsOf(prefix, own),
    ciphers: suites === undefined ? null : ciphersOf(`${prefix}ciphersuites`, suites),
    checksServerName: flagOf('hostnameVerification', true),
    checksClientName:
      checksClient === undefined ? null : flagOf('clientHostnameVerification', false),
    checksRevoked: flagOf('crl', false),
    handshakeMs: parseWhole(
      prefix + handshake,
      own.get(handshake) ?? String(HANDSHAKE_MS),
      1,
      0x7fffffff,
    ),
  }
}

function storeOf(
  prefix: string,
  what: 'keyStore' | 'trustStore',
  own: ReadonlyMap<string, string>,
): KeyStore | null {
  const location = own.get(`${what}.location`) ?? ''
  if (location === '') return null
  const key = `${prefix}${what}`
  const said = own.get(`${what}.type`) ?? ''
  const type = said === '' ? typeByName(location) : said.toUpperCase()
  if (type === 'JKS' || type === 'BCFKS') {
    const how = what === 'keyStore' ? `${TO_PKCS12} -deststoretype PKCS12` : TO_PEM
    throw new ConfigError(`${key}: Java’s own ${type} files are not read here: convert it: ${how}`)
  }
  if (type !== 'PEM' && type !== 'PKCS12') {
    throw new ConfigError(`${key}.type: say PEM or PKCS12 for ${location}`)
  }
  return {
    location,
    type,
    password: own.get(`${what}.password`) ?? '',
    passwordPath: own.get(`${what}.passwordPath`) ?? null,
  }
}

function typeByName(location: string): string {
  const ending = /\.([^./]+)$/.exec(location)?.[1]?.toLowerCase() ?? ''
  return ending === 'p12' || ending === 'pfx' ? 'PKCS12' : ending.toUpperCase()
}

function clientAuthOf(key: string, value: string): TlsKeys['clientAuth'] {
  const auth = value.toLowerCase()
  if (auth === 'none' || auth === 'want' || auth === 'need') return auth
  throw new ConfigError(`${key}=${value}: it is none, want or need`)
}

function versionsOf(
  prefix: string,
  own: ReadonlyMap<string, string>,
): Pick<TlsKeys, 'minVersion' | 'maxVersion'> {
  const key = own.has('enabledProtocols') ? 'enabledProtocols' : 'protocol'
  const names = parseWords(own.get(key) ?? VERSIONS.join(',')).sort()
  const strange = names.find((name) => !VERSIONS.includes(name))
  const [min, max] = [names[0], names.at(-1)]
  if (strange !== undefined || min === undefined) {
    throw new ConfigError(`${prefix}${key}: '${strange ?? ''}' is none of ${VERSIONS.join(', ')}`)
  }
  return { minVersion: min as SecureVersion, maxVersion: max as SecureVersion }
}

function ciphersOf(key: string, value: string): string {
  const known = new Set(getCiphers())
  const names = parseWords(value).map(openSslName)
  const strange = names.find((name) => !known.has(name.toLowerCase()))
  if (strange !== undefined) throw new ConfigError(`${key}: there is no cipher '${strange}' here`)
  return names.join(':')
}

/** TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 → ECDHE-RSA-AES128-GCM-SHA256. */
function openSslName(name: string): string {
  const [, exchange, cipher] = /^TLS_(\w+)_WITH_(\w+)$/.exec(name) ?? []
  if (exchange === undefined || cipher === undefined) return name
  const short = cipher
    .replace(/^(AES)_(\d+)/, '$1$2')
    .replace('_CBC', '')
    .replace(/(POLY1305)_SHA256$/, '$1')
  const parts = exchange === 'RSA' ? [short] : [exchange, short]
  return parts.join('-').replaceAll('_', '-')
}
