/** Clients that others wrote, over TLS, and Apache's tools on snapshots that we packed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { FileStorage } from '../../src/adapters/files/storage.ts'
import type { SnapshotPacking } from '../../src/adapters/files/file-names.ts'
import { toZxid } from '../../src/core/base/zxid.ts'
import { emptySnapshotChunk } from '../../src/core/server/member-machine.ts'
import { NodeServer } from '../../src/edge/node-server.ts'
import { serverSettings } from '../../src/edge/settings.ts'
import { tlsKeys } from '../../src/edge/tls/tls-keys.ts'
import { Certificates } from '../edge/certificates.ts'
import { KAZOO_PYTHON, typeTo } from './scenario.ts'

const LIMIT = { timeout: 120_000 }
const JAVA_HOME = '/usr/share/java'
/** zkCli.sh of Debian has no Netty beside it, without which Java's client has no TLS. */
const NETTY = ['common', 'buffer', 'transport', 'handler', 'resolver', 'codec']
  .concat(['transport-native-epoll', 'transport-native-unix-common'])
  .map((name) => `netty-${name}`)
const JAVA = [
  ...['java', '-XX:TieredStopAtLevel=1', '-cp'],
  [process.env['ZABRA_APACHE'] ?? `${JAVA_HOME}/zookeeper.jar`]
    .concat(['commons-cli', 'slf4j-nop', 'snappy-java', ...NETTY].map(jar))
    .join(':'),
]
const KAZOO = `
import sys
from kazoo.client import KazooClient
hosts, ca, certificate, key = sys.argv[1:]
client = KazooClient(hosts, use_ssl=True, ca=ca, certfile=certificate, keyfile=key)
client.start(timeout=60)
client.create("/from-python", b"over TLS", ephemeral=True)
print(client.get("/from-python")[0].decode(), client.exists("/").numChildren)
client.stop()
`

const certificates = new Certificates()
afterAll(() => certificates.remove())

function jar(name: string): string {
  return `${JAVA_HOME}/${name}.jar`
}

it("kazoo and Apache's shell come in over TLS", LIMIT, async () => {
  const own = certificates.pem('server', '/CN=server')
  const theirs = certificates.pem('client', '/CN=client')
  const trust = certificates.authority
  const keys = { 'ssl.keyStore.location': own, 'ssl.trustStore.location': trust }
  await using server = await NodeServer.open(
    serverSettings({
      dataDirectory: join(certificates.folder, 'data'),
      clientPort: null,
      secureClientPort: 0,
      secureClientAddress: '127.0.0.1',
      clientTls: tlsKeys(new Map(Object.entries(keys)), 'clients', () => expect.unreachable()),
      preallocateBytes: 64 * 1024,
      adminEnabled: false,
    }),
  )
  const hosts = `localhost:${server.secureClientPort}`
  const [certificate, key] = [theirs.replace('.pem', '.crt'), theirs.replace('.pem', '.key')]
  const kazoo = [KAZOO_PYTHON, '-c', KAZOO, hosts, trust, certificate, key]
  expect(await typeTo(kazoo, [])).toContain('over TLS 2')
  const properties = {
    clientCnxnSocket: 'org.apache.zookeeper.ClientCnxnSocketNetty',
    'client.secure': 'true',
    'ssl.keyStore.location': theirs,
    'ssl.trustStore.location': trust,
  }
  const options = Object.entries(properties).map(([name, value]) => `-Dzookeeper.${name}=${value}`)
  const shell = ['org.apache.zookeeper.ZooKeeperMain', '-waitforconnection', '-server', hosts]
  const said = await typeTo(
    [...JAVA, ...options, ...shell],
    ['create /from-java "by Netty"', 'get /from-java', 'whoami', 'quit'],
  )
  expect(said).toContain('by Netty')
  expect(said).toMatch(/x509: CN=client/)
})

it("Apache's formatter reads snapshots of ours, packed in either way", LIMIT, async () => {
  for (const packing of ['gz', 'snappy'] as const) {
    const file = await snapshotPacked(packing)
    expect(file.endsWith(`.${packing}`) && existsSync(file)).toBe(true)
    const formatter = [...JAVA, 'org.apache.zookeeper.server.SnapshotFormatter', file]
    const text = await typeTo(formatter, [])
    expect(text).toMatch(/ZNode Details \(count=5\):[^]*\/zookeeper\/quota/)
    // It is packed: the plain one begins with its magic.
    expect(readFileSync(file).subarray(0, 4).toString('latin1')).not.toBe('ZKSN')
  }
})

async function snapshotPacked(packing: SnapshotPacking): Promise<string> {
  const dataDirectory = join(certificates.folder, packing)
  const options = { dataDirectory, token: 'test', preallocateBytes: 4096 }
  const storage = new FileStorage({
    ...options,
    snapshotsRetained: null,
    snapshotPacking: packing,
  })
  await storage.recover()
  await storage.write([
    { kind: 'snapshot-chunk', id: 1, index: 0, bytes: emptySnapshotChunk() },
    { kind: 'snapshot-commit', id: 1, zxid: toZxid(7n), chunks: 1, install: true },
  ])
  await storage.close()
  const folder = join(dataDirectory, 'version-2')
  return join(folder, readdirSync(folder).find((name) => name.startsWith('snapshot.7')) ?? '')
}
