/** What a command of the shell is, and what it is given. */

import type { CallOptions } from '../client/call.ts'
import type { Watcher } from '../client/watched-event.ts'
import type { ZooKeeperClient } from '../client/zookeeper-client.ts'
import type { Stat } from '../core/jute/data-records.ts'
import { CommandError, parseOptions, type OptionSpec, type ParsedArgs } from './parse.ts'

/** Today's forms and outputs (3.5 to 3.9), or those of 3.4. */
export type ShellMode = '3.9' | '3.4'

/** The calls that the shell makes. */
export type ShellClient = Pick<
  ZooKeeperClient,
  | 'state'
  | 'create'
  | 'delete'
  | 'exists'
  | 'getData'
  | 'setData'
  | 'getChildren'
  | 'getChildren2'
  | 'getACL'
  | 'setACL'
  | 'sync'
  | 'multi'
  | 'addWatch'
  | 'removeAllWatches'
  | 'addAuthInfo'
  | 'whoAmI'
  | 'getEphemerals'
  | 'getAllChildrenNumber'
  | 'reconfigure'
  | 'close'
>

export interface ConnectTo {
  /** What stands in the prompt: what was given to `connect`. */
  readonly host: string
  /** To be the client's default watcher. */
  readonly watcher: Watcher
}

export interface CommandContext {
  readonly client: ShellClient
  readonly mode: ShellMode
  /** For every call: a person waits. */
  readonly call: CallOptions
  readonly print: (line: string) => void
  readonly printStat: (stat: Stat) => void
  /** Of a file that a person names; absent: there are none here. */
  readonly readText?: (path: string) => Promise<string>
  /** Something that goes on behind the prompt. */
  readonly background: (task: Promise<void>) => void
}

export interface Command {
  readonly name: string
  /** What follows the name in the list of commands, by era; null: no such command then. */
  readonly usage: { readonly today: string | null; readonly old: string | null }
  /** Lines under the usage, where the original prints them. */
  readonly optionLines?: readonly string[]
  readonly run: (context: CommandContext, words: readonly string[]) => Promise<void>
}

export function usageOf(command: Command, mode: ShellMode): string | null {
  return mode === '3.4' ? command.usage.old : command.usage.today
}

/** Today's parse: options anywhere, and at least `wordsMin` words with the command itself. */
export function parseToday(
  command: Command,
  spec: OptionSpec,
  words: readonly string[],
  wordsMin: number,
): ParsedArgs {
  const parsed = parseOptions(spec, words)
  if (parsed.words.length < wordsMin) throw usageError(command)
  return parsed
}

export function usageError(command: Command): CommandError {
  const lines = [`${command.name} ${command.usage.today ?? ''}`, ...(command.optionLines ?? [])]
  return new CommandError(lines.join('\n'))
}

/**
 * A third word once meant "watch". Today it still does, with a warning; the original puts -w in
 * the place of the third word of the line, whatever that is (C33).
 */
export function parseWithOldWatch(
  command: Command,
  spec: OptionSpec,
  words: readonly string[],
  warning: string,
  print: (line: string) => void,
): ParsedArgs {
  const parsed = parseToday(command, spec, words, 2)
  if (parsed.words.length <= 2) return parsed
  print(warning)
  return parseToday(command, spec, [...words.slice(0, 2), '-w', ...words.slice(3)], 2)
}
