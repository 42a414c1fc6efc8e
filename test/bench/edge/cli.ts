/**
 * `npm run bench:edge`: one load program against Apache ZooKeeper, when it is installed, and
 * against us, in turns in one run. Only ratios within one run mean anything.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { findApacheZooKeeper } from '../../apache-zookeeper.mjs'
import { CACHE, TOP } from '../../program.mjs'
import type { Order } from './load.ts'
import { Installation, type Form, type Programs, type Side } from './servers.ts'
import { tableOf, type Reading } from './table.ts'
import { ROW_NAMES, ROWS, type Measured, type RowName } from './workloads.ts'

const USAGE = `npm run bench:edge -- [options]
  --forms FORMS    alone, ensemble, or both with a comma between (default)
  --sides SIDES    apache, zabra, or both (default)
  --rows ROWS      some of ${ROW_NAMES.join(', ')}, failover
  --rounds N       default 5
  --measure MS     of one measurement (default 2000)
  --znodes N       of the row memory (default 100000)
  --against FILE   an earlier bundle of ours in the place of Apache ZooKeeper
  --profile DIR    CPU profiles of our servers, for DevTools
  --json FILE      all figures of all rounds`

const { values: asked } = parseArgs({
  options: {
    forms: { type: 'string', default: 'alone,ensemble' },
    sides: { type: 'string', default: 'apache,zabra' },
    rows: { type: 'string', default: [...ROW_NAMES, 'failover'].join(',') },
    rounds: { type: 'string', default: '5' },
    measure: { type: 'string', default: '2000' },
    znodes: { type: 'string', default: '100000' },
    against: { type: 'string' },
    profile: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

/** One of each, so that Java has compiled what it will need. */
const WARM_UP_MS = 2_000
const KILLED_FOR_MS = 1_500
/** A figure that stands still. */
const SETTLE_MS = 500
const MEGABYTE = 1024 * 1024
const MILLION = 1_000_000
/** Slower than a round of loads, and each needs its ensemble whole again. */
const FAILOVERS_MAX = 5

const readings: Reading[] = []
const rounds = Number(asked.rounds)
const measureMs = Number(asked.measure)
const znodes = Number(asked.znodes)
const rows = asked.rows.split(',')

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'zabra-bench-'))
  const loadBefore = load()
  const programs: Programs = {
    jar: asked.sides.includes('apache') ? await findApacheZooKeeper().catch(() => null) : null,
    bundle: await bundled('src/edge/zabra.ts', 'zabra.mjs'),
    against: asked.against ?? null,
    nodeOptions: asked.profile === undefined ? [] : profiling(asked.profile),
  }
  const generator = new LoadGenerator(await bundled('test/bench/edge/load.ts', 'load.mjs'))
  try {
    for (const form of asked.forms.split(',')) {
      await compare(form as Form, directory, programs, generator)
    }
  } finally {
    generator.close()
    rmSync(directory, { recursive: true, force: true })
  }
  console.log(`\n${cpus().length} cores, load ${loadBefore} before and ${load()} after`)
  console.log(`medians of ${rounds} rounds; Node ${process.version}\n`)
  console.log(tableOf(readings))
  if (asked.json !== undefined) writeFileSync(asked.json, JSON.stringify(readings, null, 2))
}

/** All sides are there at once; the one that is not asked is idle. */
async function compare(
  form: Form,
  directory: string,
  programs: Programs,
  generator: LoadGenerator,
): Promise<void> {
  const sides = asked.sides
    .split(',')
    .filter((side) => side !== 'apache' || (programs.against ?? programs.jar) !== null) as Side[]
  const installations: Installation[] = []
  try {
    for (const side of sides) {
      installations.push(await Installation.start(side, form, directory, programs))
    }
    const steady = ROW_NAMES.filter((row) => row !== 'memory' && rows.includes(row))
    for (let round = 0; round <= rounds; round++) {
      for (const row of steady) {
        for (const one of installations) await measure(form, one, row, generator, round === 0)
      }
    }
    if (form === 'ensemble' && rows.includes('failover')) {
      for (let round = 0; round < Math.min(rounds, FAILOVERS_MAX); round++) {
        for (const one of installations) await measureFailover(one, generator)
      }
    }
  } finally {
    for (const one of installations) await one.stop()
  }
  // Servers of its own, one after the other: what a load left behind is no memory of nodes.
  for (const side of rows.includes('memory') ? sides : []) {
    const place = join(directory, 'memory')
    const one = await Installation.start(side, form, place, programs)
    try {
      await measureMemory(form, one, generator)
    } finally {
      await one.stop()
    }
  }
}

