// Rooms of Firefox, and of Firefox and Chromium together, and what befalls them. WebDriver BiDi, by
// which it is driven, has no crash or freeze of one tab: tabs are closed, a worker is ended by the
// page's own button, and the browser's process is killed or stands still.
import { CreateMode } from '../../src/core/jute/create-mode.ts'
import { ErrorCode } from '../../src/core/jute/error-code.ts'
import type { Ensemble } from '../../src/playwright/ensemble.ts'
import { expect } from '../../src/playwright/expectations.ts'
import { failAndReload } from './disk-faults.ts'
import { leaderOf, MachinePage, PATIENCE_MS, threeOf } from './machine-page.ts'
import { test, withPreferences } from './firefox-fixture.ts'
import { insist, put } from './tab-words.ts'

/** Firefox takes some 5 s to start and 1 s per tab, both several times that on a busy machine. */
const LIMIT_MS = 240_000
/** More than a leader keeps for DIFF (500). */
const MANY_WRITES = 800
/**
 * Many pieces of a data channel, and more than either browser sends as one message (256 KiB). With
 * 900,000 the write ended in ConnectionLoss now and then; the kit's recording is suspected,
 * not proved.
 */
const LARGE_BYTES = 300_000

async function expectOneAway(machines: readonly MachinePage[], how: string): Promise<void> {
  for (const { status } of machines) {
    await expect(status, how).toHaveText(/leads.*away/, { timeout: PATIENCE_MS })
  }
}

async function expectEqual(machines: readonly MachinePage[]): Promise<void> {
  const digests = (): number => {
    const all = machines.map(({ state }) => [state?.member?.zxid, state?.member?.treeDigest].join())
    return new Set(all).size
  }
  await expect
    .poll(digests, { timeout: PATIENCE_MS, message: 'equal digests at equal zxids' })
    .toBe(1)
}

/** Each machine sees what the one before it wrote, with a watch on it. */
async function expectWatchedWrites(machines: readonly MachinePage[], name: string): Promise<void> {
  for (const [i, writer] of machines.entries()) {
    const watcher = machines[(i + 1) % machines.length]
    const path = `/${name}-${i}`
    await watcher?.type(`stat -w ${path}`)
    await writer.create(path, 'written')
    await watcher?.expectLine(new RegExp(`type:NodeCreated path:${path}( |$)`))
    await watcher?.type(`get ${path}`)
    await watcher?.expectLine('written')
  }
}

/** A large node, written in one machine's page and read in the others'. */
async function expectLargeNode(machines: readonly MachinePage[], path: string): Promise<void> {
  const [writer, ...readers] = machines
  await writer?.page.evaluate(
    async ([at, bytes]) => {
      const client = window.zabra?.newClient()
      const make = async (): Promise<void> => {
        await client?.create(at, new Uint8Array(bytes).fill(7)).catch(async (error: Error) => {
          if (error.name === 'NodeExists') return
          if (error.name !== 'ConnectionLoss') throw error
          await client.connected()
          await make()
        })
      }
      await make()
      await client?.close()
    },
    [path, LARGE_BYTES] as const,
  )
  for (const reader of readers) {
    const sum = await reader.page.evaluate(async (at) => {
      const client = window.zabra?.newClient()
      await client?.sync(at)
      const read = await client?.getData(at)
      await client?.close()
      return read?.data?.reduce((total, byte) => total + byte, 0)
    }, path)
    expect(sum).toBe(7 * LARGE_BYTES)
  }
}

/**
 * So many writes of one node, each of so many bytes. Not all at once: what counts is that they were
 * made, and a leader with that much to do once lost its client on a busy machine.
 */
async function burst(machine: MachinePage, path: string, bytes: number): Promise<void> {
  await machine.page.evaluate(
    async ([at, count, length]) => {
      const client = window.zabra?.newClient()
      const again = async (write: () => Promise<unknown> | undefined): Promise<void> => {
        await write()?.catch(async (error: Error) => {
          if (error.name === 'NodeExists') return
          if (error.name !== 'ConnectionLoss') throw error
          await client?.connected()
          await again(write)
        })
      }
      await again(() => client?.create(at))
      const one = (): Promise<void> => again(() => client?.setData(at, 'x'.repeat(length)))
      for (let done = 0; done < count; done += 50)
        await Promise.all(Array.from({ length: 50 }, one))
      await client?.close()
    },
    [path, MANY_WRITES, bytes] as const,
  )
}

