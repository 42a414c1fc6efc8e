/**
 * Inputs that reach new code become what later inputs are made from: so a change on top of a change
 * gets where none of the first samples' changes would. Only targets whose inputs are bytes.
 */
import { Prng } from '../../src/core/base/prng.ts'
import { toHex } from '../../src/core/base/bytes.ts'
import { withAllocationLimit } from './allocation-limit.ts'
import { Coverage } from './coverage.ts'
import { hostile } from './mutate.ts'
import type { ByteInputs, Target } from './target.ts'
import { allTargets } from './targets.ts'

/** Reading the counters takes as long as some fifty inputs. */
const BATCH_INPUTS = 100
const GOOD_BYTES_MAX = 4_096

export interface GuidedOptions {
  readonly seed: number
  readonly inputs: number
  readonly only?: string
  /** False: the same inputs without learning from them, for comparison. */
  readonly isLearning: boolean
  readonly failuresMax?: number
}

export interface GuidedResult {
  readonly ran: number
  /** Places of our code that ran. */
  readonly reached: number
  /** What was learned, by target. */
  readonly found: ReadonlyMap<string, readonly Uint8Array[]>
  readonly failures: readonly string[]
}

interface Attempt {
  readonly bytes: Uint8Array
  readonly fork: string
}

export async function guided(options: GuidedOptions): Promise<GuidedResult> {
  const { seed, inputs, only = '', failuresMax = 5 } = options
  const targets = allTargets().filter(({ name, bytes }) => name.includes(only) && bytes)
  const turns = targets.flatMap((target) => Array<Target>(target.weight).fill(target))
  const found = new Map<string, Uint8Array[]>()
  const failures: string[] = []
  const prng = new Prng(seed)
  using coverage = new Coverage()
  let ran = 0
  await withAllocationLimit(() => {
    for (let batch = 0; ran < inputs && failures.length < failuresMax; batch++) {
      const { name, bytes } = turns[batch % turns.length] as Target
      if (bytes === undefined) continue
      const tried: Attempt[] = []
      for (let i = 0; i < BATCH_INPUTS; i++, ran++) {
        const one = { bytes: hostile(prng, bytes.good), fork: `${name} ${ran}` }
        tried.push(one)
        const failure = attempt(bytes, one, seed)
        if (failure !== null) failures.push(`${name}: ${toHex(one.bytes)}\n${failure}`)
      }
      const fresh = coverage.fresh()
      if (fresh.length === 0 || !options.isLearning) continue
      const learned = whoReached(new Set(fresh), tried, { inputs: bytes, seed, coverage })
      bytes.good.push(...learned)
      found.set(name, [...(found.get(name) ?? []), ...learned])
    }
  })
  return { ran, reached: coverage.reached, found, failures }
}

/** Runs a batch again in ever smaller parts, until every new place is accounted for. */
function whoReached(wanted: Set<string>, tried: readonly Attempt[], ways: Ways): Uint8Array[] {
  if (wanted.size === 0 || tried.length === 0) return []
  for (const one of tried) attempt(ways.inputs, one, ways.seed)
  const reached = ways.coverage.ran().filter((place) => wanted.has(place))
  if (reached.length === 0) return []
  const [only] = tried
  if (tried.length > 1 || only === undefined) {
    const half = tried.length >> 1
    const parts = [tried.slice(0, half), tried.slice(half)]
    return parts.flatMap((part) => whoReached(wanted, part, ways))
  }
  for (const place of reached) wanted.delete(place)
  return only.bytes.length <= GOOD_BYTES_MAX ? [only.bytes] : []
}

interface Ways {
  readonly inputs: ByteInputs
  readonly seed: number
  readonly coverage: Coverage
}

function attempt(inputs: ByteInputs, { bytes, fork }: Attempt, seed: number): string | null {
  try {
    inputs.attempt(bytes.slice(), new Prng(seed).fork(fork))
    return null
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
}
