/** What befalls tabs, done to real ones; and a client inside a tab that notes all it hears. */
import { expect, type CDPSession, type Page } from 'playwright/test'
import type { TraceEvent } from '../../src/core/zab/effect.ts'
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import type { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { PATIENCE_MS, PATIENTLY, type MachinePage } from './machine-page.ts'

/** `at`: when it happened in the worker, ms since 1970. */
export type Trace = TraceEvent & { readonly at: number }

const sessions = new WeakMap<Page, CDPSession>()

/** The DevTools session of a page, one for all of a test. */
export async function devTools(page: Page): Promise<CDPSession> {
  const known = sessions.get(page)
  if (known !== undefined) return known
  const made = await page.context().newCDPSession(page)
  sessions.set(page, made)
  return made
}

/**
 * Page and worker stand still, as those of a tab that the browser put aside. Returns when. Only
 * hidden pages can be frozen, and only a plain browser has any.
 */
export async function freeze({ page }: MachinePage): Promise<number> {
  const session = await devTools(page)
  expect(await page.evaluate(() => document.visibilityState)).toBe('hidden')
  const at = Date.now()
  await session.send('Page.setWebLifecycleState', { state: 'frozen' })
  return at
}

export async function thaw({ page }: MachinePage): Promise<number> {
  const session = await devTools(page)
  const at = Date.now()
  await session.send('Page.setWebLifecycleState', { state: 'active' })
  return at
}

/** For as long as a fault is to last: nothing is waited for. */
export async function lasting(durationMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, durationMs))
}

export async function tracesOf({ page }: MachinePage, sinceMs = 0): Promise<Trace[]> {
  const all = await page.evaluate(() => [...(window.zabra?.traces ?? [])])
  return (all as Trace[]).filter(({ at }) => at >= sinceMs)
}

/** The first trace of this kind since then; waits for it. */
export async function firstTrace<K extends Trace['type']>(
  machine: MachinePage,
  type: K,
  sinceMs: number,
  isIt: (trace: Extract<Trace, { type: K }>) => boolean = () => true,
): Promise<Extract<Trace, { type: K }>> {
  const find = async (): Promise<Extract<Trace, { type: K }> | undefined> =>
    (await tracesOf(machine, sinceMs)).find(
      (trace): trace is Extract<Trace, { type: K }> =>
        trace.type === type && isIt(trace as Extract<Trace, { type: K }>),
    )
  await expect.poll(find, { ...PATIENTLY, message: `a trace of ${type}` }).not.toBe(undefined)
  const found = await find()
  if (found === undefined) throw new Error(`the trace of ${type} is gone`)
  return found
}

/** A tab that came to a full room: whatever it is there, it is no voter and it works. */
export async function expectGuest(
  machine: MachinePage,
  patienceMs: number = PATIENCE_MS,
): Promise<void> {
  // A page that is being left has no answer.
  const phase = async (): Promise<string> =>
    (await machine.workerStatus().catch(() => null))?.phase ?? 'starting'
  await expect
    .poll(phase, { ...PATIENTLY, timeout: patienceMs, message: 'joined, and not as a voter' })
    .toMatch(/^(client|observer)$/)
}

interface InPage {
  readonly client: ZooKeeperClient
  /** In the order in which the client told it. */
  readonly heard: string[]
}

declare global {
  interface Window {
    witness?: InPage
  }
}

/** A client of the tab's own machine that writes down what it hears, in order. */
export class Witness {
  readonly #page: Page

  private constructor(page: Page) {
    this.#page = page
  }

  static async open(machine: MachinePage, sessionTimeoutMs = 10_000): Promise<Witness> {
    const { page } = machine
    await machine.expectStarted()
    await page.evaluate(async (timeoutMs) => {
      const client = window.zabra?.newClient(timeoutMs)
      if (client === undefined) throw new Error('no machine')
      const heard: string[] = []
      window.witness = { client, heard }
      client.onState((state) => heard.push(state))
      await client.connected()
    }, sessionTimeoutMs)
    return new Witness(page)
  }

  get heard(): Promise<readonly string[]> {
    return this.#page.evaluate(() => [...(window.witness?.heard ?? [])])
  }

  /** Sends a read and does not wait for it. Also in a frozen page, where it queues up. */
  async ask(path: string): Promise<void> {
    await this.#page.evaluate((asked) => {
      const { client, heard } = window.witness ?? {}
      client?.getData(asked).then(
        ({ data }) => heard?.push(`read ${new TextDecoder().decode(data ?? new Uint8Array())}`),
        (error: unknown) => heard?.push(`failed ${error instanceof Error ? error.message : '?'}`),
      )
    }, path)
  }

  async createEphemeral(path: string): Promise<void> {
    const node = { path, mode: CreateMode.EPHEMERAL }
    await this.#page.evaluate(
      (made) => window.witness?.client.create(made.path, null, { mode: made.mode }),
      node,
    )
  }

  /** Creates it or sets its data: for tabs that cannot be typed into, being hidden. */
  async write(path: string, data: string): Promise<void> {
    await this.#page.evaluate(
      async ([node = '', text = '']) => {
        const client = window.witness?.client
        if ((await client?.exists(node)) === null) await client?.create(node, text)
        else await client?.setData(node, text)
      },
      [path, data],
    )
  }

  /** After a sync: what was written before this call. */
  async read(path: string): Promise<string> {
    return this.#page.evaluate(async (node) => {
      const client = window.witness?.client
      await client?.sync(node)
      const read = await client?.getData(node)
      return new TextDecoder().decode(read?.data ?? new Uint8Array())
    }, path)
  }

  async sessionId(): Promise<string> {
    return this.#page.evaluate(() => String(window.witness?.client.sessionId))
  }

  async expectHeard(what: string | RegExp, from = 0): Promise<void> {
    const isIt = (text: string): boolean =>
      typeof what === 'string' ? text === what : what.test(text)
    await expect
      .poll(async () => (await this.heard).slice(from).some(isIt), {
        ...PATIENTLY,
        message: `the client hears ${String(what)}`,
      })
      .toBe(true)
  }
}