/** The leader's tab is closed and opened; its worker dies; then every tab is reloaded. */
async function closeCrashAndReload(room: Ensemble, machines: readonly MachinePage[]) {
  const leader = leaderOf(machines)
  const gone = leader.sid
  await room.close(leader.member)
  const two = machines.filter((machine) => machine !== leader)
  await expectOneAway(two, 'closed')
  await room.restart(leader.member)
  await leader.expectWhole()
  await leader.expectState({ sid: gone })

  const dying = leaderOf(machines)
  const before = machines.map(({ sid }) => sid)
  await dying.page.getByRole('button', { name: 'Crash this tab' }).click()
  await expectOneAway(
    machines.filter((one) => one !== dying),
    'crashed',
  )
  for (const machine of [dying, ...machines.filter((one) => one !== dying)]) {
    await room.reload(machine.member)
    await machine.expectWhole()
  }
  expect(machines.map(({ sid }) => sid)).toEqual(before)
  await expectEqual(machines)
}

/** Apart from the others, deaf, slow; messages that are lost and that come in another order. */
async function hurtLinks(room: Ensemble): Promise<void> {
  await room.waitForWhole()
  const { leader } = room
  const [one, other] = room.followers
  if (one === undefined || other === undefined) throw new Error('two followers')
  const client = await room.client(one, { sessionTimeoutMs: PATIENCE_MS })
  await room.partition([leader], [one, other])
  await leader.until(() => leader.status?.member?.serving === false)
  expect(await room.waitForLeader()).not.toBe(leader.number)
  await put(client, '/x', 'without the first leader')
  await room.heal()
  await room.waitForWhole()

  await room.oneWay(one, other)
  await room.oneWay(leader, other)
  await other.until(() => other.status?.member?.serving === false)
  await room.heal()
  await room.waitForWhole()

  const since = Date.now()
  const [follower] = room.followers
  if (follower === undefined) throw new Error('a follower')
  await room.drop(1, [room.leader, follower])
  await follower.untilTrace('link', since, ({ up }) => !up)
  await room.heal()
  await room.waitForWhole()

  const begun = performance.now()
  await room.delay([20, 60])
  await insist(() => client.setData('/x', 'slow'))
  expect(performance.now() - begun).toBeGreaterThan(40)
  await room.heal()
}

/** One of the three at a time; the last one is another machine then, which does not vote. */
async function hurtDisks(room: Ensemble): Promise<void> {
  const [victim] = room.followers
  if (victim === undefined) throw new Error('a follower')
  const writer = await room.client(room.leader)
  for (const fault of ['quota', 'hangs', 'closed', 'wiped'] as const) {
    await failAndReload(room, victim, fault, writer)
  }
}

test('three tabs of Firefox, and what befalls tabs, links, disks and sessions', async ({
  site,
  ensemble,
  firefox,
}) => {
  test.setTimeout(LIMIT_MS)
  const room = await ensemble(3, { browser: { ...firefox, faults: true } })
  const machines = threeOf(room)
  expect(machines.map(({ sid }) => sid)).toEqual([1, 2, 3])
  await expectWatchedWrites(machines, 'whole')
  await expectLargeNode(machines, '/large')
  // The question whether to keep the storage stands open in Firefox, and nothing waits for it.
  for (const { page } of machines) {
    const said = page.getByText('this browser asks you whether to keep it').first()
    await expect(said).toBeVisible({ timeout: PATIENCE_MS })
  }
  await test.step('tabs', () => closeCrashAndReload(room, machines))
  await test.step('links', () => hurtLinks(room))
  await test.step('the signaling server', async () => {
    await site.stop()
    const client = await room.client(1)
    await put(client, '/no-broker', '')
    await site.start()
  })
  await test.step('disks', () => hurtDisks(room))
  await test.step('a session', async () => {
    const gone = await room.client(room.leader)
    await gone.create('/gone', null, { mode: CreateMode.EPHEMERAL })
    await room.expireSession(gone)
    await expect.poll(() => gone.heard()).toContain('CLOSED')
    await expect(gone.exists('/gone')).rejects.toMatchObject({ code: ErrorCode.SESSIONEXPIRED })
  })
  await expect(room).allPromises()
})

