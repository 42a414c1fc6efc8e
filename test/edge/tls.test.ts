/** TLS: clients, who they are by their certificates, and servers among themselves (O32). */
import { readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { connect } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import { afterAll, describe, expect, it, vi } from 'vitest'
import type { TlsSide } from '../../src/adapters/tcp/tls-side.ts'
import { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { Perms } from '../../src/core/jute/perms.ts'
import { NodeServer, type NodeServerHooks } from '../../src/edge/node-server.ts'
import { status } from '../../src/edge/server-control.ts'
import { serverSettings, type ServerSettings } from '../../src/edge/settings.ts'
import { TcpTransport } from '../../src/edge/tcp-transport.ts'
import { clientTls } from '../../src/edge/tls/client-tls.ts'
import { tlsKeys } from '../../src/edge/tls/tls-keys.ts'
import type { TlsKeys } from '../../src/edge/tls/tls-settings.ts'
import { Certificates, PASSWORD } from './certificates.ts'
import { NodeEnsemble } from './node-ensemble.ts'
import { eventually } from '../eventually.ts'

const certificates = new Certificates()
const SERVER = certificates.pem('server', '/O=zabra/CN=server')
const ALICE = certificates.pem('alice', '/C=DE/O=zabra/CN=alice')
const ROOT = certificates.pem('root', '/O=zabra/CN=root')
const ALICE_NAME = 'CN=alice,O=zabra,C=DE'
const ADMIN_NAME = 'CN=root,O=zabra'
const LIMIT_MS = 120_000
/** Until a server has looked at its files. */
const POLL = { timeout: 60_000 }

afterAll(() => certificates.remove())

function keys(of: 'clients' | 'quorum', said: Readonly<Record<string, string>>): TlsKeys {
  const prefix = of === 'quorum' ? 'ssl.quorum.' : 'ssl.'
  const trust = { 'trustStore.location': certificates.authority }
  const all = { 'keyStore.location': SERVER, ...trust, ...said }
  const given = new Map(Object.entries(all).map(([key, value]) => [prefix + key, value]))
  return tlsKeys(given, of, (text) => expect.unreachable(text))!
}

/** What zabra cli makes of its options. */
function side(keyStore: string | null, more: Readonly<Record<string, string>> = {}): TlsSide {
  const location = keyStore === null ? {} : { 'ssl.keyStore.location': keyStore }
  const trust = { 'ssl.trustStore.location': certificates.authority }
  const said = { 'client.secure': 'true', ...trust, ...location, ...more }
  return clientTls(new Map(Object.entries(said)))!
}

let count = 0
async function open(
  said: Partial<ServerSettings>,
  hooks: NodeServerHooks = {},
): Promise<NodeServer> {
  return NodeServer.open(
    serverSettings({
      dataDirectory: `${certificates.folder}/data${++count}`,
      clientPort: 0,
      clientAddress: '127.0.0.1',
      secureClientPort: 0,
      secureClientAddress: '127.0.0.1',
      clientTls: keys('clients', {}),
      preallocateBytes: 64 * 1024,
      adminEnabled: false,
      ...said,
    }),
    hooks,
  )
}

/** The common name in the certificate that a new connection is shown. */
function shownBy(port: number): Promise<string> {
  const identity = readFileSync(ALICE)
  const options = { ca: readFileSync(certificates.authority), key: identity, cert: identity }
  return new Promise((resolve, reject) => {
    const socket = connectSecurely({ ...options, host: '127.0.0.1', port }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

function connected(port: number, tls: TlsSide | null, ms = 30_000): Promise<ZooKeeperClient> {
  const members = [{ host: '127.0.0.1', port }]
  const client = new ZooKeeperClient({ transport: new TcpTransport({ members, tls }) })
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error('not let in')), ms).unref()
  })
  return Promise.race([client.connected().then(() => client), late]).catch(async (error) => {
    await client.close()
    throw error
  })
}

function httpsGet(
  port: number,
  path: string,
  identity: { readonly key?: Buffer; readonly cert?: Buffer } = {},
): Promise<{ status: number; strict: string | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const ca = readFileSync(certificates.authority)
    const options = { host: 'localhost', port, path, ca, agent: false, ...identity }
    const request = get(options, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => (body += text))
      response.on('end', () => {
        const strict = response.headers['strict-transport-security']
        resolve({ status: response.statusCode!, strict, body })
      })
    })
    request.on('error', reject)
  })
}

function answer(port: number, word: string): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(word))
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text))
  })
}

