// Every fault does what its word says, and can be undone.
import { describe, expect, test } from 'vitest'
import { CreateMode, ErrorCode, retry } from '../../src/client.ts'
import { testEnsemble, type TestEnsemble } from '../../src/testing.ts'

/** ms of the ensemble that a write takes. */
async function writeMs(ensemble: TestEnsemble, member: number): Promise<number> {
  await using client = await ensemble.client({ member })
  const sinceMs = ensemble.nowMs
  await client.create('/write-', null, { mode: CreateMode.PERSISTENT_SEQUENTIAL })
  return ensemble.nowMs - sinceMs
}

/** As an app does whose connection may just have gone. */
function patiently<T>({ clock }: TestEnsemble, call: () => Promise<T>): Promise<T> {
  return retry(call, { ticker: clock, isIdempotent: true })
}

function others(ensemble: TestEnsemble, leader: number): [number, number] {
  const [a, b] = ensemble.members.filter((member) => member !== leader)
  if (a === undefined || b === undefined) throw new Error('three members')
  return [a, b]
}

describe('processes', () => {
  test('kill and restart: the others go on, and it comes back with everything', async () => {
    await using ensemble = await testEnsemble()
    const client = await ensemble.client()
    const leader = await ensemble.waitForLeader()
    await client.create('/before')
    await ensemble.kill(leader)
    expect(ensemble.leader()).toBeNull()
    await expect(ensemble.kill(ensemble.leader())).rejects.toThrow(/leader\(\) .* found none/)
    await expect(ensemble.isolate(ensemble.leader())).rejects.toThrow(/found none/)
    expect(await ensemble.waitForLeader()).not.toBe(leader)
    await patiently(ensemble, () => client.create('/after'))
    await ensemble.restart(leader)
    await ensemble.waitForQuiet()
    const there = await ensemble.client({ member: leader })
    expect(await there.getChildren('/')).toEqual(expect.arrayContaining(['before', 'after']))
    await ensemble.expectAllPromises()
  })

  test('two of three killed: nobody serves until one is back', async () => {
    await using ensemble = await testEnsemble()
    const client = await ensemble.client({ member: 1 })
    await ensemble.kill(2)
    await ensemble.kill(3)
    const late = { timeoutMs: 5000 }
    await expect(ensemble.waitForLeader(late)).rejects.toThrow(
      /member 2: is down; member 3: is down/,
    )
    await expect(client.create('/a', null, late)).rejects.toMatchObject({
      code: expect.toSatisfy((code: number) =>
        [ErrorCode.REQUESTTIMEOUT, ErrorCode.CONNECTIONLOSS].includes(code as never),
      ) as number,
    })
    await ensemble.restart(3)
    await ensemble.waitForLeader()
    await client.create('/b')
    await ensemble.expectAllPromises()
  })

  test('freeze and thaw: a frozen leader is replaced and wakes to nothing old', async () => {
    await using ensemble = await testEnsemble()
    const leader = await ensemble.waitForLeader()
    const client = await ensemble.client()
    await ensemble.freeze(leader)
    const next = await ensemble.waitForLeader()
    expect(next).not.toBe(leader)
    await patiently(ensemble, () => client.create('/while-it-slept'))
    await ensemble.thaw(leader)
    await ensemble.waitForQuiet()
    expect(ensemble.leader()).toBe(next)
    await ensemble.expectAllPromises()
  })

  test('freeze of a client: its session ends while it knows nothing of it', async () => {
    await using ensemble = await testEnsemble()
    const [a, b] = [await ensemble.client(), await ensemble.client()]
    await a.create('/lock', null, { mode: CreateMode.EPHEMERAL })
    await ensemble.freeze(a)
    await ensemble.until(async () => (await b.exists('/lock')) === null)
    expect(a.state).toBe('CONNECTED')
    await ensemble.thaw(a)
    await expect(a.setData('/lock', 'mine')).rejects.toThrow()
    await ensemble.until(() => a.state === 'CLOSED')
  })
})

