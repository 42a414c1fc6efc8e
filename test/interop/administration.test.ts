/**
 * What an administrator sees of Apache ZooKeeper and of our server after the same little history:
 * every word, every admin command that both have, and the audit log.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ownPorts } from '../own-ports.ts'
import { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import { ABSENT_METRICS } from '../../src/edge/admin/absent-metrics.ts'
import { auditLine, type AuditEntry } from '../../src/edge/admin/audit-log.ts'
import { createLog } from '../../src/edge/admin/log.ts'
import { NodeServer } from '../../src/edge/node-server.ts'
import { serverSettings } from '../../src/edge/settings.ts'
import { TcpTransport } from '../../src/edge/tcp-transport.ts'
import { fourLetterWord, startServer, stopEverything, waitUntilServing } from './apache.ts'

const JARS = [
  ...['servlet-api', 'jetty9-http', 'jetty9-io', 'jetty9-security', 'jetty9-server'],
  ...['jetty9-servlet', 'jetty9-util', 'jetty9-util-ajax'],
].map((name) => `/usr/share/java/${name}.jar`)
const START_TIMEOUT_MS = 90_000
const PASSWORD = 'secret'
/** Who gets no processor for longer than two of them steps down, and its clients hear of it. */
const TICK_MS = 2_000

interface Observed {
  readonly clientPort: number
  readonly adminPort: number
  client: ZooKeeperClient | null
}

const directory = mkdtempSync(join(tmpdir(), 'zabra-administration-'))
const apache: Observed = { clientPort: 0, adminPort: 0, client: null }
const ours: Observed = { clientPort: 0, adminPort: 0, client: null }
const audited: AuditEntry[] = []
let server: NodeServer

beforeAll(async () => {
  const [clientPort = 0, adminPort = 0] = await ownPorts(2)
  startServer({
    directory: join(directory, 'apache'),
    clientPort,
    jars: JARS,
    lines: [
      `tickTime=${TICK_MS}`,
      'admin.enableServer=true',
      `admin.serverPort=${adminPort}`,
      'admin.serverAddress=127.0.0.1',
      '4lw.commands.whitelist=*',
    ],
    properties: { 'zookeeper.audit.enable': 'true' },
  })
  Object.assign(apache, { clientPort, adminPort })
  server = await openOurs()
  const { administration } = server
  Object.assign(ours, { clientPort: server.clientPort, adminPort: administration.adminPort })
  await waitUntilServing(clientPort)
  for (const side of [apache, ours]) side.client = await history(side.clientPort)
}, START_TIMEOUT_MS)

afterAll(async () => {
  await apache.client?.close()
  await server.close()
  await stopEverything()
  rmSync(directory, { recursive: true })
})

function openOurs(): Promise<NodeServer> {
  const settings = serverSettings({
    dataDirectory: join(directory, 'ours'),
    preallocateBytes: 64 * 1024,
    tickTimeMs: TICK_MS,
    clientPort: 0,
    clientAddress: '127.0.0.1',
    wordsAllowed: ['*'],
    adminAddress: '127.0.0.1',
    adminPort: 0,
    metrics: { host: '127.0.0.1', port: 0, exportsProcessInfo: true },
    auditEnabled: true,
  })
  const log = createLog({
    write: (line) => {
      const said = JSON.parse(line) as AuditEntry & { event: string }
      if (said.event === 'audit') audited.push(said)
    },
    isTerminal: false,
    level: 'info',
    wallNow: () => Date.now(),
  })
  return NodeServer.open(settings, { log })
}

/** The client stays, with watches and an ephemeral node; another one comes and goes. */
async function history(port: number): Promise<ZooKeeperClient> {
  const open = (): Promise<ZooKeeperClient> =>
    ZooKeeperClient.connect({
      transport: new TcpTransport({ members: [{ host: '127.0.0.1', port }] }),
      sessionTimeoutMs: 15_000,
      watcher: () => undefined,
    })
  const client = await open()
  await client.create('/kept', new Uint8Array(10))
  await client.create('/mine', null, { mode: CreateMode.EPHEMERAL })
  await client.getData('/kept', { watch: true })
  await client.exists('/nowhere', { watch: true })
  const other = await open()
  await other.addAuthInfo('digest', new TextEncoder().encode(`bob:${PASSWORD}`))
  await other.create('/theirs', null, { mode: CreateMode.EPHEMERAL_SEQUENTIAL })
  await other.setData('/kept', new Uint8Array(3))
  await other.delete('/none').catch(() => undefined)
  await other.transaction().create('/both', null).delete('/both').commit()
  await other.close()
  await client.getData('/kept', { watch: true })
  return client
}

