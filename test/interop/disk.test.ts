/**
 * One data directory, Apache ZooKeeper and us in turn: what either wrote until it was killed, the
 * other opens, and shows its clients the same.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { ownPorts } from '../own-ports.ts'
import { zxidFiles } from '../../src/adapters/files/file-names.ts'
import { startServer, stopEverything, waitUntilServing } from './apache.ts'
import { connect, Stream, writeHistory } from './history.ts'
import { photograph, type Photograph } from './photograph.ts'

const TOP = fileURLToPath(new URL('../..', import.meta.url))
const LIMIT_MS = 240_000
/** Several snapshots while the stream goes on: fuzzy ones of Apache's, slices of ours. */
const SNAP_COUNT = 60
const STREAMED = 300
/** Longer than all of this takes: nothing expires in between. */
const SESSION_TIMEOUT_MS = 200_000
const PATIENT = { timeout: 60_000 }
const PROPERTIES = { 'zookeeper.snapCount': String(SNAP_COUNT) }
const LINES = ['maxSessionTimeout=300000', 'maxClientCnxns=0']
const TOOLS = ['zookeeper', 'slf4j-nop', 'commons-cli'].map((name) => `/usr/share/java/${name}.jar`)

const directory = mkdtempSync(join(tmpdir(), 'zabra-disk-'))
const children = new Set<ChildProcess>()

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await stopEverything()
  rmSync(directory, { recursive: true })
})

interface Server {
  readonly hosts: string
  /** The data directory. */
  readonly data: string
  /** kill -9. */
  kill(): Promise<void>
}

async function startApache(name: string): Promise<Server> {
  const [clientPort = 0] = await ownPorts(1)
  const home = join(directory, name)
  const options = { directory: home, clientPort, lines: LINES, properties: PROPERTIES }
  const server = startServer(options)
  await waitUntilServing(clientPort)
  return { hosts: `127.0.0.1:${clientPort}`, data: join(home, 'data'), kill: () => server.stop() }
}

function zabra(...args: readonly string[]): string[] {
  return ['--import', 'tsx', join(TOP, 'src/edge/zabra.ts'), ...args]
}

