// A profile put back to an older state, a member that says what nobody should, and thousands of
// watches whose session moves while what they watch changes.
import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from '../../src/playwright/expectations.ts'
import { TabClient } from '../../src/playwright/tab-client.ts'
import type { ZooKeeperClient } from '../../src/client/zookeeper-client.ts'
import { test } from '../../src/playwright/fixtures.ts'
import {
  castOf,
  MachinePage,
  openMachine,
  PATIENCE_MS,
  PATIENTLY,
  threeOf,
} from './machine-page.ts'
import { expectRolesKept, latest, put } from './tab-words.ts'

test('a profile put back to an older copy: refused by the others, who go on', async ({
  site,
  newBrowser,
}) => {
  test.setTimeout(120_000)
  const [home, own] = [await newBrowser(), await newBrowser()]
  const link = site.room()
  const others = [await openMachine(home, link), await openMachine(home, link)] as const
  const first = await openMachine(own, link)
  for (const machine of [...others, first]) await machine.expectWhole()
  const [one] = others
  const client = await TabClient.open(one.member)
  const named = one.page.url()
  await own.close()
  const folder = await mkdtemp(join(tmpdir(), 'zabra-old-profile-'))
  try {
    await cp(own.profile, join(folder, 'copy'), { recursive: true })
    const second = await openMachine(own, named)
    await second.expectWhole()
    await put(client, '/promised', 'to all three')
    await own.close()
    await rm(own.profile, { recursive: true, force: true, maxRetries: 5 })
    await rename(join(folder, 'copy'), own.profile)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  const since = Date.now()
  const restored = await openMachine(own, named)
  await expect(restored.page.locator('#advice')).toContainText(
    /Refused: .*the storage of this machine is rolled-back/,
    { timeout: PATIENCE_MS },
  )
  expect(restored.member.isLeading).toBe(false)
  await one.expectStatus(/leads.*away/)
  await put(client, '/promised', 'and kept')
  expect(await latest(client, '/promised')).toBe('and kept')
  for (const { member } of others) {
    expect(member.tracesSince(since, 'link').filter(({ up }) => up)).toEqual([])
  }
})

/** Every third message of a member is followed by one that nobody should send. */
async function lie({ page }: MachinePage): Promise<void> {
  const [worker] = page.workers()
  if (worker === undefined) throw new Error('no worker')
  await worker.evaluate(() => {
    const { prototype } = RTCDataChannel as unknown as {
      prototype: { send: (data: Uint8Array<ArrayBuffer>) => void }
    }
    const { send } = prototype
    // Of FOLLOWERINFO. A member of a newer epoch ends the leader's by rule, and it is one of them.
    const isEpoch = (at: number): boolean => at >= 15 && at < 19
    let said = 0
    prototype.send = function (data) {
      send.call(this, data)
      said++
      if (said % 3 !== 0) return
      // Noise of any length, or its own words with another byte in them.
      const isNoise = said % 2 === 0
      const length = isNoise ? Math.ceil(Math.random() * 2_000) : data.byteLength
      const lies = isNoise ? new Uint8Array(length) : new Uint8Array(data)
      if (isNoise) crypto.getRandomValues(lies)
      else {
        const at = Math.floor(Math.random() * length)
        if (!isEpoch(at)) lies[at] = Math.random() * 256
      }
      send.call(this, lies)
    }
  })
}

test('a member that sends noise and forged words is cut off, and harms nobody', async ({
  ensemble,
}) => {
  const room = await ensemble(3)
  const { leader, one: liar, other: honest } = castOf(threeOf(room))
  const { number } = liar.member
  const since = Date.now()
  await lie(liar)
  await leader.member.untilTrace('link', since, ({ peer, up }) => peer === number && !up)
  const client = await room.client(honest.member)
  for (let i = 0; i < 100; i++) await put(client, '/truth', String(i))
  expectRolesKept([leader.member, honest.member], since)
  await room.reload(liar.member)
  expect(await latest(await room.client(liar.member), '/truth')).toBe('99')
  await expect(room).allPromises()
})

const WATCHES = 3_000

declare global {
  interface Window {
    /** How often each watch fired, and the session that they are of. */
    storm?: { readonly client: ZooKeeperClient; readonly fired: Map<string, number> }
  }
}

/**
 * Sets of all nodes of the storm from one up to another. On two busy cores the burst may cost the
 * leader its place, and the writes their answers; what is set twice fires no watch twice.
 */
async function change({ page }: MachinePage, from: number, to: number): Promise<void> {
  await page.evaluate(
    async ([first, last]) => {
      const client = window.zabra?.newClient()
      if (client === undefined) throw new Error('no machine')
      const set = async (name: string): Promise<void> => {
        await client.connected()
        await client.setData(name, 'changed').catch(async (error: Error) => {
          if (error.name !== 'ConnectionLoss') throw error
          await set(name)
        })
      }
      const names = Array.from({ length: last - first }, (_, i) => `/storm/${first + i}`)
      await Promise.all(names.map(set))
      await client.close()
    },
    [from, to] as const,
  )
}

/** A client with links of its own; the machine that serves it made its session. */
async function watchAll({ page }: MachinePage): Promise<number> {
  return page.evaluate(async (count) => {
    const room = await window.zabra?.joinAsClient()
    const client = await room?.openClient({ sessionTimeoutMs: 40_000 })
    if (client === undefined) throw new Error('no client')
    const fired = new Map<string, number>()
    window.storm = { client, fired }
    const watch = ({ path, type }: { path: string | null; type: number }): void => {
      // Of changes only: that a connection was lost is told to every watch.
      if (path !== null && type > 0) fired.set(path, (fired.get(path) ?? 0) + 1)
    }
    // As in `change`; who made it the first time finds it there.
    const insist = async (call: () => Promise<unknown>): Promise<void> => {
      await client.connected()
      await call().catch(async ({ name, message }: Error) => {
        if (name === 'ConnectionLoss') await insist(call)
        else if (name !== 'NodeExists') throw new Error(message)
      })
    }
    const names = Array.from({ length: count }, (_, i) => `/storm/${i}`)
    await insist(() => client.create('/storm'))
    await Promise.all(names.map((name) => insist(() => client.create(name))))
    await Promise.all(names.map((name) => insist(() => client.getData(name, { watch }))))
    return Number(client.sessionId >> 56n)
  }, WATCHES)
}

test('thousands of watches: each fires once, also when their session moves meanwhile', async ({
  ensemble,
}) => {
  const room = await ensemble(3)
  const machines = threeOf(room)
  const guest = new MachinePage(await room.add())
  await guest.expectGuest()
  const sid = await watchAll(guest)
  const server = machines[sid - 1]
  const [other] = machines.filter((machine) => machine !== server)
  if (server === undefined || other === undefined) throw new Error(`no machine ${sid}`)
  const before = await guest.page.evaluate(() => String(window.storm?.client.sessionId))
  await change(other, 0, 1_000)
  // Its server is gone without a word; what changes meanwhile is told by the next one.
  await room.kill(server.member)
  await other.expectStatus(/leads.*away/)
  await change(other, 1_000, 2_000)
  const isBack = (): Promise<boolean> =>
    guest.page.evaluate(() =>
      (window.storm?.client.sync('/storm') ?? Promise.reject(new Error('no client'))).then(
        () => true,
        () => false,
      ),
    )
  await expect.poll(isBack, { ...PATIENTLY, message: 'the session moves' }).toBe(true)
  await change(other, 2_000, WATCHES)
  const fired = (): Promise<number[]> =>
    guest.page.evaluate(() => [...(window.storm?.fired.values() ?? [])])
  await expect.poll(async () => (await fired()).length, PATIENTLY).toBe(WATCHES)
  expect(Math.max(...(await fired()))).toBe(1)
  expect(await guest.page.evaluate(() => String(window.storm?.client.sessionId))).toBe(before)
})
