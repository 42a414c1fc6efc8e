/** Targets that read bytes and may refuse them. */
import type { Prng } from '../../src/core/base/prng.ts'
import { JuteError } from '../../src/core/jute/jute-error.ts'
import { grownFor } from './grown-corpus.ts'
import { hostile } from './mutate.ts'
import type { Target } from './target.ts'

/** How bytes are refused; everything else gets out. */
type Refusal = abstract new (...args: never[]) => Error

export function decoder(
  name: string,
  weight: number,
  good: readonly Uint8Array[],
  read: (bytes: Uint8Array) => unknown,
  refusals: readonly Refusal[] = [JuteError],
): Target {
  return byteTarget(name, weight, good, (bytes) => refusing(() => read(bytes), refusals))
}

/** Bytes of a stream in pieces of any size. */
export function pieces(
  name: string,
  good: readonly Uint8Array[],
  begin: () => (piece: Uint8Array) => unknown,
  refusals: readonly Refusal[] = [JuteError],
): Target {
  return byteTarget(name, 4, good, (bytes, prng) => {
    const push = begin()
    const read = (): void => {
      for (let at = 0; at < bytes.length;) {
        const end = at + 1 + prng.int(prng.bool(0.3) ? 4 : bytes.length)
        push(bytes.subarray(at, end))
        at = end
      }
    }
    refusing(read, refusals)
  })
}

/** Characters of any kind, also such as are none. */
export function textReader(
  name: string,
  weight: number,
  good: readonly string[],
  read: (text: string) => unknown,
  refusals: readonly Refusal[] = [],
): Target {
  const encoder = new TextEncoder()
  const samples = good.map((text) => encoder.encode(text))
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
  return decoder(name, weight, samples, (bytes) => read(decode(bytes)), refusals)
}

function byteTarget(
  name: string,
  weight: number,
  good: readonly Uint8Array[],
  attempt: (bytes: Uint8Array, prng: Prng) => void,
): Target {
  const bytes = { good: [...good, ...grownFor(name)], attempt }
  return { name, weight, run: (prng) => attempt(hostile(prng, bytes.good), prng), bytes }
}

function refusing(read: () => unknown, refusals: readonly Refusal[]): void {
  try {
    read()
  } catch (error) {
    if (!refusals.some((kind) => error instanceof kind)) throw error
  }
}
