// Rooms of Firefox, and of Firefox and Chromium together. WebDriver BiDi, by which it is driven,
// has no crash or freeze of one tab: tabs are closed, a worker is ended by the page's own button,
// and the browser's process is killed.
import { expect } from 'playwright/test'
import type { BrowserProcess } from '../../src/playwright/browser-process.ts'
import { leaderOf, openMachine, PATIENCE_MS, type MachinePage } from './machine-page.ts'
import { test } from './firefox-fixture.ts'

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

async function open(browsers: readonly BrowserProcess[], link: string): Promise<MachinePage[]> {
  const machines: MachinePage[] = []
  for (const browser of browsers) machines.push(await openMachine(browser, link))
  for (const machine of machines) await machine.expectWhole()
  return machines
}

async function without(
  machines: readonly MachinePage[],
  gone: MachinePage,
): Promise<MachinePage[]> {
  await gone.page.close()
  const others = machines.filter((machine) => machine !== gone)
  for (const other of others) {
    await expect(other.status).toHaveText(/leads.*away/, { timeout: PATIENCE_MS })
  }
  return others
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
    await writer.type(`create ${path} written`)
    await writer.expectLine(`Created ${path}`)
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
      await client?.create(at, new Uint8Array(bytes).fill(7))
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

/** So many writes of one node, each of so many bytes. */
async function burst(machine: MachinePage, path: string, bytes: number): Promise<void> {
  await machine.page.evaluate(
    async ([at, count, length]) => {
      const client = window.zabra?.newClient()
      await client?.create(at)
      const one = (): unknown => client?.setData(at, 'x'.repeat(length))
      await Promise.all(Array.from({ length: count }, one))
      await client?.close()
    },
    [path, MANY_WRITES, bytes] as const,
  )
}

test('three tabs of Firefox: written, watched, closed, crashed and reloaded', async ({
  site,
  newFirefox,
}) => {
  test.setTimeout(LIMIT_MS)
  const firefox = await newFirefox()
  const machines = await open([firefox, firefox, firefox], site.room())
  expect(machines.map(({ sid }) => sid).sort()).toEqual([1, 2, 3])
  await expectWatchedWrites(machines, 'whole')
  await expectLargeNode(machines, '/large')
  // The question whether to keep the storage stands open in Firefox, and nothing waits for it.
  for (const { page } of machines) {
    const said = page.getByText('this browser asks you whether to keep it').first()
    await expect(said).toBeVisible({ timeout: PATIENCE_MS })
  }

  // The leader's tab is closed, another one opened: it is the machine that was.
  const leader = leaderOf(machines)
  const gone = leader.sid
  const link = leader.page.url()
  const two = await without(machines, leader)
  await expectWatchedWrites(two, 'two')
  const back = await openMachine(firefox, link)
  await back.expectWhole()
  expect(back.sid).toBe(gone)

  // The leader's worker dies; then every tab is reloaded. Each keeps its machine.
  const whole = [...two, back]
  const dying = leaderOf(whole)
  await dying.page.getByRole('button', { name: 'Crash this tab' }).click()
  for (const machine of whole.filter((one) => one !== dying)) {
    await expect(machine.status).toHaveText(/epoch [3-9].*leads.*away/, { timeout: PATIENCE_MS })
  }
  const before = two.map(({ sid }) => sid)
  for (const machine of [dying, ...whole.filter((one) => one !== dying)]) {
    await machine.page.reload()
    await machine.expectWhole()
  }
  expect(two.map(({ sid }) => sid)).toEqual(before)
  await expectWatchedWrites(whole, 'again')
  await expectEqual(whole)
})

test('Firefox and Chromium in one room: each leads, each catches up from the other', async ({
  site,
  newBrowser,
  newFirefox,
}) => {
  test.setTimeout(LIMIT_MS)
  const chromium = await newBrowser()
  const firefox = await newFirefox()
  // The first one made the room and is machine 1; when all know the same, the highest id leads.
  const [one, two, fox] = await open([chromium, chromium, firefox], site.room())
  if (one === undefined || two === undefined || fox === undefined) throw new Error('three')
  const foxSid = fox.sid
  const link = fox.page.url()
  await expectWatchedWrites([one, two, fox], 'mixed')
  await expectLargeNode([fox, one, two], '/from-firefox')
  await expectLargeNode([one, two, fox], '/from-chromium')

  // Firefox is killed; Chromium leads and writes more than it has in memory for DIFF.
  await expectEqual([one, two, fox])
  await firefox.kill()
  for (const machine of [one, two]) {
    await expect(machine.status).toHaveText(/leads.*away/, { timeout: PATIENCE_MS })
  }
  await burst(one, '/while-firefox-was-away', 10)
  const foxAgain = await openMachine(firefox, link)
  await foxAgain.expectWhole()
  expect(foxAgain.sid).toBe(foxSid)
  // From the leader's disk: with the large nodes a snapshot is much more.
  expect(foxAgain.syncModes).toEqual(['DIFF'])
  await expectEqual([one, two, foxAgain])

  // The Chromium that leads goes, so it is Firefox's turn: its id is above machine 1.
  const chromiumLeader = leaderOf([one, two])
  const left = await without([one, two, foxAgain], chromiumLeader)
  expect(await foxAgain.isLeading()).toBe(true)
  await expectWatchedWrites(left, 'firefox-leads')
  // Now it is more than a third of a snapshot.
  await burst(foxAgain, '/while-chromium-was-away', 2_000)
  const back = await openMachine(chromium, link)
  await back.expectWhole()
  expect(back.syncModes).toEqual(['SNAP'])
  await expectWatchedWrites([...left, back], 'all-again')
  await expectEqual([...left, back])
})

test('private windows of Firefox make an ensemble that says so', async ({ site, newFirefox }) => {
  test.setTimeout(LIMIT_MS)
  const firefox = await newFirefox({ isPrivate: true })
  const machines = await open([firefox, firefox, firefox], site.room())
  await expectWatchedWrites(machines, 'private')
  for (const machine of machines) {
    const said = machine.page.getByText('This looks like a private window').first()
    await expect(said).toBeVisible({ timeout: PATIENCE_MS })
  }
})
