// Random calls, lost links, unreachable members, slow commits, aborts and closes: whatever happens,
// every call settles, and what it settles with is true.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import { ZooKeeperError } from '../../src/client/errors.ts'
import type { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { EnsembleBench } from './ensemble-bench.ts'
import { settle } from './manual-ticker.ts'

type Step =
  | { readonly kind: 'create' | 'append' | 'read' | 'watch' | 'abort' | 'lose' | 'hold' | 'commit' }
  | { readonly kind: 'cut' | 'heal'; readonly member: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'close' }

const MEMBERS = 3

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<Step>({ kind: 'create' }, { kind: 'append' }) },
  { weight: 4, arbitrary: fc.constantFrom<Step>({ kind: 'read' }, { kind: 'watch' }) },
  { weight: 2, arbitrary: fc.constantFrom<Step>({ kind: 'abort' }, { kind: 'lose' }) },
  { weight: 2, arbitrary: fc.constantFrom<Step>({ kind: 'hold' }, { kind: 'commit' }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('cut' as const, 'heal' as const),
      member: fc.nat({ max: MEMBERS - 1 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 250, max: 6000 }).map((ms): Step => ({ kind: 'pass', ms })),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'close' }) },
)

interface Written {
  readonly path: string
  readonly outcome: Promise<'done' | 'not done' | 'unknown'>
}

class Run {
  readonly bench = new EnsembleBench({ followers: MEMBERS - 1 })
  client!: ZooKeeperClient
  readonly calls: Promise<unknown>[] = []
  readonly written: Written[] = []
  settledCount = 0
  #nextName = 0
  #abort = new AbortController()

  async play(steps: readonly Step[]): Promise<void> {
    this.client = await this.bench.connected()
    for (const one of steps) await this.#do(one)
  }

  async #do(one: Step): Promise<void> {
    switch (one.kind) {
      case 'create':
      case 'append':
        return this.#write(one.kind === 'append')
      case 'read':
        return this.#track(this.client.getChildren('/', { signal: this.#abort.signal }))
      case 'watch':
        return this.#track(this.client.exists('/x', { watch: () => {}, timeoutMs: 3000 }))
      case 'abort':
        this.#abort.abort(new Error('aborted'))
        this.#abort = new AbortController()
        return
      case 'lose':
        for (let member = 0; member < MEMBERS; member++) this.bench.lose(member)
        return
      case 'hold':
        this.bench.ensemble.autoCommit = false
        return
      case 'commit':
        return this.#commit()
      case 'cut':
        this.bench.cut.add(one.member)
        return this.bench.lose(one.member)
      case 'heal':
        this.bench.cut.delete(one.member)
        return
      case 'pass':
        return this.bench.pass(one.ms)
      case 'close':
        this.#track(this.client.close())
    }
  }

  /** Everything heals; after the longest time-out nothing may be left. */
  async finish(): Promise<void> {
    this.#commit()
    this.bench.cut.clear()
    await this.bench.pass(40_000)
    await settle()
    expect(this.settledCount).toBe(this.calls.length)
  }

  #commit(): void {
    this.bench.ensemble.autoCommit = true
    this.bench.ensemble.commit()
  }

  #write(isSequential: boolean): void {
    const path = `/w${this.#nextName++}`
    const mode = isSequential ? CreateMode.PERSISTENT_SEQUENTIAL : CreateMode.PERSISTENT
    const call = this.client.create(`${path}-`, null, { mode })
    this.#track(call)
    const outcome = call.then(
      () => 'done' as const,
      (error: unknown) => {
        expect(error).toBeInstanceOf(ZooKeeperError)
        return (error as ZooKeeperError).outcomeUnknown ? 'unknown' : 'not done'
      },
    )
    this.written.push({ path, outcome })
  }

  #track(call: Promise<unknown>): void {
    this.calls.push(call)
    const count = (): void => {
      this.settledCount++
    }
    call.then(count, count)
  }
}

test('every call settles, and tells the truth about writes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const run = new Run()
      await run.play(steps)
      await run.finish()
      const reader = await run.bench.connected()
      const names = await reader.getChildren('/')
      for (const { path, outcome } of run.written) {
        const found = names.filter((name) => `/${name}`.startsWith(`${path}-`))
        const told = await outcome
        if (told === 'done') expect([path, told, found.length]).toEqual([path, told, 1])
        if (told === 'not done') expect([path, told, found.length]).toEqual([path, told, 0])
      }
    }),
    { numRuns: 60 },
  )
}, 60_000)

test('closing settles what waits, at once', async () => {
  const bench = new EnsembleBench()
  const client = await bench.connected()
  bench.ensemble.autoCommit = false
  const sent = client.create('/a').catch((error: unknown) => error)
  await settle()
  bench.cut.add(0)
  bench.lose(0)
  await settle()
  expect(await sent).toMatchObject({ code: ErrorCode.CONNECTIONLOSS, outcomeUnknown: true })
  const queued = client.create('/b').catch((error: unknown) => error)
  await client.close()
  expect(await queued).toMatchObject({ code: ErrorCode.SESSIONEXPIRED, outcomeUnknown: false })
})
