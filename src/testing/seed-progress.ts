/**
 * Says where a run of many seeds stands, in the time of who waits for it: a runner that ends a test
 * which takes too long names neither its seed nor how far it came.
 */

/** ms. Ours: before the 5 s after which Vitest ends a test that says nothing else. */
const FIRST_WORD_MS = 4000
/** ms between the next ones. Ours. */
const NEXT_WORD_MS = 30_000

type Platform = (call: (...args: never[]) => void, ms: number) => unknown

/** As they are when this module is loaded: a test may put others in their place. */
const [startTimer, endTimer] = [
  Reflect.get(globalThis, 'setTimeout') as Platform | undefined,
  Reflect.get(globalThis, 'clearTimeout') as ((timer: unknown) => void) | undefined,
]

export class SeedProgress implements Disposable {
  readonly #runs: number
  readonly #say: (text: string) => void
  #seed = 0
  #done = -1
  #realMs = 0
  #timer: unknown = null

  constructor(runs: number, say: (text: string) => void) {
    this.#runs = runs
    this.#say = say
    this.#sayAfter(FIRST_WORD_MS)
  }

  begins(seed: number): void {
    this.#seed = seed
    this.#done++
  }

  [Symbol.dispose](): void {
    endTimer?.(this.#timer)
  }

  #sayAfter(ms: number): void {
    this.#timer = startTimer?.(() => {
      this.#realMs += ms
      this.#say(this.#text())
      this.#sayAfter(NEXT_WORD_MS)
    }, ms)
    // In Node: a process whose virtual time stands still for good ends, as without this.
    const timer = this.#timer
    const unref: unknown =
      typeof timer === 'object' && timer !== null ? Reflect.get(timer, 'unref') : null
    if (typeof unref === 'function') Reflect.apply(unref, timer, [])
  }

  #text(): string {
    const done = `seed ${this.#seed} runs after ${this.#done} of ${this.#runs}`
    const first = `${done} were done in ${this.#realMs / 1000} s`
    const limit = 'if the test ends for its time limit, give it more (Vitest: --testTimeout=600000)'
    return `zabra/testing: ${first}; this seed alone: ZABRA_SEED=${this.#seed}; ${limit}`
  }
}
