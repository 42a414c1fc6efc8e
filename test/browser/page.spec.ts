// The pages as people meet them: from the home page to an ensemble, by keyboard, on a phone, in the
// dark, and with bad input.
import { expect, type Page } from 'playwright/test'
import type { BrowserProcess } from '../../src/playwright/browser-process.ts'
import { Member } from '../../src/playwright/member.ts'
import { test } from '../../src/playwright/fixtures.ts'
import { MachinePage, openMachine, PATIENCE_MS } from './machine-page.ts'

/** WCAG AA for text of normal size. */
const CONTRAST_MIN = 4.5

async function clickMachine(
  browser: BrowserProcess,
  home: Page,
  index: number,
): Promise<MachinePage> {
  const opened = home.context().waitForEvent('page')
  await home.getByRole('link', { name: `Open machine ${index}` }).click()
  return new MachinePage(await Member.of(browser, await opened))
}

test('from the home page to three machines', async ({ site, newBrowser }) => {
  const browser = await newBrowser()
  const home = await browser.newPage()
  await home.goto(`${site.url}/`)
  await home.getByRole('button', { name: 'Make the room' }).click()
  const first = await clickMachine(browser, home, 1)
  await expect(first.status).toHaveText(/1 of 3 here/, { timeout: PATIENCE_MS })
  const second = await clickMachine(browser, home, 2)
  await expect(second.status).toHaveText(/2 of 3 here/, { timeout: PATIENCE_MS })
  const third = await clickMachine(browser, home, 3)
  for (const machine of [first, second, third]) {
    await machine.expectWhole()
    await expect(machine.status).toHaveText(
      /^(leading|following), epoch \d+, zxid 0x\w+: machine \d leads; machines \d, \d follow$/,
    )
  }
  // The creator's machine is number 1, and no tab can reach another through window.opener.
  await first.expectState({ sid: 1 })
  expect(await first.page.evaluate(() => window.opener === null)).toBe(true)
})

test('the terminal by keyboard: history, completion, focus', async ({ ensemble }) => {
  const machine = new MachinePage((await ensemble(1)).member(1))
  await machine.type('create /config v1')
  await machine.type('set /config v2')
  await machine.input.press('ArrowUp')
  await machine.input.press('ArrowUp')
  await expect(machine.input).toHaveValue('create /config v1')
  await machine.input.fill('get /con')
  await machine.input.press('Tab')
  await expect(machine.input).toHaveValue('get /config ')
  await machine.input.press('Enter')
  await machine.expectLine('v2')
  await machine.page.keyboard.press('Shift+Tab')
  await expect(machine.log).toBeFocused()
})

test('bad input gets an answer and nothing breaks', async ({ ensemble }) => {
  const machine = new MachinePage((await ensemble(1)).member(1))
  for (const [line, answer] of [
    ['frobnicate', /Command not found: Command not found frobnicate/],
    ['get /none', /Node does not exist: \/none/],
    ['get none', /Path must start with \/ character/],
    ['get /a//b', /empty node name/i],
    ['create', /create \[-s\] \[-e\]/],
    ['delete -v 7 /zookeeper/config', /Arguments are not valid|BadArguments|version No/i],
    ['create /markup <img/src=x/onerror=alert(1)>', 'Created /markup'],
    ['get /markup', '<img/src=x/onerror=alert(1)>'],
    ['set -v 9 /markup x', /version No is not valid : \/markup/],
    [`create /big ${'x'.repeat(1_100_000)}`, /ConnectionLoss|too (long|large)|maximum|bytes/i],
    ['get /markup', '<img/src=x/onerror=alert(1)>'],
  ] as const) {
    await machine.type(line)
    await machine.expectLine(answer)
  }
  expect(await machine.log.locator('img').count()).toBe(0)
})

test('links that are damaged or wrong say what is wrong', async ({ site, newBrowser }) => {
  const page = await (await newBrowser()).newPage()
  for (const [link, words] of [
    ['/machine.html', /names no room/],
    ['/machine.html?room=x', /no secret/],
    ['/machine.html?room=../x#secret', /room name has/],
    ['/machine.html?room=x&size=40#secret', /1 to 9 machines/],
  ] as const) {
    await page.goto('about:blank')
    await page.goto(`${site.url}${link}`)
    await expect(page.getByRole('alert')).toHaveText(words)
  }
})

test('another secret never meets this room', async ({ ensemble }) => {
  const room = await ensemble(3)
  const [browser] = room.browsers
  if (browser === undefined) throw new Error('a browser')
  const stranger = await openMachine(browser, room.link.replace(/#.*/, '#another-secret-entirely'))
  await expect(stranger.status).toHaveText(/1 of 3 here/, { timeout: PATIENCE_MS })
  await room.waitForWhole()
  await stranger.expectState({ here: 1, peers: [] })
})

for (const dark of [false, true]) {
  test(`360 px wide, ${dark ? 'dark' : 'light'}: nothing overflows, text is legible`, async ({
    site,
    newBrowser,
  }) => {
    const browser = await newBrowser({ dark })
    const page = await browser.newPage()
    await page.setViewportSize({ width: 360, height: 740 })
    for (const path of ['/', '/machine.html?room=phone#a-secret-that-nobody-guesses']) {
      await page.goto(`${site.url}${path}`)
      await expect(page.getByRole('heading').first()).toBeVisible()
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      )
      expect(overflow, path).toBeLessThanOrEqual(0)
      expect(await worstContrast(page), path).toBeGreaterThanOrEqual(CONTRAST_MIN)
    }
  })
}

/** The lowest contrast of any shown text with the background behind it. */
async function worstContrast(page: Page): Promise<number> {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
    const luminance = (color: string): number => {
      if (canvas === null) return 0
      canvas.clearRect(0, 0, 1, 1)
      canvas.fillStyle = color
      canvas.fillRect(0, 0, 1, 1)
      const [r = 0, g = 0, b = 0] = canvas.getImageData(0, 0, 1, 1).data
      const linear = [r, g, b].map((v) => {
        const share = v / 255
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * (linear[0] ?? 0) + 0.7152 * (linear[1] ?? 0) + 0.0722 * (linear[2] ?? 0)
    }
    const behind = (element: Element | null): string => {
      for (let at = element; at !== null; at = at.parentElement) {
        const color = getComputedStyle(at).backgroundColor
        if (!/rgba\(.*, 0\)|transparent/.test(color)) return color
      }
      return 'white'
    }
    let worst = 21
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement
      if (element === null || walker.currentNode.textContent?.trim() === '') continue
      if (!element.checkVisibility()) continue
      const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))]
      worst = Math.min(worst, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05))
    }
    return worst
  })
}
