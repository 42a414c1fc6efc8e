/** What `npm run sim` takes. */
import { parseArgs } from 'node:util'
import type { Draw } from './draw.ts'
import { PLANTED_BUGS } from './planted/bugs.ts'
import type { PlantedBug } from './planted/planted-bug.ts'
import type { RunOptions } from './run-seed.ts'

export const USAGE = `npm run sim -- [options]
  --seed N        first seed (1)          --seeds COUNT   how many (100)
  --hours H       as many seeds as fit into so many hours, half of them long and quiet
  --planted       every planted bug must be found          --bug NAME   this one
  --trace         one seed in words       --report FILE   one seed as a page
  --digests       a line for every seed
  --faults 3,7    only these faults of the seed, or none
  --quiet         the long and quiet run of the seed
  --voters N --clients N --observers N --pages N --safetyMs MS      instead of what is drawn`

const DEFAULT_SEEDS = 100

export interface CliOptions {
  readonly firstSeed: number
  readonly seedCount: number
  readonly hours: number | null
  readonly isPlanted: boolean
  readonly bugs: readonly PlantedBug[]
  readonly isTrace: boolean
  readonly report: string | null
  readonly tellsDigests: boolean
  /** Of one seed. */
  readonly run: RunOptions
}

/** A string says what is wrong, or what there is. */
export function readOptions(args: readonly string[]): CliOptions | string {
  if (args.includes('--help')) return USAGE
  try {
    return optionsOf(args)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function optionsOf(args: readonly string[]): CliOptions | string {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: String(DEFAULT_SEEDS) },
      hours: { type: 'string' },
      planted: { type: 'boolean', default: false },
      bug: { type: 'string' },
      trace: { type: 'boolean', default: false },
      report: { type: 'string' },
      digests: { type: 'boolean', default: false },
      quiet: { type: 'boolean', default: false },
      faults: { type: 'string' },
      voters: { type: 'string' },
      clients: { type: 'string' },
      observers: { type: 'string' },
      pages: { type: 'string' },
      safetyMs: { type: 'string' },
    },
  })
  const firstSeed = Number(values.seed)
  const seedCount = Number(values.seeds)
  const hours = values.hours === undefined ? null : Number(values.hours)
  if (!Number.isInteger(firstSeed) || !Number.isInteger(seedCount) || seedCount < 1) {
    return '--seed and --seeds take whole numbers'
  }
  if (hours !== null && !(hours > 0)) return '--hours takes a number above 0'
  const bugs = PLANTED_BUGS.filter(({ name }) => name === (values.bug ?? name))
  if (bugs.length === 0) {
    const names = PLANTED_BUGS.map(({ name }) => name).join(', ')
    return `no bug ${values.bug ?? ''}; there are ${names}`
  }
  const { voters, clients, observers, pages, safetyMs } = values
  const drawn = readDrawn({ voters, clients, observers, pages, safetyMs })
  if (drawn === null) {
    return '--voters, --clients, --observers, --pages and --safetyMs take whole numbers'
  }
  const planted = values.bug === undefined ? undefined : bugs[0]
  return {
    firstSeed,
    seedCount,
    hours,
    isPlanted: values.planted || values.bug !== undefined,
    bugs,
    isTrace: values.trace,
    report: values.report ?? null,
    tellsDigests: values.digests,
    run: {
      isQuiet: values.quiet,
      ...(planted === undefined ? {} : { planted }),
      ...(Object.keys(drawn).length === 0 ? {} : { drawn }),
      ...(values.faults === undefined ? {} : { onlyFaults: readFaults(values.faults) }),
    },
  }
}

function readFaults(text: string): ReadonlySet<number> {
  return new Set(text === 'none' ? [] : text.split(',').map(Number))
}

function readDrawn(texts: Record<string, string | undefined>): Partial<Draw> | null {
  const drawn: Record<string, number> = {}
  for (const [name, text] of Object.entries(texts)) {
    if (text === undefined) continue
    const number = Number(text)
    if (!Number.isInteger(number) || number < 0) return null
    drawn[name] = number
  }
  return drawn
}
