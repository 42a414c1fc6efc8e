// One seed is one history; other seeds are other orders; a failure says which seed it was.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { CreateMode } from '../../src/client.ts'
import { brokenPromise } from '../../src/testing/expectations.ts'
import { forEachSeed, PromiseBroken, testEnsemble } from '../../src/testing.ts'
import type { TestEnsemble } from '../../src/testing.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

/** Three clients race, the leader dies; who was served in which order. */
async function race(ensemble: TestEnsemble): Promise<readonly string[]> {
  const clients = await Promise.all([1, 2, 3].map((member) => ensemble.client({ member })))
  const served: string[] = []
  await Promise.all(
    clients.map(async (client, index) => {
      await client.create(`/${index}-`, null, { mode: CreateMode.EPHEMERAL_SEQUENTIAL })
      served.push(String(index))
    }),
  )
  const leader = await ensemble.waitForLeader()
  await ensemble.kill(leader)
  await ensemble.waitForLeader()
  await ensemble.restart(leader)
  await ensemble.waitForQuiet()
  return served
}

async function digestOf(seed: number): Promise<string> {
  await using ensemble = await testEnsemble({ seed })
  await race(ensemble)
  return ensemble.digest
}

describe('a seed', () => {
  test('is one history, whatever runs beside it', async () => {
    const alone = await digestOf(7)
    const [again, other, beside] = await Promise.all([digestOf(7), digestOf(8), digestOf(7)])
    expect([again, beside]).toEqual([alone, alone])
    expect(other).not.toBe(alone)
  })

  test('draws who is first', async () => {
    const orders = new Set<string>()
    await forEachSeed(12, async (ensemble) => {
      orders.add((await race(ensemble)).join(''))
      await ensemble.expectAllPromises()
    })
    expect(orders.size).toBeGreaterThan(2)
  })

  test('comes from the options, else from the environment, else it is 1', async () => {
    const seedOf = async (options: { readonly seed?: number } = {}): Promise<number> => {
      await using ensemble = await testEnsemble(options)
      return ensemble.seed
    }
    expect(await seedOf()).toBe(1)
    vi.stubEnv('ZABRA_SEED', '42')
    expect([await seedOf(), await seedOf({ seed: 5 })]).toEqual([42, 5])
    vi.stubEnv('ZABRA_SEED', 'many')
    await expect(testEnsemble()).rejects.toThrow('ZABRA_SEED is a whole number')
  })
})

describe('forEachSeed', () => {
  test('stops at the first seed that fails, and says how to play it again', async () => {
    const seeds: number[] = []
    const run = async (ensemble: TestEnsemble): Promise<void> => {
      seeds.push(ensemble.seed)
      await ensemble.client()
      if (ensemble.seed === 3) throw new TypeError('not this one')
    }
    const failed = await forEachSeed(9, run).catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(TypeError)
    expect(String(failed)).toMatch(
      /^TypeError: not this one\n\nseed 3; .*ZABRA_SEED=3\n[^]*session opened/,
    )
    expect((failed as Error).stack).toContain('ZABRA_SEED=3')
    expect(seeds).toEqual([1, 2, 3])
    vi.stubEnv('ZABRA_SEED', '3')
    await expect(forEachSeed(9, run)).rejects.toThrow('not this one')
    vi.stubEnv('ZABRA_SEED', '')
    vi.stubEnv('ZABRA_SEEDS', '2')
    await forEachSeed(9, run)
    expect(seeds).toEqual([1, 2, 3, 3, 1, 2])
  })
})

describe('a broken promise', () => {
  test('is named with its call, its moment and the seed', async () => {
    await using ensemble = await testEnsemble({ seed: 4 })
    const client = await ensemble.client()
    await client.create('/kept')
    await client.create('/lost')
    await ensemble.expectAllPromises()
    const recording = ensemble.recording()
    expect(recording.log?.length).toBe(3)
    const cut = { ...recording, log: recording.log?.slice(0, -1) ?? null }
    const broken = brokenPromise(cut, 'noLostWrites')
    expect(broken).toBeInstanceOf(PromiseBroken)
    expect(broken?.message).toMatch(/an acknowledged write is lost:\n +[\d.]+ ms, .*create \/lost/)
    const explained = ensemble.log.explained(broken ?? new Error('none'), ensemble.seed)
    expect(explained.message).toContain('ZABRA_SEED=4')
  })

  test('waits for the ensemble to come to rest, and says why it does not', async () => {
    await using ensemble = await testEnsemble()
    await ensemble.kill(1)
    await ensemble.kill(2)
    const judging = ensemble.expectLinearizable({ timeoutMs: 5000 })
    await expect(judging).rejects.toThrow('member 1: is down; member 2: is down')
  })
})
