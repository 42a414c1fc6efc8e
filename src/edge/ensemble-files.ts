/**
 * The files of an ensemble on one machine: `DIR/N/zoo.cfg` and `DIR/N/myid`, as ZooKeeper has them,
 * so that `zabra server DIR/N/zoo.cfg` is member N.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { freePorts } from './free-ports.ts'
import { INITIALIZE_FILE } from './recover-database.ts'

export interface EnsemblePlan {
  readonly dataDirectory: string
  readonly voters: number
  readonly observers: number
  /** Ports of the first member, the others' follow; 0 = any free ones. */
  readonly clientPort: number
  readonly quorumPort: number
  readonly electionPort: number
  readonly adminPort: number
  /** null = every address of this machine. */
  readonly clientAddress: string | null
  /** Further lines for every zoo.cfg. */
  readonly lines: readonly string[]
}

const LOOPBACK = '127.0.0.1'
const CONFIG = 'zoo.cfg'
const MY_ID = 'myid'

interface MemberPorts {
  readonly client: number
  readonly quorum: number
  readonly election: number
  /** 0 = any. */
  readonly admin: number
}

/** Server id → zoo.cfg. Throws an Error when the directory is another ensemble's. */
export async function prepareEnsemble(plan: EnsemblePlan): Promise<Map<number, string>> {
  const directory = resolve(plan.dataDirectory)
  mkdirSync(directory, { recursive: true })
  const known = membersIn(directory)
  checkSame(directory, known, plan)
  const ports = await portsOf(plan)
  const servers = ports.map((own, i) => serverLine(plan, i + 1, own))
  const configs = new Map<number, string>()
  for (const [i, { admin }] of ports.entries()) {
    const sid = i + 1
    const own = join(directory, String(sid))
    mkdirSync(own, { recursive: true })
    const lines = [...ownLines(plan, sid, own, admin), ...plan.lines, ...servers]
    writeFileSync(join(own, MY_ID), `${sid}\n`)
    writeFileSync(join(own, CONFIG), `${lines.join('\n')}\n`)
    // New as a whole, so its members may begin with nothing; later none may, unless it is told to.
    if (known.size === 0) writeFileSync(join(own, INITIALIZE_FILE), '')
    configs.set(sid, join(own, CONFIG))
  }
  return configs
}

function ownLines(plan: EnsemblePlan, sid: number, own: string, adminPort: number): string[] {
  return [
    ...['tickTime=2000', 'initLimit=10', 'syncLimit=5'],
    `dataDir=${own}`,
    // A member whose files vanished must not vote as if there had never been any (Q18).
    'db.autocreate=false',
    `admin.serverPort=${adminPort}`,
    '4lw.commands.whitelist=*',
    ...(sid > plan.voters ? ['peerType=observer'] : []),
    // One voter and its observers are an ensemble, too.
    ...(plan.observers > 0 ? ['standaloneEnabled=false'] : []),
  ]
}

function serverLine(plan: EnsemblePlan, sid: number, ports: MemberPorts): string {
  const role = sid <= plan.voters ? 'participant' : 'observer'
  const client =
    plan.clientAddress === null ? ports.client : `${plan.clientAddress}:${ports.client}`
  return `server.${sid}=${LOOPBACK}:${ports.quorum}:${ports.election}:${role};${client}`
}

/** Whose files are here, and how many voters their configuration says. */
function membersIn(directory: string): Map<number, number> {
  const known = new Map<number, number>()
  for (const name of readdirSync(directory)) {
    const config = join(directory, name, CONFIG)
    if (!/^\d+$/.test(name) || !existsSync(config)) continue
    const voters = readFileSync(config, 'utf8').match(/^server\.\d+=.*:participant;/gm)
    known.set(Number(name), voters?.length ?? 0)
  }
  return known
}

/**
 * Voters are not made by starting more of them: the new ones would outvote what the old ones know.
 */
function checkSame(
  directory: string,
  known: ReadonlyMap<number, number>,
  { voters, observers }: EnsemblePlan,
): void {
  for (const [sid, count] of known) {
    if (sid <= voters + observers && count === voters) continue
    throw new Error(`${directory} is of an ensemble of ${count} voters with a member ${sid}`)
  }
}

async function portsOf(plan: EnsemblePlan): Promise<MemberPorts[]> {
  const size = plan.voters + plan.observers
  const free = await freePorts(3 * size)
  const at = (first: number, i: number): number => (first === 0 ? (free.pop() ?? 0) : first + i)
  return Array.from({ length: size }, (_, i) => {
    return {
      client: at(plan.clientPort, i),
      quorum: at(plan.quorumPort, i),
      election: at(plan.electionPort, i),
      admin: plan.adminPort === 0 ? 0 : plan.adminPort + i,
    }
  })
}