test('Firefox and Chromium in one room: each leads, each catches up from the other', async ({
  ensemble,
  firefox,
}) => {
  test.setTimeout(LIMIT_MS)
  const room = await ensemble(3, { browser: [{ faults: true }, { ...firefox, faults: true }] })
  // The first one made the room and is machine 1; when all know the same, the highest id leads.
  const [chromium] = room.browsers
  const isChromium = ({ member }: MachinePage): boolean => member.browser === chromium
  const machines = threeOf(room)
  const [one, two] = machines.filter(isChromium)
  const fox = machines.find((machine) => !isChromium(machine))
  if (one === undefined || two === undefined || fox === undefined) throw new Error('three')
  const foxSid = fox.sid
  await expectWatchedWrites([one, two, fox], 'mixed')
  await expectLargeNode([fox, one, two], '/from-firefox')
  await expectLargeNode([one, two, fox], '/from-chromium')

  // Firefox is killed, and the end of its log torn; Chromium leads and writes more than it has in
  // memory for DIFF.
  await expectEqual([one, two, fox])
  await room.failStorage(fox.member, 'torn')
  await expectOneAway([one, two], 'killed')
  await burst(one, '/while-firefox-was-away', 10)
  const killed = Date.now()
  await room.restart(fox.member)
  await fox.expectWhole()
  await fox.expectState({ sid: foxSid })
  // From the leader's disk: with the large nodes a snapshot is much more. It may come twice.
  expect(new Set(fox.syncModesSince(killed))).toEqual(new Set(['DIFF']))
  await expectEqual([one, two, fox])

  // The Chromium that leads goes, so it is Firefox's turn: its id is above machine 1.
  await room.forceLeader(two.member)
  await room.waitForQuiet()
  const gone = two
  const left = [one, two, fox].filter((machine) => machine !== gone)
  await room.close(gone.member)
  await expectOneAway(left, 'closed')
  expect(await fox.isLeading()).toBe(true)
  await expectWatchedWrites(left, 'firefox-leads')
  // Now it is more than a third of a snapshot.
  await burst(fox, '/while-chromium-was-away', 2_000)
  const closed = Date.now()
  await room.restart(gone.member)
  await gone.expectWhole()
  expect(gone.syncModesSince(closed)[0]).toBe('SNAP')

  // The computer of the leader sleeps. What it was asked waits, and is not answered with the past.
  const asleep = Date.now()
  const client = await room.client(fox.member, { sessionTimeoutMs: PATIENCE_MS })
  await put(client, '/x', 'old')
  await room.sleep(fox.member)
  await expectOneAway([one, two], 'asleep')
  const writer = await room.client(one.member)
  await insist(() => writer.setData('/x', 'new'))
  const asked = client.ask('/x')
  await room.wake(fox.member)
  await asked
  await fox.member.untilTrace('established', asleep, ({ leader }) => leader !== foxSid)
  expect(await client.heard()).not.toContain('read old')
  await room.waitForWhole()
  await expectEqual([one, two, fox])
  await expect(room).allPromises()
})

test('a private window of Firefox serves, and says what it is', async ({ ensemble, firefox }) => {
  test.setTimeout(LIMIT_MS)
  const browser = withPreferences(firefox, { 'browser.privatebrowsing.autostart': true })
  const machine = new MachinePage((await ensemble(1, { browser })).leader)
  await expectWatchedWrites([machine], 'private')
  const said = machine.page.getByText('This looks like a private window').first()
  await expect(said).toBeVisible({ timeout: PATIENCE_MS })
})
