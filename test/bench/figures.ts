/** Samples of one run, and the few statistics that are printed. */

export function percentile(samples: readonly number[], part: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const index = Math.min(sorted.length - 1, Math.floor(part * sorted.length))
  return sorted[index] ?? Number.NaN
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5)
}

/** What stands in one row: the raw limit, then a client in the leader's tab, then in another. */
export type Side = 'raw' | 'leader' | 'follower'

/** One value per round, so that values of the same round can be divided by each other. */
export class Figures {
  readonly #values = new Map<string, number[]>()

  add(side: Side, name: string, value: number): void {
    const key = `${side} ${name}`
    const known = this.#values.get(key)
    if (known === undefined) this.#values.set(key, [value])
    else known.push(value)
  }

  addLatency(side: Side, name: string, tookMs: readonly number[]): void {
    this.add(side, `${name} p50`, median(tookMs))
    this.add(side, `${name} p99`, percentile(tookMs, 0.99))
  }

  of(side: Side, name: string): readonly number[] {
    return this.#values.get(`${side} ${name}`) ?? []
  }

  /** Round by round: what the machine did to one side of a round it did to the other as well. */
  ratios(side: Side, name: string): number[] {
    const raw = this.of('raw', name)
    return this.of(side, name).flatMap((value, round) => {
      const limit = raw[round]
      return limit === undefined ? [] : [value / limit]
    })
  }

  toJSON(): Record<string, readonly number[]> {
    return Object.fromEntries(this.#values)
  }
}
