// Passing a room on, over https as `npm start -- --tls` serves it: a machine runs at an address of
// the network, the QR code holds the link, and where a code would mislead there is none.
import { X509Certificate, createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { expect, type Locator, type Page } from 'playwright/test'
import jsqr from 'jsqr'
import { makeCertificate } from '../../src/edge/certificate.ts'
import { startServer, type RunningServer } from '../../src/edge/serve.ts'
import { Member } from '../../src/playwright/member.ts'
import { test } from '../../src/playwright/fixtures.ts'
import { MachinePage, PATIENCE_MS } from './machine-page.ts'

/** A name as a router gives it to a laptop. */
const LAN_NAME = 'laptop.lan'
const DIST = fileURLToPath(new URL('../../dist', import.meta.url))
const tls = makeCertificate({ hosts: ['localhost', LAN_NAME], nowMs: Date.now() })

/** The browser finds the name here, and trusts this very key: what a person does by pressing on. */
function flags(): string[] {
  const spki = new X509Certificate(tls.certificate).publicKey.export({
    type: 'spki',
    format: 'der',
  })
  const pin = createHash('sha256').update(spki).digest('base64')
  return [
    `--host-resolver-rules=MAP ${LAN_NAME} 127.0.0.1`,
    `--ignore-certificate-errors-spki-list=${pin}`,
  ]
}

const qrOf = (page: Page): Locator => page.getByRole('img', { name: "QR code of the room's link" })

/** What a phone reads from the picture as it is shown, theme and all. */
async function scanned(page: Page): Promise<string | undefined> {
  const svg = qrOf(page)
  await expect(svg).toBeVisible({ timeout: PATIENCE_MS })
  await svg.scrollIntoViewIfNeeded()
  const png = (await svg.screenshot({ scale: 'device' })).toString('base64')
  const pixels = await page.evaluate(async (base64) => {
    const image = new Image()
    image.src = `data:image/png;base64,${base64}`
    await image.decode()
    const canvas = document.createElement('canvas')
    canvas.width = image.width
    canvas.height = image.height
    const context = canvas.getContext('2d')
    context?.drawImage(image, 0, 0)
    const {
      data = [],
      width = 0,
      height = 0,
    } = context?.getImageData(0, 0, image.width, image.height) ?? {}
    return { data: [...data], width, height }
  }, png)
  // Loaded as a module of the older kind, the function stands one level deeper.
  const decode = (jsqr as unknown as { readonly default?: typeof jsqr }).default ?? jsqr
  return decode(new Uint8ClampedArray(pixels.data), pixels.width, pixels.height)?.data
}

let server: RunningServer
test.beforeAll(async () => {
  server = await startServer({ port: 0, staticDir: DIST, tls })
})
test.afterAll(() => server.close())

test('over https on the network: the QR code is the link', async ({ newBrowser }) => {
  test.setTimeout(120_000)
  const browser = await newBrowser({ flags: flags() })
  const home = await browser.newPage()
  await home.goto(`https://${LAN_NAME}:${server.port}/`)
  expect(await home.evaluate(() => isSecureContext)).toBe(true)
  await home.getByRole('combobox', { name: 'Machines' }).selectOption('1')
  await home.getByRole('button', { name: 'Make the room' }).click()
  const link = home.locator('#link')
  await expect(link).toHaveText(/^https:\/\/laptop\.lan:\d+\/machine\.html\?room=.*&size=1#/, {
    timeout: PATIENCE_MS,
  })
  expect(await scanned(home)).toBe(await link.textContent())

  // The signaling is wss there, and the machine works.
  const opened = home.context().waitForEvent('page')
  await home.getByRole('link', { name: 'Open machine 1' }).click()
  const machine = new MachinePage(await Member.of(browser, await opened))
  const { page } = machine
  await expect(machine.status).toHaveText(/^leading/, { timeout: PATIENCE_MS })
  await machine.create('/a', '1')
  await expect(qrOf(page)).toHaveCount(0)
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.getByText('QR code for a phone').click()
  // It names the ensemble, as the address of the page does by now.
  expect(await scanned(page)).toBe(page.url())
  expect(page.url()).toMatch(/#[^.]+\.[^.]+\.[^.]+$/)
})

test('on this computer only: no QR code, and how others come in', async ({ site, newBrowser }) => {
  const page = await (await newBrowser({ flags: flags() })).newPage()
  await page.addInitScript(() => {
    const shared: unknown[] = []
    Object.assign(window, { shared })
    Object.assign(navigator, { share: async (data: unknown) => void shared.push(data) })
  })
  for (const [address, words] of [
    [site.url, /works on this computer.*npm start -- --tls/],
    [`https://localhost:${server.port}`, /open this page at the network address/],
  ] as const) {
    await page.goto(address)
    await page.getByRole('button', { name: 'Make the room' }).click()
    await expect(page.getByText(words)).toBeVisible()
    await expect(page.getByText('QR code for a phone')).toHaveCount(0)
  }
  // The system's own way, where there is one.
  await page.getByRole('button', { name: 'Share…' }).click()
  const shared = await page.evaluate(() => (window as unknown as { shared: unknown[] }).shared)
  expect(shared).toEqual([
    { title: 'A room of zabra', url: await page.locator('#link').textContent() },
  ])
})
