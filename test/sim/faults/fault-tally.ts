/** How often each kind of fault was drawn, and how often it found something to hurt. */

export interface FaultCount {
  readonly drawn: number
  readonly happened: number
}

export class FaultTally {
  readonly #counts = new Map<string, { drawn: number; happened: number }>()

  get counts(): ReadonlyMap<string, FaultCount> {
    return this.#counts
  }

  get happened(): number {
    return [...this.#counts.values()].reduce((sum, { happened }) => sum + happened, 0)
  }

  /** To be called when it happens; of use once. */
  drawn(kind: string): () => void {
    const count = this.#of(kind)
    count.drawn++
    let isLeft = true
    return () => {
      if (isLeft) count.happened++
      isLeft = false
    }
  }

  add(counts: ReadonlyMap<string, FaultCount>): void {
    for (const [kind, { drawn, happened }] of counts) {
      const count = this.#of(kind)
      count.drawn += drawn
      count.happened += happened
    }
  }

  #of(kind: string): { drawn: number; happened: number } {
    let count = this.#counts.get(kind)
    if (count === undefined) this.#counts.set(kind, (count = { drawn: 0, happened: 0 }))
    return count
  }
}
