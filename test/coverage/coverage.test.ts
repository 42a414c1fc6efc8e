// The tables of rules (coverage.md) and of faults (faults.md) name a test for each, or say why it
// has none. Here: that each is named once, that what is named is there, and that they count right.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { eachNode, sourceOf, TOP } from '../tidy/source.ts'
import { figuresIn, figuresOf, parseTable, reservationOf, type Row } from './table.ts'

/** How many rules there are of each kind, and the title of its table. */
const KINDS = {
  W: [73, 'Wire protocol'],
  D: [66, 'Nodes and the tree'],
  N: [43, 'Watches'],
  S: [43, 'Sessions'],
  P: [27, 'Disk'],
  A: [21, 'Access and audit'],
  O: [36, 'Operation'],
  C: [38, 'Command line'],
} as const

const FAULTS = 32

const text = readFileSync(join(TOP, 'test/coverage.md'), 'utf8')
const rows = parseTable(text)
const known = new Map<string, readonly string[] | null>()

/** Titles of tests and the names in their tables, as far as they are written out; null: no file. */
function titlesOf(path: string): readonly string[] | null {
  const before = known.get(path)
  if (before !== undefined) return before
  const file = join(TOP, path)
  const isTest = /^test\/.*\.ts$/.test(path) && existsSync(file)
  const titles = isTest ? titlesIn(path, readFileSync(file, 'utf8')) : null
  known.set(path, titles)
  return titles
}

/** Of the differential test any word of a script. */
function titlesIn(path: string, code: string): string[] {
  const titles: string[] = []
  const isScript = path.startsWith('test/differential/')
  eachNode(sourceOf(path, code).tree, (node) => {
    if (ts.isStringLiteralLike(node) && (isScript || isTitle(node))) titles.push(node.text)
    else if (ts.isTemplateExpression(node) && isTitle(node))
      titles.push(node.getText().slice(1, -1))
  })
  return titles
}

/** First in `test(…)` and `test.each(…)(…)`, in a list, or the value of a field. */
function isTitle(node: ts.Node): boolean {
  const { parent } = node
  if (ts.isArrayLiteralExpression(parent) || ts.isPropertyAssignment(parent)) return true
  if (!ts.isCallExpression(parent) || parent.arguments[0] !== node) return false
  return /^(describe|test|it)\b/.test(parent.expression.getText())
}

/** What is wrong with one row; empty when nothing is. */
function faultsOf(row: Row): string[] {
  const faults: string[] = []
  const reservation = reservationOf(row)
  const needsTest = reservation === null || reservation === 'Partly'
  if (row.short === '') faults.push(`${row.id}: says nothing`)
  if (needsTest && row.proofs.length === 0) faults.push(`${row.id}: neither a test nor a reason`)
  if (new Set(row.proofs.map(({ path, title }) => path + title)).size < row.proofs.length) {
    faults.push(`${row.id}: names a test twice`)
  }
  for (const { path, title } of row.proofs) {
    const titles = titlesOf(path)
    if (titles === null) faults.push(`${row.id}: there is no test file ${path}`)
    else if (!titles.some((one) => one.includes(title))) {
      faults.push(`${row.id}: ${path} has no test '${title}'`)
    }
  }
  return faults
}

describe('the table of rules', () => {
  test.each(Object.entries(KINDS))('names every rule %s once', (kind, [count]) => {
    const named = rows.map(({ id }) => id).filter((id) => id.startsWith(kind))
    expect(named).toEqual(Array.from({ length: count }, (_, index) => `${kind}${index + 1}`))
  })

  test('every rule has a test that is there, or a reason', () => {
    expect(rows.flatMap(faultsOf)).toEqual([])
  })

  test('its figures are counted', () => {
    for (const [kind, [, title]] of Object.entries(KINDS)) {
      const ofKind = rows.filter(({ id }) => id.startsWith(kind))
      expect([title, ...figuresIn(text, `${title} (${kind})`)]).toEqual([
        title,
        ...figuresOf(ofKind),
      ])
    }
    expect(figuresIn(text, 'all')).toEqual(figuresOf(rows))
  })
})

describe('the table of faults', () => {
  const ofFaults = readFileSync(join(TOP, 'test/faults.md'), 'utf8')
  const faults = parseTable(ofFaults)

  test('names every fault once', () => {
    const wanted = Array.from({ length: FAULTS }, (_, index) => `F${index + 1}`)
    expect(faults.map(({ id }) => id)).toEqual(wanted)
  })

  test('every fault has a test that is there, or a reason', () => {
    expect(faults.flatMap(faultsOf)).toEqual([])
  })

  test('its figures are counted', () => {
    expect(figuresIn(ofFaults, 'Faults (F)')).toEqual(figuresOf(faults))
  })
})

describe('its checks see', () => {
  const own = '`test/coverage/coverage.test.ts`'

  test.each([
    ['a file that is not there', '| W1 | a | `test/none.test.ts` b |  |'],
    ['a file that is no test', '| W1 | a | `src/index.ts` export |  |'],
    ['a title that is not there', `| W1 | a | ${own} no such ${'title'} |  |`],
    ['words that are in a comment only', `| W1 | a | ${own} ${'names'} a test for each, or |  |`],
    ['neither a test nor a reason', '| W1 | a |  |  |'],
    ['a remark that is no reason', '| W1 | a |  | it is fine |'],
    ['a part without a test', '| W1 | a |  | Partly: a half |'],
    ['the same test twice', `| W1 | a | ${own} its checks see<br>${own} its checks see |  |`],
  ])('%s', (_name, line) => {
    expect(parseTable(line).flatMap(faultsOf)).toHaveLength(1)
  })

  test.each([
    ['a test', `| W1 | a \\| b | ${own} its checks see |  |`],
    ['one of several', `| W1 | a | ${own} one of several |  |`],
    ['a reason', '| W1 | a |  | Not here: why |'],
  ])('nothing wrong with %s', (_name, line) => {
    expect(parseTable(line).flatMap(faultsOf)).toEqual([])
  })

  test('a line that looks like a row and is none', () => {
    expect(() => parseTable('| W1 | a |')).toThrow('no row of the table')
    expect(() => parseTable('| W1 | a | no path | b |')).toThrow("'no path' is not")
  })
})
