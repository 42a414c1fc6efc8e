/** From a line to words (C5), and from words to options, by the rules of ZooKeeper's shell. */

/** A quoted word has no escapes and ends at the next quote of its kind. */
const WORD = /[ \t\n\v\f\r]*([^"'][^ \t\n\v\f\r]*|"[^"]*"|'[^']*')[ \t\n\v\f\r]*/g
const QUOTED = /^(['"])(.*)\1$/

export function splitLine(line: string): string[] {
  const words: string[] = []
  for (const match of line.matchAll(WORD)) {
    const word = match[1] ?? ''
    if (word.trim() === '') continue
    words.push(QUOTED.test(word) ? word.slice(1, -1) : word)
  }
  return words
}

/** What a command line is refused with: printed as it is. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError'
}

/** Option letters; true: the option takes a value. */
export type OptionSpec = Readonly<Record<string, boolean>>

export interface ParsedArgs {
  readonly has: (letter: string) => boolean
  readonly value: (letter: string) => string | undefined
  /** Without options; the first is the command itself. */
  readonly words: readonly string[]
}

/**
 * Options anywhere among the words, as commons-cli's DefaultParser takes them: `-s`, `-sw`, `-v 3`,
 * `-v3`, `-v=3`; after `--` everything is a word. A value may look like a negative number.
 */
export function parseOptions(spec: OptionSpec, words: readonly string[]): ParsedArgs {
  const values = new Map<string, string | undefined>()
  const rest: string[] = []
  let isOver = false
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (isOver || !word.startsWith('-') || word === '-') {
      rest.push(word)
      continue
    }
    if (word === '--') {
      isOver = true
      continue
    }
    const pending = takeOptions(spec, word, values)
    if (pending === null) continue
    const value = words[i + 1]
    if (value === undefined || isOption(spec, value)) throw missingArgument(pending)
    values.set(pending, value)
    i++
  }
  return { has: (letter) => values.has(letter), value: (letter) => values.get(letter), words: rest }
}

/** Notes the options of one word. The result is the option whose value is the next word. */
function takeOptions(
  spec: OptionSpec,
  word: string,
  values: Map<string, string | undefined>,
): string | null {
  const letters = word.slice(1)
  const first = letters[0] ?? ''
  if (spec[first] === true && letters[1] === '=') {
    values.set(first, letters.slice(2))
    return null
  }
  if ([...letters].every((letter) => letter in spec && spec[letter] === false)) {
    for (const letter of letters) values.set(letter, undefined)
    return null
  }
  for (const [at, letter] of [...letters].entries()) {
    const takesValue = spec[letter]
    if (takesValue === undefined) throw unrecognized(word)
    values.set(letter, undefined)
    if (!takesValue) continue
    if (at + 1 === letters.length) return letter
    values.set(letter, letters.slice(at + 1))
    return null
  }
  return null
}

/** Options whose names are words: `-add x`, `-add=x`; without the command itself. */
export function splitOptionWords(spec: OptionSpec, words: readonly string[]): ParsedArgs {
  const values = new Map<string, string | undefined>()
  const rest: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    const [, name, assigned] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word) ?? []
    if (name === undefined) {
      rest.push(word)
      continue
    }
    const takesValue = spec[name]
    if (takesValue === undefined) throw unrecognized(word)
    if (takesValue && assigned === undefined && words[++i] === undefined) {
      throw missingArgument(name)
    }
    values.set(name, takesValue ? (assigned ?? words[i]) : undefined)
  }
  return { has: (name) => values.has(name), value: (name) => values.get(name), words: rest }
}

function isOption(spec: OptionSpec, word: string): boolean {
  return /^-[^-\d]/.test(word) && (word[1] ?? '') in spec
}

function unrecognized(word: string): CommandError {
  const name = 'org.apache.commons.cli.UnrecognizedOptionException'
  return new CommandError(`${name}: Unrecognized option: ${word}`)
}

function missingArgument(letter: string): CommandError {
  const name = 'org.apache.commons.cli.MissingArgumentException'
  return new CommandError(`${name}: Missing argument for option: ${letter}`)
}

/** As Integer.parseInt: also its bounds and its words. */
export function parseInteger(text: string): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : NaN
  if (Number.isNaN(value) || value > 0x7fff_ffff || value < -0x8000_0000) {
    throw new NumberFormatError(`For input string: "${text}"`)
  }
  return value
}

/** Java's IllegalArgumentException, which 3.4 prints with its name. */
export class IllegalArgumentError extends CommandError {
  override readonly name: string = 'java.lang.IllegalArgumentException'
}

/** Java's NumberFormatException; an IllegalArgumentException, which 3.4 prints with its name. */
export class NumberFormatError extends IllegalArgumentError {
  override readonly name: string = 'java.lang.NumberFormatException'
}
