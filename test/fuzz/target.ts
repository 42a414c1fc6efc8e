/** One reader of bytes and how inputs are made for it. */
import type { Prng } from '../../src/core/base/prng.ts'

export interface Target {
  readonly name: string
  /** How often it is chosen beside the others. */
  readonly weight: number
  /** One input, all of it drawn from `prng`. Throws or rejects when something is wrong. */
  readonly run: (prng: Prng, input: number) => void | Promise<void>
  /** What an input finds is left by those before it, back to the last multiple of this. */
  readonly blockInputs?: number
  /** Where an input is bytes: see `guided.ts`. */
  readonly bytes?: ByteInputs
}

export interface ByteInputs {
  /** What inputs are made from. A guided run adds to it. */
  readonly good: Uint8Array[]
  /** As `run`, with these very bytes. */
  readonly attempt: (bytes: Uint8Array, prng: Prng) => void
}
