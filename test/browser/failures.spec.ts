// Tabs that crash, close, reload and come back, in one browser, used as a person would.
import { gunzipSync } from 'node:zlib'
import { expect } from 'playwright/test'
import { loadFlight } from '../../src/edge/load-flight.ts'
import { replayFlight } from '../../src/edge/replay-flight.ts'
import { readFlight } from '../../src/runtime/flight/flight-file.ts'
import { flightOf } from './attach-flights.ts'
import { PATIENCE_MS, type MachinePage } from './machine-page.ts'
import { leaderOf, openThree, test } from './room-fixture.ts'

async function crash(machine: MachinePage): Promise<void> {
  await machine.page.getByRole('button', { name: 'Crash this tab' }).click()
}

async function startAgain(machine: MachinePage): Promise<void> {
  await machine.page.getByRole('button', { name: 'Start it again' }).click()
}

test('the leader crashes: service goes on, its machine comes back', async ({
  site,
  newBrowser,
}) => {
  const machines = await openThree(await newBrowser(), site.room())
  const leader = await leaderOf(machines)
  const [one, other] = machines.filter((machine) => machine !== leader)
  if (one === undefined || other === undefined) throw new Error('three machines')
  await leader.type('create /before crash')
  await leader.expectLine('Created /before')
  await crash(leader)
  await expect(one.status).toHaveText(/epoch 2.*away/, { timeout: PATIENCE_MS })
  await one.type('create /after crash')
  await one.expectLine('Created /after')
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

test('a follower crashes: nobody else notices', async ({ site, newBrowser }) => {
  const machines = await openThree(await newBrowser(), site.room())
  const leader = await leaderOf(machines)
  const [follower, other] = machines.filter((machine) => machine !== leader)
  if (follower === undefined || other === undefined) throw new Error('three machines')
  await crash(follower)
  await expect(leader.status).toHaveText(/leading, epoch 1.*away/, { timeout: PATIENCE_MS })
  await other.type('create /x 1')
  await other.expectLine('Created /x')
  await startAgain(follower)
  await follower.expectWhole()
  await follower.type('get /x')
  await follower.expectLine('1')
  expect(await leader.isLeading()).toBe(true)
})

test('two tabs gone: the one left serves nobody and says why', async ({ site, newBrowser }) => {
  const machines = await openThree(await newBrowser(), site.room())
  const [last, ...others] = machines
  if (last === undefined) throw new Error('three machines')
  for (const machine of others) await crash(machine)
  await expect(last.status).toHaveText(
    /looking.*cannot commit: need 2 of 3; machine \d silent for \d+ s; machine \d silent/,
    { timeout: PATIENCE_MS },
  )
  await last.type('create /x 1')
  await last.expectLine('KeeperErrorCode = ConnectionLoss for /x')
  const [back] = others
  if (back === undefined) throw new Error('three machines')
  await startAgain(back)
  await last.expectServing()
  await last.expectLine(/\(CONNECTED\)|SyncConnected/)
  await last.type('create /x 2')
  await last.expectLine(/Created \/x|Node already exists: \/x/)
})

test('all tabs closed and opened in another order: everything is there', async ({
  site,
  newBrowser,
}) => {
  const browser = await newBrowser()
  const link = site.room()
  const machines = await openThree(browser, link)
  const [first] = machines
  if (first === undefined) throw new Error('three machines')
  for (let i = 0; i < 5; i++) await first.type(`create /n${i} ${i}`)
  await first.expectLine('Created /n4')
  const cluster = (await first.workerStatus())?.cluster
  const shared = first.page.url()
  expect(shared).toContain(String(cluster))
  await browser.close()

  const again = await openThree(browser, shared)
  for (const machine of again) {
    await machine.type('ls /')
    await machine.expectLine('[n0, n1, n2, n3, n4, zookeeper]')
    expect((await machine.workerStatus())?.cluster).toBe(cluster)
  }
  const sids = await Promise.all(again.map((machine) => machine.sid()))
  expect([...sids].sort()).toEqual([1, 2, 3])
})

test('a reload keeps the machine; a duplicated tab is another one', async ({
  site,
  newBrowser,
}) => {
  const browser = await newBrowser()
  const link = site.room()
  const machines = await openThree(browser, link)
  const sids = await Promise.all(machines.map((machine) => machine.sid()))
  for (const machine of machines) {
    await machine.page.reload()
    await machine.expectWhole()
  }
  expect(await Promise.all(machines.map((machine) => machine.sid()))).toEqual(sids)

  const extra = await browser.open(machines[0]?.page.url() ?? '')
  await expect(extra.status).toHaveText(/^observing.*leads/, { timeout: PATIENCE_MS })
  await extra.type('create /by-an-observer yes')
  await extra.expectLine('Created /by-an-observer')
  await machines[1]?.type('get /by-an-observer')
  await machines[1]?.expectLine('yes')
})

test('the signaling server dies and returns empty: the ensemble works on', async ({
  site,
  newBrowser,
}) => {
  const machines = await openThree(await newBrowser(), site.room())
  await site.stop()
  const [first, second] = machines
  if (first === undefined || second === undefined) throw new Error('three machines')
  await first.type('create /no-broker 1')
  await first.expectLine('Created /no-broker')
  await site.start()
  await second.page.reload()
  await second.expectWhole()
  await second.type('get /no-broker')
  await second.expectLine('1')
})
