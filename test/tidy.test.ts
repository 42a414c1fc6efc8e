// Keeps the style of the whole tree by machine: import arrows, names, sizes and bans. Each rule is
// first shown a sample that it must refuse, so that none of them is blind.
import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { arrows, cycles } from './tidy/arrows.ts'
import * as rules from './tidy/rules.ts'
import { type Rule, sourceOf, sourcesBelow, TOP } from './tidy/source.ts'

const TOP_LEVEL = [
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'vite.config.ts', '.oxlintrc.json'],
  ...['README.md', 'CHANGELOG.md', 'LICENSE', '.gitignore', '.ci'],
  ...['src', 'worker', 'demo', 'test'],
]
/** Git's own, and what tools make and git ignores. */
const MADE = [
  ...['.git', 'node_modules', 'dist', 'lib', '.tls', 'test-results', 'playwright-report'],
]

const all = sourcesBelow('src', 'worker', 'demo', 'test', 'vite.config.ts')
const inFolders = all.filter(({ path }) => path.includes('/'))

/** Path and text of one file. */
type File = readonly [path: string, text: string]

function check(rule: Rule, ...files: File[]): string[] {
  return rule(files.map(([path, text]) => sourceOf(path, text)))
}

const lines = (count: number, line = '// a line'): string => `${line}\n`.repeat(count)

interface Sample {
  readonly name: string
  readonly rule: Rule
  readonly good: readonly File[]
  readonly bad: readonly File[]
}

const SAMPLES: readonly Sample[] = [
  {
    name: 'arrows',
    rule: arrows,
    good: [
      ['src/core/jute/a.ts', "import { b } from '../base/b.ts'"],
      ['src/core/server/a.ts', "import { b } from '../tree/b.ts'\nimport { c } from '../zab/c.ts'"],
      ['src/core/effect-gate.ts', "import type { b } from './zab/b.ts'"],
      ['src/ports/a.ts', "import type { b } from '../core/zab/b.ts'"],
      ['src/adapters/indexeddb/a.ts', "import { openDB } from 'idb'\nimport { b } from './b.ts'"],
      ['src/edge/a.ts', "import { readFile } from 'node:fs/promises'"],
      ['demo/a.ts', "import { b } from '../src/client/b.ts'\nimport './page.css'"],
      ['demo/start.mjs', "import { join } from 'node:path'"],
      ['test/a.test.ts', "import { test } from 'vitest'"],
    ],
    bad: [
      ['src/core/base/a.ts', "import { b } from '../jute/b.ts'"],
      ['src/core/tree/a.ts', "import { b } from '../zab/b.ts'"],
      ['src/core/zab/a.ts', "import type { b } from '../tree/b.ts'"],
      ['src/core/zab/b.ts', "type B = import('../tree/b.ts').B"],
      ['src/core/zab/c.ts', "export { b } from '../server/b.ts'"],
      ['src/core/server/a.ts', "import { b } from '../../runtime/b.ts'"],
      ['src/ports/a.ts', "import { b } from '../core/zab/b.ts'"],
      ['src/runtime/a.ts', "import { b } from '../adapters/memory/b.ts'"],
      ['src/adapters/tabs/a.ts', "import { b } from '../memory/b.ts'"],
      ['src/adapters/memory/a.ts', "import { openDB } from 'idb'"],
      ['src/client/a.ts', "const b = await import('../runtime/b.ts')"],
      ['src/recipes/a.ts', "import { b } from '../core/base/b.ts'"],
      ['src/cli/a.ts', "import { b } from '../edge/b.ts'"],
      ['src/client/b.ts', "import { readFile } from 'node:fs/promises'"],
      ['src/client/c.ts', "import lodash from 'lodash'"],
      ['src/client/d.ts', "import { b } from './b'"],
      ['src/edge/a.ts', "import { b } from '../../test/b.ts'"],
      ['demo/a.ts', "import { join } from 'node:path'"],
      ['src/new/a.ts', ''],
    ],
  },
  {
    name: 'file names',
    rule: rules.fileNames,
    good: [
      ['src/client/watch-stream.ts', ''],
      ['test/client/watch-stream.test.ts', ''],
      ['worker/member.worker.ts', ''],
    ],
    bad: [
      ['src/client/utils.ts', ''],
      ['src/helpers/path.ts', ''],
      ['src/client/common.test.ts', ''],
      ['src/client/watchStream.ts', ''],
    ],
  },
  {
    name: 'file length',
    rule: rules.fileLength,
    good: [['src/a.ts', lines(rules.FILE_LINES_MAX)]],
    bad: [['src/a.ts', lines(rules.FILE_LINES_MAX + 1)]],
  },
  {
    name: 'line length',
    rule: rules.lineLength,
    good: [
      ['src/a.ts', '·'.repeat(rules.LINE_COLUMNS_MAX)],
      ['src/b.ts', `// https://example.org/${'a'.repeat(rules.LINE_COLUMNS_MAX)}`],
    ],
    bad: [['src/a.ts', 'x'.repeat(rules.LINE_COLUMNS_MAX + 1)]],
  },
  {
    name: 'function length',
    rule: rules.functionLength,
    good: [
      ['src/a.ts', `function f() {\n${lines(rules.FUNCTION_LINES_MAX - 2)}}`],
      ['test/a.test.ts', `describe('a', () => {\n${lines(200)}test('b', () => {})\n})`],
      ['test/a.ts', `export function contract() {\n${lines(200)}test('b', () => {})\n}`],
    ],
    bad: [
      ['src/a.ts', `function f() {\n${lines(rules.FUNCTION_LINES_MAX - 1)}}`],
      ['src/b.ts', `class A {\n  #f(): void {\n${lines(rules.FUNCTION_LINES_MAX)}}\n}`],
      ['src/c.ts', `const f = () => {\n${lines(rules.FUNCTION_LINES_MAX)}}`],
      ['test/a.test.ts', `test('a', () => {})\nfunction f() {\n${lines(200)}}`],
    ],
  },
  {
    name: 'default exports',
    rule: rules.defaultExports,
    good: [
      ['src/a.ts', 'export const a = 1\nswitch (a) {\n  default:\n}'],
      ['vite.config.ts', 'export default {}'],
    ],
    bad: [
      ['src/a.ts', 'export default 1'],
      ['src/b.ts', 'export default function f() {}'],
      ['src/c.ts', 'const a = 1\nexport { a as default }'],
    ],
  },
  {
    name: 'enums',
    rule: rules.enums,
    good: [['src/a.ts', 'export const A = { b: 1 } as const']],
    bad: [
      ['src/a.ts', 'export enum A { b }'],
      ['src/b.ts', 'declare const enum A { b }'],
    ],
  },
  {
    name: 'barrels',
    rule: rules.barrels,
    good: [
      ['src/index.ts', "export { a } from './a.ts'"],
      ['src/a.ts', "export { b } from './b.ts'\nexport const c = 1"],
    ],
    bad: [
      ['src/client/index.ts', 'export const a = 1'],
      ['src/client/all.ts', "export * from './a.ts'\nexport { b } from './b.ts'"],
    ],
  },
  {
    name: 'purity of the core',
    rule: rules.corePurity,
    good: [
      ['src/core/a.ts', 'export const a = log.fetch({ crypto: 1 })\n// Date.now, Promise'],
      ['src/core/b.ts', 'export interface B { readonly fetch: number; console(): void }'],
      ['src/runtime/a.ts', 'export const a = async () => { await fetch(String(Date.now())) }'],
    ],
    bad: [
      ['src/core/a.ts', 'const a = Date.now()'],
      ['src/core/b.ts', 'const a = new Date()'],
      ['src/core/c.ts', 'const a = Math.random()'],
      ['src/core/d.ts', 'const a = performance.now()'],
      ['src/core/e.ts', 'setTimeout(f, 1)'],
      ['src/core/f.ts', 'setInterval(f, 1)'],
      ['src/core/g.ts', 'type A = Promise<void>'],
      ['src/core/h.ts', 'async function f() {}'],
      ['src/core/i.ts', 'await 1'],
      ['src/core/j.ts', "console.log('a')"],
      ['src/core/k.ts', 'crypto.subtle'],
      ['src/core/l.ts', "fetch('/')"],
      ['src/core/m.ts', 'globalThis.a = { Promise }'],
    ],
  },
  {
    name: 'skipped tests',
    rule: rules.skippedTests,
    good: [
      ['test/a.test.ts', "test.each([1])('a', f)\ntest.describe.configure({})\nqueue.skip(1)"],
    ],
    bad: [
      ['test/a.test.ts', "test.skip('a', f)"],
      ['test/b.test.ts', "describe.only('a', f)"],
      ['test/c.test.ts', "test.describe.skip('a', f)"],
      ['test/d.test.ts', "it.todo('a')"],
    ],
  },
]

