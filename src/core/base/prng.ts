/**
 * Seeded random numbers for simulations and jitter: xoshiro128**, never for secrets.
 *
 * A fork depends on the seed and the label only, not on how many numbers were drawn before. So one
 * more draw in one place of a simulation leaves every other place's numbers as they were.
 */

import { assert } from './assert.ts'

export class Prng {
  readonly #seed: string
  readonly #state: Uint32Array

  /** A number and its decimal text are the same seed. */
  constructor(seed: number | string) {
    this.#seed = String(seed)
    this.#state = stateFromSeed(this.#seed)
  }

  /** In [0, 1), with 32 random bits. */
  next(): number {
    return this.uint32() / 0x1_0000_0000
  }

  uint32(): number {
    const s = this.#state
    const s1 = s[1]!
    const times5 = Math.imul(s1, 5)
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0
    s[2] = s[2]! ^ s[0]!
    s[3] = s[3]! ^ s1
    s[1] = s1 ^ s[2]
    s[0] = s[0]! ^ s[3]
    s[2] = s[2] ^ (s1 << 9)
    s[3] = (s[3] << 11) | (s[3] >>> 21)
    return result
  }

  /** In [0, maxExclusive). */
  int(maxExclusive: number): number {
    assert(Number.isInteger(maxExclusive) && maxExclusive > 0, `int(${maxExclusive})`)
    assert(maxExclusive <= 0x1_0000_0000, `int(${maxExclusive}) needs more than 32 bits`)
    return Math.floor(this.next() * maxExclusive)
  }

  /** true with probability `p`. */
  bool(p = 0.5): boolean {
    return this.next() < p
  }

  pick<T>(items: readonly T[]): T {
    assert(items.length > 0, 'pick from an empty list')
    return items[this.int(items.length)] as T
  }

  /** An independent stream. The same label gives the same stream again. */
  fork(label: string): Prng {
    return new Prng(`${this.#seed}/${label}`)
  }
}

/** FNV-1a over the text, then splitmix32 to fill the state (which must not be all zero). */
function stateFromSeed(seed: string): Uint32Array {
  let hash = 0x811c_9dc5
  for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x0100_0193)
  let second = 0x9e37_79b9
  for (let i = seed.length - 1; i >= 0; i--) {
    second = Math.imul(second ^ seed.charCodeAt(i), 0x85eb_ca6b)
    second ^= second >>> 15
  }
  const state = new Uint32Array(4)
  for (let i = 0; i < 4; i++) {
    hash = (hash + (i < 2 ? 0x9e37_79b9 : second | 1)) | 0
    let z = hash ^ second
    z = Math.imul(z ^ (z >>> 16), 0x21f0_aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a_2d97)
    state[i] = z ^ (z >>> 15)
  }
  if (state.every((word) => word === 0)) state[0] = 1
  return state
}