describe('clients over TLS', () => {
  it(
    'have an id of their certificate, which ACLs know; others do not come in',
    async () => {
      await using server = await open({ x509SuperUser: ADMIN_NAME, wordsAllowed: ['ruok'] })
      const port = server.secureClientPort
      await using alice = await connected(port, side(ALICE))
      expect(await alice.whoAmI()).toContainEqual({ authScheme: 'x509', user: ALICE_NAME })
      const id = { scheme: 'x509', id: ALICE_NAME }
      await alice.create('/hers', 'secret', { acl: [{ perms: Perms.ALL, id }] })
      await alice.create('/also', 'secret', {
        acl: [{ perms: Perms.ALL, id: { scheme: 'auth', id: '' } }],
      })
      expect((await alice.getACL('/also')).acl).toEqual([{ perms: Perms.ALL, id }])
      // The plain port is still there, and nobody on it is alice.
      await using plain = await connected(server.clientPort, null)
      await expect(plain.getData('/hers')).rejects.toThrow(/NOAUTH|NoAuth/)
      await using root = await connected(port, side(certificates.p12(ROOT), PKCS12))
      expect((await root.getData('/hers')).data?.length).toBe(6)
      // Without a certificate, without TLS at all, and by somebody nobody vouches for.
      await expect(connected(port, side(null), 2_000)).rejects.toThrow('not let in')
      expect(await answer(port, 'ruok')).toBe('')
      expect(await answer(server.clientPort, 'ruok')).toBe('imok')
    },
    LIMIT_MS,
  )

  it(
    'share clientPort with others, and need none where clientAuth is none',
    async () => {
      const tls = { clientPortTakesTls: true, clientTls: keys('clients', { clientAuth: 'none' }) }
      await using server = await open({ ...tls, secureClientPort: null, secureClientAddress: null })
      await using secure = await connected(server.clientPort, side(null))
      await using plain = await connected(server.clientPort, null)
      await secure.create('/a', 'x'.repeat(200_000))
      expect((await plain.getData('/a')).data?.length).toBe(200_000)
      expect((await secure.whoAmI()).map(({ authScheme }) => authScheme)).toEqual(['ip'])
    },
    LIMIT_MS,
  )

  it('with a certificate that was revoked do not come in, where crl is on', async () => {
    const gone = certificates.pem('gone', '/O=zabra/CN=gone')
    const trust = certificates.revoking(gone)
    const said = { crl: 'true', 'trustStore.location': trust }
    await using server = await open({ clientTls: keys('clients', said), wordsAllowed: ['*'] })
    const port = server.secureClientPort
    await using alice = await connected(port, side(ALICE))
    expect(await alice.exists('/')).not.toBeNull()
    await expect(connected(port, side(gone), 700)).rejects.toThrow('not let in')
    const rows = await answer(server.clientPort, 'mntr')
    expect(rows).toMatch(/^zk_unsuccessful_handshake\t[1-9]\d*$/m)
    expect(rows).toMatch(/^zk_auth_failed_count\t[1-9]\d*$/m)
    expect(rows).toContain('zk_outstanding_tls_handshake\t0\n')
    // The word itself came without TLS, as only clients are counted.
    expect(rows).toContain('zk_non_mtls_local_conn_count\t0\n')
    expect(await answer(server.clientPort, 'conf')).toContain(`secureClientPort=${port}\n`)
    // zabra server status, of a server that takes nobody without TLS.
    const printed: string[] = []
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0)
    const settings = { ...server.settings, clientPort: null, secureClientPort: port }
    const code = await status({ path: 'zoo.cfg', cfg: { settings, warnings: [] }, words: [] })
    vi.restoreAllMocks()
    expect([code, printed.at(-1)]).toEqual([0, 'Mode: standalone\n'])
    // Nor is a server believed whose certificate was revoked.
    const revoked = certificates.revoking(SERVER)
    const wary = { 'ssl.crl': 'true', 'ssl.trustStore.location': revoked }
    await expect(connected(port, side(ALICE, wary), 700)).rejects.toThrow('not let in')
  })

  it(
    'meet the new certificate when its file changes, where client.certReload is on',
    async () => {
      const own = certificates.pem('renewed', '/O=zabra/CN=first')
      const events: string[] = []
      const note = (event: string): void => void events.push(event)
      const log = { debug: note, info: note, warn: note, error: note }
      const tls = { clientTls: keys('clients', { 'keyStore.location': own }) }
      await using server = await open({ ...tls, clientTlsReloads: true }, { log })
      const port = server.secureClientPort
      await using before = await connected(port, side(ALICE))
      expect(await shownBy(port)).toBe('first')

      // Half of a file is none: what was read before stays.
      writeFileSync(own, readFileSync(own, 'utf8').slice(0, 300))
      await expect.poll(() => events, POLL).toContain('keys-not-reloaded')
      expect(await shownBy(port)).toBe('first')

      certificates.pem('renewed', '/O=zabra/CN=second')
      await expect.poll(() => events, POLL).toContain('keys-reloaded')
      expect(await shownBy(port)).toBe('second')
      // Who was there stays.
      expect(await before.exists('/')).not.toBeNull()
    },
    LIMIT_MS,
  )

  it('believe no server whose certificate is of another host', async () => {
    const elsewhere = certificates.pem('elsewhere', '/CN=elsewhere', 'DNS:elsewhere.test')
    const clientKeys = keys('clients', { 'keyStore.location': elsewhere })
    await using server = await open({ clientTls: clientKeys })
    const port = server.secureClientPort
    await expect(connected(port, side(ALICE), 1_500)).rejects.toThrow('not let in')
    const trusting = side(ALICE, { 'ssl.hostnameVerification': 'false' })
    await using client = await connected(port, trusting)
    expect(client.state).toBe('CONNECTED')
  })
})

