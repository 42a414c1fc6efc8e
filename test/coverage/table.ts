/** Reads the tables of coverage.md: `| rule | in short | tests | remark |`, and counts them. */

export interface Proof {
  /** From the top of the project. */
  readonly path: string
  /** A part of its title, as the file has it. */
  readonly title: string
}

export interface Row {
  readonly id: string
  readonly short: string
  readonly proofs: readonly Proof[]
  readonly note: string
}

/** The first words of a remark that takes something back, in the order of the figures. */
export const RESERVATIONS = ['Partly', 'Not built', 'Not proved', 'Not here'] as const

const ROW = /^\| ([A-Z]\d+) \| (.*?) \| (.*?) ?\| (.*?) ?\|$/
const PROOF = /^`([^`]+)` (.+)$/

/** Throws an Error that quotes a line which looks like a row and is none. */
export function parseTable(text: string): Row[] {
  return text
    .split('\n')
    .filter((line) => /^\| [A-Z]\d/.test(line))
    .map((line) => parseRow(line.replaceAll('\\|', BAR)))
}

/** Stands for a bar inside a cell. */
const BAR = '\u0001'

function parseRow(line: string): Row {
  const found = ROW.exec(line)
  if (found === null) throw new Error(`no row of the table: ${line}`)
  const [id = '', short = '', tests = '', note = ''] = found
    .slice(1)
    .map((cell) => cell.replaceAll(BAR, '|').trim())
  const parts = tests.split('<br>').filter((part) => part !== '')
  return { id, short, proofs: parts.map((part) => parseProof(part.trim(), id)), note }
}

function parseProof(part: string, id: string): Proof {
  const found = PROOF.exec(part)
  if (found === null) throw new Error(`${id}: '${part}' is not \`path\` title`)
  return { path: found[1] ?? '', title: found[2] ?? '' }
}

/** What a remark takes back; null: the rule is proved. */
export function reservationOf({ note }: Row): (typeof RESERVATIONS)[number] | null {
  return RESERVATIONS.find((words) => note.startsWith(`${words}: `)) ?? null
}

/** rules | proved | and one for each reservation. */
export function figuresOf(rows: readonly Row[]): number[] {
  const count = (words: string | null): number =>
    rows.filter((row) => reservationOf(row) === words).length
  return [rows.length, count(null), ...RESERVATIONS.map(count)]
}

/** What the line of the summary with this name says; empty: there is none. */
export function figuresIn(text: string, name: string): number[] {
  const lines = text.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
  const line = lines.find((cells) => cells[1] === name) ?? []
  return line.slice(2, -1).map(Number)
}
