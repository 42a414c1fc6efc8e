/** A server that was away comes back by what its leader's log on disk has (snapshotSizeFactor). */
import { expect, it } from 'vitest'
import type { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import type { TraceEvent } from '../../src/core/zab/effect.ts'
import type { ServerSettings } from '../../src/edge/settings.ts'
import { ASKER } from './admin/administered-member.ts'
import { NodeEnsemble } from './node-ensemble.ts'
import { eventually } from '../eventually.ts'

/** More than the 500 that a leader has in memory. */
const MISSED = 600
/** Much more than what the missed ones have together: 300 kB. */
const LARGE = new Uint8Array(30_000)
const LARGE_COUNT = 10
const LIMIT_MS = 60_000

async function writeAll(client: ZooKeeperClient, from: number, to: number): Promise<void> {
  const writes = Array.from({ length: to - from }, (_, i) => client.setData('/n', `${from + i}`))
  await Promise.all(writes)
}

class Away implements AsyncDisposable {
  readonly ensemble: NodeEnsemble
  readonly syncs: string[] = []

  private constructor(ensemble: NodeEnsemble) {
    this.ensemble = ensemble
  }

  /** Three servers, one of which misses some writes and is here again. */
  static async through(said: Partial<ServerSettings>): Promise<Away> {
    const away = new Away(await NodeEnsemble.plan(3, 0, { wordsAllowed: ['*'], ...said }))
    const { ensemble } = away
    await ensemble.startAll()
    const gone = [1, 2, 3].find((sid) => sid !== ensemble.leader)!
    {
      await using client = await ensemble.client(ensemble.leader!)
      await client.create('/n', null)
      for (let i = 0; i < LARGE_COUNT; i++) await client.create(`/large${i}`, LARGE)
      await writeAll(client, 0, 5)
      await ensemble.stop(gone)
      await writeAll(client, 5, 5 + MISSED)
    }
    const onTrace = (event: TraceEvent): void => {
      if (event.type === 'sync' && event.direction === 'in') away.syncs.push(event.mode)
    }
    const server = await ensemble.start(gone, { onTrace })
    await server.serving
    await using back = await ensemble.client(gone)
    const { data, stat } = await back.getData('/n')
    expect([new TextDecoder().decode(data!), stat.version]).toEqual([`${MISSED + 4}`, MISSED + 5])
    // What comes now comes to it as well.
    await writeAll(back, 0, 5)
    return away
  }

  /** What the leader counted. */
  figure(name: string): number {
    const { ensemble } = this
    const { administration } = ensemble.servers.get(ensemble.leader!)!
    const rows = administration.answerWord('mntr', ASKER) ?? ''
    return Number(new RegExp(`^zk_${name}\\t(\\S+)$`, 'm').exec(rows)?.[1])
  }

  /** No two of them have other trees. */
  async agree(): Promise<void> {
    await eventually(() => {
      const servers = [...this.ensemble.servers.values()]
      const trees = servers.map(({ member }) => [member.status().zxid, member.server.tree.digest])
      expect(new Set(trees.map(String)).size).toBe(1)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ensemble[Symbol.asyncDispose]()
  }
}

it(
  'by a DIFF, where that is less than a third of a snapshot',
  async () => {
    await using away = await Away.through({})
    expect(away.syncs).toEqual(['DIFF'])
    expect([away.figure('diff_count'), away.figure('snap_count')]).toEqual([3, 0])
    await away.agree()
  },
  LIMIT_MS,
)

it(
  'by a snapshot with snapshotSizeFactor=-1',
  async () => {
    await using away = await Away.through({ snapshotSizeFactor: -1 })
    expect(away.syncs).toEqual(['SNAP'])
    expect([away.figure('diff_count'), away.figure('snap_count')]).toEqual([2, 1])
    await away.agree()
  },
  LIMIT_MS,
)
