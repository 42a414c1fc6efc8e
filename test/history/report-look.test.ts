// A report is one file and the demo's pages are others, yet both look the same: each colour of the
// report is the one of that name in demo/style.css.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { STYLE } from '../../src/history/report/look.ts'

function coloursOf(css: string): ReadonlyMap<string, string> {
  const [root = ''] = /:root \{[^}]*\}/.exec(css) ?? []
  const found = root.matchAll(/--([\w-]+): (light-dark\([^)]*\)|#\w+);/g)
  return new Map([...found].map(([, name = '', value = '']) => [name, value]))
}

test('the colours of a report are those of the pages', () => {
  const pages = coloursOf(readFileSync(new URL('../../demo/style.css', import.meta.url), 'utf8'))
  const report = coloursOf(STYLE)
  expect(report.size).toBeGreaterThan(9)
  expect(Object.fromEntries(report)).toEqual(
    Object.fromEntries([...report.keys()].map((name) => [name, pages.get(name)])),
  )
})
