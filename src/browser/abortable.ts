import { toError } from '../client/errors.ts'

/**
 * `work`, or the reason of the first signal that aborts; what `work` does later is then ignored.
 */
export function abortable<T>(
  work: Promise<T>,
  ...signals: readonly (AbortSignal | undefined)[]
): Promise<T> {
  const known = signals.filter((signal) => signal !== undefined)
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => {
      const aborted = known.find((signal) => signal.aborted)
      if (aborted !== undefined) reject(toError(aborted.reason))
    }
    for (const signal of known) signal.addEventListener('abort', onAbort, { once: true })
    onAbort()
    work.then(resolve, reject).finally(() => {
      for (const signal of known) signal.removeEventListener('abort', onAbort)
    })
  })
}
