// A source file as the tidy rules see it: its text, its syntax tree and what it imports.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export const TOP: string = fileURLToPath(new URL('../..', import.meta.url))

export interface Import {
  /** As written: './zxid.ts', 'idb', 'node:fs'. */
  readonly specifier: string
  /** Path from the top for a relative import; undefined for a package. */
  readonly path: string | undefined
  readonly typeOnly: boolean
  readonly line: number
}

export interface Source {
  /** From the top, with slashes: 'src/core/base/zxid.ts'. */
  readonly path: string
  readonly text: string
  readonly tree: ts.SourceFile
  readonly imports: readonly Import[]
}

/** A finding is one line that starts with `path:line`. */
export type Rule = (sources: readonly Source[]) => string[]

export function sourceOf(path: string, text: string): Source {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true)
  return { path, text, tree, imports: importsOf(path, tree) }
}

export function sourcesBelow(...folders: string[]): Source[] {
  return folders.flatMap(filesBelow).map((path) => sourceOf(path, readFileSync(TOP + path, 'utf8')))
}

function filesBelow(path: string): string[] {
  if (statSync(TOP + path).isFile()) return /\.(ts|js|mjs)$/.test(path) ? [path] : []
  return readdirSync(TOP + path).flatMap((name) => filesBelow(`${path}/${name}`))
}

/** Static imports, re-exports, `import('…')` expressions and `import('…')` types. */
function importsOf(path: string, tree: ts.SourceFile): Import[] {
  const found: Import[] = []
  const add = (specifier: ts.Node | undefined, typeOnly: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return
    const name = specifier.text
    const target = name.startsWith('.') ? posix.join(posix.dirname(path), name) : undefined
    found.push({ specifier: name, path: target, typeOnly, line: lineOf(tree, specifier) })
  }
  eachNode(tree, (node) => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword)
    } else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, true)
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false)
    }
  })
  return found
}

export function eachNode(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node)
  ts.forEachChild(node, (child) => {
    eachNode(child, visit)
  })
}

export function lineOf(tree: ts.SourceFile, node: ts.Node): number {
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1
}

/** Findings of a rule that looks at one node at a time: `look` says what is wrong with it. */
export function findings(
  sources: readonly Source[],
  look: (node: ts.Node, source: Source) => string | undefined,
): string[] {
  const found: string[] = []
  for (const source of sources) {
    eachNode(source.tree, (node) => {
      const wrong = look(node, source)
      if (wrong !== undefined) found.push(`${source.path}:${lineOf(source.tree, node)} ${wrong}`)
    })
  }
  return found
}
