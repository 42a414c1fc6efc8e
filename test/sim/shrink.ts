/**
 * Makes a failed run smaller while it still breaks the same rule: fewer faults, clients and
 * observers, a shorter time of faults. Every attempt is a whole run, so attempts are counted.
 */
import type { Draw } from './draw.ts'
import type { ChosenFaults, FaultId } from './faults/fault-choice.ts'
import { runSeed, type RunOptions, type RunResult } from './run-seed.ts'

/** Whole runs; half a second each. */
const ATTEMPTS_MAX = 120

export interface Shrunk {
  readonly result: RunResult
  readonly options: RunOptions
  readonly attempts: number
}

export function shrink(failed: RunResult, options: RunOptions): Shrunk {
  const shrinker = new Shrinker(failed, options)
  shrinker.endEarly()
  shrinker.dropFaults()
  shrinker.dropClients()
  shrinker.dropFaults()
  return shrinker.done()
}

class Shrinker {
  readonly #checker: string
  #result: RunResult
  #options: RunOptions
  #attempts = 0

  constructor(failed: RunResult, options: RunOptions) {
    this.#checker = failed.violation?.checker ?? ''
    this.#result = failed
    this.#options = { ...options, onlyFaults: idsOf(failed) }
  }

  done(): Shrunk {
    return { result: this.#result, options: this.#options, attempts: this.#attempts }
  }

  /** Nothing is needed that came after the violation. */
  endEarly(): void {
    const safetyMs = Math.ceil(this.#result.violation?.atMs ?? 0)
    if (safetyMs > 0) this.#try({ ...this.#options, drawn: { ...this.#drawn, safetyMs } })
  }

  /** Halves, then quarters, down to single ones: what can go goes. */
  dropFaults(): void {
    let size = Math.ceil(this.#faults.length / 2)
    while (size >= 1) {
      let at = 0
      while (at < this.#faults.length) {
        const ids = this.#faults
        const onlyFaults = new Set([...ids.slice(0, at), ...ids.slice(at + size)])
        if (!this.#try({ ...this.#options, onlyFaults })) at += size
      }
      if (size === 1) break
      size = Math.ceil(size / 2)
    }
  }

  dropClients(): void {
    if (this.#result.pages > 0) this.#tryDrawn({ pages: 0 })
    if (this.#result.observers > 0) this.#tryDrawn({ observers: 0 })
    while (this.#result.readers > 0) {
      if (!this.#tryDrawn({ readers: this.#result.readers - 1 })) break
    }
    while (this.#result.clients > 1) {
      if (!this.#tryDrawn({ clients: this.#result.clients - 1 })) break
    }
  }

  get #faults(): readonly FaultId[] {
    return this.#result.injected.map(({ id }) => id)
  }

  get #drawn(): Partial<Draw> {
    return this.#options.drawn ?? {}
  }

  #tryDrawn(drawn: Partial<Draw>): boolean {
    return this.#try({ ...this.#options, drawn: { ...this.#drawn, ...drawn } })
  }

  #try(options: RunOptions): boolean {
    if (this.#attempts >= ATTEMPTS_MAX) return false
    this.#attempts++
    const result = runSeed(this.#result.seed, options)
    if (result.violation?.checker !== this.#checker) return false
    this.#result = result
    // What did not happen any more, as a fault of a room without pages, was not needed either.
    this.#options = { ...options, onlyFaults: idsOf(result) }
    return true
  }
}

function idsOf({ injected }: RunResult): ChosenFaults {
  return new Set(injected.map(({ id }) => id))
}
