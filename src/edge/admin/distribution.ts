/** Running figures of one measured quantity, as ZooKeeper's metrics keep them (O26). */

/** Average, minimum, maximum, count and sum since the last reset. */
export class AvgMinMax {
  count = 0
  sum = 0
  #min = Infinity
  #max = -Infinity

  add(value: number): void {
    this.count++
    this.sum += value
    if (value < this.#min) this.#min = value
    if (value > this.#max) this.#max = value
  }

  /** 0 when nothing was measured, as ZooKeeper says; so are minimum and maximum. */
  get average(): number {
    return this.count === 0 ? 0 : Math.round((this.sum / this.count) * 10_000) / 10_000
  }

  /** Whole units, as ZooKeeper counts: what takes less than a millisecond takes none. */
  get min(): number {
    return this.count === 0 ? 0 : Math.floor(this.#min)
  }

  get max(): number {
    return this.count === 0 ? 0 : Math.floor(this.#max)
  }

  reset(): void {
    this.count = 0
    this.sum = 0
    this.#min = Infinity
    this.#max = -Infinity
  }
}

/** Each power of two is cut into so many buckets: a quantile is wrong by at most 9 %. */
const BUCKETS_PER_DOUBLING = 8
/** The finest difference that buckets show, in units of the value: 1/16 ms of a latency. */
const RESOLUTION = 16
/** Up to 2^32 sixteenths: three days of a latency. */
const BUCKETS = 32 * BUCKETS_PER_DOUBLING + 1
/** A quantile speaks of the last one to two of these, ms. ZooKeeper's default rotation. */
const WINDOW_MS = 60_000

/** The same with quantiles of the last minutes, at the cost of one logarithm per value. */
export class Distribution extends AvgMinMax {
  #now = new Uint32Array(BUCKETS)
  #before = new Uint32Array(BUCKETS)
  #turnedAtMs = -Infinity

  override add(value: number): void {
    super.add(value)
    const bucket = Math.floor(Math.log2(value * RESOLUTION + 1) * BUCKETS_PER_DOUBLING)
    const index = Math.max(0, Math.min(BUCKETS - 1, bucket))
    this.#now[index] = (this.#now[index] ?? 0) + 1
  }

  /** The window turns only when somebody reads, so that adding needs no clock. */
  turn(elapsedMs: number): void {
    if (elapsedMs - this.#turnedAtMs < WINDOW_MS) return
    this.#turnedAtMs = elapsedMs
    const oldest = this.#before
    this.#before = this.#now
    this.#now = oldest.fill(0)
  }

  /** NaN when the window is empty, which Prometheus shows as such. */
  quantile(fraction: number): number {
    const counts = this.#now.map((count, index) => count + (this.#before[index] ?? 0))
    const total = counts.reduce((sum, count) => sum + count, 0)
    if (total === 0) return NaN
    let left = Math.ceil(fraction * total)
    const index = counts.findIndex((count) => (left -= count) <= 0)
    return (2 ** ((index + 0.5) / BUCKETS_PER_DOUBLING) - 1) / RESOLUTION
  }

  override reset(): void {
    super.reset()
    this.#now.fill(0)
    this.#before.fill(0)
  }
}

/** Last, least and greatest size in bytes; −1 while there was none (ZooKeeper's BufferStats). */
export class SizeRange {
  last = -1
  min = -1
  max = -1

  add(bytes: number): void {
    this.last = bytes
    if (this.min === -1 || bytes < this.min) this.min = bytes
    if (bytes > this.max) this.max = bytes
  }

  reset(): void {
    this.last = -1
    this.min = -1
    this.max = -1
  }
}
