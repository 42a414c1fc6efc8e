// The report of a history as its reader has it: on a telephone, in the dark, by keys alone, and of
// ten thousand calls.
import { writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { expect, type Page } from 'playwright/test'
import { encodeUtf8 } from '../../src/core/base/utf8.ts'
import {
  RECORDING_FORMAT,
  type RecordedEvent,
  type Recording,
} from '../../src/history/recording.ts'
import { historyReport } from '../../src/history/report/history-report.ts'
import { test } from '../../src/playwright/fixtures.ts'

const CALLS = 10_000
const CLIENTS = 12
const EVERY_MS = 6
const BEGUN_MS = Date.UTC(2026, 10, 22)
const BROKEN_AT_MS = BEGUN_MS + 30_000
/** WCAG 2.2, 1.4.3. */
const CONTRAST_MIN = 4.5

function recordingOf(count: number): Recording {
  const events = Array.from({ length: count }, (_, xid): readonly RecordedEvent[] => {
    const client = xid % CLIENTS
    const [session, atMs] = [BigInt(0x100 + client), BEGUN_MS + EVERY_MS * xid]
    const path = `/register-${xid % 7}`
    const call =
      xid % 3 === 0
        ? ({ kind: 'get', path, watch: true } as const)
        : ({ kind: 'set', path, data: encodeUtf8(`value ${xid}`), version: -1 } as const)
    const err = xid % 13 === 0 ? -101 : 0
    const outcome = { atMs, zxid: 0x1_0000_0000n + BigInt(xid), err, server: 1 + (xid % 3) }
    return [
      { kind: 'call', client, atMs, session, xid, call },
      { kind: 'answer', client, atMs: atMs + 20, session, xid, outcome },
    ]
  })
  const roles = [1, 2, 3].map((sid) => {
    const role = sid === 3 ? ('leading' as const) : ('following' as const)
    return { sid, role, epoch: 4, atMs: BEGUN_MS - 3_600_000 }
  })
  const untilMs = BROKEN_AT_MS + 2_000
  const cut = { atMs: BROKEN_AT_MS - 5_000, untilMs, what: 'partition 1 2 | 3', sids: [1, 2, 3] }
  return {
    format: RECORDING_FORMAT,
    title: 'ten thousand calls',
    clockUncertaintyMs: 5,
    ...{ events: events.flat(), roles, faults: [cut], log: null, members: [] },
  }
}

/** The lowest of all texts there are, against what is behind them. */
function lowestContrast(page: Page): Promise<readonly [ratio: number, whose: string]> {
  return page.evaluate(() => {
    const channels = (colour: string): number[] => (colour.match(/[\d.]+/g) ?? []).map(Number)
    const luminance = (colour: string): number => {
      const [r = 0, g = 0, b = 0] = channels(colour).map((value) => {
        const share = value / 255
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const behind = (element: Element | null): string => {
      for (let at = element; at !== null; at = at.parentElement) {
        const colour = getComputedStyle(at).backgroundColor
        if (channels(colour)[3] !== 0) return colour
      }
      return 'rgb(255, 255, 255)'
    }
    let lowest: readonly [number, string] = [Infinity, '']
    for (const element of document.querySelectorAll('h1,h2,h3,p,.bad,dt,dd,li,button,span,text')) {
      const style = getComputedStyle(element)
      const ink = element.tagName === 'text' ? style.fill : style.color
      const [a = 0, b = 0] = [luminance(ink), luminance(behind(element))].sort((x, y) => y - x)
      const ratio = (a + 0.05) / (b + 0.05)
      if (ratio < lowest[0]) lowest = [ratio, element.outerHTML.slice(0, 80)]
    }
    return lowest
  })
}

async function byKeys(page: Page): Promise<void> {
  const focused = page.locator(':focus')
  const details = page.locator('#details')
  for (let i = 0; i < 4; i++) await page.keyboard.press('Tab')
  await expect(focused).toHaveAttribute('aria-label', /^Faults: 1 marks?$/)
  for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowDown')
  await expect(focused).toHaveAttribute('aria-label', /^Client 0: \d+ marks$/)
  await page.keyboard.press('End')
  const last = await details.textContent()
  await page.keyboard.press('ArrowLeft')
  await expect(details).toContainText(/^Client 0, session 0x100, xid \d+: (get|set) /)
  expect(await details.textContent()).not.toBe(last)
  for (let i = 0; i < 5; i++) await page.keyboard.press('+')
  await page.keyboard.press('ArrowLeft')
  await expect(page.locator('.mark.on')).toBeInViewport()
  await expect(focused).toBeInViewport()
  // All lanes together are one stop.
  await page.keyboard.press('Tab')
  await expect(page.locator('svg.lane:focus')).toHaveCount(0)
}

test('a report is read on a telephone, in the dark, by keys, with ten thousand calls', async ({
  newBrowser,
}) => {
  const file = test.info().outputPath('report.html')
  const report = historyReport(recordingOf(CALLS), {
    violations: [{ checker: 'ReadsShowTheLog', what: 'another moment', atMs: BROKEN_AT_MS }],
    facts: { 'run again': `npm run soak -- --seed 17 ${'--part 60 '.repeat(20)}` },
    transcript: ['a line'],
  })
  await writeFile(file, report)
  const page = await (await newBrowser()).newPage()
  await page.setViewportSize({ width: 360, height: 720 })
  const said: string[] = []
  page.on('console', (message) => said.push(message.text()))
  page.on('pageerror', ({ message }) => said.push(message))
  await page.goto(pathToFileURL(file).href)
  await expect(page.locator('.broken')).toContainText('ReadsShowTheLog at 30000.0 ms')
  await expect(page.locator('.mark.fault').first()).toBeVisible()
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360)
  await byKeys(page)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    const [ratio, whose] = await lowestContrast(page)
    expect(ratio, `${colorScheme}: ${whose}`).toBeGreaterThan(CONTRAST_MIN)
  }
  expect(said).toEqual([])
})
