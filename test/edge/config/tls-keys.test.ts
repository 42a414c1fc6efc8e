// Keys of TLS: what they become, what stops the start, and what is said of files of Java's own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readZooCfg, type ZooCfg } from '../../../src/edge/config/zoo-cfg.ts'
import { clientTls } from '../../../src/edge/tls/client-tls.ts'
import { tlsSideOf } from '../../../src/edge/tls/tls-side-of.ts'
import { distinguishedName } from '../../../src/edge/tls/x509-ids.ts'

const folder = mkdtempSync(join(tmpdir(), 'zabra-tls-keys-'))
afterAll(() => rmSync(folder, { recursive: true }))

function read(...lines: readonly string[]): ZooCfg {
  return readZooCfg({
    path: 'zoo.cfg',
    text: ['dataDir=/d', ...lines].join('\n'),
    properties: new Map(),
    readText: () => null,
  })
}

const SECURE = ['secureClientPort=2281', 'ssl.keyStore.location=/k.pem']

describe('keys of TLS', () => {
  test('a secure port alone is a server, with every default', () => {
    const { settings, warnings } = read(...SECURE)
    expect(warnings).toEqual([])
    expect(settings).toMatchObject({ clientPort: null, secureClientPort: 2281, quorumTls: null })
    expect(settings.clientTls).toEqual({
      prefix: 'ssl.',
      keyStore: { location: '/k.pem', type: 'PEM', password: '', passwordPath: null },
      trustStore: null,
      clientAuth: 'need',
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      ciphers: null,
      checksServerName: true,
      checksClientName: null,
      handshakeMs: 5_000,
      checksRevoked: false,
    })
  })

  test.each([
    ['ssl.clientAuth=WANT', { clientAuth: 'want' }],
    ['ssl.protocol=TLSv1.2', { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }],
    ['ssl.enabledProtocols=TLSv1.3', { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' }],
    [
      'ssl.ciphersuites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384,' +
        'TLS_RSA_WITH_AES_256_CBC_SHA256,TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
      {
        ciphers:
          'ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_256_GCM_SHA384:' +
          'AES256-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305',
      },
    ],
    ['ssl.hostnameVerification=false', { checksServerName: false }],
    ['ssl.crl=true', { checksRevoked: true }],
    ['ssl.clientHostnameVerification=true', { checksClientName: true }],
    ['ssl.handshakeDetectionTimeoutMillis=77', { handshakeMs: 77 }],
    [
      'ssl.trustStore.location=/t.p12\nssl.trustStore.passwordPath=/pw',
      { trustStore: { location: '/t.p12', type: 'PKCS12', password: '', passwordPath: '/pw' } },
    ],
    ['ssl.keyStore.type=pkcs12\nssl.keyStore.password=x', { keyStore: { type: 'PKCS12' } }],
  ])('%s', (lines, expected) => {
    const { settings, warnings } = read(...SECURE, ...lines.split('\n'))
    expect(warnings).toEqual([])
    expect(settings.clientTls).toMatchObject(expected)
  })

  test('those of servers are others than those of clients', () => {
    const list = [
      'server.1=a:1:2',
      'server.2=b:1:2',
      'server.3=c:1:2',
      'initLimit=1',
      'syncLimit=1',
    ]
    const lines = ['sslQuorum=true', 'ssl.quorum.keyStore.location=/q.pem', 'clientPort=2181']
    const { settings } = readZooCfg({
      path: 'zoo.cfg',
      text: ['dataDir=/d', ...list, ...lines].join('\n'),
      properties: new Map([['zookeeper.ssl.quorum.clientAuth', 'want']]),
      readText: () => '1',
    })
    expect(settings).toMatchObject({ clientTls: null, quorumUsesTls: true })
    expect(settings.quorumTls).toMatchObject({ prefix: 'ssl.quorum.', clientAuth: 'want' })
  })

  test.each([
    [['secureClientPort=1'], 'ssl.keyStore.location'],
    [['clientPort=1', 'client.portUnification=true'], 'ssl.keyStore.location'],
    [['clientPort=1', 'secureClientPortAddress=::1'], 'without secureClientPort'],
    [['clientPort=1', 'sslQuorum=true'], 'ssl.quorum.keyStore.location'],
    [[...SECURE, 'ssl.clientAuth=maybe'], 'none, want or need'],
    [[...SECURE, 'ssl.protocol=SSLv3'], "'SSLv3' is none of"],
    [[...SECURE, 'ssl.ciphersuites=TLS_NULL_WITH_NULL'], "no cipher 'NULL-NULL'"],
    [[...SECURE, 'ssl.ocsp=true'], 'or use crl'],
    [['secureClientPort=1', 'ssl.keyStore.location=/k.jks'], 'keytool -importkeystore'],
    [[...SECURE, 'ssl.trustStore.location=/t.jks'], 'keytool -exportcert -rfc'],
    [['secureClientPort=1', 'ssl.keyStore.location=/k'], 'say PEM or PKCS12'],
  ] as const)('%j stops the start', (lines, why) => {
    expect(() => read(...lines)).toThrow(why)
  })

  test('what means nothing here is said', () => {
    const { warnings } = read(...SECURE, 'ssl.sslProvider=OPENSSL', 'ssl.ocsp=false')
    expect(warnings).toEqual([expect.stringContaining('ssl.sslProvider')])
  })
})

describe('files of keys', () => {
  test.each([
    ['no key', 'nothing.pem', '', 'ssl.keyStore.location'],
    ['no such file', null, '', 'cannot be read'],
  ])('%s is said with its key', (_what, name, text, why) => {
    const path = join(folder, name ?? 'absent.pem')
    if (name !== null) writeFileSync(path, text)
    const { settings } = read('secureClientPort=1', `ssl.keyStore.location=${path}`)
    expect(() => tlsSideOf(settings.clientTls!, { isCalled: true })).toThrow(why)
  })

  test('crl without any list of revoked certificates is no start', () => {
    const trust = join(folder, 'trust.pem')
    writeFileSync(trust, '-----BEGIN CERTIFICATE-----\n')
    const said = { 'client.secure': 'true', 'ssl.crl': 'true', 'ssl.trustStore.location': trust }
    expect(() => clientTls(new Map(Object.entries(said)))).toThrow('has no list of revoked')
    const none = { 'client.secure': 'true', 'ssl.crl': 'true' }
    expect(() => clientTls(new Map(Object.entries(none)))).toThrow('needs ssl.trustStore')
  })

  test('a trust store in PKCS12 tells how to make PEM of it', () => {
    const said = { 'client.secure': 'true', 'ssl.trustStore.location': '/t.p12' }
    expect(() => clientTls(new Map(Object.entries(said)))).toThrow('openssl pkcs12 -in /t.p12')
  })

  test('a client without client.secure has no TLS, whatever keys it names', () => {
    expect(clientTls(new Map([['ssl.trustStore.location', '/t.p12']]))).toBe(null)
  })
})

test.each([
  ['C=DE\nO=zabra\nCN=alice', 'CN=alice,O=zabra,C=DE'],
  ['O=a\\, b\nCN=x + OU=y', 'CN=x+OU=y,O=a\\, b'],
  ['CN=a\nemailAddress=x@y', '1.2.840.113549.1.9.1=#1603784079,CN=a'],
])('%j is %s for Java', (subject, name) => {
  expect(distinguishedName(subject)).toBe(name)
})
