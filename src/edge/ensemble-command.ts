/** `zabra ensemble`: the members of one ensemble as processes of this machine, kept running. */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { messageOf } from '../core/base/message-of.ts'
import { prepareEnsemble, type EnsemblePlan } from './ensemble-files.ts'
import { MemberProcess } from './member-process.ts'

const USAGE = `usage: zabra ensemble --data-dir DIR [options]

  --size N               voters, default 3
  --observers N          members beside them that have no vote, default 0
  --data-dir DIR         member N keeps its files, zoo.cfg among them, in DIR/N
  --client-port N        of the first member, default 2181; the others follow.
                         0 takes any free ports
  --quorum-port N        default --client-port + 707
  --election-port N      default --client-port + 1707
  --admin-port N         default 8080; the others follow
  --client-address HOST  default every address of this machine
  --set KEY=VALUE        a further line for every zoo.cfg; may be said again

Says one line of JSON for each member when it serves: {sid, pid, clientPort, adminPort}. A member
that ends is started again. SIGTERM and SIGINT end them all.
`

const MEMBERS_MAX = 32
const PORT_MAX = 65_535
/** Of zoo.cfg in ZooKeeper's samples: 2888 and 3888 beside 2181. */
const QUORUM_PORT_OFFSET = 707
const ELECTION_PORT_OFFSET = 1_707
const ADMIN_PORT = 8_080

/** Resolves with the exit code when all members have ended. */
export async function runEnsemble(args: readonly string[]): Promise<number> {
  let plan: EnsemblePlan | null
  try {
    plan = parse(args)
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${USAGE}`)
    return 2
  }
  if (plan === null) {
    process.stdout.write(USAGE)
    return 0
  }
  try {
    return await keepRunning(await prepareEnsemble(plan))
  } catch (error) {
    process.stderr.write(`zabra ensemble: ${messageOf(error)}\n`)
    return 1
  }
}

async function keepRunning(configs: ReadonlyMap<number, string>): Promise<number> {
  let failure: string | null = null
  let onOver = (): void => undefined
  const over = new Promise<void>((resolve) => {
    onOver = resolve
  })
  const members = [...configs].map(([sid, config]) => {
    return new MemberProcess(sid, config, {
      onLine: (line) => process.stdout.write(`${line}\n`),
      onSaid: (text) => process.stderr.write(text),
      onGivenUp: (reason) => {
        failure ??= reason
        onOver()
      },
    })
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onOver)
  for (const member of members) member.start()
  await over
  await Promise.all(members.map((member) => member.stop()))
  if (failure === null) return 0
  process.stderr.write(`zabra ensemble: ${String(failure)}\n`)
  return 1
}

/** null: help was asked for. Throws an Error that names what is wrong. */
function parse(args: readonly string[]): EnsemblePlan | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h' },
      size: { type: 'string', default: '3' },
      observers: { type: 'string', default: '0' },
      'data-dir': { type: 'string' },
      'client-port': { type: 'string', default: '2181' },
      'quorum-port': { type: 'string' },
      'election-port': { type: 'string' },
      'admin-port': { type: 'string' },
      'client-address': { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
    },
  })
  if (values.help === true) return null
  const dataDirectory = values['data-dir']
  if (dataDirectory === undefined) throw new Error('--data-dir is missing: name a directory')
  const voters = number('--size', values.size, 1, MEMBERS_MAX)
  const observers = number('--observers', values.observers, 0, MEMBERS_MAX - voters)
  const last = PORT_MAX - voters - observers
  const clientPort = number('--client-port', values['client-port'], 0, last)
  const port = (option: 'quorum-port' | 'election-port' | 'admin-port', usual: number): number => {
    const text = values[option]
    if (text === undefined) return clientPort === 0 ? 0 : number(`--${option}`, usual, 1, last)
    return number(`--${option}`, text, 0, last)
  }
  for (const line of values.set) {
    if (!/^[\w.]+=/.test(line)) throw new Error(`--set ${line}: it is KEY=VALUE`)
  }
  return {
    dataDirectory,
    voters,
    observers,
    clientPort,
    quorumPort: port('quorum-port', clientPort + QUORUM_PORT_OFFSET),
    electionPort: port('election-port', clientPort + ELECTION_PORT_OFFSET),
    adminPort: port('admin-port', ADMIN_PORT),
    clientAddress: values['client-address'] ?? null,
    lines: values.set,
  }
}

function number(option: string, text: string | number, min: number, max: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(String(text)) || value < min || value > max) {
    throw new Error(`${option} ${text}: it is a whole number from ${min} to ${max}`)
  }
  return value
}
