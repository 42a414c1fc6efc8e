/**
 * Will the browser keep what this origin stores? Asked by the page: `persist()` exists only there.
 * The answers are shown to the user, a private window included; nothing depends on them.
 */

export interface StoragePersistence {
  /** The browser promised not to evict this origin's storage on its own. */
  readonly persisted: boolean
  readonly quotaBytes: number | null
  readonly usageBytes: number | null
  /** In a private window everything is gone when the last one closes. A guess from symptoms. */
  readonly privateWindow: boolean | 'unknown'
}

/** Chromium only. */
interface PerformanceMemory {
  readonly memory?: { readonly jsHeapSizeLimit?: number }
}

export function requestPersistence(): Promise<StoragePersistence> {
  return look(ask)
}

/** The same without asking the browser, which may ask the user. */
export function readPersistence(): Promise<StoragePersistence> {
  return look(() => orNull(navigator.storage.persisted()))
}

async function look(isPersisted: () => Promise<boolean | null>): Promise<StoragePersistence> {
  if (!('storage' in navigator)) {
    return { persisted: false, quotaBytes: null, usageBytes: null, privateWindow: 'unknown' }
  }
  const estimate = await orNull(navigator.storage.estimate())
  const quotaBytes = estimate?.quota ?? null
  return {
    persisted: (await isPersisted()) ?? false,
    quotaBytes,
    usageBytes: estimate?.usage ?? null,
    privateWindow: await guessPrivateWindow(quotaBytes, estimate?.usage ?? 0),
  }
}

async function ask(): Promise<boolean | null> {
  const storage: Partial<StorageManager> = navigator.storage
  if ((await orNull(navigator.storage.persisted())) === true) return true
  // Absent in workers.
  return storage.persist === undefined ? null : orNull(navigator.storage.persist())
}

/**
 * What today's Chromium reports as free in every kind of window, so that nobody can tell them
 * apart.
 */
const CHROMIUM_REPORTED_BYTES = 10 * 1024 ** 3

/**
 * Firefox and Safari refuse the private file system in private windows. Older Chromium took its
 * quota there from memory, which made it smaller than twice the limit of the JavaScript heap.
 */
async function guessPrivateWindow(
  quotaBytes: number | null,
  usageBytes: number,
): Promise<boolean | 'unknown'> {
  const storage: Partial<StorageManager> = navigator.storage
  if (storage.getDirectory !== undefined) {
    if ((await orNull(navigator.storage.getDirectory())) === null) return true
  }
  const heapLimit = (performance as PerformanceMemory).memory?.jsHeapSizeLimit
  if (heapLimit === undefined || quotaBytes === null) return 'unknown'
  if (quotaBytes < 2 * heapLimit) return true
  return quotaBytes - usageBytes === CHROMIUM_REPORTED_BYTES ? 'unknown' : false
}

/** A refusal is an answer here. */
async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked
  } catch {
    return null
  }
}
