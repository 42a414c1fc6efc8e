/** Groups and weights (Q6): Apache ZooKeeper 3.8 and ours agree on what a quorum is. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { zxidFiles } from '../../src/adapters/files/file-names.ts'
import { readSnapshot } from '../../src/adapters/files/snapshot-reader.ts'
import type { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { toServerId } from '../../src/core/base/zxid.ts'
import { restoreTree } from '../../src/core/tree/snapshot.ts'
import { NodeEnsemble } from '../edge/node-ensemble.ts'
import { startServer, stopEverything, waitUntilServing } from './apache.ts'

const LIMIT = { timeout: 180_000 }
const WAIT = { timeout: 60_000, interval: 100 }
const APACHE = 3
const WEIGHTS = [1, 1, 3] as const

afterAll(stopEverything)

async function configOf(client: ZooKeeperClient): Promise<string[]> {
  const { data } = await client.getData('/zookeeper/config')
  return new TextDecoder().decode(data!).split('\n')
}

test('who weighs most is a quorum alone, and without it there is none', LIMIT, async () => {
  const groups = [WEIGHTS.map((weight, at) => ({ sid: toServerId(at + 1), weight }))]
  await using ensemble = await NodeEnsemble.plan(3, 0, { groups })
  const servers = ensemble.members.map(({ sid, host, quorumPort, electionPort, role }) => {
    return `server.${sid}=${host}:${quorumPort}:${electionPort}:${role}`
  })
  const port = ensemble.members[APACHE - 1]!.clientPort!
  // Two of three, and two of five: nobody leads.
  const [one, two] = await Promise.all([ensemble.start(1), ensemble.start(2)])
  const apache = startServer({
    directory: join(ensemble.directory, 'apache'),
    clientPort: port,
    myid: APACHE,
    lines: [
      ...servers,
      'group.1=1:2:3',
      ...WEIGHTS.map((weight, at) => `weight.${at + 1}=${weight}`),
    ],
    properties: { 'zookeeper.snapshot.compression.method': 'gz' },
  })
  await waitUntilServing(port, 'leader')
  await Promise.all([one.serving, two.serving])
  {
    await using client = await ensemble.client(1)
    await client.create('/a')
    const lines = await configOf(client)
    expect(lines.slice(-5)).toEqual([
      ...['group.1=1:2:3', 'weight.1=1', 'weight.2=1', 'weight.3=3', 'version=0'],
    ])
    await using theirs = await ensemble.client(APACHE)
    await theirs.sync('/')
    expect(await theirs.exists('/a')).not.toBeNull()
  }
  // It goes on without both of ours, which a majority would not.
  await ensemble.stop(1)
  await ensemble.stop(2)
  {
    await using client = await ensemble.client(APACHE)
    await client.create('/alone')
  }
  const back = await ensemble.start(1)
  await back.serving
  await ensemble.start(2)
  await apache.stop()
  await vi.waitFor(() => {
    for (const sid of [1, 2]) {
      const { serving, quorum } = ensemble.servers.get(sid)!.status()
      expect([serving, quorum.reachable]).toEqual([false, false])
    }
  }, WAIT)
  // What Apache packed is read here.
  const [packed] = zxidFiles('snapshot', readdirSync(apache.dataDirectory))
  expect(packed?.name).toMatch(/\.gz$/)
  const chunks = readSnapshot(join(apache.dataDirectory, packed!.name))
  expect(restoreTree(chunks!, packed).node('/zookeeper/config')).toBeDefined()
})
