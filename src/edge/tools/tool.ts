/** What the tools for files share: flags, one path, how they fail, and how they say so. */
import process from 'node:process'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { messageOf } from '../../core/base/message-of.ts'

export interface Tool<T> {
  readonly name: string
  readonly usage: string
  /** What the path is, for whoever names none. */
  readonly takes: string
  /** Flags and their letters; null: none. */
  readonly flags: Readonly<Record<string, string | null>>
  /** What the given flags ask for. Throws an Error where they do not go together. */
  readonly choose: (given: (flag: string) => boolean) => T
  /** Resolves with the exit code. */
  readonly run: (choice: T, path: string) => Promise<number> | number
}

/** Resolves with the exit code. */
export async function runTool<T>(tool: Tool<T>, args: readonly string[]): Promise<number> {
  let asked: { readonly choice: T; readonly path: string } | null
  try {
    asked = parse(tool, args)
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${tool.usage}`)
    return 2
  }
  if (asked === null) {
    process.stdout.write(tool.usage)
    return 0
  }
  try {
    return await tool.run(asked.choice, asked.path)
  } catch (error) {
    process.stderr.write(`${tool.name}: ${messageOf(error)}\n`)
    return 1
  }
}

export function writeLine(line: string): Promise<void> {
  return write(`${line}\n`)
}

/** At the pace of who reads it. */
export async function write(text: string): Promise<void> {
  if (process.stdout.write(text)) return
  await new Promise<void>((resolve) => process.stdout.once('drain', resolve))
}

/** null: help was asked for. */
function parse<T>(
  { flags, choose, takes }: Tool<T>,
  args: readonly string[],
): { readonly choice: T; readonly path: string } | null {
  const options: NonNullable<ParseArgsConfig['options']> = {}
  for (const [flag, short] of Object.entries({ help: 'h', ...flags })) {
    options[flag] = { type: 'boolean', ...(short === null ? {} : { short }) }
  }
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options })
  if (values['help'] === true) return null
  const [path, ...more] = positionals
  if (path === undefined || more.length > 0) throw new Error(`name one ${takes}`)
  return { choice: choose((flag) => values[flag] === true), path }
}
