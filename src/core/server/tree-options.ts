/** How the server's tree is made, at the start and for every state that replaces it. */
import type { DataTreeOptions } from '../tree/data-tree.ts'
import { ownerKind } from '../tree/stat.ts'
import type { WatchManager } from '../tree/watch-manager.ts'
import type { ServerEffects } from './effect.ts'
import type { ServerConfig } from './server-config.ts'
import type { ServerWitness } from './witness.ts'

export function treeOptions(
  config: ServerConfig,
  watches: WatchManager,
  effects: ServerEffects,
  server: { readonly isServing: boolean; readonly witness: ServerWitness | null },
): DataTreeOptions {
  return {
    watches,
    digest: config.treeDigestEnabled ?? true,
    // What a replayed log goes beyond was told of when it was written (D53).
    onQuotaExceeded: (alarm) => {
      if (!server.isServing) return
      effects.push({ kind: 'trace', event: { type: 'quota-exceeded', ...alarm } })
    },
    // Of what was done while this server serves, and not of the log that brought it there.
    onWrite: (write, { path, ephemeralOwner }, bytes) => {
      const { witness } = server
      if (witness === null || !server.isServing) return
      witness.concerning('write_per_namespace', path, path.length + bytes)
      if (write === 'setData' || ownerKind(ephemeralOwner) !== 'ttl') return
      witness.count(write === 'create' ? 'ttl_node_created_count' : 'ttl_node_deleted_count')
    },
  }
}
