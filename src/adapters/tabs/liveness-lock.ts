/**
 * Crash hints between tabs of one browser: every member holds a lock for as long as it lives, and
 * its peers queue for it. Being granted means that the holder is gone, some 70 ms after a crash.
 * A frozen holder keeps its lock, so silence of this hint means nothing.
 */
import { type HeldLock, isLocked, stealLock } from './web-lock.ts'

function livenessLockName(incarnation: string): string {
  return `zabra/alive/${incarnation}`
}

/**
 * Taken before the incarnation is published, held for the worker's life. Who calls holds the
 * identity itself, so nobody else lives by this name. A watcher of the life before may hold it: for
 * a moment, or for as long as its tab is frozen, and no tab waits for that (found by `soak`).
 */
export function holdLiveness(incarnation: string): Promise<HeldLock> {
  return stealLock(livenessLockName(incarnation))
}

/**
 * Calls `onGone` once when the member dies. Resolves to false, and watches nothing, when no such
 * member lives in this browser. After `onGone`, or after `signal`, the watch is over.
 */
export async function watchLiveness(
  incarnation: string,
  onGone: () => void,
  signal: AbortSignal,
): Promise<boolean> {
  const name = livenessLockName(incarnation)
  if (!(await isLocked(name)) || signal.aborted) return false
  const granted = async (): Promise<void> => {
    if (!signal.aborted) onGone()
  }
  // Shared: all watchers are told at once, and none keeps the member's next life waiting.
  // A hint that cannot be had is no error: the silence limit finds the dead member anyway.
  navigator.locks.request(name, { mode: 'shared', signal }, granted).catch(() => undefined)
  return true
}
