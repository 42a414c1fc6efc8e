/** Web Locks as values: held until released, or until the worker that took them is gone. */

export interface HeldLock {
  /** Resolves when it is free for others: the browser hears of it a moment after it was let go. */
  release(): Promise<void>
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
      if (lock === null) return resolve(null)
      await new Promise<void>((letGo) => {
        const release = async (): Promise<void> => {
          letGo()
          // It settles before the browser knows: a worker that asked at once found the lock taken.
          // What this thread asks next is answered after that. Not to be answered is no error of
          // letting go, nor that the lock was stolen before.
          await held.then(() => navigator.locks.query()).catch(() => undefined)
        }
        resolve({ release })
      })
    }
    const held = navigator.locks.request(name, options, hold)
    held.catch((error: Error) => {
      if (options.signal?.aborted === true) resolve(null)
      else reject(error)
    })
  })
}

export async function isLocked(name: string): Promise<boolean> {
  const { held } = await navigator.locks.query()
  return held?.some((lock) => lock.name === name) ?? false
}
