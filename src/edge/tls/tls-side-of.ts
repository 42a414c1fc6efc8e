/** From keys of a configuration and the files that they name to what sockets need. */
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { TlsSide } from '../../adapters/tcp/tls-side.ts'
import { messageOf } from '../../core/base/message-of.ts'
import type { KeyStore, TlsKeys } from './tls-settings.ts'

export interface SideOptions {
  readonly takesPlain?: boolean
  readonly clientHosts?: readonly string[] | null
  /** Also who only calls may have a key of its own; who is called must. */
  readonly isCalled: boolean
  /** Default: as the keys say. */
  readonly clientAuth?: TlsSide['clientAuth']
}

/** Throws an Error that names the key and what is wrong with its file. */
export function tlsSideOf(keys: TlsKeys, options: SideOptions): TlsSide {
  const context = contextOf(keys, options)
  return sideOf(keys, options, () => context)
}

/** `context`: as it is now. */
export function sideOf(
  keys: TlsKeys,
  options: SideOptions,
  context: () => SecureContextOptions,
): TlsSide {
  return {
    get context() {
      return context()
    },
    clientAuth: options.clientAuth ?? keys.clientAuth,
    handshakeMs: keys.handshakeMs,
    checksServerName: keys.checksServerName,
    clientHosts: options.clientHosts ?? null,
    takesPlain: options.takesPlain ?? false,
  }
}

/** Reads the files. Throws an Error that names the key and what is wrong with its file. */
export function contextOf(keys: TlsKeys, { isCalled }: SideOptions): SecureContextOptions {
  const { prefix, keyStore, trustStore, ciphers } = keys
  if (keyStore === null && isCalled) {
    throw new Error(`${prefix}keyStore.location is missing: TLS needs a key and its certificate`)
  }
  const context: SecureContextOptions = {
    ...(keyStore === null ? {} : identityOf(`${prefix}keyStore`, keyStore)),
    ...(trustStore === null ? {} : { ca: authoritiesOf(`${prefix}trustStore`, trustStore) }),
    ...(keys.checksRevoked ? { crl: revocationsOf(prefix, trustStore) } : {}),
    minVersion: keys.minVersion,
    maxVersion: keys.maxVersion,
    ...(ciphers === null ? {} : { ciphers }),
  }
  // What does not fit is known now, not at the first connection.
  check(`${prefix}keyStore and ${prefix}trustStore`, context)
  return context
}

function identityOf(key: string, store: KeyStore): SecureContextOptions {
  const bytes = read(`${key}.location`, store.location)
  const passphrase = passwordOf(key, store)
  if (store.type === 'PKCS12') {
    const identity = { pfx: bytes, passphrase }
    check(`${key}.location=${store.location}`, identity)
    return identity
  }
  const identity = { key: bytes, cert: bytes, ...(passphrase === '' ? {} : { passphrase }) }
  check(`${key}.location=${store.location}`, identity)
  return identity
}

const BEGIN = '-----BEGIN CERTIFICATE-----'

function authoritiesOf(key: string, { location, type }: KeyStore): Buffer {
  if (type === 'PKCS12') {
    const how = `openssl pkcs12 -in ${location} -nokeys -out trust.pem`
    throw new Error(`${key}: certificates without a key are read as PEM only: ${how}`)
  }
  const bytes = read(`${key}.location`, location)
  if (!bytes.includes(BEGIN)) throw new Error(`${key}.location=${location}: no certificate in it`)
  return bytes
}

const LISTS = /-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g

/**
 * Java fetches the lists from where certificates say. Here they are in the trust store, in PEM as
 * the certificates are: one of each authority, else no certificate of it is good.
 */
function revocationsOf(prefix: string, trustStore: KeyStore | null): string[] {
  const key = `${prefix}trustStore.location`
  if (trustStore === null) throw new Error(`${prefix}crl=true needs ${key}`)
  const { location } = trustStore
  const lists = read(key, location).toString('latin1').match(LISTS)
  if (lists !== null) return [...lists]
  const how = `openssl ca -gencrl … >> ${location}`
  throw new Error(`${prefix}crl=true: ${location} has no list of revoked certificates: ${how}`)
}

function passwordOf(key: string, { password, passwordPath }: KeyStore): string {
  if (passwordPath === null) return password
  return read(`${key}.passwordPath`, passwordPath).toString('utf8').trim()
}

function read(key: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new Error(`${key}=${path} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

function check(what: string, options: SecureContextOptions): void {
  try {
    createSecureContext(options)
  } catch (error) {
    throw new Error(`${what}: ${messageOf(error)}`, { cause: error })
  }
}