describe('the rules can tell', () => {
  for (const { name, rule, good, bad } of SAMPLES) {
    test.each(good)(`${name}: %s passes`, (...file) => {
      expect(check(rule, file)).toEqual([])
    })
    test.each(bad)(`${name}: %s is refused`, (...file) => {
      const found = check(rule, file)
      expect(found).not.toEqual([])
      for (const finding of found) expect(finding).toMatch(`${file[0]}:`)
    })
  }

  const A: File = ['src/a.ts', "import { b } from './b.ts'"]
  const B: File = ['src/b.ts', "import type { c } from './c.ts'"]

  test('cycles: a line passes', () => {
    expect(check(cycles, A, B, ['src/c.ts', ''])).toEqual([])
  })

  test('cycles: a ring is refused, of types too', () => {
    const found = check(cycles, A, B, ['src/c.ts', "export { a } from './a.ts'"])
    expect(found).toEqual([
      'src/a.ts:1 is in a cycle of imports: src/a.ts → src/b.ts → src/c.ts → src/a.ts',
    ])
  })
})

describe('the tree is tidy', () => {
  test.each(SAMPLES.filter(({ rule }) => rule !== arrows))('$name', ({ rule }) => {
    expect(rule(all)).toEqual([])
  })

  test('arrows', () => {
    expect(arrows(inFolders)).toEqual([])
  })

  test('cycles', () => {
    expect(cycles(all)).toEqual([])
  })

  test('nothing but the card at the top', () => {
    const found = readdirSync(TOP).filter((name) => !MADE.includes(name))
    expect(found.filter((name) => !TOP_LEVEL.includes(name))).toEqual([])
    expect(TOP_LEVEL.filter((name) => !found.includes(name))).toEqual([])
  })

  test('the core explains itself', () => {
    expect(existsSync(`${TOP}src/core/README.md`)).toBe(true)
  })
})
