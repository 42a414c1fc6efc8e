/** Web Locks as values: held until released, or until the worker that took them is gone. */

export interface HeldLock {
  readonly name: string
  release(): void
}

/** null when somebody else holds it now. */
export async function tryLock(name: string): Promise<HeldLock | null> {
  return request(name, { ifAvailable: true })
}

/** null when `signal` aborts first. */
export async function waitForLock(name: string, signal: AbortSignal): Promise<HeldLock | null> {
  if (signal.aborted) return null
  return request(name, { signal })
}

/** At once, whoever holds it or waits for it: for those who know that it is theirs. */
export async function stealLock(name: string): Promise<HeldLock> {
  const lock = await request(name, { steal: true })
  if (lock === null) throw new Error(`the lock ${name} was not given`)
  return lock
}

async function request(name: string, options: LockOptions): Promise<HeldLock | null> {
  return new Promise((resolve, reject) => {
    const hold = async (lock: Lock | null): Promise<void> => {
      if (lock === null) {
        resolve(null)
        return
      }
      await new Promise<void>((release) => resolve({ name, release }))
    }
    navigator.locks.request(name, options, hold).catch((error: unknown) => {
      if (options.signal?.aborted === true) resolve(null)
      else reject(error instanceof Error ? error : new Error(String(error)))
    })
  })
}

export async function isLocked(name: string): Promise<boolean> {
  const { held } = await navigator.locks.query()
  return held?.some((lock) => lock.name === name) ?? false
}
