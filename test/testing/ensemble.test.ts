// What an app gets: the client of the product on members of the product, and nothing to wait for.
import { describe, expect, test } from 'vitest'
import { CreateMode, ErrorCode, EventType, ZooKeeperClient } from '../../src/client.ts'
import { testEnsemble } from '../../src/testing.ts'

const decoder = new TextDecoder()

describe('a client in an ensemble under test', () => {
  test('creates, reads, writes and deletes, on whatever member', async () => {
    await using ensemble = await testEnsemble()
    const [a, b] = await Promise.all([
      ensemble.client({ member: 1 }),
      ensemble.client({ member: 2 }),
    ])
    expect(a).toBeInstanceOf(ZooKeeperClient)
    expect(await a.create('/node', 'one')).toBe('/node')
    await b.sync('/node')
    const { data, stat } = await b.getData('/node')
    expect(decoder.decode(data ?? undefined)).toBe('one')
    await expect(b.setData('/node', 'two', stat.version + 1)).rejects.toMatchObject({
      code: ErrorCode.BADVERSION,
    })
    await b.transaction().check('/node', stat.version).setData('/node', 'two').commit()
    await a.sync('/node')
    expect((await a.exists('/node'))?.version).toBe(1)
    await a.delete('/node')
    await ensemble.expectAllPromises()
  })

  test('hears of changes by watches, streams and session events', async () => {
    await using ensemble = await testEnsemble()
    const [a, b] = [await ensemble.client(), await ensemble.client()]
    const heard = new Promise((resolve) => void a.exists('/x', { watch: resolve }))
    const stream = a.watch('/', { kind: 'children' })
    await stream.armed
    await b.create('/x', null, { mode: CreateMode.EPHEMERAL })
    // No call waits here: time passes all the same.
    expect(await heard).toMatchObject({ type: EventType.NodeCreated, path: '/x' })
    expect((await stream.next()).value).toMatchObject({ type: EventType.NodeChildrenChanged })
    await b.close()
    expect((await stream.next()).value).toMatchObject({ type: EventType.NodeChildrenChanged })
    expect(await a.exists('/x')).toBeNull()
    await ensemble.expectWatchesInOrder()
  })

  test('may be made by the app itself', async () => {
    await using ensemble = await testEnsemble()
    const options = ensemble.clientOptions({ name: 'app' })
    await using client = await ZooKeeperClient.connect({ ...options, chroot: '/zookeeper' })
    expect(await client.getChildren('/')).toContain('quota')
    await ensemble.dropConnection(options.transport)
    expect(client.state).toBe('CONNECTING')
    expect(await client.getChildren('/')).toContain('quota')
    expect(ensemble.log.lines().join('\n')).toContain('dropConnection(app)')
  })

  test('keeps its ephemerals as long as its session, whose time-out is virtual', async () => {
    await using ensemble = await testEnsemble()
    const [a, b] = [await ensemble.client({ sessionTimeoutMs: 6000 }), await ensemble.client()]
    await a.create('/here', null, { mode: CreateMode.EPHEMERAL })
    await ensemble.advance(60_000)
    expect(await b.exists('/here')).not.toBeNull()
    await ensemble.isolate(a)
    const sinceMs = ensemble.nowMs
    await ensemble.until(async () => (await b.exists('/here')) === null)
    expect(ensemble.nowMs - sinceMs).toBeGreaterThan(4000)
    expect(ensemble.nowMs - sinceMs).toBeLessThan(6000 + 2 * 2000 + 500)
    await ensemble.heal()
    await ensemble.until(() => a.state === 'CLOSED')
    await ensemble.expectAllPromises()
  })
})

describe('members', () => {
  test.each([
    [1, 0],
    [2, 0],
    [5, 0],
    [3, 2],
  ])('%i voters and %i observers serve', async (size, observers) => {
    await using ensemble = await testEnsemble({ size, observers })
    expect(ensemble.members).toHaveLength(size + observers)
    const clients = await Promise.all(ensemble.members.map((member) => ensemble.client({ member })))
    await Promise.all(clients.map((client, index) => client.create(`/from-${index}`)))
    for (const client of clients) {
      await client.sync('/')
      expect(await client.getChildren('/')).toHaveLength(clients.length + 1)
    }
    expect(ensemble.leader()).toBeLessThanOrEqual(size)
    await ensemble.expectAllPromises()
  })

  test('can be set: time-outs, quotas and what else a server has', async () => {
    await using ensemble = await testEnsemble({
      service: { minSessionTimeoutMs: 50, maxSessionTimeoutMs: 500, extendedTypesEnabled: true },
      startAt: new Date('2031-02-03T04:05:06Z'),
    })
    const client = await ensemble.client({ sessionTimeoutMs: 30_000 })
    expect(client.negotiatedTimeoutMs).toBe(500)
    const { stat } = await client.create2('/ttl', null, {
      mode: CreateMode.PERSISTENT_WITH_TTL,
      ttlMs: 1000,
    })
    expect(new Date(Number(stat.ctime)).getUTCFullYear()).toBe(2031)
    expect(ensemble.clock.date().getUTCFullYear()).toBe(2031)
  })

  test.each([
    [{ size: 0 }, 'size is 0'],
    [{ size: 2.5 }, 'size is 2.5'],
    [{ size: 10 }, 'size is 10'],
    [{ observers: 17 }, 'observers is 17'],
    [{ seed: Number.NaN }, 'seed is a whole number'],
  ])('%j is refused', async (options, words) => {
    await expect(testEnsemble(options)).rejects.toThrow(words)
  })

  test('without a number are nobody', async () => {
    await using ensemble = await testEnsemble({ observers: 1 })
    await expect(ensemble.kill(5)).rejects.toThrow('there is no member 5: they are 1 to 4')
    await expect(ensemble.forceLeader(4)).rejects.toThrow('member 4 is an observer')
    await expect(ensemble.client({ member: 9 })).rejects.toThrow('there is no member 9')
  })
})
