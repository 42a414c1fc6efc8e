/** What an admin command is, and what it answers (O15). */
import type { Readable } from 'node:stream'
import type { HttpRequest } from './http-listener.ts'
import type { JsonValue } from './json-text.ts'
import type { Metric } from './metric.ts'
import type { AdminCounts } from './server-metrics.ts'
import type { ServerView } from './server-view.ts'
import type { TraceMask } from './trace-mask.ts'

export type Serving = NonNullable<ServerView['serving']>

export interface CommandContext {
  readonly view: ServerView
  readonly metrics: readonly Metric[]
  readonly traceMask: TraceMask
  readonly counts: AdminCounts
  readonly limits: CommandLimits
  readonly request: HttpRequest
}

/** Of what must not be asked often (O17). */
export interface CommandLimits {
  readonly snapshot: RateLimiter
  readonly restore: RateLimiter
}

export interface CommandAnswer {
  readonly fields?: Readonly<Record<string, JsonValue>>
  /** Default null. */
  readonly error?: string
  /** Default 200, also for most errors: ZooKeeper tells those in the text. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Instead of JSON. */
  readonly stream?: Readable
}

interface CommandBase {
  /** The first one is what the answer calls it. */
  readonly names: readonly string[]
  readonly method: 'GET' | 'POST'
  /** Only for those who may do everything to the node `/` (O17). */
  readonly needsAuthorization?: boolean
}

/** A command about what a serving server has (O13). */
export interface ServingCommand extends CommandBase {
  readonly needsServing: true
  readonly run: (
    context: CommandContext,
    serving: Serving,
  ) => Promise<CommandAnswer> | CommandAnswer
}

export interface ProcessCommand extends CommandBase {
  readonly needsServing: false
  readonly run: (context: CommandContext) => CommandAnswer
}

export type AdminCommand = ServingCommand | ProcessCommand

/** Once in an interval. */
export class RateLimiter {
  readonly #intervalMs: number
  #allowedAtMs = -Infinity

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  allow(nowMs: number): boolean {
    if (nowMs - this.#allowedAtMs <= this.#intervalMs) return false
    this.#allowedAtMs = nowMs
    return true
  }

  /** What was allowed last came to nothing. */
  forget(): void {
    this.#allowedAtMs = -Infinity
  }
}

export function get(
  names: readonly string[],
  run: (context: CommandContext, serving: Serving) => Readonly<Record<string, JsonValue>>,
): ServingCommand {
  return {
    names,
    method: 'GET',
    needsServing: true,
    run: (context, serving) => ({ fields: run(context, serving) }),
  }
}

/** Also while nobody is served. */
export function getAlways(
  names: readonly string[],
  run: (context: CommandContext) => CommandAnswer,
): ProcessCommand {
  return { names, method: 'GET', needsServing: false, run }
}
