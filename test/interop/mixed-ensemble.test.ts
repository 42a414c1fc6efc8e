/** Apache ZooKeeper 3.8 and our servers as members of one ensemble, over its own two ports. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import type { TraceEvent } from '../../src/core/zab/effect.ts'
import { TcpTransport } from '../../src/edge/tcp-transport.ts'
import { NodeEnsemble } from '../edge/node-ensemble.ts'
import { startServer, stopEverything, waitUntilServing, type ApacheServer } from './apache.ts'

const LIMIT_MS = 240_000
const WAIT = { timeout: 60_000, interval: 100 }
const APACHE = 3
const DATA = new Uint8Array(100)

afterAll(stopEverything)

function startApache(ensemble: NodeEnsemble): ApacheServer {
  return startServer({
    directory: join(ensemble.directory, `apache-${APACHE}`),
    clientPort: ensemble.members[APACHE - 1]!.clientPort!,
    myid: APACHE,
    lines: ensemble.members.map(({ sid, host, quorumPort, electionPort, role }) => {
      return `server.${sid}=${host}:${quorumPort}:${electionPort}:${role}`
    }),
    // Without the log on disk a learner far behind gets a SNAP (Q30).
    properties: { 'zookeeper.snapshotSizeFactor': '-1' },
  })
}

/** Between two leaders a client is refused; what it wants it says again. */
function again<T>(work: () => Promise<T>): Promise<T> {
  return vi.waitFor(work, WAIT)
}

async function namesAt(client: ZooKeeperClient): Promise<string[]> {
  return again(async () => {
    await client.sync('/')
    return [...(await client.getChildren('/'))].sort()
  })
}

async function write(client: ZooKeeperClient, prefix: string, count = 10): Promise<void> {
  for (let i = 0; i < count; i++) {
    const path = `/${prefix}${i}`
    await again(async () => (await client.exists(path)) ?? client.create(path, DATA))
  }
}

/** What synchronisations there were, as `out SNAP 3`. */
function noteSyncs(to: string[]): (event: TraceEvent) => void {
  return (event) => {
    if (event.type === 'sync') to.push(`${event.direction} ${event.mode} ${event.peer}`)
  }
}

test('each follows the other, by DIFF and by SNAP, nothing is lost', { timeout: LIMIT_MS }, run)

async function run(): Promise<void> {
  await using ensemble = await NodeEnsemble.plan(3, 1)
  const apachePort = ensemble.members[APACHE - 1]!.clientPort!
  const syncs: string[] = []
  const hooks = { onTrace: noteSyncs(syncs) }

  // Ours lead, Apache follows.
  await ensemble.start(1, hooks)
  await (
    await ensemble.start(2, hooks)
  ).serving
  await using one = await ensemble.client(1)
  await write(one, 'a')
  let apache = startApache(ensemble)
  await waitUntilServing(apachePort, 'follower')
  expect(syncs.splice(0)).toContain('out DIFF 3')
  await using moving = await ensemble.client(APACHE)
  await write(moving, 'b')
  await moving.create('/mine', null, { mode: CreateMode.EPHEMERAL })
  expect(await namesAt(one)).toEqual(await namesAt(moving))
  // S2: a session that Apache made goes on at a server of ours.
  const session = { id: moving.sessionId, password: moving.sessionPassword }
  const members = [{ host: '127.0.0.1', port: ensemble.members[0]!.clientPort! }]
  await using moved = await ZooKeeperClient.connect({
    transport: new TcpTransport({ members }),
    session,
  })
  expect(moved.sessionId).toBe(session.id)
  expect(await moved.exists('/mine')).toMatchObject({ ephemeralOwner: session.id })

  // Apache leads: ours follow, one of them from an empty disk, and one observes.
  await ensemble.stop(2)
  await waitUntilServing(apachePort, 'leader')
  await write(one, 'c')
  rmSync(join(ensemble.directory, '2'), { recursive: true })
  await (
    await ensemble.start(2, hooks)
  ).serving
  await (
    await ensemble.start(4, hooks)
  ).serving
  expect(ensemble.servers.get(4)!.status().role).toBe('observing')
  expect(syncs.splice(0)).toEqual(expect.arrayContaining(['in DIFF 3', 'in SNAP 3']))
  await using two = await ensemble.client(2)
  await using observed = await ensemble.client(4)
  await write(observed, 'd')
  expect(await namesAt(two)).toEqual(await namesAt(one))
  expect(await namesAt(observed)).toEqual(await namesAt(one))

  // Without Apache ours go on; when it comes back with nothing it gets a snapshot of ours.
  await apache.stop()
  await vi.waitFor(() => expect(ensemble.leader).toBe(2), WAIT)
  await write(two, 'e')
  rmSync(join(ensemble.directory, `apache-${APACHE}`), { recursive: true })
  syncs.length = 0
  apache = startApache(ensemble)
  await waitUntilServing(apachePort, 'follower')
  expect(syncs).toContain('out SNAP 3')
  await using back = await ensemble.client(APACHE)
  await write(back, 'f')
  const names = await namesAt(two)
  for (const client of [one, observed, back]) expect(await namesAt(client)).toEqual(names)
  for (const prefix of ['a', 'b', 'c', 'd', 'e', 'f']) {
    expect(names.filter((name) => name.startsWith(prefix))).toHaveLength(10)
  }
  const own = [...ensemble.servers.values()].map((server) => server.status())
  expect(new Set(own.map(({ treeDigest }) => treeDigest)).size).toBe(1)
  expect(own.map(({ alarm }) => alarm)).toEqual([null, null, null])
}
