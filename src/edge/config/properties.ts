/**
 * Java's properties format, in which zoo.cfg is written: `key=value`, `key: value` or `key value`,
 * comments after # or !, a line goes on after one that ends with an odd number of backslashes.
 */

export interface PropertyEntry {
  readonly key: string
  readonly value: string
  /** Of the file, from 1: where the entry begins. */
  readonly line: number
}

const BLANK = /^[ \t\f]*/
const COMMENT = /^[ \t\f]*[#!]/
const BREAK = /\r\n|\n|\r/
const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

/** In the order of the file; a key may come more than once, and the last one counts. */
export function parseProperties(text: string): PropertyEntry[] {
  const entries: PropertyEntry[] = []
  const lines = text.split(BREAK)
  for (let i = 0; i < lines.length; i++) {
    const line = i + 1
    let logical = lines[i] ?? ''
    if (COMMENT.test(logical) || logical.replace(BLANK, '') === '') continue
    logical = logical.replace(BLANK, '')
    while (goesOn(logical) && i + 1 < lines.length) {
      i++
      logical = logical.slice(0, -1) + (lines[i] ?? '').replace(BLANK, '')
    }
    // At the end of the file there is nothing to go on with.
    if (goesOn(logical)) logical = logical.slice(0, -1)
    const [key, value] = split(logical)
    entries.push({ key, value, line })
  }
  return entries
}

function goesOn(line: string): boolean {
  const backslashes = /\\*$/.exec(line)?.[0].length ?? 0
  return backslashes % 2 === 1
}

function split(line: string): [key: string, value: string] {
  const match = /^((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*(.*)$/s.exec(line)
  return [unescape(match?.[1] ?? line), unescape(match?.[2] ?? '')]
}

/** A backslash before any other character is dropped, as Java does. */
function unescape(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|.)/gs, (_all, what: string) =>
    what.length === 5
      ? String.fromCharCode(Number.parseInt(what.slice(1), 16))
      : (ESCAPES[what] ?? what),
  )
}
