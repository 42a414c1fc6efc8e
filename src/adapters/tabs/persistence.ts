/**
 * Will the browser keep what this origin stores? Asked by the page: `persist()` exists only there.
 * The answers are shown to the user, a private window included; nothing depends on them.
 */

export interface StoragePersistence {
  /** The browser promised not to evict this origin's storage on its own. */
  readonly persisted: boolean
  /** The user was asked and has not answered: `persisted` is not final. */
  readonly isAsking: boolean
  readonly quotaBytes: number | null
  readonly usageBytes: number | null
  /** In a private window everything is gone when the last one closes. A guess from symptoms. */
  readonly privateWindow: boolean | 'unknown'
}

/** Chromium only. */
interface PerformanceMemory {
  readonly memory?: { readonly jsHeapSizeLimit?: number }
}

/** A browser that decides by itself does so in some ms. Ours: far above; nobody is kept long. */
const DECISION_TIMEOUT_MS = 1_000

/** Of this page: Firefox puts the question to the user, who may leave it open for ever. */
let openQuestions = 0

/**
 * Resolves without the answer when the user has to give it and takes time; the answer goes to
 * `onAnswer` should it come.
 */
export async function requestPersistence(
  onAnswer: (answered: StoragePersistence) => void = () => {},
): Promise<StoragePersistence> {
  openQuestions++
  const asked = ask().finally(() => openQuestions--)
  const isLate = await Promise.race([asked.then(() => false), decisionTimeout()])
  if (isLate) void asked.then(readPersistence).then(onAnswer)
  return readPersistence()
}

/** The same without asking the browser, which may ask the user. */
export async function readPersistence(): Promise<StoragePersistence> {
  if (!('storage' in navigator)) {
    return {
      persisted: false,
      isAsking: false,
      quotaBytes: null,
      usageBytes: null,
      privateWindow: 'unknown',
    }
  }
  const estimate = await orNull(navigator.storage.estimate())
  const quotaBytes = estimate?.quota ?? null
  const usageBytes = estimate?.usage ?? null
  return {
    persisted: (await orNull(navigator.storage.persisted())) ?? false,
    isAsking: openQuestions > 0,
    quotaBytes,
    usageBytes,
    privateWindow: await guessPrivateWindow(quotaBytes, usageBytes ?? 0),
  }
}

/** What it answers shows in `persisted()`. */
async function ask(): Promise<void> {
  const storage: Partial<StorageManager> | undefined = navigator.storage
  // Absent in workers.
  if (storage?.persist !== undefined) await orNull(navigator.storage.persist())
}

function decisionTimeout(): Promise<true> {
  return new Promise((resolve) => setTimeout(() => resolve(true), DECISION_TIMEOUT_MS))
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
