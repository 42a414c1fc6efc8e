/** The two loops that measure; the same for the raw limit and for the product. */

export interface PipelineSpec {
  /** No new operation after it; those in flight still count, and so does their time. */
  readonly durationMs: number
  readonly inFlight: number
}

/** A busy machine would else take minutes for as many operations. */
const SEQUENCE_LIMIT_MS = 1_500

/** One after the other, `count` of them unless time runs out before; the time of each in ms. */
export async function measureSequence(
  operate: () => Promise<unknown>,
  count: number,
): Promise<number[]> {
  const tookMs: number[] = []
  const endMs = performance.now() + SEQUENCE_LIMIT_MS
  for (let i = 0; i < count; i++) {
    const startMs = performance.now()
    if (startMs > endMs) break
    await operate()
    tookMs.push(performance.now() - startMs)
  }
  return tookMs
}

/** Always as many in flight; operations per second. */
export async function measurePipeline(
  operate: () => Promise<unknown>,
  spec: PipelineSpec,
): Promise<number> {
  let done = 0
  const startMs = performance.now()
  const endMs = startMs + spec.durationMs
  const lane = async (): Promise<void> => {
    while (performance.now() < endMs) {
      await operate()
      done++
    }
  }
  await Promise.all(Array.from({ length: spec.inFlight }, lane))
  return (done / (performance.now() - startMs)) * 1000
}
