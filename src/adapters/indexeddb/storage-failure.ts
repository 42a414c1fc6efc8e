/** From what IndexedDB throws to what the port promises. */
import { messageOf } from '../../core/base/message-of.ts'
import { StorageError, type StorageErrorCode } from '../../ports/storage.ts'

export function toStorageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error
  const name = nameOf(error)
  const message = messageOf(error)
  return new StorageError(codeOf(name), `${textOf(name)}: ${message}`, { cause: error })
}

/** As the browser or a class has it; '' for what is no error. A DOMException is one. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : ''
}

/** True for a broken invariant of the caller, which must surface as what it is. */
export function isProgrammersError(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AssertionError' || error instanceof TypeError)
}

function codeOf(name: string): StorageErrorCode {
  switch (name) {
    case 'QuotaExceededError':
      return 'quota'
    case 'VersionError':
      return 'newer-format'
    // The connection went away under the transaction.
    case 'AbortError':
    case 'InvalidStateError':
    case 'TransactionInactiveError':
      return 'closed'
    case 'NotReadableError':
    case 'DataError':
      return 'corrupt'
    default:
      return 'unavailable'
  }
}

function textOf(name: string): string {
  if (name === 'QuotaExceededError') return 'the browser gives this site no more disk space'
  return 'IndexedDB failed'
}

/**
 * Rejects with `late()` when `work` has not settled in time. `work` goes on; its late outcome is
 * ignored, so the caller must make sure that a late success counts for nothing.
 */
export async function withTimeLimit<T>(
  work: Promise<T>,
  limitMs: number,
  late: () => StorageError,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), limitMs)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}
