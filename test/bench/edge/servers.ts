/** The servers that are compared: processes of their own, alone or three together. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from '../../../src/edge/free-ports.ts'
import { LoadClient } from './load-client.ts'

export type Side = 'apache' | 'zabra'
export type Form = 'alone' | 'ensemble'

/** One server process, which can be killed and started again on the same data. */
export interface Server {
  readonly clientPort: number
  readonly pid: number
  readonly isRunning: boolean
  start(): void
  kill(): Promise<void>
}

export interface Programs {
  /** Apache ZooKeeper's jar; null: not installed. */
  readonly jar: string | null
  /** `zabra` as one file for Node. */
  readonly bundle: string
  /** Another such file, which then stands for Apache ZooKeeper. */
  readonly against: string | null
  /** Options of Node for our servers, as `--cpu-prof`. */
  readonly nodeOptions: readonly string[]
}

const MEMBERS = 3
/** zkServer.sh's own default. */
const JAVA_HEAP = '-Xmx1000m'
const READY_LIMIT_MS = 60_000
const POLL_MS = 50
/** User and system time in /proc/PID/stat, counted from behind the name in parentheses. */
const STAT_UTIME = 11
const STAT_STIME = 12
/** Linux counts in hundredths of a second, whatever the kernel's own tick. */
const TICK_US = 10_000

class ServerProcess implements Server {
  readonly clientPort: number
  readonly #command: readonly string[]
  readonly #log: number
  #child: ChildProcess | null = null

  constructor(clientPort: number, command: readonly string[], log: string) {
    this.clientPort = clientPort
    this.#command = command
    this.#log = openSync(log, 'a')
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get isRunning(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null
  }

  start(): void {
    const [program = '', ...args] = this.#command
    this.#child = spawn(program, args, { stdio: ['ignore', this.#log, this.#log] })
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === null || !this.isRunning) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }
}

/** All members of one side; alone it is one. */
export class Installation {
  readonly side: Side
  readonly servers: readonly ServerProcess[]

  private constructor(side: Side, servers: readonly ServerProcess[]) {
    this.side = side
    this.servers = servers
  }

  static async start(
    side: Side,
    form: Form,
    directory: string,
    programs: Programs,
  ): Promise<Installation> {
    const count = form === 'alone' ? 1 : MEMBERS
    const ports = await freePorts(3 * count)
    const members = Array.from({ length: count }, (_, i) => ({
      sid: i + 1,
      clientPort: ports[i] as number,
      quorumPort: ports[count + i] as number,
      electionPort: ports[2 * count + i] as number,
    }))
    const servers = members.map((member) => {
      const place = join(directory, `${side}-${form}-${member.sid}`)
      mkdirSync(join(place, 'data'), { recursive: true })
      writeFileSync(join(place, 'data', 'myid'), `${member.sid}\n`)
      writeFileSync(join(place, 'zoo.cfg'), configuration(place, member, members))
      const command = commandOf(side, form, programs, place, member)
      return new ServerProcess(member.clientPort, command, join(place, 'log'))
    })
    for (const server of servers) server.start()
    const installation = new Installation(side, servers)
    await installation.ready()
    return installation
  }

  /** Resolves when every member that runs serves. */
  async ready(): Promise<void> {
    for (const server of this.servers) await waitUntilServing(server)
  }

  /** Client ports, a follower's first and the leader's last. */
  async ports(): Promise<readonly number[]> {
    const leader = await this.leader()
    const others = this.servers.filter((server) => server !== leader)
    return [...others, leader].map((server) => server.clientPort)
  }

  async leader(): Promise<ServerProcess> {
    const [only] = this.servers
    if (this.servers.length === 1 && only !== undefined) return only
    for (const server of this.servers) {
      if ((await mode(server.clientPort)) === 'leader') return server
    }
    throw new Error(`${this.side} has no leader`)
  }

  /** CPU time of all its processes so far, µs. */
  cpuUs(): number {
    return this.servers.reduce((sum, { pid }) => sum + cpuOf(pid), 0)
  }

