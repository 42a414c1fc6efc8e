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

const LIMIT = { timeout: 240_000 }
const WAIT = { timeout: 60_000, interval: 100 }
const APACHE = 3
const COUNT = 10
const DATA = new Uint8Array(100)
/** More than a first start has behind it, and less than Apache misses in the end. */
const WINDOW = { commitLogCount: 15, snapshotSizeFactor: 0 }

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

async function write(client: ZooKeeperClient, prefix: string): Promise<void> {
  for (let i = 0; i < COUNT; i++) {
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

class Scenario implements AsyncDisposable {
  readonly syncs: string[] = []
  readonly #ensemble: NodeEnsemble

  constructor(ensemble: NodeEnsemble) {
    this.#ensemble = ensemble
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ensemble[Symbol.asyncDispose]()
  }

  async start(sid: number): Promise<void> {
    const server = await this.#ensemble.start(sid, { onTrace: noteSyncs(this.syncs) })
    await server.serving
  }

  async startApache(as: 'leader' | 'follower'): Promise<ApacheServer> {
    const apache = startApache(this.#ensemble)
    await waitUntilServing(this.#ensemble.members[APACHE - 1]!.clientPort!, as)
    return apache
  }

  /** Ours lead, Apache follows, and a session that it made goes on at a server of ours. */
  async oursLead(): Promise<ApacheServer> {
    await Promise.all([this.start(1), this.start(2)])
    await using one = await this.#ensemble.client(1)
    await write(one, 'a')
    const apache = await this.startApache('follower')
    expect(this.syncs.splice(0)).toContain('out DIFF 3')
    await using moving = await this.#ensemble.client(APACHE)
    await write(moving, 'b')
    await moving.create('/mine', null, { mode: CreateMode.EPHEMERAL })
    expect(await namesAt(one)).toEqual(await namesAt(moving))
    const session = { id: moving.sessionId, password: moving.sessionPassword }
    const members = [{ host: '127.0.0.1', port: this.#ensemble.members[0]!.clientPort! }]
    const transport = new TcpTransport({ members })
    await using moved = await ZooKeeperClient.connect({ transport, session })
    expect(moved.sessionId).toBe(session.id)
    expect(await moved.exists('/mine')).toMatchObject({ ephemeralOwner: session.id })
    return apache
  }

  /** Apache leads: ours follow, one of them from an empty disk, and one observes. */
  async apacheLeads(): Promise<void> {
    await this.#ensemble.stop(2)
    await waitUntilServing(this.#ensemble.members[APACHE - 1]!.clientPort!, 'leader')
    await using one = await this.#ensemble.client(1)
    await write(one, 'c')
    rmSync(join(this.#ensemble.directory, '2'), { recursive: true })
    await this.start(2)
    await this.start(4)
    expect(this.#ensemble.servers.get(4)!.status().role).toBe('observing')
    expect(this.syncs.splice(0)).toEqual(expect.arrayContaining(['in DIFF 3', 'in SNAP 3']))
    await using observed = await this.#ensemble.client(4)
    await write(observed, 'd')
    expect(await namesAt(observed)).toEqual(await namesAt(one))
  }

  /** Without Apache ours go on; when it comes back with nothing, it gets a snapshot of ours. */
  async apacheComesBack(): Promise<ApacheServer> {
    await vi.waitFor(() => expect(this.#ensemble.leader).toBeDefined(), WAIT)
    await using two = await this.#ensemble.client(2)
    await write(two, 'e')
    rmSync(join(this.#ensemble.directory, `apache-${APACHE}`), { recursive: true })
    const apache = await this.startApache('follower')
    expect(this.syncs.splice(0)).toContain('out SNAP 3')
    await using back = await this.#ensemble.client(APACHE)
    await write(back, 'f')
    return apache
  }

  /** Away for longer than ours have in memory, it is sent what their log on disk has (Q30). */
  async apacheMissesMuch(): Promise<ApacheServer> {
    await using two = await this.#ensemble.client(2)
    await write(two, 'g')
    await write(two, 'h')
    const apache = await this.startApache('follower')
    expect(this.syncs.splice(0)).toContain('out DIFF 3')
    await using back = await this.#ensemble.client(APACHE)
    await write(back, 'i')
    return apache
  }

  async nothingIsLost(): Promise<void> {
    const lists: string[][] = []
    for (const { sid } of this.#ensemble.members) {
      await using client = await this.#ensemble.client(sid)
      lists.push((await namesAt(client)).filter((name) => name.length === 2))
    }
    const expected = [...'abcdefghi'].flatMap((prefix) => {
      return Array.from({ length: COUNT }, (_, i) => `${prefix}${i}`)
    })
    for (const names of lists) expect(names).toEqual(expected)
    const own = [...this.#ensemble.servers.values()].map((server) => server.status())
    expect(new Set(own.map(({ treeDigest }) => treeDigest)).size).toBe(1)
    expect(own.map(({ alarm }) => alarm)).toEqual([null, null, null])
  }
}

test('each follows the other by DIFF and by SNAP, nothing is lost', LIMIT, async () => {
  await using scenario = new Scenario(await NodeEnsemble.plan(3, 1, WINDOW))
  const apache = await scenario.oursLead()
  await scenario.apacheLeads()
  await apache.stop()
  await (await scenario.apacheComesBack()).stop()
  const last = await scenario.apacheMissesMuch()
  await scenario.nothingIsLost()
  await last.stop()
})
