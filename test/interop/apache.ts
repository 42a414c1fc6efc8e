/** Starts and stops Apache ZooKeeper (Debian packages zookeeper, openjdk-17) for record.ts. */

import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const ZOOKEEPER_JAR = process.env['ZABRA_APACHE'] ?? '/usr/share/java/zookeeper.jar'
const JUTE_JAR = '/usr/share/java/zookeeper-jute.jar'
const SIMPLE_LOG_JAR = '/usr/share/java/slf4j-simple.jar'
const READY_TIMEOUT_MS = 60_000
const CLIENT_TIMEOUT_MS = 120_000
/** A word that comes while the server starts may never be answered: its socket stays open. */
const WORD_TIMEOUT_MS = 5_000

/** Every process that was started, to be ended by its handle. */
const children = new Set<ChildProcess>()

export interface ServerOptions {
  readonly directory: string
  readonly clientPort: number
  /** Lines of zoo.cfg beyond the usual ones. */
  readonly lines?: readonly string[]
  readonly myid?: number
  /** Of its admin server, which Debian's package does not name in the jar. */
  readonly jars?: readonly string[]
  /** Java system properties. */
  readonly properties?: Readonly<Record<string, string>>
}

export interface ApacheServer {
  readonly clientPort: number
  /** Where snapshots and logs are. */
  readonly dataDirectory: string
  stop(): Promise<void>
}

export function startServer(options: ServerOptions): ApacheServer {
  const { directory, clientPort } = options
  const data = join(directory, 'data')
  mkdirSync(data, { recursive: true })
  if (options.myid !== undefined) writeFileSync(join(data, 'myid'), `${options.myid}\n`)
  const config = join(directory, 'zoo.cfg')
  writeFileSync(
    config,
    [
      'tickTime=1000',
      'initLimit=20',
      'syncLimit=10',
      `dataDir=${data}`,
      `clientPort=${clientPort}`,
      'clientPortAddress=127.0.0.1',
      'admin.enableServer=false',
      '4lw.commands.whitelist=srvr',
      'extendedTypesEnabled=true',
      ...(options.lines ?? []),
      '',
    ].join('\n'),
  )
  const log = openSync(join(directory, 'server.log'), 'a')
  const properties = { 'zookeeper.preAllocSize': '16', ...options.properties }
  const child = spawn(
    'java',
    [
      '-Xmx128m',
      ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
      ...['-cp', [ZOOKEEPER_JAR, SIMPLE_LOG_JAR, ...(options.jars ?? [])].join(':')],
      'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      config,
    ],
    { stdio: ['ignore', log, log] },
  )
  track(child)
  return {
    clientPort,
    dataDirectory: join(data, 'version-2'),
    stop: () => end(child),
  }
}

/** Waits for the answer to srvr and returns it; `mode` asks for that mode. */
export async function waitUntilServing(clientPort: number, mode = ''): Promise<string> {
  const deadline = Date.now() + READY_TIMEOUT_MS
  for (;;) {
    const answer = await fourLetterWord(clientPort, 'srvr').catch(() => '')
    if (answer.includes(`Mode: ${mode}`)) return answer
    if (Date.now() > deadline) throw new Error(`no ${mode || 'server'} at port ${clientPort}`)
    await sleep(200)
  }
}

export async function fourLetterWord(port: number, word: string): Promise<string> {
  const socket = connect(port, '127.0.0.1', () => socket.write(word))
  // The loop below hears of it, too; without this the process would end.
  socket.on('error', () => undefined)
  socket.setTimeout(WORD_TIMEOUT_MS, () => socket.destroy())
  let answer = ''
  socket.setEncoding('utf8')
  for await (const part of socket) answer += part as string
  return answer
}

/** Compiles ApacheClient.java into `directory`. */
export function compileClient(directory: string): void {
  const source = fileURLToPath(new URL('./ApacheClient.java', import.meta.url))
  execFileSync('javac', ['-cp', `${ZOOKEEPER_JAR}:${JUTE_JAR}`, '-d', directory, source])
}

/** Runs an errand of ApacheClient, hands its lines over and waits until it has ended well. */
export async function runClient(
  classes: string,
  args: readonly string[],
  onLine: (line: string) => void = () => undefined,
): Promise<void> {
  const child = spawn('java', ['-cp', `${classes}:${ZOOKEEPER_JAR}`, 'ApacheClient', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  track(child)
  const timer = setTimeout(() => child.kill(), CLIENT_TIMEOUT_MS)
  const exit = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout })) onLine(line)
  const [code] = (await exit) as [number | null]
  clearTimeout(timer)
  if (code !== 0) throw new Error(`ApacheClient ${args.join(' ')} ended with ${code ?? 'a signal'}`)
}

export async function stopEverything(): Promise<void> {
  await Promise.all([...children].map(end))
}

function track(child: ChildProcess): void {
  children.add(child)
  child.once('exit', () => children.delete(child))
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
