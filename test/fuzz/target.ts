/** One reader of bytes and how inputs are made for it. */
import type { Prng } from '../../src/core/base/prng.ts'

export interface Target {
  readonly name: string
  /** How often it is chosen beside the others. */
  readonly weight: number
  /** One input, all of it drawn from `prng`. Throws when something is wrong. */
  readonly run: (prng: Prng, input: number) => void
  /** What an input finds is left by those before it, back to the last multiple of this. */
  readonly blockInputs?: number
}
