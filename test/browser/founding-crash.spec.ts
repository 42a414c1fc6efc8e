// The creator of a room crashes at each step of its founding. Opened again, the room becomes one
// ensemble, whoever had heard of what (design §4, Founding).
import { expect, type Page } from 'playwright/test'
import { PATIENCE_MS, type MachinePage } from './machine-page.ts'
import { test, type Browser, type Site } from './room-fixture.ts'
import { devTools } from './tab-faults.ts'

/**
 * Where the creator stops for ever: before the record is signed, before it is on disk, when it is
 * and nobody knows, and when one of the two others was sent it.
 */
const STEPS = ['sign', 'commit', 'committed', 'sent to one'] as const
type Step = (typeof STEPS)[number]

/** The platform's own functions are the seam: each stops the worker at its step. */
async function stopWorkerAt(page: Page, step: Step): Promise<void> {
  const [worker] = page.workers()
  if (worker === undefined) throw new Error('no worker')
  await worker.evaluate((where) => {
    const stop = (): void => {
      // Said first: nothing is heard of this worker any more.
      new BroadcastChannel('founding').postMessage(where)
      for (;;);
    }
    const sign = crypto.subtle.sign.bind(crypto.subtle)
    crypto.subtle.sign = async (algorithm, key, data) => {
      const text = new TextDecoder().decode(data)
      // Links are signed for as well.
      if (where === 'sign' && !text.includes('zabra link')) stop()
      return sign(algorithm, key, data)
    }
    const { put } = IDBObjectStore.prototype
    const { commit } = IDBTransaction.prototype
    let pinning: IDBTransaction | null = null
    IDBObjectStore.prototype.put = function (value: unknown, key?: IDBValidKey) {
      if (key === 'founding') pinning = this.transaction
      return put.call(this, value, key)
    }
    IDBTransaction.prototype.commit = function () {
      if (this === pinning && where === 'commit') stop()
      commit.call(this)
      if (this === pinning && where === 'committed') stop()
    }
  }, step)
}

/** The page sends the founding record to the first who lacks it, and to nobody else. */
async function stopPageAfterFirstRecord(page: Page): Promise<void> {
  await page.evaluate(() => {
    // src/adapters/webrtc/handshake.ts: kind 3 is what one page says to another.
    const PAGE_MESSAGE = 3
    const { send } = RTCDataChannel.prototype as { send: (data: Uint8Array) => void }
    let sent = 0
    const once = function (this: RTCDataChannel, data: Uint8Array): void {
      if (new Uint8Array(data)[0] === PAGE_MESSAGE && this.bufferedAmount >= 0) {
        new BroadcastChannel('founding').postMessage('sent to one')
        if (sent++ > 0) return
      }
      send.call(this, data)
    }
    Object.assign(RTCDataChannel.prototype, { send: once })
  })
}

/** Of a page that lives on: hears in which step the creator stopped. */
async function listen(page: Page): Promise<() => Promise<string>> {
  await page.evaluate(() => {
    const heard = window as unknown as { stoppedAt: string }
    heard.stoppedAt = ''
    new BroadcastChannel('founding').onmessage = ({ data }) => {
      heard.stoppedAt = String(data)
    }
  })
  return () => page.evaluate(() => (window as unknown as { stoppedAt: string }).stoppedAt)
}

async function makeRoom(browser: Browser, site: Site): Promise<string> {
  const { page } = await browser.open(`${site.url}/`)
  await page.getByRole('button', { name: 'Make the room' }).click()
  await page.getByRole('link', { name: 'Open machine 1' }).waitFor()
  const link = (await page.locator('#link').textContent()) ?? ''
  await page.close()
  return link
}

async function text(machine: MachinePage): Promise<string> {
  return (await machine.workerStatus())?.text ?? ''
}

async function crashAt(step: Step, browser: Browser, site: Site): Promise<void> {
  const link = await makeRoom(browser, site)
  const creator = await browser.open(link)
  const second = await browser.open(link)
  const stoppedAt = await listen(second.page)
  await expect.poll(() => text(creator), { timeout: PATIENCE_MS }).toMatch(/^2 of 3 here/)
  if (step === 'sent to one') await stopPageAfterFirstRecord(creator.page)
  else await stopWorkerAt(creator.page, step)
  const third = await browser.open(link)
  await expect.poll(stoppedAt, { timeout: PATIENCE_MS, message: `stopped at ${step}` }).toBe(step)
  // Without farewell, whatever still could be said.
  const session = await devTools(creator.page)
  const crashed = creator.page.waitForEvent('crash')
  session.send('Page.crash').catch(() => undefined)
  await crashed
  await creator.page.close()

  const again = await browser.open(link)
  const machines = [again, second, third]
  for (const machine of machines) await machine.expectWhole()
  const names = await Promise.all(machines.map((one) => one.workerStatus()))
  expect(new Set(names.map((status) => status?.cluster)).size).toBe(1)
  expect(names.map((status) => status?.sid).sort()).toEqual([1, 2, 3])
  for (const machine of machines) await machine.page.close()
}

test('the creator crashes at each step of the founding: one ensemble, always', async ({
  site,
  newBrowser,
}) => {
  test.setTimeout(240_000)
  const browser = await newBrowser()
  const context = await browser.context()
  // A page that stays: with its last page a browser goes.
  await (await context.newPage()).goto(`${site.url}/`)
  for (const step of STEPS) await test.step(step, () => crashAt(step, browser, site))
})
