/** A handle at a read-only server, and its way back to the others (S39, S41–S43). */
import { describe, expect, test } from 'vitest'
import { ReadWriteSearch } from '../../src/client/read-write-search.ts'
import type { ClientConnection, ClientTransport } from '../../src/client/transport.ts'
import type { WatchedEvent } from '../../src/client/watched-event.ts'
import type { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import { keeperStateName } from '../../src/core/jute/event-type.ts'
import { EnsembleBench } from './ensemble-bench.ts'
import { SessionBench } from './session-bench.ts'

/** Member 0 lost the others, who go on. */
async function apart(): Promise<EnsembleBench> {
  const bench = new EnsembleBench({ followers: 2, readOnlyModeEnabled: true })
  const { ensemble } = bench
  const { server } = ensemble.member(2)
  const client = await bench.connected({ transport: bench.transport(1) })
  await client.create('/a', 'x')
  server.onService({ kind: 'stopped', reason: 'no quorum' }, ensemble.at)
  server.onLooking(true, ensemble.at)
  await bench.pass(2_500)
  expect(server.isReadOnly).toBe(true)
  await client.close()
  return bench
}

function states(client: ZooKeeperClient): string[] {
  const told: string[] = []
  client.onSessionEvent(({ state }) => void told.push(keeperStateName(state)))
  return told
}

describe('a handle that accepts a read-only server', () => {
  test('reads there, and is told that it cannot write (S39)', async () => {
    const bench = await apart()
    for (const member of [0, 1]) bench.cut.add(member)
    const client = bench.client({ canBeReadOnly: true, transport: bench.transport(2) })
    await client.connected()
    expect(client.state).toBe('CONNECTEDREADONLY')
    expect((await client.getData('/a')).stat.version).toBe(0)
    await expect(client.setData('/a', 'y')).rejects.toMatchObject({ code: ErrorCode.NOTREADONLY })
    expect(await client.exists('/b')).toBe(null)
    await client.close()
    expect(client.state).toBe('CLOSED')
  })

  test('goes to a server that writes once there is one, watches and all (S41–S43)', async () => {
    const bench = await apart()
    for (const member of [0, 1]) bench.cut.add(member)
    const transport = new ReadWriteSearch(bench.transport(2), bench.ticker)
    const client = bench.client({ canBeReadOnly: true, transport })
    const told = states(client)
    await client.connected()
    const guest = client.sessionId
    const events: string[] = []
    const watch = ({ path }: WatchedEvent): void => {
      if (path !== null) events.push(path)
    }
    await client.getData('/a', { watch })
    await bench.pass(1_000)
    expect(client.state).toBe('CONNECTEDREADONLY')
    bench.cut.delete(1)
    await bench.pass(10_000)
    expect(client.state).toBe('CONNECTED')
    expect(told).toEqual(['ConnectedReadOnly', 'Disconnected', 'SyncConnected'])
    expect(client.sessionId).not.toBe(guest)
    expect(bench.ensemble.leader.tree.sessions.has(client.sessionId)).toBe(true)
    await client.setData('/a', 'y')
    expect(events).toEqual(['/a'])
    await client.close()
  })

  test('asks ever more rarely, and no longer once it is closed', async () => {
    const bench = await apart()
    const inner = bench.transport(2)
    const asked: number[] = []
    const transport: ClientTransport = {
      hosts: () => inner.hosts(),
      connect: (host): Promise<ClientConnection> => inner.connect(host),
      isReadWrite: async () => {
        asked.push(bench.ticker.now())
        return false
      },
    }
    const search = new ReadWriteSearch(transport, bench.ticker)
    const client = bench.client({ canBeReadOnly: true, transport: search })
    await client.connected()
    await bench.pass(30_000)
    const gaps = asked.slice(1).map((ms, i) => ms - (asked[i] ?? 0))
    expect(gaps.slice(0, 6)).toEqual([200, 400, 800, 1_600, 3_200, 6_400])
    await client.close()
    const count = asked.length
    await bench.pass(60_000)
    expect(asked).toHaveLength(count)
  })
})

test('what a read-only server gave is no session to come back with; a true one is (S42)', () => {
  const bench = new SessionBench({ canBeReadOnly: true })
  bench.open()
  bench.accept({ readOnly: true, sessionId: 5n })
  bench.lose()
  bench.pass(2_000)
  bench.open()
  expect(bench.connectRequests.at(-1)?.sessionId).toBe(0n)
  bench.accept({ sessionId: 6n })
  bench.lose()
  bench.pass(2_000)
  bench.open()
  expect(bench.connectRequests.at(-1)?.sessionId).toBe(6n)
})
