import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { NodeServer } from '../../src/edge/node-server.ts'
import { serverSettings } from '../../src/edge/settings.ts'
import { parseConnectString } from '../../src/edge/connect-string.ts'
import { TcpTransport } from '../../src/edge/tcp-transport.ts'

const directories: string[] = []

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'zabra-standalone-'))
  directories.push(directory)
  return directory
}

function open(dataDirectory: string): Promise<NodeServer> {
  const settings = serverSettings({
    dataDirectory,
    clientPort: 0,
    clientAddress: '127.0.0.1',
    preallocateBytes: 64 * 1024,
    connectionsPerAddressMax: 3,
    wordsAllowed: ['ruok'],
    adminEnabled: false,
  })
  return NodeServer.open(settings)
}

function client(server: NodeServer): Promise<ZooKeeperClient> {
  const members = [{ host: '127.0.0.1', port: server.clientPort }]
  return ZooKeeperClient.connect({ transport: new TcpTransport({ members }) })
}

/** What comes back until the other side closes. */
function say(port: number, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}

describe('a server alone', () => {
  it('serves over TCP, and what it acknowledged is there in its next life', async () => {
    const directory = newDirectory()
    const data = new Uint8Array([1, 2, 3])
    {
      await using server = await open(directory)
      await using writer = await client(server)
      for (let i = 0; i < 50; i++) await writer.create(`/node${i}`, data)
      await writer.create('/mine', data, { mode: CreateMode.EPHEMERAL })
      // Its end without a word: the session is left to expire.
    }
    await using server = await open(directory)
    await using reader = await client(server)
    const children = await reader.getChildren('/')
    expect(children.filter((name) => name.startsWith('node'))).toHaveLength(50)
    expect((await reader.getData('/node49')).data).toEqual(data)
    const files = readdirSync(join(directory, 'version-2'))
    expect(files.filter((name) => name.startsWith('log.')).length).toBeGreaterThanOrEqual(2)
  })

  it('a session and its ephemerals outlive the process', async () => {
    const directory = newDirectory()
    const first = await open(directory)
    const before = await client(first)
    await before.create('/mine', null, { mode: CreateMode.EPHEMERAL })
    const { sessionId: id, sessionPassword: password } = before
    await first.close()
    await using second = await open(directory)
    const members = [{ host: '127.0.0.1', port: second.clientPort }]
    await using after = await ZooKeeperClient.connect({
      transport: new TcpTransport({ members }),
      session: { id, password },
    })
    expect(after.sessionId).toBe(id)
    expect((await after.exists('/mine'))?.ephemeralOwner).toBe(id)
    await before.close()
  })

  it('answers words, and closes on what is neither word nor request', async () => {
    await using server = await open(newDirectory())
    expect(await say(server.clientPort, 'ruok')).toBe('imok')
    expect(await say(server.clientPort, 'none')).toBe('')
    expect(await say(server.clientPort, new Uint8Array([0xff, 1, 2, 3, 4]))).toBe('')
  })

  it('refuses more connections of one address than it is told to take', async () => {
    await using server = await open(newDirectory())
    await using _one = await client(server)
    await using _two = await client(server)
    await using _three = await client(server)
    expect(server.connections).toBe(3)
    expect(await say(server.clientPort, 'ruok').catch(() => 'refused')).not.toBe('imok')
  })

  it('names the process that has its directory', async () => {
    const directory = newDirectory()
    await using _server = await open(directory)
    const { OwnerFile } = await import('../../src/adapters/files/owner-file.ts')
    const { writeFileSync } = await import('node:fs')
    writeFileSync(join(directory, 'version-2', 'zabra.pid'), '1\n')
    expect(() => new OwnerFile(join(directory, 'version-2'))).toThrow(/process 1 uses/)
  })
})

describe('connect strings', () => {
  it.each([
    ['a', [{ host: 'a', port: 2181 }], null],
    [
      'a:1,b:2/app',
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
      '/app',
    ],
    ['[::1]:2182/', [{ host: '::1', port: 2182 }], null],
    [
      '127.0.0.1:2181, 127.0.0.1:2182',
      [
        { host: '127.0.0.1', port: 2181 },
        { host: '127.0.0.1', port: 2182 },
      ],
      null,
    ],
  ])('%s', (text, members, chroot) => {
    expect(parseConnectString(text)).toEqual({ members, service: null, chroot })
  })

  it.each([
    ['dns-srv://zk.example.org', 'zk.example.org', null],
    ['dns-srv://_zk._tcp.example.org./', '_zk._tcp.example.org.', null],
    ['dns-srv://zk/app/a', 'zk', '/app/a'],
  ])('%s', (text, service, chroot) => {
    expect(parseConnectString(text)).toEqual({ members: [], service, chroot })
  })

  it.each(['dns-srv://', 'dns-srv:///app', 'dns-srv://a,b'])('%j names no service', (text) => {
    expect(() => parseConnectString(text)).toThrow('names no service')
  })

  it.each(['', 'a:', 'a:x', 'a:99999', ',a'])('%j is refused with its part named', (text) => {
    expect(() => parseConnectString(text)).toThrow(/names no host|no valid port/)
  })
})
