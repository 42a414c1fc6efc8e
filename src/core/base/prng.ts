/**
 * Seeded random numbers for simulations and jitter: xoshiro128**, never for secrets.
 *
 * A fork depends on the seed and the label only, not on how many numbers were drawn before. So one
 * more draw in one place of a simulation leaves every other place's numbers as they were.
 */

import { assert } from './assert.ts'

export class Prng {
  readonly #seed: string
  #a: number
  #b: number
  #c: number
  #d: number

  /** A number and its decimal text are the same seed. */
  constructor(seed: number | string) {
    this.#seed = String(seed)
    const nextWord = seedWords(this.#seed)
    this.#a = nextWord()
    this.#b = nextWord()
    this.#c = nextWord()
    // The state must not be all zero.
    this.#d = nextWord() | 1
  }

  /** In [0, 1), with 32 random bits. */
  next(): number {
    return this.uint32() / 0x1_0000_0000
  }

  uint32(): number {
    const times5 = Math.imul(this.#b, 5)
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = (this.#d << 11) | (this.#d >>> 21)
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

/** Two hashes over the text (FNV-1a and a reversed one), then a splitmix32 stream from them. */
function seedWords(seed: string): () => number {
  let hash = 0x811c_9dc5
  for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x0100_0193)
  let second = 0x9e37_79b9
  for (let i = seed.length - 1; i >= 0; i--) {
    second = Math.imul(second ^ seed.charCodeAt(i), 0x85eb_ca6b)
    second ^= second >>> 15
  }
  return () => {
    hash = (hash + 0x9e37_79b9) | 0
    second = Math.imul(second ^ (second >>> 13), 0xc2b2_ae35)
    let z = hash ^ second
    z = Math.imul(z ^ (z >>> 16), 0x21f0_aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a_2d97)
    return z ^ (z >>> 15)
  }
}
