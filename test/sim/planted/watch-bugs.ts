/** Mistakes of who keeps watches and tells of changes. */
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { ZooKeeperServer } from '../../../src/core/server/zookeeper-server.ts'
import { WatchMode, WatchTable } from '../../../src/core/tree/watch-table.ts'
import { setWatchesRecord } from '../../../src/core/jute/session-records.ts'
import { decode } from '../../../src/core/jute/record.ts'
import type { PlantedBug } from './planted-bug.ts'
import { instead } from './replaced.ts'

export const WATCH_BUGS: readonly PlantedBug[] = [
  {
    name: 'watch-stays',
    what: 'a one-shot watch is not used up when it fires (N14)',
    foundBy: ['WatchOneShot'],
    plant: () =>
      instead(WatchTable.prototype, 'fire', (fire) => {
        return function (this: WatchTable, path) {
          const fired = fire.call(this, path)
          for (const watcher of fired ?? []) this.add(path, watcher, WatchMode.standard)
          return fired
        }
      }),
  },
  {
    name: 'catch-up-arms-again',
    what: 'setWatches tells of a change and sets the watch all the same (N25)',
    foundBy: ['WatchOneShot'],
    plant: () =>
      instead(ZooKeeperServer.prototype, 'submit', (submit) => {
        return function (this: ZooKeeperServer, connection, xid, type, bytes) {
          submit.call(this, connection, xid, type, bytes)
          if (type !== OpCode.setWatches) return
          const { dataWatches } = decode(setWatchesRecord, bytes, { allowTrailing: true })
          for (const path of dataWatches ?? []) this.tree.watches.addData(path, connection.id)
        }
      }),
  },
  {
    name: 'catch-up-from-here',
    what: 'setWatches compares with what the server has seen, not with what its client has (N24)',
    foundBy: ['WatchComplete'],
    plant: () =>
      instead(ZooKeeperServer.prototype, 'submit', (submit) => {
        return function (this: ZooKeeperServer, connection, xid, type, bytes) {
          if (type !== OpCode.setWatches) return submit.call(this, connection, xid, type, bytes)
          const changed = bytes.slice()
          new DataView(changed.buffer).setBigInt64(0, this.lastProcessed())
          submit.call(this, connection, xid, type, changed)
        }
      }),
  },
]