describe('administration over TLS (O15, A16)', () => {
  const admin = { adminEnabled: true, adminPort: 0, adminAddress: '127.0.0.1' }
  const own = { secureClientPort: null, secureClientAddress: null, clientTls: null }

  it('is https with the keys of the quorum, or both on one port', async () => {
    const quorumTls = keys('quorum', {})
    await using server = await open({ ...own, ...admin, quorumTls, adminTakesBoth: true })
    const port = server.administration.adminPort!
    const secure = await httpsGet(port, '/commands/ruok')
    expect(secure).toMatchObject({ status: 200, strict: 'max-age=86400; includeSubDomains' })
    expect(JSON.parse(secure.body)).toEqual({ command: 'ruok', error: null })
    const plain = await fetch(`http://127.0.0.1:${port}/commands/monitor`)
    expect(plain.headers.get('strict-transport-security')).toBe(null)
    expect(await plain.json()).toMatchObject({ insecure_admin_count: 1 })
  })

  it('forced, it answers nobody without it, nor without a certificate it needs', async () => {
    const forced = { adminForcesTls: true, adminNeedsCertificate: true }
    const quorumTls = keys('quorum', {})
    await using server = await open({ ...own, ...admin, ...forced, quorumTls })
    const port = server.administration.adminPort!
    await expect(fetch(`http://127.0.0.1:${port}/commands/ruok`)).rejects.toThrow()
    await expect(httpsGet(port, '/commands/ruok')).rejects.toThrow()
    const pem = readFileSync(ALICE)
    expect((await httpsGet(port, '/health', { key: pem, cert: pem })).status).toBe(200)
  })

  it('does not start with keys that cannot be read', async () => {
    const quorumTls = keys('quorum', { 'keyStore.location': '/none.pem' })
    const bad = open({ ...own, ...admin, quorumTls, adminForcesTls: true })
    await expect(bad).rejects.toThrow('/none.pem cannot be read')
  })
})

const PKCS12 = { 'ssl.keyStore.password': PASSWORD }

describe('sslQuorum', () => {
  it(
    'servers elect, follow and write over TLS; one without it stays outside',
    async () => {
      const tls = { quorumUsesTls: true, quorumTls: keys('quorum', {}) }
      await using ensemble = await NodeEnsemble.plan(3, 0, tls)
      await Promise.all([ensemble.start(1), ensemble.start(2)])
      await Promise.all([1, 2].map((sid) => ensemble.servers.get(sid)!.serving))
      const plain = { ...ensemble.settings(3), quorumUsesTls: false, quorumTls: null }
      await using outsider = await NodeServer.open(plain)
      await using client = await ensemble.client(1, 2)
      for (let i = 0; i < 20; i++) await client.create(`/n${i}`, 'x'.repeat(10_000))
      expect(outsider.status().serving).toBe(false)
      await outsider.close()
      await (
        await ensemble.start(3)
      ).serving
      await using late = await ensemble.client(3)
      await late.sync('/')
      expect(await late.exists('/n19')).not.toBeNull()
      const port = ensemble.members[0]!.quorumPort
      expect(await answer(port, 'no handshake')).not.toContain('NEWLEADER')
      await eventually(() => expect(ensemble.leader).toBeDefined())
    },
    LIMIT_MS,
  )

  it(
    'portUnification lets an ensemble change over, one server after the other',
    async () => {
      const both = { quorumTakesBoth: true, quorumTls: keys('quorum', {}) }
      await using ensemble = await NodeEnsemble.plan(3, 0, both)
      await Promise.all([ensemble.start(1), ensemble.start(2)])
      const secure = { ...ensemble.settings(3), quorumUsesTls: true }
      await using third = await NodeServer.open(secure)
      await Promise.all([1, 2].map((sid) => ensemble.servers.get(sid)!.serving))
      await third.serving
      await using client = await ensemble.client(1)
      await client.create('/a')
      expect(third.status().serving).toBe(true)
    },
    LIMIT_MS,
  )
})
