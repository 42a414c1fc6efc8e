// The creator of a room crashes at each step of its founding. Opened again, the room becomes one
// ensemble, whoever had heard of what (design §4, Founding).
import { expect, type Page } from 'playwright/test'
import type { BrowserProcess } from '../../src/playwright/browser-process.ts'
import { test } from '../../src/playwright/fixtures.ts'
import type { Site } from '../../src/playwright/site.ts'
import { openMachine, PATIENCE_MS } from './machine-page.ts'

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

async function makeRoom(browser: BrowserProcess, site: Site): Promise<string> {
  const page = await browser.newPage()
  await page.goto(`${site.url}/`)
  await page.getByRole('button', { name: 'Make the room' }).click()
  await page.getByRole('link', { name: 'Open machine 1' }).waitFor()
  const link = (await page.locator('#link').textContent()) ?? ''
  await page.close()
  return link
}

async function crashAt(step: Step, browser: BrowserProcess, site: Site): Promise<void> {
  const link = await makeRoom(browser, site)
  const creator = await openMachine(browser, link)
  // The first that asks is the creator: another tab's worker may be quicker to start.
  await creator.expectText(/^1 of 3 here/)
  const second = await openMachine(browser, link)
  const stoppedAt = await listen(second.page)
  await creator.expectText(/^2 of 3 here/)
  if (step === 'sent to one') await stopPageAfterFirstRecord(creator.page)
  else await stopWorkerAt(creator.page, step)
  const third = await openMachine(browser, link)
  await expect.poll(stoppedAt, { timeout: PATIENCE_MS, message: `stopped at ${step}` }).toBe(step)
  // Without farewell, whatever still could be said.
  await creator.member.kill()

  const again = await openMachine(browser, link)
  const machines = [again, second, third]
  for (const machine of machines) await machine.expectWhole()
  expect(new Set(machines.map(({ state }) => state?.cluster)).size).toBe(1)
  expect(machines.map(({ sid }) => sid).sort()).toEqual([1, 2, 3])
  for (const machine of machines) await machine.page.close()
}

test('the creator crashes at each step of the founding: one ensemble, always', async ({
  site,
  newBrowser,
}) => {
  test.setTimeout(240_000)
  const browser = await newBrowser()
  // A page that stays: with its last page a browser goes.
  await (await browser.newPage()).goto(`${site.url}/`)
  for (const step of STEPS) await test.step(step, () => crashAt(step, browser, site))
})
