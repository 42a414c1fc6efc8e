/** `dns-srv://name`: who the servers are is asked of the name service (W60). */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import type { HostAndPort } from '../../src/edge/connect-string.ts'
import { NodeServer } from '../../src/edge/node-server.ts'
import { ServiceHosts } from '../../src/edge/service-hosts.ts'
import { serverSettings } from '../../src/edge/settings.ts'
import { TcpTransport } from '../../src/edge/tcp-transport.ts'

const NEVER = new AbortController().signal

it('asks again after a minute, and keeps what it knew when nobody answers', async () => {
  let nowMs = 0
  let records: readonly string[] | null = ['a', 'b']
  const asked: string[] = []
  const hosts = new ServiceHosts({
    name: 'zk.example.org',
    random: () => 0,
    nowMs: () => nowMs,
    lookUp: (name) => {
      asked.push(name)
      if (records === null) return Promise.reject(new Error('no name server'))
      return Promise.resolve(records.map((host) => ({ name: host, port: 2181 })))
    },
  })
  const next = (): Promise<string> => hosts.first(({ host }) => Promise.resolve(host), NEVER)
  expect([await next(), await next(), await next()]).toEqual(['a', 'b', 'a'])
  hosts.again()
  expect(await next()).toBe('a')
  expect(asked).toEqual(['zk.example.org'])
  const tried: string[] = []
  const fails = ({ host }: HostAndPort): Promise<never> => {
    tried.push(host)
    return Promise.reject(new Error(`${host} is down`))
  }
  await expect(hosts.first(fails, NEVER)).rejects.toThrow('a is down')
  expect(tried).toEqual(['b', 'a'])
  records = null
  nowMs = 60_000
  expect(await next()).toBe('b')
  records = ['c']
  expect(await next()).toBe('c')
  expect(asked).toHaveLength(3)
})

it('without any record nobody is reached, and that is said', async () => {
  const hosts = new ServiceHosts({
    name: 'zk',
    random: () => 0,
    nowMs: () => 0,
    lookUp: () => Promise.resolve([]),
  })
  await expect(hosts.first(() => Promise.resolve(1), NEVER)).rejects.toThrow(
    'zk has no SRV records',
  )
})

it('a client finds the server that runs among those of the records', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'zabra-srv-'))
  try {
    const settings = { clientPort: 0, clientAddress: '127.0.0.1', preallocateBytes: 64 * 1024 }
    await using server = await NodeServer.open(
      serverSettings({ ...settings, dataDirectory: directory, adminEnabled: false }),
    )
    const transport = new TcpTransport({
      members: [],
      service: 'zk',
      lookUp: () =>
        Promise.resolve([
          { name: '127.0.0.1', port: 1 },
          { name: '127.0.0.1', port: server.clientPort },
        ]),
    })
    expect(transport.hosts()).toEqual([
      { id: 'dns-srv://zk', label: 'dns-srv://zk', isLocal: false },
    ])
    await using client = await ZooKeeperClient.connect({ transport })
    expect(await client.exists('/zookeeper')).not.toBeNull()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