  /** Resident memory of its processes, bytes; Java's after a collection. */
  residentBytes(): number {
    return this.servers.reduce((sum, { pid }) => {
      if (this.side === 'apache') collectGarbage(pid)
      const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
      return sum + Number(kilobytes) * 1024
    }, 0)
  }

  /** By SIGTERM, so that a profile is written. */
  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill('SIGTERM')))
  }
}

interface MemberPorts {
  readonly sid: number
  readonly clientPort: number
  readonly quorumPort: number
  readonly electionPort: number
}

function configuration(place: string, own: MemberPorts, all: readonly MemberPorts[]): string {
  const quorum = all.map(
    ({ sid, quorumPort, electionPort }) => `server.${sid}=127.0.0.1:${quorumPort}:${electionPort}`,
  )
  return [
    'tickTime=2000',
    'initLimit=10',
    'syncLimit=5',
    `dataDir=${join(place, 'data')}`,
    `clientPort=${own.clientPort}`,
    'clientPortAddress=127.0.0.1',
    'maxClientCnxns=0',
    'admin.enableServer=false',
    '4lw.commands.whitelist=srvr',
    ...(all.length > 1 ? quorum : []),
    '',
  ].join('\n')
}

function commandOf(
  side: Side,
  form: Form,
  programs: Programs,
  place: string,
  member: MemberPorts,
): string[] {
  const { against } = programs
  if (side === 'apache' && against === null) return apache(programs, place)
  const ours = side === 'apache' ? { ...programs, bundle: against ?? '' } : programs
  return form === 'alone' ? zabraAlone(ours, place, member) : zabra(ours, place)
}

function apache({ jar }: Programs, place: string): string[] {
  return [
    'java',
    JAVA_HEAP,
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-cp',
    `${jar ?? ''}:/usr/share/java/slf4j-simple.jar`,
    'org.apache.zookeeper.server.quorum.QuorumPeerMain',
    join(place, 'zoo.cfg'),
  ]
}

function zabra({ bundle, nodeOptions }: Programs, place: string): string[] {
  return [process.execPath, ...nodeOptions, bundle, 'server', join(place, 'zoo.cfg')]
}

function zabraAlone({ bundle, nodeOptions }: Programs, place: string, own: MemberPorts): string[] {
  return [
    ...[process.execPath, ...nodeOptions, bundle, 'member'],
    ...['--data-dir', join(place, 'data')],
    ...['--client-port', String(own.clientPort), '--client-address', '127.0.0.1'],
    ...['--max-client-cnxns', '0'],
  ]
}

async function waitUntilServing(server: Server): Promise<void> {
  const deadlineMs = Date.now() + READY_LIMIT_MS
  while (!(await givesSession(server.clientPort))) {
    if (!server.isRunning) throw new Error(`the server at port ${server.clientPort} has ended`)
    if (Date.now() > deadlineMs) throw new Error(`no server at port ${server.clientPort}`)
    await sleep(POLL_MS)
  }
}

async function givesSession(port: number): Promise<boolean> {
  try {
    await (await LoadClient.open(port)).closeSession()
    return true
  } catch {
    return false
  }
}

/** `standalone`, `leader` or `follower`; null while it does not serve. */
async function mode(port: number): Promise<string | null> {
  const answer = await fourLetterWord(port, 'srvr').catch(() => '')
  return /^Mode: (\w+)$/m.exec(answer)?.[1] ?? null
}

async function fourLetterWord(port: number, word: string): Promise<string> {
  const socket = connect(port, '127.0.0.1', () => socket.write(word))
  socket.on('error', () => undefined)
  let answer = ''
  for await (const part of socket) answer += String(part)
  return answer
}

function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[STAT_UTIME]) + Number(fields[STAT_STIME])) * TICK_US
}

/** Without the tool the figure is what it is: the larger by its garbage. */
function collectGarbage(pid: number): void {
  try {
    execFileSync('jcmd', [String(pid), 'GC.run'], { stdio: 'ignore' })
  } catch {
    // A Java without its tools.
  }
}