async function measure(
  form: Form,
  installation: Installation,
  row: RowName,
  generator: LoadGenerator,
  isWarmUp: boolean,
): Promise<void> {
  const { title, unit } = ROWS[row]
  const ports = await installation.ports()
  const cpuBefore = installation.cpuUs()
  const order = { row, ports, znodes, measureMs: isWarmUp ? WARM_UP_MS : measureMs }
  const { value, operations } = await generator.perform(order)
  const cpuUs = (installation.cpuUs() - cpuBefore) / operations
  const { side } = installation
  const shown = `${form} ${side} ${title}: ${value.toFixed(2)} ${unit}, ${cpuUs.toFixed(1)} µs CPU`
  console.log(isWarmUp ? `(${shown})` : shown)
  if (!isWarmUp) readings.push({ form, title, unit, isRate: unit === '/s', side, value, cpuUs })
}

async function measureMemory(
  form: Form,
  installation: Installation,
  generator: LoadGenerator,
): Promise<void> {
  const { title, unit } = ROWS.memory
  const ports = await installation.ports()
  const { side } = installation
  const before = installation.residentBytes()
  const cpuBefore = installation.cpuUs()
  const { value, operations } = await generator.perform({ row: 'memory', ports, znodes, measureMs })
  const cpuUs = (installation.cpuUs() - cpuBefore) / operations
  readings.push({ form, title, unit, isRate: true, side, value, cpuUs })
  await sleep(SETTLE_MS)
  const grown = (installation.residentBytes() - before) / installation.servers.length
  const perMillion = (grown / MEGABYTE / znodes) * MILLION
  console.log(`${form} ${side}: ${perMillion.toFixed(0)} MB per million nodes of 100 B`)
  readings.push({
    form,
    title: `resident memory of a million nodes, from ${znodes.toLocaleString('en')}`,
    unit: 'MB',
    isRate: false,
    side,
    value: perMillion,
    cpuUs: null,
  })
}

async function measureFailover(
  installation: Installation,
  generator: LoadGenerator,
): Promise<void> {
  const leader = await installation.leader()
  const ports = await installation.ports()
  await generator.perform({ row: 'failover', ports })
  await sleep(SETTLE_MS)
  await leader.kill()
  await sleep(KILLED_FOR_MS)
  const { value } = await generator.perform({ row: 'stop-failover' })
  leader.start()
  await installation.ready()
  const { side } = installation
  console.log(`ensemble ${side} failover: ${value.toFixed(0)} ms without an acknowledged write`)
  readings.push({
    form: 'ensemble',
    title: 'leader killed (kill -9): longest time without an acknowledged write',
    unit: 'ms',
    isRate: false,
    side,
    value,
    cpuUs: null,
  })
}

class LoadGenerator {
  readonly #child: ChildProcess

  constructor(program: string) {
    this.#child = fork(program, [], { execArgv: [] })
  }

  async perform(order: Order): Promise<Measured> {
    this.#child.send(order)
    const [answer] = (await once(this.#child, 'message')) as [
      { readonly measured?: Measured; readonly error?: string },
    ]
    if (answer.measured === undefined) throw new Error(`${order.row}: ${String(answer.error)}`)
    return answer.measured
  }

  close(): void {
    this.#child.kill()
  }
}

/** What users run is a bundle, too. */
async function bundled(entry: string, name: string): Promise<string> {
  mkdirSync(CACHE, { recursive: true })
  const outfile = join(CACHE, name)
  await build({
    absWorkingDir: TOP,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  })
  return outfile
}

function profiling(directory: string): string[] {
  mkdirSync(directory, { recursive: true })
  return ['--cpu-prof', `--cpu-prof-dir=${directory}`, '--cpu-prof-interval=250']
}

function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1)
}

if (asked.help) console.log(USAGE)
else {
  try {
    await main()
  } catch (error) {
    console.error(error)
    process.exit(1)
  }
}
