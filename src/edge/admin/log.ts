/**
 * A server's log: one JSON object per line for machines, a line of words for a terminal. What
 * happened is an event with a name; what it happened to is in its fields.
 */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type LogFields = Readonly<Record<string, string | number | boolean | null>>

export interface Log {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

export interface LogOptions {
  /** Of whole lines, with their ends. */
  readonly write: (line: string) => void
  /** For people's eyes. */
  readonly isTerminal: boolean
  /** Nothing below it is written. */
  readonly level: LogLevel
  /** ms since 1970. */
  readonly wallNow: () => number
  /** Stand in every line. */
  readonly common?: LogFields
}

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']
/** Values of a terminal line that need no quotes. */
const PLAIN = /^[\w.:/+@-]+$/

export function createLog(options: LogOptions): Log {
  const { write, isTerminal, level, wallNow, common = {} } = options
  const at =
    (own: LogLevel) =>
    (event: string, fields: LogFields = {}): void => {
      if (ORDER.indexOf(own) < ORDER.indexOf(level)) return
      const time = new Date(wallNow()).toISOString()
      const all = { ...common, ...fields }
      write(isTerminal ? wordsOf(time, own, event, all) : jsonOf(time, own, event, all))
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

export const NO_LOG: Log = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
}

function jsonOf(time: string, level: LogLevel, event: string, fields: LogFields): string {
  return `${JSON.stringify({ time, level, event, ...fields })}\n`
}

function wordsOf(time: string, level: LogLevel, event: string, fields: LogFields): string {
  const words = Object.entries(fields).map(([key, value]) => `${key}=${wordOf(String(value))}`)
  return `${[time, level.toUpperCase().padEnd(5), event, ...words].join(' ')}\n`
}

/** What comes from outside must not make lines of its own. */
function wordOf(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text)
}

function ignore(): void {}
