/** setWatches: what a client that reconnects missed, and what it still waits for (N24–N29). */

import { AddWatchMode, EventType } from '../jute/event-type.ts'
import type { DataNode } from './data-node.ts'
import type { WatchManager, WatchSink } from './watch-manager.ts'

/** Lists of paths, as SetWatches2 carries them (W41). */
export interface RearmLists {
  /** The last zxid that the client saw. */
  readonly relativeZxid: bigint
  readonly data: readonly string[]
  /** Watches set while the node was missing, and only those (N27). */
  readonly exist: readonly string[]
  readonly child: readonly string[]
  readonly persistent: readonly string[]
  readonly recursive: readonly string[]
}

/** The part of DataTree that this needs. */
export interface NodeLookup {
  node(path: string): DataNode | undefined
}

/** No transaction causes these events (N29). */
const NO_ZXID = -1n

/**
 * Tells `watcher` at once what changed since, in list order (N29), and registers the rest. A watch
 * that is answered by an event is used up (N25); persistent ones are only registered (N26).
 */
export function rearmWatches(
  tree: NodeLookup,
  manager: WatchManager,
  watcher: number,
  lists: RearmLists,
  sink: WatchSink,
): void {
  const { relativeZxid } = lists
  for (const path of lists.data) {
    const node = tree.node(path)
    if (node === undefined) sink.event(watcher, EventType.NodeDeleted, path, NO_ZXID)
    else if (node.mzxid > relativeZxid) {
      sink.event(watcher, EventType.NodeDataChanged, path, NO_ZXID)
    } else manager.addData(path, watcher)
  }
  for (const path of lists.exist) {
    if (tree.node(path) !== undefined) sink.event(watcher, EventType.NodeCreated, path, NO_ZXID)
    else manager.addData(path, watcher)
  }
  for (const path of lists.child) {
    const node = tree.node(path)
    if (node === undefined) sink.event(watcher, EventType.NodeDeleted, path, NO_ZXID)
    else if (node.pzxid > relativeZxid) {
      sink.event(watcher, EventType.NodeChildrenChanged, path, NO_ZXID)
    } else manager.addChild(path, watcher)
  }
  for (const path of lists.persistent) manager.add(path, watcher, AddWatchMode.PERSISTENT)
  for (const path of lists.recursive) manager.add(path, watcher, AddWatchMode.PERSISTENT_RECURSIVE)
}