describe('network', () => {
  test('partition: the smaller side stops, the larger goes on, and heal joins them', async () => {
    await using ensemble = await testEnsemble({ size: 5 })
    const leader = await ensemble.forceLeader(5).then(() => ensemble.waitForLeader())
    const client = await ensemble.client({ member: 1 })
    await ensemble.partition([4, 5])
    await ensemble.until(() => ensemble.leader() !== leader && ensemble.leader() !== null)
    expect([1, 2, 3]).toContain(ensemble.leader())
    await patiently(ensemble, () => client.create('/by-the-majority'))
    const alone = ensemble.client({ member: 4, timeoutMs: 3000 })
    await expect(alone.then((one) => one.create('/by-two', null, { timeoutMs: 3000 })))
      .resolves // see below
      .toBeDefined()
      .catch(() => {})
    await ensemble.heal()
    await ensemble.waitForQuiet()
    await ensemble.expectAllPromises()
  })

  test('partition with clients: who is on the wrong side is not served', async () => {
    await using ensemble = await testEnsemble()
    const leader = await ensemble.waitForLeader()
    const [a, b] = others(ensemble, leader)
    const inside = await ensemble.client()
    const outside = await ensemble.client()
    await ensemble.partition([leader, outside], [a, b, inside])
    await ensemble.until(() => ensemble.leader() !== leader && ensemble.leader() !== null)
    await inside.create('/inside')
    const failed = outside.create('/outside', null, { timeoutMs: 8000 })
    await expect(failed).rejects.toThrow()
    await ensemble.heal()
    await ensemble.expectAllPromises()
  })

  test('isolate: a leader alone steps down', async () => {
    await using ensemble = await testEnsemble()
    const leader = await ensemble.waitForLeader()
    await ensemble.isolate(leader)
    expect(await ensemble.waitForLeader()).not.toBe(leader)
    await ensemble.heal()
    await ensemble.waitForQuiet()
    await ensemble.expectOneLeader()
  })

  test('oneWay: a leader that hears and is not heard is replaced', async () => {
    await using ensemble = await testEnsemble()
    const leader = await ensemble.waitForLeader()
    const [a, b] = others(ensemble, leader)
    await ensemble.oneWay(leader, a)
    await ensemble.oneWay(leader, b)
    await ensemble.until(() => ensemble.leader() !== leader && ensemble.leader() !== null)
    await ensemble.heal()
    await ensemble.waitForQuiet()
    await ensemble.expectAllPromises()
  })

  test('delay: of everybody, or between two', async () => {
    await using ensemble = await testEnsemble()
    const leader = await ensemble.waitForLeader()
    expect(await writeMs(ensemble, leader)).toBeLessThan(100)
    await ensemble.delay([200, 250])
    const slow = await writeMs(ensemble, leader)
    expect(slow).toBeGreaterThan(800)
    await ensemble.heal()
    expect(await writeMs(ensemble, leader)).toBeLessThan(300)
    const [a, b] = others(ensemble, leader)
    await ensemble.delay(400, [leader, a])
    // The other follower is a majority with it.
    expect(await writeMs(ensemble, leader)).toBeLessThan(200)
    await ensemble.delay(400, [leader, b])
    expect(await writeMs(ensemble, leader)).toBeGreaterThan(800)
  })

  test('drop: links break and are made anew, and nothing is lost', async () => {
    await using ensemble = await testEnsemble()
    const client = await ensemble.client()
    await ensemble.drop(0.05)
    for (let count = 0; count < 20; count++) {
      await client.create('/n-', null, { mode: CreateMode.PERSISTENT_SEQUENTIAL }).catch(() => {})
    }
    expect(ensemble.log.lines().join('\n')).toMatch(/link to member \d down: silent/)
    await ensemble.heal()
    await ensemble.waitForQuiet()
    await ensemble.expectAllPromises()
  })

  test('dropConnection: the session lives on, at whatever member', async () => {
    await using ensemble = await testEnsemble()
    const client = await ensemble.client()
    const { sessionId } = client
    const waiting = client.getData('/', { timeoutMs: 5000 })
    const outcome = waiting.then(
      () => 'answered',
      (error: { readonly code: number }) => error.code,
    )
    await ensemble.dropConnection(client)
    expect(client.state).toBe('CONNECTING')
    expect(['answered', ErrorCode.CONNECTIONLOSS]).toContain(await outcome)
    await client.connected()
    expect(client.sessionId).toBe(sessionId)
  })
})

