/** How the server's tree is made, at the start and for every state that replaces it. */
import type { DataTreeOptions } from '../tree/data-tree.ts'
import type { WatchManager } from '../tree/watch-manager.ts'
import type { ServerEffects } from './effect.ts'
import type { ServerConfig } from './server-config.ts'

export function treeOptions(
  config: ServerConfig,
  watches: WatchManager,
  effects: ServerEffects,
  isServing: () => boolean,
): DataTreeOptions {
  return {
    watches,
    digest: config.treeDigestEnabled ?? true,
    // What a replayed log goes beyond was told of when it was written (D53).
    onQuotaExceeded: (alarm) => {
      if (!isServing()) return
      effects.push({ kind: 'trace', event: { type: 'quota-exceeded', ...alarm } })
    },
  }
}
