/** `zabra cli`: the page's shell in a terminal, or one command of it. */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { commandNames } from '../cli/command-list.ts'
import type { ShellMode } from '../cli/command.ts'
import { Shell } from '../cli/shell.ts'
import type { TlsSide } from '../adapters/tcp/tls-side.ts'
import { ZooKeeperClient } from '../client/zookeeper-client.ts'
import { messageOf } from '../core/base/message-of.ts'
import { parseProperties } from './config/properties.ts'
import { JsonRecord } from './cli-json.ts'
import { parseConnectString } from './connect-string.ts'
import { LineTerminal } from './line-terminal.ts'
import { TcpTransport } from './tcp-transport.ts'
import { clientTls } from './tls/client-tls.ts'
import { isTlsKey } from './tls/tls-keys.ts'

const USAGE = `usage: zabra cli [options] [COMMAND…]

  -server HOSTS        HOST:PORT[,HOST:PORT][/CHROOT] or dns-srv://NAME[/CHROOT], whose SRV records
                       are the hosts; default localhost:2181
  -timeout MS          of the session, default 30000
  -r                   a server without a quorum will do, for reading
  -waitforconnection   begin when there is a connection, and end when there is none within the
                       time-out of the session
  -client-configuration FILE
                       properties: zookeeper.request.timeout=MS bounds each call;
                       client.secure=true and ssl.… are TLS, by the names of ZooKeeper's client
  -Dzookeeper.KEY=VALUE  one of them
  -shell 3.4           the forms and outputs of that time; default today's
  --json               what comes of COMMAND as one line of JSON: {command, ok, result, output},
                       and error when it failed

With a command it runs that one and ends; its exit code is 1 when the command failed, 127 when
there is no such command.
`

/** zkCli's own (C1). */
const SESSION_TIMEOUT_MS = 30_000
const SERVER = 'localhost:2181'
const REQUEST_TIMEOUT = 'request.timeout'
/** As shells have it (C4). */
const NO_SUCH_COMMAND = 127

interface Settings {
  server: string
  sessionTimeoutMs: number
  mode: ShellMode
  canBeReadOnly: boolean
  waitsForConnection: boolean
  /** 0: no limit. */
  requestTimeoutMs: number
  isJson: boolean
  readonly properties: Map<string, string>
  tls: TlsSide | null
  readonly command: readonly string[]
}

/** Resolves with the exit code. */
export async function runCli(args: readonly string[]): Promise<number> {
  const settings = parse(args)
  if (settings === null) {
    process.stdout.write(USAGE)
    return 0
  }
  if (typeof settings === 'string') {
    process.stderr.write(`${settings}\n\n${USAGE}`)
    return 2
  }
  return settings.command.length === 0 ? attend(settings) : runOnce(settings)
}

async function attend(settings: Settings): Promise<number> {
  const terminal = new LineTerminal({
    input: process.stdin,
    output: process.stdout,
    isInteractive: process.stdin.isTTY,
  })
  const shell = new Shell({
    mode: settings.mode,
    hostLabel: settings.server,
    write: (line) => terminal.write(line),
    onQuit: () => terminal.close(),
    readText,
    connect: ({ host, watcher }) => client(host, settings, watcher),
  })
  if (!(await hasConnection(shell, settings))) return 1
  await terminal.attend(shell)
  await shell.close()
  return 0
}

async function runOnce(settings: Settings): Promise<number> {
  const { command, mode, isJson } = settings
  const record = new JsonRecord()
  let isRunning = false
  const shell = new Shell({
    mode,
    hostLabel: settings.server,
    readText,
    write: (line, kind) => {
      if (!isJson) write(line)
      // The greeting and the events of the session belong to nobody's answer.
      else if (isRunning && kind === 'out') record.print(line)
    },
    connect: ({ host, watcher }) => {
      const made = client(host, settings, watcher)
      return isJson ? record.noting(made) : made
    },
  })
  if (!(await hasConnection(shell, settings))) return 1
  isRunning = true
  await shell.run(command.map(quoted).join(' '))
  isRunning = false
  if (isJson) write(record.text(command, shell.hasFailed))
  await shell.close()
  if (!commandNames(mode).includes(command[0] ?? '')) return NO_SUCH_COMMAND
  return shell.hasFailed ? 1 : 0
}

/** False, and said: nobody was reached in time (C4). */
async function hasConnection(
  shell: Shell,
  { waitsForConnection, sessionTimeoutMs, server }: Settings,
): Promise<boolean> {
  // The one of --json stands before the client.
  const { client } = shell as { client: Partial<Pick<ZooKeeperClient, 'connected'>> }
  if (!waitsForConnection || client.connected === undefined) return true
  const signal = AbortSignal.timeout(sessionTimeoutMs)
  try {
    await client.connected(signal)
    return true
  } catch (error) {
    if (!signal.aborted) throw error
    process.stderr.write(`no connection to ${server} within ${sessionTimeoutMs} ms\n`)
    await shell.close()
    return false
  }
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8')
}