/** A text without what differs from run to run. */
function shape(text: string): string[] {
  return (
    text
      .replace(/Zookeeper version: .*/, 'Zookeeper version: V')
      // A ping may have come meanwhile, to one of them only.
      .replace(/lop=(NA|PING),(est=\d+,to=\d+,)(lcxid=0x[0-9a-f]+,)?/g, 'lop=NA,$2')
      .replace(/=\/\S*$/gm, '=/path')
      .replace(/expire at .*:/g, 'expire at DATE:')
      .replace(/0x[0-9a-f]+/g, '0xN')
      .replace(/(?<![a-zA-Z])-?\d+(\.\d+)?/g, 'N')
      .split('\n')
  )
}

const once = (lines: readonly string[]): string[] => [...new Set(lines)].sort()

async function ask(word: string): Promise<[theirs: string, own: string]> {
  const theirs = await fourLetterWord(apache.clientPort, word)
  return [theirs, await fourLetterWord(ours.clientPort, word)]
}

describe('four-letter words', () => {
  it.each(['ruok', 'isro', 'srvr', 'conf', 'dirs', 'wchs', 'crst', 'srst'])(
    '%s: the same lines (O1–O11)',
    async (word) => {
      const [theirs, own] = await ask(word)
      expect(shape(own)).toEqual(shape(theirs))
    },
  )

  // Apache keeps its connections in a hash table.
  it.each(['stat', 'cons', 'wchc', 'wchp'])(
    '%s: the same lines in whatever order',
    async (word) => {
      const [theirs, own] = await ask(word)
      expect(shape(own).sort()).toEqual(shape(theirs).sort())
    },
  )

  it('dump: the same kinds of lines (O8)', async () => {
    const [theirs, own] = await ask('dump')
    expect(once(shape(own))).toEqual(once(shape(theirs)))
  })

  it('envi: all of their keys but those of a JVM (O7)', async () => {
    const keys = (text: string): string[] => text.split('\n').map((line) => line.split('=')[0]!)
    const [theirs, own] = await ask('envi')
    expect(keys(own)).toEqual(expect.arrayContaining(keys(theirs)))
  })

  it('mntr: each of their metrics, or a reason why not (O9, O19–O26)', async () => {
    const names = (text: string): string[] =>
      text
        .trim()
        .split('\n')
        .map((line) => /^zk_(\S+)\t\S/.exec(line)?.[1] ?? line)
    const absent = new Set(Object.values(ABSENT_METRICS).flat())
    const isAbsent = (name: string): boolean => {
      const plain = name.replace(/^(avg|min|max|cnt|sum|p50|p95|p99|p999)_/, '')
      return absent.has(plain) || plain.endsWith('_per_namespace')
    }
    const [theirs, own] = await ask('mntr')
    const here = names(own)
    expect(names(theirs).filter((name) => !here.includes(name) && !isAbsent(name))).toEqual([])
  })
})

interface Page {
  readonly status: number
  readonly type: string | null
  readonly json: unknown
}

