// What a file may be called, how long it may be and what it may not contain.
import { basename } from 'node:path'
import ts from 'typescript'
import { findings, lineOf, type Rule } from './source.ts'

export const FILE_LINES_MAX = 500
export const FUNCTION_LINES_MAX = 60
export const LINE_COLUMNS_MAX = 100

/** Names that say nothing of what is inside. */
const EMPTY_NAMES = /^(utils?|helpers?|common|misc|shared|stuff)$/
const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+$/
/** Tools look for these by their default export. */
const CONFIGURATIONS = /(^|\/)([\w-]+\.config\.(ts|js)|global-setup\.ts)$/

export const fileNames: Rule = (sources) =>
  sources.flatMap(({ path }) => {
    const parts = path.split('/').map((part) => part.split('.')[0] ?? '')
    const empty = parts.find((part) => EMPTY_NAMES.test(part))
    if (empty !== undefined) return [`${path}:1 '${empty}' does not say what is inside`]
    if (!KEBAB_CASE.test(basename(path))) return [`${path}:1 file names are in kebab-case`]
    return []
  })

export const fileLength: Rule = (sources) =>
  sources.flatMap(({ path, text }) => {
    const lines = text.trimEnd().split('\n').length
    return lines > FILE_LINES_MAX ? [`${path}:1 has ${lines} lines, over ${FILE_LINES_MAX}`] : []
  })

export const lineLength: Rule = (sources) =>
  sources.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const columns = [...line].length
      // A link cannot be broken.
      if (columns <= LINE_COLUMNS_MAX || line.includes('https://')) return []
      return [`${path}:${index + 1} has ${columns} columns, over ${LINE_COLUMNS_MAX}`]
    }),
  )

export const functionLength: Rule = (sources) =>
  findings(sources, (node, { path, tree }) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return undefined
    if (path.startsWith('test/') && listsTests(node)) return undefined
    const last = tree.getLineAndCharacterOfPosition(node.end).line + 1
    const lines = last - lineOf(tree, node) + 1
    if (lines <= FUNCTION_LINES_MAX) return undefined
    return `is a function of ${lines} lines, over ${FUNCTION_LINES_MAX}`
  })

/** The callback of `describe` and a contract suite are lists, not programs. */
function listsTests(node: ts.Node): boolean {
  if (isTestCall(node)) return true
  return ts.forEachChild(node, listsTests) ?? false
}

function isTestCall(node: ts.Node): boolean {
  if (!ts.isCallExpression(node)) return false
  return /^(describe|suite|test|it)\b/.test(node.expression.getText())
}

export const defaultExports: Rule = (sources) =>
  findings(sources, (node, { path }) => {
    if (CONFIGURATIONS.test(path)) return undefined
    const found =
      (ts.isExportAssignment(node) && !node.isExportEquals) ||
      (node.kind === ts.SyntaxKind.DefaultKeyword && ts.canHaveModifiers(node.parent)) ||
      (ts.isExportSpecifier(node) && node.name.text === 'default')
    return found ? 'exports by default; give it a name' : undefined
  })

export const enums: Rule = (sources) =>
  findings(sources, (node) =>
    ts.isEnumDeclaration(node) ? 'is an enum; use a const object and a union' : undefined,
  )

/** What the package offers: only these gather the exports of others. */
const ENTRIES: readonly string[] = [
  ...['src/index.ts', 'src/client.ts', 'src/testing.ts', 'src/playwright.ts'],
]

export const barrels: Rule = (sources) =>
  sources.flatMap(({ path, tree }) => {
    if (ENTRIES.includes(path)) return []
    if (basename(path) === 'index.ts') return [`${path}:1 is a barrel; import from the files`]
    const { statements } = tree
    const gathers = statements.every((one) => ts.isExportDeclaration(one) && one.moduleSpecifier)
    return statements.length > 0 && gathers ? [`${path}:1 only gathers exports of others`] : []
  })

const BANNED_IN_CORE: Readonly<Record<string, string>> = {
  Date: 'wall time arrives in inputs',
  performance: 'elapsed time arrives in inputs',
  setTimeout: 'elapsed time arrives in inputs',
  setInterval: 'elapsed time arrives in inputs',
  queueMicrotask: 'step is synchronous',
  Promise: 'step is synchronous',
  console: 'the core has no output',
  crypto: 'random bytes arrive in inputs',
  fetch: 'the core has no input or output',
}

/** Time, chance, waiting and output come into the core from outside. The compiler cannot say so. */
export const corePurity: Rule = (sources) =>
  findings(sources, (node, { path }) => {
    if (!path.startsWith('src/core/')) return undefined
    if (node.kind === ts.SyntaxKind.AsyncKeyword) return "has 'async'; step is synchronous"
    if (ts.isAwaitExpression(node)) return "has 'await'; step is synchronous"
    if (ts.isPropertyAccessExpression(node) && node.getText() === 'Math.random') {
      return "has 'Math.random'; random bytes arrive in inputs"
    }
    if (!ts.isIdentifier(node) || isMemberName(node)) return undefined
    const why = Object.hasOwn(BANNED_IN_CORE, node.text) ? BANNED_IN_CORE[node.text] : undefined
    return why === undefined ? undefined : `has '${node.text}'; ${why}`
  })

/** The `fetch` of `log.fetch` and of `{ fetch: 1 }` is not the global one. */
function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node
  const isMember = ts.isTypeElement(parent) || ts.isClassElement(parent)
  return (isMember || ts.isPropertyAssignment(parent)) && parent.name === node
}

const LEFT_OUT = /^(describe|suite|test|it)\b.*\.(skip|only|todo|fixme|skipIf|runIf|fails)$/

export const skippedTests: Rule = (sources) =>
  findings(sources, (node, { path }) => {
    if (!path.startsWith('test/') || !ts.isPropertyAccessExpression(node)) return undefined
    const text = node.getText()
    return LEFT_OUT.test(text) ? `has '${text}'; every test runs` : undefined
  })
