/** Short words for what tests say to the kit's clients again and again. */
import { expect } from 'playwright/test'
import { ZooKeeperError } from '../../src/client/errors.ts'
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import type { Member, TraceOf } from '../../src/playwright/member.ts'
import type { TabClient } from '../../src/playwright/tab-client.ts'
import { PATIENCE_MS, PATIENTLY } from './machine-page.ts'

/** An election and what follows it. */
const AFTERMATH_MS = 5_000

/** Creates it or sets its data. */
export async function put(client: TabClient, path: string, data: string): Promise<void> {
  await insist(async () => {
    if ((await client.exists(path)) === null) await client.create(path, data)
    else await client.setData(path, data)
  })
}

/** After a sync: what was written before this call. */
export async function latest(client: TabClient, path: string): Promise<string> {
  return insist(async () => {
    await client.sync(path)
    return client.getData(path)
  })
}

/**
 * What may be done twice: again, where its connection was lost on the way. On two busy cores a
 * member may lose its place for a moment, and its clients their answers.
 */
export async function insist<T>(call: () => Promise<T>): Promise<T> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await call()
    } catch (error) {
      const isLost = error instanceof ZooKeeperError && error.code === ErrorCode.CONNECTIONLOSS
      if (!isLost || performance.now() > until) throw error
    }
  }
}

/**
 * None of them left its role. Who got no processor for longer than the silence limit steps down by
 * rule and says so (`slept`); what follows from that within seconds is not held against anybody.
 */
export function expectRolesKept(
  members: readonly Member[],
  sinceMs: number,
  sleepers: readonly Member[] = members,
): void {
  const slept = sleepers.flatMap((member) => member.tracesSince(sinceMs - AFTERMATH_MS, 'slept'))
  const isItsFault = ({ at }: TraceOf<'role'>): boolean =>
    !slept.some((sleep) => Math.abs(at - sleep.at) < AFTERMATH_MS)
  for (const member of members) {
    expect(member.tracesSince(sinceMs, 'role').filter(isItsFault)).toEqual([])
  }
}

export async function expectHeard(client: TabClient, what: string, from = 0): Promise<void> {
  await expect
    .poll(async () => (await client.heard()).slice(from), {
      ...PATIENTLY,
      message: `the client hears ${what}`,
    })
    .toContain(what)
}

/** For as long as a fault is to last: nothing is waited for. */
export async function lasting(durationMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, durationMs))
}