async function command(adminPort: number, name: string): Promise<Page> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/commands/${name}`)
  const type = answer.headers.get('content-type')
  return { status: answer.status, type, json: await answer.json() }
}

/** Names of fields; a map by ids or paths has one name for all of them. */
function fields(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(fields)
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      /^(\d+|\/.*)$/.test(key) ? '*' : key,
      fields(inner),
    ]),
  )
}

describe('admin commands', () => {
  it.each([
    ...['configuration', 'conf', 'connections', 'connection_stat_reset', 'dirs', 'dump', 'hash'],
    ...['get_trace_mask', 'initial_configuration', 'is_read_only', 'last_snapshot', 'leader'],
    ...['observers', 'observer_connection_stat_reset', 'ruok', 'server_stats', 'set_trace_mask'],
    ...['set_trace_mask?traceMask=54', 'set_trace_mask?traceMask=x', 'stats', 'stat_reset'],
    ...['voting_view', 'watches', 'watches_by_path', 'watch_summary', 'zabstate', 'nonsense'],
  ])('%s: the same fields of the same types (O15, O16)', async (name) => {
    const theirs = await command(apache.adminPort, name)
    const own = await command(ours.adminPort, name)
    expect([own.status, own.type]).toEqual([theirs.status, theirs.type])
    expect(fields(own.json)).toEqual(fields(theirs.json))
  })

  it('the list of them has all of theirs', async () => {
    const links = async (port: number): Promise<string[]> => {
      const page = await (await fetch(`http://127.0.0.1:${port}/commands`)).text()
      return page.split('\n').filter((line) => line.startsWith('<a'))
    }
    const own = await links(ours.adminPort)
    expect(own).toEqual(expect.arrayContaining(await links(apache.adminPort)))
  })
})

describe('the audit log (A18)', () => {
  it('has the same lines', async () => {
    const text = readFileSync(join(directory, 'apache', 'server.log'), 'utf8')
    const theirs = [...text.matchAll(/Slf4jAuditLogger - (.*)/g)].map(([, line = '']) => line)
    const plain = (line: string): string => line.replace(/session=0x[0-9a-f]+/, 'session=S')
    expect(audited.map(auditLine).map(plain)).toEqual(theirs.map(plain))
  })
})

describe('what only ours answers', () => {
  const at = (path: string): string => `http://127.0.0.1:${ours.adminPort}${path}`
  const digest = `digest bob:${PASSWORD}`

  it('service managers: alive and ready', async () => {
    const health = await fetch(at('/health'))
    expect([health.status, await health.json()]).toEqual([200, { status: 'alive', reason: null }])
    const ready = await fetch(at('/ready'))
    expect([ready.status, await ready.json()]).toMatchObject([
      200,
      { status: 'serving', mode: 'standalone', reason: null },
    ])
  })

  it('Prometheus (O27)', async () => {
    const port = server.administration.metricsPort ?? 0
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4')
    const text = await answer.text()
    expect(text).toMatch(/^fsynctime_count [1-9]/m)
    expect(text).toMatch(/^znode_count [1-9]/m)
    expect(text).toMatch(/^process_resident_memory_bytes [1-9]/m)
    expect((await fetch(`http://127.0.0.1:${port}/else`)).status).toBe(404)
  })

  it('a whole snapshot, once in a while, for those who may (O17)', async () => {
    expect((await fetch(at('/commands/snapshot'))).status).toBe(401)
    const headers = { authorization: digest }
    const answer = await fetch(at('/commands/snapshot'), { headers })
    const bytes = new Uint8Array(await answer.arrayBuffer())
    expect(answer.status).toBe(200)
    expect(answer.headers.get('snapshot_size')).toBe(String(bytes.length))
    expect(answer.headers.get('last_zxid')).toBe(server.status().zxid)
    expect((await fetch(at('/commands/snapshot'), { headers })).status).toBe(429)
    const { json } = await command(ours.adminPort, 'last_snapshot')
    expect(json).toMatchObject({ zxid: server.status().zxid.slice(2) })
  })

  it('shedding all clients, who come back (O18)', async () => {
    const answer = await fetch(at('/commands/shed_connections'), {
      method: 'POST',
      headers: { authorization: digest },
      body: '{"percentage": 100}',
    })
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { connections_shed: 1, percentage_requested: 100 },
    ])
    const read = (): Promise<number | null> =>
      ours.client!.getData('/kept').then(
        ({ data }) => data?.length ?? 0,
        () => null,
      )
    await expect.poll(read, { timeout: 10_000 }).toBe(3)
    const { closeReasons } = server.administration.view.figures.traffic
    expect(closeReasons.get('shed_connections_command')).toBe(1)
    await ours.client!.close()
  })
})
