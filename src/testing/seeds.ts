/** Ensembles by their seeds: one, and one after the other to find the order that breaks a test. */
import { SeedProgress } from './seed-progress.ts'
import { warn } from './platform-warning.ts'
import { toError } from './thrown.ts'
import type { TestEnsembleOptions } from './test-ensemble-options.ts'
import { TestEnsemble } from './test-ensemble.ts'

const SEED_DEFAULT = 1

/**
 * A running ensemble whose members all serve. The seed is that of the options, else ZABRA_SEED of
 * the environment, else 1: a test is the same every time.
 */
export async function testEnsemble(options: TestEnsembleOptions = {}): Promise<TestEnsemble> {
  const seed = options.seed ?? seedOfEnvironment('ZABRA_SEED') ?? SEED_DEFAULT
  const ensemble = new TestEnsemble(options, checked(seed, 'seed'))
  try {
    await ensemble.start(options.signal)
    return ensemble
  } catch (error) {
    await ensemble.close()
    throw error
  }
}

/**
 * Runs a test in as many ensembles, seeds 1, 2, 3 … (or from `seed` on). Stops at the first that
 * fails, with its seed in the error. ZABRA_SEED=17 runs that one alone, ZABRA_SEEDS=1000 as many.
 */
export async function forEachSeed(
  count: number,
  run: (ensemble: TestEnsemble) => unknown,
  options: TestEnsembleOptions = {},
): Promise<void> {
  const only = seedOfEnvironment('ZABRA_SEED')
  const first = only ?? options.seed ?? SEED_DEFAULT
  const runs = only === null ? (seedOfEnvironment('ZABRA_SEEDS') ?? count) : 1
  using progress = new SeedProgress(runs, warn)
  for (let seed = first; seed < first + runs; seed++) {
    progress.begins(seed)
    const ensemble = await testEnsemble({ ...options, seed })
    try {
      await run(ensemble)
    } catch (error) {
      throw ensemble.explained(toError(error))
    } finally {
      await ensemble.close()
    }
  }
}

/** Of Node, where there is one. */
function seedOfEnvironment(name: string): number | null {
  const process: unknown = Reflect.get(globalThis, 'process')
  if (typeof process !== 'object' || process === null || !('env' in process)) return null
  const { env } = process
  const text: unknown = typeof env === 'object' && env !== null ? Reflect.get(env, name) : undefined
  return typeof text === 'string' && text !== '' ? checked(Number(text), name) : null
}

function checked(seed: number, name: string): number {
  if (Number.isSafeInteger(seed)) return seed
  throw new RangeError(`${name} is a whole number`)
}
