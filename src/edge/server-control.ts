/** Starting, stopping and asking a server in the background, as zkServer.sh does (O34). */
import { spawn, type ChildProcess } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, readPid } from '../adapters/files/pid-file.ts'
import { askWord, type WordQuestion } from './ask-word.ts'
import { withoutNpm } from './npm-parent.ts'
import { ExitCode } from './run-server.ts'
import type { ZooCfg } from './config/zoo-cfg.ts'
import type { ServerSettings } from './settings.ts'
import type { StarterMessage } from './starter.ts'
import { tlsSideOf } from './tls/tls-side-of.ts'

export interface ServerInvocation {
  /** As it was given. */
  readonly path: string
  readonly cfg: ZooCfg
  /** The words that start this server in the foreground. */
  readonly words: readonly string[]
}

const PID_FILE = 'zookeeper_server.pid'
const OUTPUT_FILE = 'zabra-server.out'
/** zkServer.sh looks once, after a second; an ensemble's member opens its ports in that. Ours. */
const OPEN_LIMIT_MS = 10_000
/** A process that compiles its sources first takes a while to read its configuration. Ours. */
const CONFIGURE_LIMIT_MS = 60_000
/** Closing the log and the snapshot under way. Ours; service managers allow 90 s. */
const STOP_LIMIT_MS = 60_000
const STOP_POLL_MS = 50
const STATUS_LIMIT_MS = 10_000
/** Of what a failed server said last. */
const TAIL_BYTES = 4096

export async function start(invocation: ServerInvocation): Promise<number> {
  const { settings } = invocation.cfg
  const pidFile = pidFileOf(settings)
  say('Starting zookeeper ... ')
  const running = runningPid(pidFile)
  if (running !== null) {
    say(`already running as process ${running}.\n`)
    return ExitCode.UNEXPECTED_ERROR
  }
  const outputFile = outputFileOf(settings)
  mkdirSync(dirname(outputFile), { recursive: true })
  mkdirSync(dirname(pidFile), { recursive: true })
  const output = openSync(outputFile, 'a')
  const begin = statSync(outputFile).size
  const child = spawn(
    process.execPath,
    [...process.execArgv, process.argv[1] ?? '', 'server', ...invocation.words],
    { detached: true, stdio: ['ignore', output, output, 'ipc'], env: withoutNpm() },
  )
  closeSync(output)
  if (child.pid !== undefined) writeFileSync(pidFile, String(child.pid))
  const failure = await outcome(child)
  if (failure === null) {
    child.disconnect()
    child.unref()
    say('STARTED\n')
    return ExitCode.FINISHED
  }
  rmSync(pidFile, { force: true })
  say(`FAILED TO START (${failure})\n${tailOf(outputFile, begin)}`)
  return ExitCode.UNEXPECTED_ERROR
}

export async function stop({ cfg: { settings } }: ServerInvocation): Promise<number> {
  const pidFile = pidFileOf(settings)
  say('Stopping zookeeper ... ')
  const pid = runningPid(pidFile)
  if (pid === null) {
    const stale = readPid(pidFile) === null ? 'could not find file' : 'no such process in'
    say(`no zookeeper to stop (${stale} ${pidFile})\n`)
    rmSync(pidFile, { force: true })
    return ExitCode.FINISHED
  }
  process.kill(pid, 'SIGTERM')
  for (let waitedMs = 0; isAlive(pid); waitedMs += STOP_POLL_MS) {
    if (waitedMs >= STOP_LIMIT_MS) {
      say(`process ${pid} did not end within ${STOP_LIMIT_MS / 1000} s\n`)
      return ExitCode.UNEXPECTED_ERROR
    }
    await sleep(STOP_POLL_MS)
  }
  rmSync(pidFile, { force: true })
  say('STOPPED\n')
  return ExitCode.FINISHED
}

export async function restart(invocation: ServerInvocation): Promise<number> {
  const code = await stop(invocation)
  return code === ExitCode.FINISHED ? start(invocation) : code
}

export async function status({ path, cfg }: ServerInvocation): Promise<number> {
  process.stderr.write(`Using config: ${path}\n`)
  const at = whereToAsk(cfg.settings)
  if (at === null) {
    say('Unable to find a client port in any configs. Terminating.\n')
    return ExitCode.UNEXPECTED_ERROR
  }
  const { host, port, tls } = at
  say(`Client port found: ${port}. Client address: ${host}. Client SSL: ${tls !== null}.\n`)
  const limitMs = STATUS_LIMIT_MS
  const answer = await askWord({ host, port, word: 'srvr', limitMs, tls }).catch(() => '')
  const mode = answer.split('\n').find((line) => line.startsWith('Mode'))
  if (mode === undefined) {
    say('Error contacting service. It is probably not running.\n')
    return ExitCode.UNEXPECTED_ERROR
  }
  say(`${mode}\n`)
  return ExitCode.FINISHED
}

/** null: it serves no clients. It is asked over TLS, by its own key, where all come over TLS. */
function whereToAsk(settings: ServerSettings): Pick<WordQuestion, 'host' | 'port' | 'tls'> | null {
  const { clientPort, clientAddress, secureClientPort, secureClientAddress, clientTls } = settings
  if (clientPort !== null) {
    return { host: clientAddress ?? 'localhost', port: clientPort, tls: null }
  }
  if (secureClientPort === null || clientTls === null) return null
  // Its certificate names the machine, and the word is of nobody's concern: any good one will do.
  const tls = { ...tlsSideOf(clientTls, { isCalled: false }), checksServerName: false }
  return { host: secureClientAddress ?? 'localhost', port: secureClientPort, tls }
}

/** Why it failed, or null when its ports are open or it has not failed for long enough. */
function outcome(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    let timer = setTimeout(() => resolve(null), CONFIGURE_LIMIT_MS)
    const settle = (failure: string | null): void => {
      clearTimeout(timer)
      resolve(failure)
    }
    child.once('error', (error) => settle(error.message))
    child.once('exit', (code, signal) => settle(`exit code ${code ?? String(signal)}`))
    child.on('message', (message) => {
      if ((message as StarterMessage) === 'open') return settle(null)
      clearTimeout(timer)
      timer = setTimeout(() => settle(null), OPEN_LIMIT_MS)
    })
  })
}

function pidFileOf({ dataDirectory }: ServerSettings): string {
  return process.env['ZOOPIDFILE'] ?? join(dataDirectory, PID_FILE)
}

function outputFileOf({ dataDirectory }: ServerSettings): string {
  return join(process.env['ZOO_LOG_DIR'] ?? dataDirectory, OUTPUT_FILE)
}

/** null: none, or of a process that ended or is somebody else's by now. */
function runningPid(pidFile: string): number | null {
  const pid = readPid(pidFile)
  return pid !== null && isAlive(pid) && isServer(pid) ? pid : null
}

/** Numbers are used again, after a restart of the machine above all. Where nobody can tell: yes. */
function isServer(pid: number): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return words.includes('server')
  } catch {
    return true
  }
}

function tailOf(file: string, begin: number): string {
  const descriptor = openSync(file, 'r')
  try {
    const end = statSync(file).size
    const from = Math.max(begin, end - TAIL_BYTES)
    const bytes = Buffer.alloc(end - from)
    readSync(descriptor, bytes, 0, bytes.length, from)
    return bytes.toString()
  } finally {
    closeSync(descriptor)
  }
}

function say(text: string): void {
  process.stdout.write(text)
}
