/** autopurge: old snapshots, and logs that none of the others needs, go at times (P18). */
import type { FileStorage } from '../adapters/files/storage.ts'
import type { ServerSettings } from './settings.ts'

/** The longest that a timer of Node's waits, ms. */
const TIMER_MAX_MS = 0x7fffffff

/**
 * At once and then so often as the settings say; never when they say 0, which is the default: what
 * nobody asked to delete stays. The result ends it.
 */
export function schedulePurge(
  storage: Pick<FileStorage, 'purge'>,
  settings: Pick<ServerSettings, 'purgeIntervalMs' | 'snapshotsRetained'>,
): () => void {
  const { purgeIntervalMs, snapshotsRetained } = settings
  if (purgeIntervalMs === 0) return () => undefined
  // A disk that refuses has failed the storage, which tells whom it concerns.
  const purge = (): void => void storage.purge(snapshotsRetained).catch(() => undefined)
  purge()
  const timer = setInterval(purge, Math.min(purgeIntervalMs, TIMER_MAX_MS))
  timer.unref()
  return () => clearInterval(timer)
}