function client(
  host: string,
  { sessionTimeoutMs, canBeReadOnly, requestTimeoutMs, tls }: Settings,
  watcher: NonNullable<ConstructorParameters<typeof ZooKeeperClient>[0]['watcher']>,
): ZooKeeperClient {
  const { members, service, chroot } = parseConnectString(host)
  return new ZooKeeperClient({
    transport: new TcpTransport({ members, service, tls }),
    sessionTimeoutMs,
    canBeReadOnly,
    requestTimeoutMs,
    watcher,
    ...(chroot === null ? {} : { chroot }),
  })
}

/** null: help was asked for; a text: what is wrong. Options come before the command (C1). */
function parse(args: readonly string[]): Settings | string | null {
  const rest = [...args]
  const settings: Settings = {
    server: SERVER,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    mode: '3.9',
    canBeReadOnly: false,
    waitsForConnection: false,
    requestTimeoutMs: 0,
    isJson: false,
    properties: new Map(),
    tls: null,
    command: rest,
  }
  while (rest[0]?.startsWith('-') === true) {
    const option = rest.shift()?.replace(/^-+/, '') ?? ''
    if (option === 'help' || option === 'h') return null
    if (option.startsWith('D')) {
      setProperty(settings, option.slice(1))
      continue
    }
    if (setFlag(settings, option)) continue
    const value = rest.shift()
    if (value === undefined) return `-${option} has no value`
    const problem = set(settings, option, value)
    if (problem !== null) return problem
  }
  if (settings.isJson && rest.length === 0) return '--json is of one command: which?'
  return applyProperties(settings) ?? settings
}

function setProperty({ properties }: Settings, word: string): void {
  const equals = word.indexOf('=')
  const name = equals < 0 ? word : word.slice(0, equals)
  properties.set(name.replace(/^zookeeper\./, ''), equals < 0 ? '' : word.slice(equals + 1))
}

/** Whether the option is one without a value. */
function setFlag(settings: Settings, option: string): boolean {
  switch (option) {
    case 'r':
      settings.canBeReadOnly = true
      return true
    case 'waitforconnection':
      settings.waitsForConnection = true
      return true
    case 'json':
      settings.isJson = true
      return true
    default:
      return false
  }
}

function set(settings: Settings, option: string, value: string): string | null {
  switch (option) {
    case 'server':
      try {
        parseConnectString(value)
      } catch (error) {
        return messageOf(error)
      }
      settings.server = value
      return null
    case 'timeout':
      if (!/^\d{1,9}$/.test(value)) return `-timeout ${value}: it is a number of ms`
      settings.sessionTimeoutMs = Number(value)
      return null
    case 'client-configuration':
      return configure(settings, value)
    case 'shell':
      if (value !== '3.4' && value !== '3.9') return `-shell ${value}: it is 3.4 or 3.9`
      settings.mode = value
      return null
    default:
      return `no option -${option}`
  }
}

/** Null, or what is wrong with it. What was said by itself counts more. */
function configure(settings: Settings, path: string): string | null {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const why = messageOf(error)
    return `-client-configuration ${path}: ${why}`
  }
  for (const { key, value } of parseProperties(text)) {
    const name = key.replace(/^zookeeper\./, '')
    if (!isClientKey(name)) process.stderr.write(`${path}: ${key} has no effect\n`)
    else if (!settings.properties.has(name)) settings.properties.set(name, value.trim())
  }
  return null
}

/** Null, or what is wrong with what the file and the -D options say. */
function applyProperties(settings: Settings): string | null {
  const timeout = settings.properties.get(REQUEST_TIMEOUT)
  if (timeout !== undefined && !/^\d{1,9}$/.test(timeout)) {
    return `${REQUEST_TIMEOUT}=${timeout}: it is a number of ms`
  }
  if (timeout !== undefined) settings.requestTimeoutMs = Number(timeout)
  try {
    settings.tls = clientTls(settings.properties)
    return null
  } catch (error) {
    return messageOf(error)
  }
}

function isClientKey(name: string): boolean {
  return name === REQUEST_TIMEOUT || name === 'client.secure' || isTlsKey(name)
}

/** The shell splits the line again: what was one word stays one. */
function quoted(word: string): string {
  return /[\s'"]/.test(word) || word === '' ? `"${word.replaceAll('"', "'")}"` : word
}

function write(line: string): void {
  process.stdout.write(`${line}\n`)
}
