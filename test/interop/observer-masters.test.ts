/** observerMasterPort (Q58): Apache ZooKeeper 3.8 observes our follower, and we its follower. */
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import type { TraceEvent } from '../../src/core/zab/effect.ts'
import { NodeServer } from '../../src/edge/node-server.ts'
import type { HostAndPort } from '../../src/edge/connect-string.ts'
import { ownPorts } from '../own-ports.ts'
import { TcpTransport } from '../../src/edge/tcp-transport.ts'
import { NodeEnsemble } from '../edge/node-ensemble.ts'
import { startServer, stopEverything, waitUntilServing, type ApacheServer } from './apache.ts'

const LIMIT_MS = 240_000
const WAIT = { timeout: 60_000, interval: 100 }
/** Voters are ours, ours, and Apache's, by their ids. */
const [OUR_FOLLOWER, OUR_LEADER, APACHE_FOLLOWER] = [1, 2, 3]
const [APACHE_OBSERVER, OUR_OBSERVER] = [4, 5]
/** So few that a newcomer gets a snapshot. */
const COMMIT_LOG_COUNT = 5

afterAll(stopEverything)

function startApache(ensemble: NodeEnsemble, myid: number, masterPort: number): ApacheServer {
  const isObserver = ensemble.members[myid - 1]!.role === 'observer'
  return startServer({
    directory: join(ensemble.directory, `apache-${myid}`),
    clientPort: ensemble.members[myid - 1]!.clientPort!,
    myid,
    lines: [
      ...ensemble.members.map(({ sid, host, quorumPort, electionPort, role }) => {
        return `server.${sid}=${host}:${quorumPort}:${electionPort}:${role}`
      }),
      `observerMasterPort=${masterPort}`,
      ...(isObserver ? ['peerType=observer'] : []),
    ],
    properties: { 'zookeeper.snapshotSizeFactor': '-1' },
  })
}

function noteSyncs(to: string[]): (event: TraceEvent) => void {
  return (event) => {
    if (event.type === 'sync') to.push(`${event.direction} ${event.mode} ${event.peer}`)
  }
}

/** What a client does at an observer, and what the others see of it. */
async function useObserver(
  ensemble: NodeEnsemble,
  observer: number,
  elsewhere: ZooKeeperClient,
): Promise<void> {
  const hostOf = (sid: number): HostAndPort => {
    return { host: '127.0.0.1', port: ensemble.members[sid - 1]!.clientPort! }
  }
  const transport = new TcpTransport({ members: [hostOf(observer)] })
  await using client = await ZooKeeperClient.connect({ transport })
  const [mine, theirs] = [`/mine${observer}`, `/theirs${observer}`]
  await client.create(mine, null, { mode: CreateMode.EPHEMERAL })
  const changes = client.watch(theirs, { kind: 'exists' })
  await client.exists(theirs)
  await elsewhere.create(theirs)
  expect((await changes.next()).value).toMatchObject({ path: theirs })
  for (let version = 1; version <= 3; version++) {
    await elsewhere.setData(theirs, String(version))
    await client.sync(theirs)
    expect((await client.getData(theirs)).stat.version).toBe(version)
  }
  await elsewhere.sync('/')
  expect(await elsewhere.exists(mine)).toMatchObject({ ephemeralOwner: client.sessionId })
  // Away, and back: the observer asks whether the session lives. By one client: of two that know
  // its password, each takes it from the other.
  const { sessionId } = client
  for (const sid of [OUR_LEADER, observer]) {
    transport.members = [hostOf(sid)]
    client.updateServerList()
    await client.connected()
    expect(client.sessionId).toBe(sessionId)
    await client.create(`/by${sid}at${observer}`)
  }
  await client.close()
  await vi.waitFor(async () => expect(await elsewhere.exists(mine)).toBeNull(), WAIT)
}

test(
  'an observer of Apache’s learns from our follower, one of ours from its',
  async () => {
    const [ours = 0, theirs = 0] = await ownPorts(2)
    const syncs: string[] = []
    const hooks = { onTrace: noteSyncs(syncs) }
    await using ensemble = await NodeEnsemble.plan(3, 2, {
      observerMasterPort: theirs,
      commitLogCount: COMMIT_LOG_COUNT,
    })
    // A port of its own: Apache's observer shuffles the list, and finds one server at that port.
    const settings = { ...ensemble.settings(OUR_FOLLOWER), observerMasterPort: ours }
    ensemble.servers.set(OUR_FOLLOWER, await NodeServer.open(settings, hooks))
    await (
      await ensemble.start(OUR_LEADER)
    ).serving
    const apache = startApache(ensemble, APACHE_FOLLOWER, theirs)
    await using elsewhere = await ensemble.client(OUR_LEADER)
    for (let i = 0; i < 2 * COMMIT_LOG_COUNT; i++) await elsewhere.create(`/n${i}`, 'data')
    const observing = startApache(ensemble, APACHE_OBSERVER, ours)
    const portOf = (sid: number): number => ensemble.members[sid - 1]!.clientPort!
    await waitUntilServing(portOf(APACHE_OBSERVER), 'observer')
    const peersOf = (sid: number): { sid: number; synced: boolean }[] =>
      ensemble.servers
        .get(sid)!
        .status()
        .observerPeers.map(({ sid: of, synced }) => {
          return { sid: of, synced }
        })
    expect(peersOf(OUR_FOLLOWER)).toEqual([{ sid: APACHE_OBSERVER, synced: true }])
    expect(peersOf(OUR_LEADER)).not.toContainEqual({ sid: APACHE_OBSERVER, synced: true })
    expect(syncs).toContain(`out SNAP ${APACHE_OBSERVER}`)
    await useObserver(ensemble, APACHE_OBSERVER, elsewhere)
    await observing.stop()

    await waitUntilServing(portOf(APACHE_FOLLOWER), 'follower')
    await ensemble.stop(OUR_FOLLOWER)
    const observer = await ensemble.start(OUR_OBSERVER, hooks)
    await observer.serving
    expect(observer.status()).toMatchObject({ leader: OUR_LEADER, learnsFrom: APACHE_FOLLOWER })
    expect(syncs).toContain(`in SNAP ${APACHE_FOLLOWER}`)
    await useObserver(ensemble, OUR_OBSERVER, elsewhere)
    const digests = [OUR_LEADER, OUR_OBSERVER].map((sid) => {
      return ensemble.servers.get(sid)!.status().treeDigest
    })
    expect(new Set(digests).size).toBe(1)
    await apache.stop()
  },
  LIMIT_MS,
)
