/** The requests that arm a client's watches again on a new connection (W41, W57, N24). */

import { OpCode } from '../core/jute/op-code.ts'
import { encodeWith } from '../core/jute/record.ts'
import { writeSetWatches, writeSetWatches2 } from '../core/jute/session-records.ts'
import { SET_WATCHES_MAX_CHARS } from './limits.ts'
import type { WatchedPaths } from './watch-tables.ts'

export interface SetWatchesBatch {
  readonly type: typeof OpCode.setWatches | typeof OpCode.setWatches2
  readonly body: Uint8Array
}

type ListName = keyof WatchedPaths

const LIST_NAMES: readonly ListName[] = ['data', 'exist', 'child', 'persistent', 'recursive']

/** A batch may be longer than the bound by its last path, as ClientCnxn's are. */
export function setWatchesBatches(
  paths: WatchedPaths,
  relativeZxid: bigint,
  maxChars: number = SET_WATCHES_MAX_CHARS,
): SetWatchesBatch[] {
  const batches: SetWatchesBatch[] = []
  let lists = emptyLists()
  let chars = 0
  for (const name of LIST_NAMES) {
    for (const path of paths[name]) {
      lists[name].push(path)
      chars += path.length
      if (chars < maxChars) continue
      batches.push(encodeBatch(lists, relativeZxid))
      lists = emptyLists()
      chars = 0
    }
  }
  if (chars > 0) batches.push(encodeBatch(lists, relativeZxid))
  return batches
}

function emptyLists(): Record<ListName, string[]> {
  return { data: [], exist: [], child: [], persistent: [], recursive: [] }
}

function encodeBatch(lists: Record<ListName, string[]>, relativeZxid: bigint): SetWatchesBatch {
  const oneShot = {
    relativeZxid,
    dataWatches: lists.data,
    existWatches: lists.exist,
    childWatches: lists.child,
  }
  // The older form wherever it says enough, so that older servers understand (W71).
  if (lists.persistent.length === 0 && lists.recursive.length === 0) {
    return { type: OpCode.setWatches, body: encodeWith(writeSetWatches, oneShot) }
  }
  const body = encodeWith(writeSetWatches2, {
    ...oneShot,
    persistentWatches: lists.persistent,
    persistentRecursiveWatches: lists.recursive,
  })
  return { type: OpCode.setWatches2, body }
}
