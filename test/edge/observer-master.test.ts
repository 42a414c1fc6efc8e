/** observerMasterPort (Q58): an observer learns from followers, one of which is killed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, expect, test, vi } from 'vitest'
import { ownPorts } from '../own-ports.ts'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { TcpTransport } from '../../src/edge/tcp-transport.ts'
import { TOP } from '../program.mjs'
import { NodeEnsemble } from './node-ensemble.ts'

const LIMIT_MS = 120_000
const WAIT = { timeout: 60_000, interval: 50 }
const TICK_MS = 1_000
const SESSION_MS = 3 * TICK_MS
const OBSERVER = 4

const children = new Set<ChildProcess>()
afterAll(() => children.forEach((child) => child.kill('SIGKILL')))

/** Server 1 as a process of its own, so that it can be killed. */
async function startProcess(ensemble: NodeEnsemble, masterPort: number): Promise<ChildProcess> {
  const directory = join(ensemble.directory, '1')
  mkdirSync(directory)
  writeFileSync(join(directory, 'myid'), '1')
  const lines = [
    ...[`dataDir=${directory}`, `tickTime=${TICK_MS}`, 'initLimit=30', 'syncLimit=30'],
    ...['admin.enableServer=false', 'preAllocSize=64', `observerMasterPort=${masterPort}`],
    ...ensemble.members.map(({ sid, host, quorumPort, electionPort, role, clientPort = 0 }) => {
      return `server.${sid}=${host}:${quorumPort}:${electionPort}:${role};127.0.0.1:${clientPort}`
    }),
  ]
  const config = join(ensemble.directory, '1.cfg')
  writeFileSync(config, lines.join('\n'))
  const program = join(TOP, 'src/edge/zabra.mjs')
  const child = spawn(process.execPath, [program, 'server', config], {
    cwd: TOP,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  children.add(child)
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{"sid"')) return child
  }
  throw new Error('server 1 ended')
}

/** A client of the observer alone, whose session ends soon without it. */
function clientOf(ensemble: NodeEnsemble, sid: number): Promise<ZooKeeperClient> {
  const port = ensemble.members[sid - 1]!.clientPort!
  const transport = new TcpTransport({ members: [{ host: '127.0.0.1', port }] })
  // What is measured against the session's time is the observer's own way back.
  const pace = { reconnectDelayMaxMs: 50, roundPauseMs: 0 }
  return ZooKeeperClient.connect({ transport, sessionTimeoutMs: SESSION_MS, ...pace })
}

// The port is the same at every server, so each has an address: 127.0.0.1, 127.0.0.2 …
test(
  'an observer serves through a follower, and through the next one when that is killed',
  async () => {
    const [masterPort = 0] = await ownPorts(1)
    const limits = { tickTimeMs: TICK_MS, initLimitTicks: 30, syncLimitTicks: 30 }
    const said = { ...limits, observerMasterPort: masterPort, wordsAllowed: ['mntr'] }
    await using ensemble = await NodeEnsemble.plan(3, 1, said)
    // Of two members one leads and one is there to learn from.
    const [killed] = await Promise.all([
      startProcess(ensemble, masterPort),
      ensemble.start(3).then(({ serving }) => serving),
    ])
    const observer = await ensemble.start(OBSERVER)
    await observer.serving
    const { leader, learnsFrom } = observer.status()
    expect({ leader, learnsFrom }).toEqual({ leader: 3, learnsFrom: 1 })
    await (
      await ensemble.start(2)
    ).serving

    await using elsewhere = await ensemble.client(2, 3)
    await using client = await clientOf(ensemble, OBSERVER)
    const startedMs = performance.now()
    const { sessionId } = client
    await client.create('/mine', null, { mode: CreateMode.EPHEMERAL })
    const changes = client.watch('/watched', { kind: 'exists' })
    await client.exists('/watched')
    await elsewhere.sync('/')
    expect(await elsewhere.exists('/mine')).toMatchObject({ ephemeralOwner: sessionId })
    await elsewhere.create('/watched')
    expect((await changes.next()).value).toMatchObject({ path: '/watched' })
    // What it asks to be as new as the leader is.
    await elsewhere.setData('/watched', 'new')
    await client.sync('/watched')
    expect((await client.getData('/watched')).stat.version).toBe(1)

    killed.kill('SIGKILL')
    await once(killed, 'exit')
    await elsewhere.create('/meanwhile')
    await vi.waitFor(() => {
      expect(observer.status()).toMatchObject({ serving: true, learnsFrom: 2 })
    }, WAIT)
    await vi.waitFor(async () => {
      await client.sync('/')
      expect(await client.exists('/meanwhile')).not.toBeNull()
    }, WAIT)
    await client.create('/after')
    expect(client.sessionId).toBe(sessionId)
    // It lives by the signs of life that travelled through both followers.
    const leftMs = 1.2 * SESSION_MS - (performance.now() - startedMs)
    await new Promise((resolve) => setTimeout(resolve, leftMs))
    await elsewhere.sync('/')
    expect(await elsewhere.exists('/mine')).toMatchObject({ ephemeralOwner: sessionId })
    expect(await elsewhere.exists('/after')).not.toBeNull()

    const told = ensemble.servers.get(2)!.status().observerPeers
    expect(told.filter(({ synced }) => synced).map(({ sid }) => sid)).toEqual([OBSERVER])
    expect(ensemble.servers.get(3)!.status().observerPeers).toMatchObject([{ synced: false }])
    // And it ends without them.
    await ensemble.stop(OBSERVER)
    await vi.waitFor(async () => expect(await elsewhere.exists('/mine')).toBeNull(), WAIT)
  },
  LIMIT_MS,
)
