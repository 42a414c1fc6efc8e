// Tabs beyond the voters: observers with places of their own, linked to voters only.
import { expect, type Page } from 'playwright/test'
import { test } from '../../src/playwright/fixtures.ts'
import {
  leaderOf,
  MachinePage,
  openMachine,
  PATIENCE_MS,
  PATIENTLY,
  threeOf,
} from './machine-page.ts'

async function expectObserving(machine: MachinePage): Promise<number> {
  await expect(machine.status).toHaveText(/^observing.*leads/, { timeout: PATIENCE_MS })
  return machine.sid ?? 0
}

/** Server ids of the pages that this one is linked with, verified. */
function linkedSids({ state }: MachinePage): (number | null)[] {
  return (state?.peers ?? []).map(({ sid }) => sid).sort()
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

/** Writes as a client only, the same one each time; its session's server id. */
async function clientOnly(page: Page, path: string): Promise<number> {
  return page.evaluate(async (node) => {
    if (window.zabra === undefined) return 0
    const kept: { clientRoom?: ReturnType<typeof window.zabra.joinAsClient> } = window as object
    kept.clientRoom ??= window.zabra.joinAsClient()
    const client = await (await kept.clientRoom).openClient()
    await client.create(node, 'by a client')
    const server = Number(BigInt.asUintN(64, client.sessionId) >> 56n)
    await client.close()
    return server
  }, path)
}

test('observers read, write, watch and survive their leader, and know voters only', async ({
  ensemble,
}) => {
  test.setTimeout(180_000)
  const room = await ensemble(3, { observers: 2 })
  const voters = threeOf(room)
  const [, , , fourth, fifth] = room.members
  if (fourth === undefined || fifth === undefined) throw new Error('two observers')
  const [first, second] = [new MachinePage(fourth), new MachinePage(fifth)]
  expect([await expectObserving(first), await expectObserving(second)].sort()).toEqual([4, 5])
  await expect(first.page).toHaveTitle(/^Observer [45] · /)

  await expect(
    first.page.getByText('Observing: the three voters of this room are machines 1, 2, 3').first(),
  ).toBeVisible()

  // Links: to the three voters, and to nobody else.
  await expect.poll(() => linkedSids(first)).toEqual([1, 2, 3])
  await expect.poll(() => linkedSids(second)).toEqual([1, 2, 3])

  // A write through an observer, a watch on an observer for a write on a voter, its own sessions.
  await first.create('/through-an-observer', 'yes')
  await voters[1].expectData('/through-an-observer', 'yes')
  await second.type('sync /through-an-observer')
  await second.type('get -w /through-an-observer')
  await second.expectLine('yes')
  await voters[2].type('set /through-an-observer changed')
  await second.expectLine(/WatchedEvent state:SyncConnected type:NodeDataChanged/)
  expect(await sessionServer(first.page)).toBe(first.sid)

  // A reload gets the server id again.
  const { sid } = first
  await first.page.reload()
  expect(await expectObserving(first)).toBe(sid)

  // A client only: sessions on voters, links to voters, no machine in the counts of anybody.
  expect([1, 2, 3]).toContain(await clientOnly(second.page, '/by-a-client'))
  await first.expectData('/by-a-client', 'by a client')

  // The leader closes: the observers and the client go on with the next one.
  const leader = leaderOf(voters)
  await leader.page.close()
  const left = voters.filter((voter) => voter !== leader)
  for (const machine of [...left, first, second]) {
    await expect(machine.status).toHaveText(/leads.*away/, { timeout: PATIENCE_MS })
  }
  expect(left.map((voter) => voters.indexOf(voter) + 1)).toContain(
    await clientOnly(second.page, '/by-the-same-client'),
  )
  await second.create('/after-the-leader', 'yes')
  await first.expectData('/after-the-leader', 'yes')
  await expect(
    first.page.getByText(/the ensemble commits with 2 of 3, one more loss stops it/i).first(),
  ).toBeVisible()
  const observers = (): readonly (number | undefined)[] | undefined =>
    left[0]?.state?.member?.observers.map((one) => one.sid).sort()
  await expect.poll(observers, PATIENTLY).toEqual([4, 5])
})

test('a lost majority: a new ensemble from this copy, after saying what it may miss', async ({
  ensemble,
}) => {
  test.setTimeout(180_000)
  const room = await ensemble(3)
  const [survivor, ...others] = threeOf(room)
  await survivor.create('/kept', 'precious')
  await survivor.type('create -e /mine 1')
  await survivor.expectLine('Created /mine')
  const oldLink = survivor.page.url()
  const begin = survivor.page.getByRole('button', { name: 'Start a new ensemble from this copy' })
  await expect(begin).toBeHidden()
  for (const other of others) await other.page.close()
  await expect(survivor.status).toHaveText(/need 2 of 3/, { timeout: PATIENCE_MS })

  await begin.click({ timeout: PATIENCE_MS })
  const told = survivor.page.getByText(/acknowledged and this machine has not seen are missing/)
  await expect(told).toContainText('6 znodes, up to transaction 0x')
  await expect(told).toContainText(/\d sessions and 1 ephemeral node stay behind/)
  await survivor.page.getByRole('button', { name: 'Start it' }).click()
  await expect(survivor.status).toHaveText(/1 of 3 here/, { timeout: PATIENCE_MS })
  const newLink = survivor.page.url()
  expect(newLink).not.toBe(oldLink)

  const [browser] = room.browsers
  if (browser === undefined) throw new Error('a browser')
  const [one, two] = [await openMachine(browser, newLink), await openMachine(browser, newLink)]
  for (const machine of [survivor, one, two]) await machine.expectWhole()
  expect(await survivor.isLeading()).toBe(true)
  await two.type('get /kept')
  await two.expectLine('precious')
  await one.type('ls /')
  await one.expectLine('[kept, zookeeper]')
  await one.create('/anew', '1')

  // The old machine is where it was, and waits for its own.
  const old = await openMachine(browser, oldLink)
  await expect(old.status).toHaveText(/need 2 of 3/, { timeout: PATIENCE_MS })
  await expect.poll(() => old.sid ?? 0, PATIENTLY).toBeGreaterThan(0)
  expect(old.sid).toBeLessThanOrEqual(3)
})
