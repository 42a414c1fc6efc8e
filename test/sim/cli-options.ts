/** What `npm run sim` takes. */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { FAULT_KINDS, type Draw } from './draw.ts'
import type { AnyFaultKind, ChosenFaults, FaultId } from './faults/fault-choice.ts'
import { PLANTED_BUGS } from './planted/bugs.ts'
import type { PlantedBug } from './planted/planted-bug.ts'
import { ROOM_FAULT_KINDS } from './room/room-fault-kinds.ts'
import type { RunOptions } from './run-seed.ts'

export const USAGE = `npm run sim -- [options]
  --seed N        first seed (1)          --seeds COUNT   how many (100)
  --hours H       as many seeds as fit into so many hours, half of them long and quiet; from a
                  seed that is drawn and told, or from --seed
  --planted       every planted bug must be found          --bug NAME   this one
  --trace         one seed in words       --report FILE   one seed as a page
  --digests       a line for every seed
  --faults 3,7    only these faults of the seed, r2 of its room; or kinds, as crash,rot; or none
  --quiet         the long and quiet run of the seed
  --voters N --clients N --readers N --observers N --pages N --safetyMs MS   instead of
                  what is drawn`

const ALL_KINDS: readonly AnyFaultKind[] = [...FAULT_KINDS, ...ROOM_FAULT_KINDS]
const DEFAULT_SEEDS = 100
/** Nights begin at one of so many. */
const NIGHT_SEEDS = 2 ** 31

/** What may be asked for instead of what is drawn. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  voters: [1, 7],
  clients: [1, 100],
  readers: [0, 100],
  observers: [0, 10],
  pages: [0, 20],
  safetyMs: [0, 1e9],
}

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
      seed: { type: 'string' },
      seeds: { type: 'string' },
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
      readers: { type: 'string' },
      observers: { type: 'string' },
      pages: { type: 'string' },
      safetyMs: { type: 'string' },
    },
  })
  const hours = values.hours === undefined ? null : Number(values.hours)
  const firstSeed = Number(values.seed ?? (hours === null ? 1 : randomInt(NIGHT_SEEDS)))
  const seedCount = Number(values.seeds ?? DEFAULT_SEEDS)
  if (!Number.isInteger(firstSeed) || !Number.isInteger(seedCount) || seedCount < 1) {
    return '--seed and --seeds take whole numbers'
  }
  if (hours !== null && !(hours > 0)) return '--hours takes a number above 0'
  const isOfMany = (values.seeds !== undefined && seedCount > 1) || hours !== null || values.planted
  if (isOfMany && (values.trace || values.report !== undefined)) {
    return '--trace and --report tell of one seed: give --seed, no --seeds, --hours or --planted'
  }
  const bugs = PLANTED_BUGS.filter(({ name }) => name === (values.bug ?? name))
  if (bugs.length === 0) {
    const names = PLANTED_BUGS.map(({ name }) => name).join(', ')
    return `no bug ${values.bug ?? ''}; there are ${names}`
  }
  const drawn = readDrawn(values)
  if (typeof drawn === 'string') return drawn
  const onlyFaults = values.faults === undefined ? undefined : readFaults(values.faults)
  if (typeof onlyFaults === 'string') return onlyFaults
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
      ...(onlyFaults === undefined ? {} : { onlyFaults }),
    },
  }
}

/** A string says what is wrong. */
function readFaults(text: string): ChosenFaults | string {
  if (text === 'none') return new Set()
  const faults = new Set<FaultId | AnyFaultKind>()
  for (const word of text.split(',')) {
    const fault = ALL_KINDS.find((each) => each === word) ?? faultIdOf(word)
    if (fault === null) {
      return `no fault ${word}; there are their numbers, none, and ${ALL_KINDS.join(', ')}`
    }
    faults.add(fault)
  }
  return faults
}

function faultIdOf(word: string): FaultId | null {
  const [, room, digits] = /^(r?)([1-9]\d*)$/.exec(word) ?? []
  if (digits === undefined) return null
  const number = Number(digits)
  return room === 'r' ? `r${number}` : number
}

function readDrawn(values: Record<string, string | boolean | undefined>): Partial<Draw> | string {
  const drawn: Record<string, number> = {}
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const text = values[name]
    if (typeof text !== 'string') continue
    const number = Number(text)
    if (!/^\d+$/.test(text) || number < least || number > most) {
      return `--${name} takes a whole number from ${least} to ${most}`
    }
    drawn[name] = number
  }
  return drawn
}
