// A machine whose disk was wiped: it says so, stops acknowledging and never votes as its former
// self, while the other two go on. And one whose disk is full: it says so and acknowledges nothing,
// and with room on the disk again it is who it was.
import { expect } from 'playwright/test'
import { test } from '../../src/playwright/fixtures.ts'
import { devTools } from '../../src/playwright/standstill.ts'
import { openMachine, PATIENCE_MS, PATIENTLY, threeOf, type MachinePage } from './machine-page.ts'

test('a wiped disk: the machine comes back as an observer, never as the voter it was', async ({
  site,
  ensemble,
}) => {
  test.setTimeout(120_000)
  const [wiped, other] = threeOf(await ensemble(3, { browsers: 'each' }))
  const link = wiped.page.url()
  const session = await devTools(wiped.page)
  await session.send('Storage.clearDataForOrigin', { origin: site.url, storageTypes: 'all' })
  await expect(wiped.page.getByRole('alert')).toHaveText(/storage failed/, {
    timeout: PATIENCE_MS,
  })
  await expect(other.status).toHaveText(/leads.*away/, { timeout: PATIENCE_MS })
  await wiped.page.goto('about:blank')
  await wiped.page.goto(link)
  await expect(wiped.status).toHaveText(/^observing.*leads/, { timeout: PATIENCE_MS })
  await wiped.expectState({ sid: 4 })
  const advice = wiped.page.getByText(/storage is gone or away for \d+ (s|min)/).first()
  await expect(advice).toContainText('this tab observes; the ensemble commits with 2 of 3')
  await expect(advice).toContainText('one more loss stops it')
  await wiped.create('/by-the-wiped', '1')
  const linked = (): unknown => other.state?.member?.peers.filter((peer) => peer.up)
  await expect.poll(linked, PATIENTLY).toHaveLength(1)
})

/** The room takes some 50 KB; the writes of the test more than the rest. */
const QUOTA_BYTES = 3_000_000
const WRITE_BYTES = 200_000
const WRITES = 20

/** Random, so that nothing of it can be stored in less. A write may be lost with its leader. */
async function writeALot({ page }: MachinePage): Promise<void> {
  await page.evaluate(
    async ([count, bytes]) => {
      const client = window.zabra?.newClient()
      if (client === undefined) throw new Error('no machine')
      const data = new Uint8Array(bytes).map(() => Math.random() * 256)
      for (let i = 0; i < count; i++) await client.create(`/much-${i}`, data).catch(() => undefined)
    },
    [WRITES, WRITE_BYTES] as const,
  )
}

test('a full disk: its machine stops and says so, the others go on, with room it is back', async ({
  site,
  newBrowser,
}) => {
  test.setTimeout(120_000)
  const [roomy, small] = [await newBrowser(), await newBrowser()]
  // Before the origin stores anything, and by a page that stays: else the browser does not heed it.
  const blank = await small.newPage()
  const session = await devTools(blank)
  const { url: origin } = site
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: QUOTA_BYTES })
  const link = site.room()
  const others = [await openMachine(roomy, link), await openMachine(roomy, link)] as const
  const full = await openMachine(small, link)
  for (const machine of [...others, full]) await machine.expectWhole()
  const [one] = others
  const sid = full.member.number
  const since = Date.now()
  await writeALot(one)
  await expect(full.page.getByRole('alert')).toHaveText(/storage failed .*no more disk space/, {
    timeout: PATIENCE_MS,
  })
  for (const { member } of others) {
    await member.untilTrace('link', since, ({ peer, up }) => peer === sid && !up)
  }
  await one.create('/after-the-full-one', '1')

  await session.send('Storage.overrideQuotaForOrigin', { origin })
  await full.page.reload()
  await full.expectWhole()
  await full.expectState({ sid })
  await full.type('get /after-the-full-one')
  await full.expectLine('1')
})
