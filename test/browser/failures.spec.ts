// Tabs that crash, close, reload and come back, in one browser, used as a person would.
import { gunzipSync } from 'node:zlib'
import { expect } from 'playwright/test'
import { loadFlight } from '../../src/edge/load-flight.ts'
import { replayFlight } from '../../src/edge/replay-flight.ts'
import { readFlight } from '../../src/runtime/flight/flight-file.ts'
import { flightOf } from '../../src/playwright/attachments.ts'
import { test } from '../../src/playwright/fixtures.ts'
import {
  castOf,
  MachinePage,
  openMachine,
  PATIENCE_MS,
  PATIENTLY,
  threeOf,
} from './machine-page.ts'

function epochOf({ state }: MachinePage): number {
  return Number(state?.member?.epoch ?? 0)
}

async function crash(machine: MachinePage): Promise<void> {
  await machine.page.getByRole('button', { name: 'Crash this tab' }).click()
}

async function startAgain(machine: MachinePage): Promise<void> {
  await machine.page.getByRole('button', { name: 'Start it again' }).click()
}

test('the leader crashes: service goes on, its machine comes back', async ({ ensemble }) => {
  const machines = threeOf(await ensemble(3))
  const { leader, one, other } = castOf(machines)
  await leader.create('/before', 'crash')
  const epoch = epochOf(leader)
  await crash(leader)
  await expect.poll(() => epochOf(one), PATIENTLY).toBeGreaterThan(epoch)
  await one.expectStatus(/leads.*away/)
  await one.create('/after', 'crash')
  await other.type('sync /')
  await other.type('ls /')
  await other.expectLine('[after, before, zookeeper]')
  const sid = await leader.page.title()
  await startAgain(leader)
  await leader.expectWhole()
  expect((await leader.page.title()).slice(0, 9)).toBe(sid.slice(0, 9))
  await leader.type('get /after')
  await leader.expectLine('crash')
  // What each of them heard makes the same again in Node, bit for bit; and masked, by the button.
  for (const machine of machines) {
    const file = await flightOf(machine.page)
    if (file === null) throw new Error('no recording')
    const flight = readFlight(gunzipSync(file))
    expect(replayFlight(flight)).toEqual({ kind: 'same', steps: flight.steps, exact: true })
  }
  const downloaded = one.page.waitForEvent('download')
  await one.page.getByRole('button', { name: 'Download flight recording' }).click()
  const masked = await loadFlight(await (await downloaded).path())
  expect(replayFlight(masked)).toMatchObject({ kind: 'same', exact: false })
})

test('a follower crashes: nobody else notices', async ({ ensemble }) => {
  const { leader, one: follower, other } = castOf(threeOf(await ensemble(3)))
  await crash(follower)
  await expect(leader.status).toHaveText(/leading, epoch .*away/, { timeout: PATIENCE_MS })
  await other.create('/x', '1')
  await startAgain(follower)
  await follower.expectWhole()
  await follower.type('get /x')
  await follower.expectLine('1')
  expect(await leader.isLeading()).toBe(true)
})

test('two tabs gone: the one left serves nobody and says why', async ({ ensemble, site }) => {
  // Its session lasts until one of them is back.
  const url = site.room('&size=3&timeout=40000')
  const [last, back, gone] = threeOf(await ensemble(3, { url }))
  for (const machine of [back, gone]) await crash(machine)
  await expect(last.status).toHaveText(
    /looking.*cannot commit: need 2 of 3; machine \d silent for \d+ s; machine \d silent/,
    { timeout: PATIENCE_MS },
  )
  await last.type('create /x 1')
  await last.expectLine('KeeperErrorCode = ConnectionLoss for /x')
  await startAgain(back)
  await last.expectServing()
  await last.expectPrompt(/\(CONNECTED\)/)
  await last.type('create /x 2')
  await last.expectLine(/Created \/x|Node already exists: \/x/)
})

test('all tabs closed and opened in another order: everything is there', async ({ ensemble }) => {
  const room = await ensemble(3)
  const [first] = threeOf(room)
  for (let i = 0; i < 5; i++) await first.create(`/n${i}`, String(i))
  const cluster = first.state?.cluster ?? null
  const shared = first.page.url()
  expect(shared).toContain(String(cluster))
  const [browser] = room.browsers
  if (browser === undefined) throw new Error('a browser')
  await browser.close()

  const again: MachinePage[] = []
  for (let i = 0; i < 3; i++) again.push(await openMachine(browser, shared))
  for (const machine of again) await machine.expectWhole()
  for (const machine of again) {
    await machine.type('ls /')
    await machine.expectLine('[n0, n1, n2, n3, n4, zookeeper]')
    await machine.expectState({ cluster })
  }
  expect(again.map(({ sid }) => sid).sort()).toEqual([1, 2, 3])
})

test('a reload keeps the machine; a duplicated tab is another one', async ({ ensemble }) => {
  const room = await ensemble(3)
  const machines = threeOf(room)
  const sids = machines.map(({ sid }) => sid)
  for (const machine of machines) {
    await machine.page.reload()
    await machine.expectWhole()
  }
  expect(machines.map(({ sid }) => sid)).toEqual(sids)

  const extra = new MachinePage(await room.add())
  await expect(extra.status).toHaveText(/^observing.*leads/, { timeout: PATIENCE_MS })
  await extra.create('/by-an-observer', 'yes')
  await machines[1].expectData('/by-an-observer', 'yes')
})

test('the signaling server dies and returns empty: the ensemble works on', async ({
  site,
  ensemble,
}) => {
  const [first, second] = threeOf(await ensemble(3))
  await site.stop()
  await first.create('/no-broker', '1')
  await site.start()
  await second.page.reload()
  await second.expectWhole()
  await second.type('get /no-broker')
  await second.expectLine('1')
})
