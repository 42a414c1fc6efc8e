/**
 * Runs a client that is none of ours against servers of ours. It says `ok NAME` for each thing that
 * works, and `RESTART` when its server is to go away and come back.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { NodeServer } from '../../src/edge/node-server.ts'
import { serverSettings } from '../../src/edge/settings.ts'

/** Where `npm test` found them, else where Debian puts them. */
const APACHE_JAR = process.env['ZABRA_APACHE'] ?? '/usr/share/java/zookeeper.jar'
export const KAZOO_PYTHON: string = process.env['ZABRA_KAZOO'] ?? '/usr/bin/python3'
export const C_CLIENT: string = process.env['ZABRA_C_CLIENT'] ?? '/usr/lib/zookeeper/bin/cli_mt'
export const ZK_CLI = '/usr/share/zookeeper/bin/zkCli.sh'
const JAVA_HOME = '/usr/share/java'
const JARS = [
  ...['zookeeper-jute', 'zookeeper-recipes-lock', 'zookeeper-recipes-queue', 'slf4j-nop'],
  ...['curator-recipes', 'curator-framework', 'curator-client', 'guava'],
]
const CLASS_PATH = [APACHE_JAR, ...JARS.map((name) => join(JAVA_HOME, `${name}.jar`))]
const CLIENTS = fileURLToPath(new URL('./clients/', import.meta.url))
/** Far longer than any of them takes on a busy machine. */
const CLIENT_LIMIT_MS = 100_000

/** Servers that a client is pointed at. */
export interface Target extends AsyncDisposable {
  /** Its connect string. */
  readonly hosts: string
  /** Takes away the server, or the one that leads, and brings it back. */
  disturb(): Promise<void>
}

/** One server in this process. `disturb` ends it without a word to its clients. */
export class LoneServer implements Target {
  readonly hosts: string
  readonly #directory: string
  #server: NodeServer

  private constructor(directory: string, server: NodeServer) {
    this.#directory = directory
    this.#server = server
    this.hosts = `127.0.0.1:${server.clientPort}`
  }

  static async open(): Promise<LoneServer> {
    const directory = mkdtempSync(join(tmpdir(), 'zabra-clients-'))
    return new LoneServer(directory, await openServer(directory, 0))
  }

  async disturb(): Promise<void> {
    const port = this.#server.clientPort
    await this.#server.close()
    this.#server = await openServer(this.#directory, port)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close()
    rmSync(this.#directory, { recursive: true })
  }
}

function openServer(dataDirectory: string, clientPort: number): Promise<NodeServer> {
  return NodeServer.open(
    serverSettings({
      dataDirectory,
      clientPort,
      clientAddress: '127.0.0.1',
      connectionsPerAddressMax: 0,
      // Who gets no processor for longer than two of them steps down, and its clients hear of it.
      tickTimeMs: 2_000,
      extendedTypesEnabled: true,
      preallocateBytes: 64 * 1024,
      adminEnabled: false,
    }),
  )
}

/** Resolves with what it said, without the `ok `; rejects when it failed or hangs. */
export async function runScenario(target: Target, command: readonly string[]): Promise<string[]> {
  const child = start(command)
  const ended = exitCode(child)
  const said: string[] = []
  let errors = ''
  child.stderr?.on('data', (chunk) => (errors += String(chunk)))
  const disturbances: Promise<void>[] = []
  if (child.stdout === null) throw new Error('no output to read')
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'RESTART') {
      const disturbance = target.disturb()
      disturbance.catch(() => child.kill())
      disturbances.push(disturbance)
    }
    if (line.startsWith('ok ')) said.push(line.slice(3))
  }
  const code = await ended
  await Promise.all(disturbances)
  if (code === 0) return said
  const end = code === null ? `hung for ${CLIENT_LIMIT_MS} ms` : `ended with ${code}`
  throw new Error(`${command.join(' ')} ${end} after "${said.at(-1) ?? ''}"\n${errors}`)
}

/**
 * A client that a person types to: what it prints when it is given these lines, and `last` as soon
 * as it has printed `awaited`. Its errors come last: a program that writes to both in pieces, as
 * the C client does, has its lines torn where the two are mixed.
 */
export async function typeTo(
  command: readonly string[],
  lines: readonly string[],
  end?: { readonly awaited: string; readonly last: string },
): Promise<string> {
  const child = start(command)
  const printed = { output: '', errors: '' }
  const hear = (stream: keyof typeof printed) => (chunk: unknown) => {
    printed[stream] += String(chunk)
    if (end !== undefined && printed[stream].includes(end.awaited)) {
      child.stdin?.end(`${end.last}\n`)
    }
  }
  child.stdout?.on('data', hear('output'))
  child.stderr?.on('data', hear('errors'))
  child.stdin?.write(lines.map((line) => `${line}\n`).join(''))
  if (end === undefined) child.stdin?.end()
  const code = await exitCode(child)
  const text = printed.output + printed.errors
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${String(code)}\n${text}`)
  return text
}

export function clientFile(name: string): string {
  return join(CLIENTS, name)
}

/** Compiles the clients in Java into a directory and returns the command that starts one. */
export async function compileJavaClients(
  directory: string,
): Promise<(name: string, hosts: string) => string[]> {
  const missing = CLASS_PATH.filter((path) => !existsSync(path))
  if (missing.length > 0) throw new Error(`not installed: ${missing.join(', ')}`)
  const classPath = CLASS_PATH.join(':')
  const sources = ['JavaClient.java', 'CuratorClient.java'].map(clientFile)
  await typeTo(['javac', '-d', directory, '-cp', classPath, ...sources], [])
  // The programs are short: time to make them fast would be lost.
  const java = [
    'java',
    '-XX:TieredStopAtLevel=1',
    '-Xshare:auto',
    '-cp',
    `${directory}:${classPath}`,
  ]
  return (name, hosts) => [...java, name, hosts]
}

function start([program = '', ...args]: readonly string[]): ChildProcess {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  // Heard of by its exit, too.
  child.on('error', () => undefined)
  child.stdin?.on('error', () => undefined)
  return child
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  const timer = setTimeout(() => child.kill('SIGKILL'), CLIENT_LIMIT_MS)
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return code
  } finally {
    clearTimeout(timer)
  }
}
