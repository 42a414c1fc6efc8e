// The certificate that `npm start -- --tls` makes: what is in it, how it is kept, and that https
// and wss are served with it to whoever trusts it, and to nobody else.
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { fingerprintOf, makeCertificate, VALID_DAYS } from '../../src/edge/certificate.ts'
import { lanAddresses, openCertificate, ownHosts } from '../../src/edge/certificate-store.ts'
import { startServer } from '../../src/edge/serve.ts'
import { SIGNAL_PATH } from '../../src/signaling/protocol.ts'

const DAY_MS = 24 * 60 * 60 * 1_000
const NOW_MS = Date.parse('2026-03-01T12:00:00Z')
const HOSTS = [
  ...['localhost', 'laptop', 'laptop.local', '127.0.0.1', '192.168.1.5'],
  ...['::1', 'fd00::1:2', '2001:db8::', '1:2:3:4:5:6:7:8'],
]
const wanted = (...needed: string[]) => ({ needed, welcome: [] })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zabra-tls-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('a certificate', () => {
  const { certificate, privateKey } = makeCertificate({ hosts: HOSTS, nowMs: NOW_MS })
  const parsed = new X509Certificate(certificate)

  it.each(HOSTS)('is for %s', (host) => {
    const found =
      host.includes(':') || /^\d/.test(host) ? parsed.checkIP(host) : parsed.checkHost(host)
    expect(found).toBeDefined()
  })

  it('is for nobody else', () => {
    expect(parsed.checkHost('example.org')).toBeUndefined()
    expect(parsed.checkHost('a.localhost')).toBeUndefined()
    expect(parsed.checkIP('192.168.1.6')).toBeUndefined()
    expect(parsed.subjectAltName?.split(', ')).toHaveLength(HOSTS.length)
  })

  it('is valid from yesterday, for as long as Apple allows', () => {
    expect(Date.parse(parsed.validFrom)).toBe(NOW_MS - DAY_MS)
    expect(Date.parse(parsed.validTo) - Date.parse(parsed.validFrom)).toBe(VALID_DAYS * DAY_MS)
    expect(VALID_DAYS).toBeLessThanOrEqual(398)
  })

  it('is signed by its own key, for servers only, and is no authority', () => {
    expect(parsed.verify(parsed.publicKey)).toBe(true)
    expect(parsed.checkPrivateKey(createPrivateKey(privateKey))).toBe(true)
    expect(parsed.ca).toBe(false)
    expect(parsed.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(parsed.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
    expect(parsed.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
  })

  it('has a fingerprint as browsers show it', () => {
    expect(fingerprintOf(certificate)).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
  })

  it('has another key and number each time', () => {
    const other = makeCertificate({ hosts: HOSTS, nowMs: NOW_MS })
    expect(new X509Certificate(other.certificate).serialNumber).not.toBe(parsed.serialNumber)
    expect(other.privateKey).not.toBe(privateKey)
  })

  it('tells years from 2050 on with four digits', () => {
    const late = makeCertificate({
      hosts: ['localhost'],
      nowMs: Date.parse('2050-06-01T00:00:00Z'),
    })
    expect(Date.parse(new X509Certificate(late.certificate).validFrom)).toBe(
      Date.parse('2050-05-31T00:00:00Z'),
    )
  })
})

describe('the kept certificate', () => {
  it('is made once, for its owner only, and used again until it ends soon', async () => {
    const own = join(folder, 'kept')
    const first = await openCertificate(own, wanted('localhost', '10.0.0.1'), NOW_MS)
    expect(first.isNew).toBe(true)
    expect((await stat(own)).mode & 0o777).toBe(0o700)
    for (const name of ['key.pem', 'certificate.pem']) {
      expect((await stat(join(own, name))).mode & 0o777, name).toBe(0o600)
    }
    const later = await openCertificate(own, wanted('localhost'), NOW_MS + 300 * DAY_MS)
    expect(later).toEqual({ ...first, isNew: false })
    const renewed = await openCertificate(own, wanted('localhost'), NOW_MS + 380 * DAY_MS)
    expect(renewed.isNew).toBe(true)
    expect(renewed.privateKey).not.toBe(first.privateKey)
    // What it was for before stays in.
    expect(new X509Certificate(renewed.certificate).checkIP('10.0.0.1')).toBeDefined()
  })

  it('is made anew for another network, but not for an address that only comes along', async () => {
    const own = join(folder, 'moved')
    const first = await openCertificate(own, wanted('localhost', '10.0.0.1'), NOW_MS)
    const same = { needed: ['localhost', '10.0.0.1'], welcome: ['fd00::7'] }
    expect((await openCertificate(own, same, NOW_MS)).certificate).toBe(first.certificate)
    const moved = await openCertificate(own, wanted('localhost', '10.0.0.2'), NOW_MS)
    const parsed = new X509Certificate(moved.certificate)
    expect([parsed.checkIP('10.0.0.1'), parsed.checkIP('10.0.0.2')]).not.toContain(undefined)
  })

  it.each([
    ['key.pem', 'not a key'],
    ['certificate.pem', 'not a certificate'],
  ])('is made anew when %s is damaged', async (name, text) => {
    const own = join(folder, `damaged-${name}`)
    await openCertificate(own, wanted('localhost'), NOW_MS)
    await writeFile(join(own, name), text)
    const again = await openCertificate(own, wanted('localhost'), NOW_MS)
    expect(again.isNew).toBe(true)
    expect(await readFile(join(own, 'key.pem'), 'utf8')).toBe(again.privateKey)
  })

  it('is made anew when the key is that of another certificate', async () => {
    const own = join(folder, 'mixed')
    await openCertificate(own, wanted('localhost'), NOW_MS)
    const other = makeCertificate({ hosts: ['localhost'], nowMs: NOW_MS })
    await writeFile(join(own, 'key.pem'), other.privateKey)
    expect((await openCertificate(own, wanted('localhost'), NOW_MS)).isNew).toBe(true)
  })

  it('is for this machine and all its addresses', () => {
    const { needed, welcome } = ownHosts(['192.0.2.7'])
    expect(needed).toEqual(expect.arrayContaining(['localhost', '127.0.0.1', '::1', '192.0.2.7']))
    expect([...needed, ...welcome]).toEqual(expect.arrayContaining(lanAddresses()))
  })
})

describe('https and wss', () => {
  it('are served to who trusts the certificate, and to nobody else', async () => {
    const tls = makeCertificate({ hosts: ['localhost', '127.0.0.1'], nowMs: Date.now() })
    const server = await startServer({ port: 0, tls })
    const { port } = server
    const ask = (options: { ca?: string; host: string }): Promise<string> =>
      new Promise((resolve, reject) => {
        get({ path: '/', port, ...options }, (response) => {
          response.on('data', (body: Buffer) => resolve(body.toString()))
        }).on('error', reject)
      })
    const ca = tls.certificate
    expect(await ask({ ca, host: '127.0.0.1' })).toBe('zabra signaling\n')
    await expect(ask({ host: '127.0.0.1' })).rejects.toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    })
    const socket = new WebSocket(`wss://127.0.0.1:${port}${SIGNAL_PATH}`, { ca })
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    expect(server.signaling?.socketCount).toBe(1)
    socket.terminate()
    await server.close()
  })
})
