import type { EventType, KeeperState } from '../core/jute/event-type.ts'

/** What a watcher is told. It carries no data (N18). */
export interface WatchedEvent {
  readonly type: EventType
  readonly state: KeeperState
  /** null in session events (type None). */
  readonly path: string | null
  /** Of the transaction that fired the watch; −1 when there is none (W16). */
  readonly zxid: bigint
}

export type Watcher = (event: WatchedEvent) => void

export const NO_ZXID = -1n

/** Watchers that only hand the event on and never throw. */
const immediate = new WeakSet<Watcher>()

/** Marks a watcher that must be told before later replies resolve, not in a microtask. */
export function callAtOnce(watcher: Watcher): Watcher {
  immediate.add(watcher)
  return watcher
}

/**
 * Promises that were settled before run their continuations in the microtask queue, so a callback
 * that is to come after them goes there as well (N22). What it throws is an uncaught error of the
 * page, as of any event listener, and harms nobody else.
 */
export function tell(watcher: Watcher, event: WatchedEvent): void {
  if (immediate.has(watcher)) watcher(event)
  else queueMicrotask(() => watcher(event))
}
