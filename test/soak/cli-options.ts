/** What `npm run soak` takes. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

export const USAGE = `npm run soak -- [options]

Random faults over real tabs under a live load, for as long as you like. After each minute of
faults everything heals, and what all clients saw in it is judged: that nothing acknowledged is
lost, that nobody sees the past, that no watch is missed, that an epoch has one leader, and that
service is back.

  --minutes N     how long (60)             --seed N       what is drawn (a new one each time)
  --tabs N        voters, 3 to 7 (5)        --browsers N   processes that they are tabs of (2)
  --sessions N    of clients (6)            --part SECONDS of faults until they are judged (60)
  --only KINDS    these faults, with commas, as they are named in the output
  --out FOLDER    for what a failure leaves (a temporary one)
  --headed        shows the browsers       --trace        each fault as it happens
Ctrl-C ends it with the judgement so far. A failure writes the history as a page and what every
machine had heard, says where and with which seed, and exits with 1.`

const VOTERS_MIN = 3
const VOTERS_MAX = 7
const SEED_MAX = 1_000_000

export interface CliOptions {
  readonly minutes: number
  readonly seed: number
  readonly tabs: number
  readonly browsers: number
  readonly sessions: number
  readonly partMs: number
  readonly only: readonly string[] | null
  readonly folder: string
  readonly headless: boolean
  readonly isTrace: boolean
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

function optionsOf(args: readonly string[]): CliOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * SEED_MAX)) },
      tabs: { type: 'string', default: '5' },
      browsers: { type: 'string', default: '2' },
      sessions: { type: 'string', default: '6' },
      part: { type: 'string', default: '60' },
      only: { type: 'string' },
      out: { type: 'string', default: join(tmpdir(), 'zabra-soak') },
      trace: { type: 'boolean', default: false },
      headed: { type: 'boolean', default: false },
    },
  })
  const tabs = whole('--tabs', values.tabs, VOTERS_MIN, VOTERS_MAX)
  return {
    minutes: above0('--minutes', values.minutes),
    seed: whole('--seed', values.seed, 0, Number.MAX_SAFE_INTEGER),
    tabs,
    browsers: whole('--browsers', values.browsers, 1, tabs),
    sessions: whole('--sessions', values.sessions, 1, 100),
    partMs: 1000 * above0('--part', values.part),
    only: values.only?.split(',').map((kind) => kind.trim()) ?? null,
    folder: values.out,
    headless: !values.headed,
    isTrace: values.trace,
  }
}

function above0(name: string, text: string): number {
  const number = Number(text)
  if (number > 0 && Number.isFinite(number)) return number
  throw new RangeError(`${name} takes a number above 0`)
}

function whole(name: string, text: string, least: number, most: number): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= least && number <= most) return number
  throw new RangeError(`${name} takes a whole number from ${least} to ${most}`)
}