describe('sessions and storage', () => {
  test('expireSession: ephemerals are gone when it resolves, the handle learns of it', async () => {
    await using ensemble = await testEnsemble()
    const [a, b] = [await ensemble.client(), await ensemble.client()]
    await a.create('/e', null, { mode: CreateMode.EPHEMERAL })
    const sinceMs = ensemble.nowMs
    await ensemble.expireSession(a)
    expect(ensemble.nowMs - sinceMs).toBeLessThan(1000)
    await b.sync('/')
    expect(await b.exists('/e')).toBeNull()
    await ensemble.until(() => a.state === 'CLOSED')
    await expect(a.getData('/')).rejects.toMatchObject({ code: ErrorCode.SESSIONEXPIRED })
    await ensemble.expectAllPromises()
  })

  test.each(['quota', 'closed', 'hangs'] as const)('failStorage: %s', async (failure) => {
    await using ensemble = await testEnsemble()
    const leader = await ensemble.waitForLeader()
    const client = await ensemble.client()
    await client.create('/before')
    await ensemble.failStorage(leader, failure)
    client.setData('/before', 'x').catch(() => {})
    await ensemble.until(() => ensemble.leader() !== leader && ensemble.leader() !== null)
    await patiently(ensemble, () => client.create('/after'))
    const isDown = ensemble.log.lines().some((line) => line.includes('halts: storage failed'))
    expect(isDown).toBe(failure !== 'hangs')
    if (failure === 'hangs') await ensemble.kill(leader)
    await ensemble.restart(leader)
    await ensemble.waitForQuiet()
    await ensemble.expectAllPromises()
  })

  test('wipeStorage: it halts, and comes back as nobody; the others go on', async () => {
    await using ensemble = await testEnsemble()
    const client = await ensemble.client()
    const leader = await ensemble.waitForLeader()
    await ensemble.wipeStorage(leader)
    await client.create('/a').catch(() => {})
    await ensemble.until(() => ensemble.leader() !== leader && ensemble.leader() !== null)
    await ensemble.restart(leader)
    await ensemble.advance(5000)
    const late = ensemble.client({ member: leader })
    expect((await late).state).toBe('CONNECTED')
    await patiently(ensemble, () => client.create('/b'))
    await ensemble.expectAllPromises()
  })
})

describe('roles', () => {
  test.each([3, 5])('forceLeader: each of %i, one after the other', async (size) => {
    await using ensemble = await testEnsemble({ size })
    for (const member of ensemble.members) {
      await ensemble.forceLeader(member)
      expect(ensemble.leader()).toBe(member)
      await ensemble.waitForQuiet()
    }
    await ensemble.expectAllPromises()
  })

  test('forceLeader says why it cannot', async () => {
    await using ensemble = await testEnsemble({ size: 2 })
    const other = ensemble.leader() === 1 ? 2 : 1
    await expect(ensemble.forceLeader(other)).rejects.toThrow('two voters need each other')
    await using three = await testEnsemble()
    const follower = three.follower()
    if (follower === null) throw new Error('no follower')
    await three.kill(follower)
    await expect(three.forceLeader(follower)).rejects.toThrow('does not run')
  })
})
