/** Runs inputs and says how the first bad one is made again. */
import { Prng } from '../../src/core/base/prng.ts'
import { withAllocationLimit } from './allocation-limit.ts'
import type { Target } from './target.ts'
import { allTargets } from './targets.ts'

export interface Failure {
  readonly target: string
  readonly seed: number
  readonly input: number
  /** Where to begin so that it is the same again. */
  readonly from: number
  readonly error: Error
}

export interface FuzzOptions {
  readonly seed: number
  readonly inputs: number
  /** Only targets whose name has this in it. */
  readonly only?: string
  /** The first of them: to run one again. */
  readonly from?: number
  readonly failuresMax?: number
}

/** Input i depends on the seed and i only, and for some targets on the inputs of its block. */
export async function fuzz(
  options: FuzzOptions,
): Promise<{ readonly ran: number; readonly failures: Failure[] }> {
  const { seed, inputs, only = '', from = 0, failuresMax = 5 } = options
  const targets = allTargets().filter(({ name }) => name.includes(only))
  const turns = targets.flatMap((target) => Array<Target>(target.weight).fill(target))
  const failures: Failure[] = []
  let ran = 0
  await withAllocationLimit(async () => {
    for (let input = from; input < from + inputs && failures.length < failuresMax; input++) {
      const target = turns[input % turns.length] as Target
      ran++
      try {
        const going = target.run(new Prng(seed).fork(`${target.name} ${input}`), input)
        if (going !== undefined) await going
      } catch (error) {
        const known = error instanceof Error ? error : new Error(String(error))
        const { name, blockInputs = 1 } = target
        failures.push({
          target: name,
          seed,
          input,
          from: input - (input % blockInputs),
          error: known,
        })
      }
    }
  })
  return { ran, failures }
}

export function describeFailure({ target, seed, input, from, error }: Failure): string {
  const again = `npm run fuzz -- --seed ${seed} --from ${from} --inputs ${input - from + 1}`
  return `${target}: ${error.name}: ${error.message}\n  ${again}\n${error.stack ?? ''}`
}
