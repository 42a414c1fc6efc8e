/**
 * `npm run differential`: the same random operations against Apache ZooKeeper and against us, and
 * every reply, error, Stat and event compared. The last line is `N passed, N failed`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePorts } from '../../src/edge/free-ports.ts'
import { NodeServer } from '../../src/edge/node-server.ts'
import { serverSettings } from '../../src/edge/settings.ts'
import { startServer, waitUntilServing } from '../interop/apache.ts'
import { compare, shrink, type Difference, type Servers } from './compare.ts'
import { drawScript } from './script.ts'

const STEPS_DEFAULT = 250
const SEEDS_DEFAULT = 40
const FAILURES_SHOWN = 3
/** Short, so that a session that is to expire keeps nobody waiting. */
const TICK_TIME_MS = 200
const SESSION_TIMEOUT_MAX_MS = 60_000
/** Containers that go by themselves take zxids at a time that nobody can compare. */
const HOUR_MS = 3_600_000

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: String(SEEDS_DEFAULT) },
    steps: { type: 'string', default: String(STEPS_DEFAULT) },
  },
})

async function main(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'zabra-differential-'))
  const [clientPort = 0] = await freePorts(1)
  const apache = startServer({
    directory: join(directory, 'theirs'),
    clientPort,
    lines: [
      'maxClientCnxns=0',
      `tickTime=${TICK_TIME_MS}`,
      `maxSessionTimeout=${SESSION_TIMEOUT_MAX_MS}`,
    ],
    properties: { 'znode.container.checkIntervalMs': String(HOUR_MS) },
  })
  const settings = serverSettings({
    dataDirectory: join(directory, 'ours'),
    clientPort: 0,
    clientAddress: '127.0.0.1',
    connectionsPerAddressMax: 0,
    adminEnabled: false,
    tickTimeMs: TICK_TIME_MS,
    sessionTimeoutMaxMs: SESSION_TIMEOUT_MAX_MS,
    extendedTypesEnabled: true,
    containerCheckIntervalMs: HOUR_MS,
  })
  const ours = await NodeServer.open(settings, {
    onHalt: (reason) => console.error(`zabra halted: ${reason}`),
  })
  try {
    await waitUntilServing(clientPort)
    return await compareAll({ theirs: clientPort, ours: ours.clientPort })
  } finally {
    await ours.close()
    await apache.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function compareAll(servers: Servers): Promise<number> {
  const [first, count, length] = [Number(values.seed), Number(values.seeds), Number(values.steps)]
  let failed = 0
  for (let seed = first; seed < first + count; seed++) {
    const difference = await compare(servers, drawScript(seed, length))
    if (difference === null) continue
    failed++
    if (failed <= FAILURES_SHOWN) tell(seed, length, await shrink(servers, difference))
  }
  console.log(`${count * length} operations of seeds ${first} to ${first + count - 1}`)
  console.log(`${count - failed} passed, ${failed} failed`)
  return failed
}

function tell(seed: number, length: number, { steps, at, theirs, ours }: Difference): void {
  console.log(`seed ${seed}: the servers differ; again with`)
  console.log(`  npm run differential -- --seed ${seed} --seeds 1 --steps ${length}`)
  for (const step of steps.slice(0, at + 1)) console.log(`    ${shortened(JSON.stringify(step))}`)
  console.log(`  Apache ZooKeeper:\n${indented(theirs)}\n  zabra:\n${indented(ours)}\n`)
}

/** Long data repeats one character. */
function shortened(text: string): string {
  return text.replace(/(.)\1{40,}/g, (run, character: string) => `${character}×${run.length}`)
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `    ${shortened(line)}`).join('\n')
}

try {
  process.exitCode = (await main()) === 0 ? 0 : 1
} catch (error) {
  console.error(error)
  console.log('0 passed, 1 failed')
  process.exit(1)
}