async function startOurs(name: string): Promise<Server> {
  const [clientPort = 0] = await ownPorts(1)
  const home = join(directory, name)
  const data = join(home, 'data')
  mkdirSync(data, { recursive: true })
  const config = join(home, 'zabra.cfg')
  const words = ['4lw.commands.whitelist=srvr', 'admin.enableServer=false', 'tickTime=2000']
  const address = [`clientPort=${clientPort}`, 'clientPortAddress=127.0.0.1', `dataDir=${data}`]
  writeFileSync(config, [...address, ...words, ...LINES, 'extendedTypesEnabled=true'].join('\n'))
  const options = [`-Dzookeeper.snapCount=${SNAP_COUNT}`, '-Dzookeeper.preAllocSize=64']
  const child = spawn(process.execPath, zabra('server', config, ...options), {
    cwd: TOP,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  children.add(child)
  await waitUntilServing(clientPort)
  const kill = async (): Promise<void> => {
    const closed = once(child, 'close')
    child.kill('SIGKILL')
    await closed
    children.delete(child)
  }
  return { hosts: `127.0.0.1:${clientPort}`, data, kill }
}

/** Writes a history and a stream, and kills the server while it goes on. */
async function writeAndKill(server: Server, name: string) {
  const holder = await connect(server.hosts, { sessionTimeoutMs: SESSION_TIMEOUT_MS })
  const passing = await connect(server.hosts)
  await writeHistory(holder, `/${name}`)
  await passing.create(`/${name}/passing`)
  await passing.close()
  const stream = await Stream.start(holder, `/${name}-stream`)
  await stream.reached(STREAMED)
  await server.kill()
  const { sessionId: id, sessionPassword: password } = holder
  await Promise.all([stream.end(), holder.close()])
  return { acknowledged: stream.acknowledged, session: { id, password }, path: stream.path }
}

async function lookAt({ hosts }: Server): Promise<Photograph> {
  const client = await connect(hosts, { sessionTimeoutMs: SESSION_TIMEOUT_MS })
  const seen = await photograph(client)
  await client.close()
  return seen
}

function numberIn(seen: Photograph, path: string): number {
  return Number(Buffer.from(seen[path]?.split(' ')[0] ?? '', 'hex').toString())
}

function filesOf(data: string, kind: 'log' | 'snapshot'): string[] {
  const folder = join(data, 'version-2')
  return zxidFiles(kind, readdirSync(folder)).map((file) => join(folder, file.name))
}

function apacheTool(name: string, ...args: readonly string[]): string[] {
  const java = ['-cp', TOOLS.join(':'), `org.apache.zookeeper.server.${name}`, ...args]
  return execFileSync('java', java, { maxBuffer: 1 << 28 })
    .toString()
    .split('\n')
}

function ourTool(...args: readonly string[]): string[] {
  const options = { cwd: TOP, maxBuffer: 1 << 28 }
  return execFileSync(process.execPath, zabra(...args), options)
    .toString()
    .split('\n')
}

it(
  'is the same to both, killed in the middle of a write each time',
  { timeout: LIMIT_MS },
  async () => {
    const theirs = await startApache('one')
    const first = await writeAndKill(theirs, 'apache')
    const writtenByApache = filesOf(theirs.data, 'log').length
    cpSync(join(directory, 'one'), join(directory, 'two'), { recursive: true })

    // What Apache wrote.
    const ours = await startOurs('one')
    const again = await startApache('two')
    const [seenByUs, seenByThem] = [await lookAt(ours), await lookAt(again)]
    expect(seenByUs).toEqual(seenByThem)
    expect(numberIn(seenByUs, first.path)).toBeGreaterThanOrEqual(first.acknowledged)
    expect(Object.keys(seenByUs).length).toBeGreaterThan(25)
    await again.kill()
    // Its session goes on with us: whoever held an ephemeral there still does.
    const heir = await connect(ours.hosts, { session: first.session })
    const { sessionId } = heir
    expect(sessionId).toBe(first.session.id)
    expect((await heir.exists('/apache/EPHEMERAL-'))?.ephemeralOwner).toBe(sessionId)

    // What we wrote behind it.
    const second = await writeAndKill(ours, 'zabra')
    await heir.close()
    cpSync(join(directory, 'one'), join(directory, 'three'), { recursive: true })
    const [us, them] = [await startOurs('one'), await startApache('three')]
    const [ourView, theirView] = [await lookAt(us), await lookAt(them)]
    expect(theirView).toEqual(ourView)
    expect(numberIn(theirView, second.path)).toBeGreaterThanOrEqual(second.acknowledged)
    // Of what it read at its start, which is more than snapCount.
    await expect.poll(() => filesOf(us.data, 'snapshot').at(-1), PATIENT).toMatch(/\.1\d{6}/)
    await Promise.all([us.kill(), them.kill()])
    // It compares the digest in our snapshot and in every transaction of ours with its own (P21).
    expect(readFileSync(join(directory, 'three', 'server.log'), 'utf8')).not.toMatch(/mismatch/i)

    // Our files in their tools, and in ours, which print the same.
    // They print the bytes of a multi; an ACL ends its line.
    const plain = (all: readonly string[]) => all.filter((line) => /^\d+\/(?!.* multi )/.test(line))
    // All logs of ours: after a snapshot one begins, which the kill may leave with a few entries.
    const lines = filesOf(us.data, 'log')
      .slice(writtenByApache)
      .flatMap((log) => {
        const printed = plain(apacheTool('persistence.TxnLogToolkit', log).slice(1))
        expect(plain(ourTool('log', '--dump', log).slice(1))).toEqual(printed)
        return printed
      })
    expect(lines.length).toBeGreaterThan(STREAMED)
    expect(ourTool('log', '--verify', us.data).join('\n')).not.toContain('damaged')
    const snapshot = filesOf(us.data, 'snapshot').at(-1) ?? ''
    const shown = (all: readonly string[]) => all.filter((line) => !/^Target/.test(line)).sort()
    const formatted = apacheTool('SnapshotFormatter', '-d', snapshot)
    expect(shown(ourTool('snapshot', '--data', snapshot))).toEqual(shown(formatted))
    expect(JSON.parse(ourTool('snapshot', '--json', us.data).join('\n'))).toBeInstanceOf(Array)
  },
)
