/**
 * A certificate of our own for https on the local network, signed by itself: X.509 v3 (RFC 5280)
 * with a P-256 key. Nobody vouches for it, so browsers ask; the fingerprint tells that the answer
 * came from this machine. It is a server's certificate and no authority's, so that whoever trusts
 * it trusts nothing but this server.
 */
import { createHash, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'
import { isIP, isIPv4 } from 'node:net'
import {
  bitString,
  boolean,
  context,
  contextPrimitive,
  integer,
  octetString,
  oid,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts'

export interface ServerCertificate {
  /** PEM */
  readonly certificate: string
  /** PEM, PKCS #8 */
  readonly privateKey: string
}

export interface CertificateOptions {
  /** Host names and addresses that it is for. */
  readonly hosts: readonly string[]
  /** ms since 1970 */
  readonly nowMs: number
}

const DAY_MS = 24 * 60 * 60 * 1_000
/** Apple's systems refuse a server's certificate that is valid for longer, in days. */
export const VALID_DAYS = 397
/** Clocks of phones are not ours: valid from a day before. */
const BEFORE_MS: number = DAY_MS
const SERIAL_BYTES = 16

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const

export function makeCertificate({ hosts, nowMs }: CertificateOptions): ServerCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const algorithm = sequence(oid(OID.ecdsaWithSha256))
  const name = sequence(set(sequence(oid(OID.commonName), utf8String('zabra on this machine'))))
  const serial = randomBytes(SERIAL_BYTES)
  // Positive and of full length (RFC 5280 4.1.2.2).
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const toBeSigned = sequence(
    context(0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    name,
    sequence(
      time(new Date(nowMs - BEFORE_MS)),
      time(new Date(nowMs + VALID_DAYS * DAY_MS - BEFORE_MS)),
    ),
    name,
    spki,
    context(3, extensions(hosts, spki)),
  )
  const signature = sign('sha256', toBeSigned, privateKey)
  const der = sequence(toBeSigned, algorithm, bitString(signature))
  return {
    certificate: pem(der),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  }
}

/** SHA-256 over the certificate, as browsers show it: `AB:CD:…` */
export function fingerprintOf(certificate: string): string {
  return new X509Certificate(certificate).fingerprint256
}

function extensions(hosts: readonly string[], spki: Buffer): Buffer {
  const keyId = createHash('sha1').update(spki).digest()
  // digitalSignature, the first bit: all that a key of this kind does in TLS.
  const usage = bitString(Buffer.from([0x80]), 7)
  return sequence(
    extension(OID.basicConstraints, true, sequence()),
    extension(OID.keyUsage, true, usage),
    extension(OID.extKeyUsage, false, sequence(oid(OID.serverAuth))),
    extension(OID.subjectKeyIdentifier, false, octetString(keyId)),
    extension(OID.subjectAltName, false, sequence(...hosts.map(generalName))),
  )
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [boolean(true)] : []
  return sequence(oid(id), ...critical, octetString(value))
}

/** dNSName [2] or iPAddress [7]. */
function generalName(host: string): Buffer {
  if (isIP(host) !== 0) return contextPrimitive(7, addressBytes(host))
  return contextPrimitive(2, Buffer.from(host, 'ascii'))
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  // The parser of URLs writes the groups of an IPv6 address in one way: hexadecimal, `::` once.
  const text = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = '', tail] = text.split('::')
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const before = groups(head)
  const after = groups(tail ?? '')
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0)
  return Buffer.from([...before, ...zeros, ...after].flatMap((n) => [n >> 8, n & 0xff]))
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
