// A machine whose disk was wiped: it says so, stops acknowledging and never votes as its former
// self, while the other two go on. A full disk: storage.spec.ts and test/runtime.
import { expect } from 'playwright/test'
import { PATIENCE_MS, type MachinePage } from './machine-page.ts'
import { test, type Browser, type Site } from './room-fixture.ts'

async function threeBrowsers(
  site: Site,
  newBrowser: () => Promise<Browser>,
): Promise<MachinePage[]> {
  const link = site.room()
  const machines: MachinePage[] = []
  for (let i = 0; i < 3; i++) {
    machines.push(await (await newBrowser()).open(link))
  }
  for (const machine of machines) await machine.expectWhole()
  return machines
}

test('a wiped disk: the machine comes back as an observer, never as the voter it was', async ({
  site,
  newBrowser,
}) => {
  test.setTimeout(120_000)
  const machines = await threeBrowsers(site, newBrowser)
  const [wiped, other] = machines
  if (wiped === undefined || other === undefined) throw new Error('three')
  const link = wiped.page.url()
  const session = await wiped.page.context().newCDPSession(wiped.page)
  await session.send('Storage.clearDataForOrigin', { origin: site.url, storageTypes: 'all' })
  await expect(wiped.page.getByRole('alert')).toHaveText(/storage failed/, {
    timeout: PATIENCE_MS,
  })
  await expect(other.status).toHaveText(/leads.*away/, { timeout: PATIENCE_MS })
  await wiped.page.goto('about:blank')
  await wiped.page.goto(link)
  await expect(wiped.status).toHaveText(/^observing.*leads/, { timeout: PATIENCE_MS })
  expect(await wiped.sid()).toBe(4)
  const advice = wiped.page.getByText(/storage is gone or away for \d+ (s|min)/).first()
  await expect(advice).toContainText('this tab observes; the ensemble commits with 2 of 3')
  await expect(advice).toContainText('one more loss stops it')
  await wiped.type('create /by-the-wiped 1')
  await wiped.expectLine('Created /by-the-wiped')
  expect((await other.workerStatus())?.member?.peers.filter((peer) => peer.up)).toHaveLength(1)
})
