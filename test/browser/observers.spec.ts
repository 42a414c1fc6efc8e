// Tabs beyond the voters: observers with places of their own, linked to voters only.
import { expect, type Page } from 'playwright/test'
import type { WorkerStatus } from '../../worker/protocol.ts'
import { type MachinePage, PATIENCE_MS } from './machine-page.ts'
import { bySid, leaderOf, openThree, test } from './room-fixture.ts'

async function expectObserving(machine: MachinePage): Promise<number> {
  await expect(machine.status).toHaveText(/^observing.*leads/, { timeout: PATIENCE_MS })
  return (await machine.sid()) ?? 0
}

/** Server ids of the pages that this one is linked with, verified. */
async function linkedSids(machine: MachinePage): Promise<(number | null)[]> {
  const status = await machine.workerStatus()
  return (status?.peers ?? []).map(({ sid }) => sid).sort()
}

/** The server id in the session id of a client of that page, whose member is asked first. */
async function sessionServer(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const client = window.zabra?.newClient()
    if (client === undefined) return 0
    await client.connected()
    const server = Number(BigInt.asUintN(64, client.sessionId) >> 56n)
    await client.close()
    return server
  })
}

test('observers read, write, watch and survive their leader, and know voters only', async ({
  site,
  newBrowser,
}) => {
  test.setTimeout(180_000)
  const browser = await newBrowser()
  const voters = await bySid(await openThree(browser, site.room()))
  const link = voters[0]?.page.url() ?? ''
  const first = await browser.open(link)
  const second = await browser.open(link)
  expect([await expectObserving(first), await expectObserving(second)].sort()).toEqual([4, 5])
  await expect(first.page).toHaveTitle(/^Observer [45] · /)

  await expect(
    first.page.getByText('Observing: the three voters of this room are machines 1, 2, 3').first(),
  ).toBeVisible()

  // Links: to the three voters, and to nobody else.
  await expect.poll(() => linkedSids(first)).toEqual([1, 2, 3])
  await expect.poll(() => linkedSids(second)).toEqual([1, 2, 3])

  // A write through an observer, a watch on an observer for a write on a voter, its own sessions.
  await first.type('create /through-an-observer yes')
  await first.expectLine('Created /through-an-observer')
  await voters[1]?.type('get /through-an-observer')
  await voters[1]?.expectLine('yes')
  await second.type('get -w /through-an-observer')
  await second.expectLine('yes')
  await voters[2]?.type('set /through-an-observer changed')
  await second.expectLine(/WatchedEvent state:SyncConnected type:NodeDataChanged/)
  expect(await sessionServer(first.page)).toBe(await first.sid())

  // A reload gets the server id again.
  const sid = await first.sid()
  await first.page.reload()
  expect(await expectObserving(first)).toBe(sid)

  // The leader closes: the observers go on with the next one.
  const leader = await leaderOf(voters)
  await leader.page.close()
  const left = voters.filter((voter) => voter !== leader)
  for (const machine of [...left, first, second]) {
    await expect(machine.status).toHaveText(/leads.*away/, { timeout: PATIENCE_MS })
  }
  await second.type('create /after-the-leader yes')
  await second.expectLine('Created /after-the-leader')
  await first.type('get /after-the-leader')
  await first.expectLine('yes')
  await expect(
    first.page.getByText(/the ensemble commits with 2 of 3, one more loss stops it/i).first(),
  ).toBeVisible()
  const status = (await left[0]?.workerStatus()) as WorkerStatus
  expect(status.member?.observers.map((one) => one.sid).sort()).toEqual([4, 5])
})
