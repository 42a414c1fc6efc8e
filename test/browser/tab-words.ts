/** Short words for what tests say to the kit's clients again and again. */
import { expect } from 'playwright/test'
import type { TabClient } from '../../src/playwright/tab-client.ts'
import { PATIENTLY } from './machine-page.ts'

/** Creates it or sets its data. */
export async function put(client: TabClient, path: string, data: string): Promise<void> {
  if ((await client.exists(path)) === null) await client.create(path, data)
  else await client.setData(path, data)
}

/** After a sync: what was written before this call. */
export async function latest(client: TabClient, path: string): Promise<string> {
  await client.sync(path)
  return client.getData(path)
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
