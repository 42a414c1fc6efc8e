/** The admin server: commands as HTTP and JSON (O15–O18), and what service managers ask. */
import type { TlsSide } from '../../adapters/tcp/tls-side.ts'
import { ACTION_COMMANDS } from './action-commands.ts'
import { refusal } from './authorize.ts'
import {
  RateLimiter,
  type AdminCommand,
  type CommandAnswer,
  type CommandContext,
} from './command.ts'
import { FACT_COMMANDS } from './fact-commands.ts'
import { openHttp, type HttpAnswer, type HttpListener, type HttpRequest } from './http-listener.ts'
import { jsonText, type JsonValue } from './json-text.ts'
import type { ServerView } from './server-view.ts'

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests'
const JSON_TYPE = 'application/json'

export const COMMANDS: readonly AdminCommand[] = [...FACT_COMMANDS, ...ACTION_COMMANDS]

const BY_NAME = new Map(COMMANDS.flatMap((command) => command.names.map((name) => [name, command])))

export interface AdminServerOptions extends Omit<CommandContext, 'request' | 'limits'> {
  /** Before figures are read. */
  readonly refresh: () => void
  readonly onFailure?: (path: string, error: unknown) => void
  /** Default: without. */
  readonly tls?: TlsSide | null
}

/** Answers requests; the sockets are openAdmin's. */
export class AdminServer {
  readonly #options: AdminServerOptions
  readonly #limits: CommandContext['limits']

  constructor(options: AdminServerOptions) {
    this.#options = options
    const { adminRateLimitIntervalMs } = options.view.settings
    this.#limits = {
      snapshot: new RateLimiter(adminRateLimitIntervalMs),
      restore: new RateLimiter(adminRateLimitIntervalMs),
    }
  }

  async answer(request: HttpRequest): Promise<HttpAnswer> {
    const { view, refresh } = this.#options
    const { adminCommandPath: root } = view.settings
    const { path } = request
    refresh()
    if (path === '/health') return health(view)
    if (path === '/ready') return readiness(view)
    if (path === root || path === `${root}/`) return links(root)
    if (!path.startsWith(`${root}/`)) {
      return { status: 404, type: 'text/plain', body: `see ${root}, /health and /ready\n` }
    }
    const name = path.slice(root.length + 1)
    const command = BY_NAME.get(name)
    if (command === undefined) return page(name, { error: `Unknown command: ${name}` })
    return page(command.names[0] ?? name, await this.#run(command, request))
  }

  async #run(command: AdminCommand, request: HttpRequest): Promise<CommandAnswer> {
    const context = { ...this.#options, limits: this.#limits, request }
    const method = request.method === 'HEAD' ? 'GET' : request.method
    if (method !== command.method) return { status: 405, error: `use ${command.method}` }
    if (!command.needsServing) return command.run(context)
    const { serving } = context.view
    if (serving === null) return { error: NOT_SERVING }
    const refused =
      command.needsAuthorization === true ? refusal(request, context.view, serving) : null
    return refused ?? command.run(context, serving)
  }
}

/** Rejects with what the operating system says: port in use, address not ours. */
export function openAdmin(options: AdminServerOptions): Promise<HttpListener> {
  const { adminAddress, adminPort, adminIdleTimeoutMs } = options.view.settings
  const server = new AdminServer(options)
  return openHttp({
    host: adminAddress,
    port: adminPort,
    idleTimeoutMs: adminIdleTimeoutMs,
    methods: ['GET', 'HEAD', 'POST'],
    answer: (request) => server.answer(request),
    tls: options.tls ?? null,
    onPlain: () => options.counts.insecure++,
    ...(options.onFailure === undefined ? {} : { onFailure: options.onFailure }),
  })
}

function page(name: string, answer: CommandAnswer): HttpAnswer {
  const { fields = {}, error = null, status = 200, headers = {}, stream } = answer
  if (stream !== undefined) {
    return { status, type: 'application/octet-stream', headers, body: stream }
  }
  const said: Record<string, JsonValue> = { ...fields, command: name, error }
  return { status, type: JSON_TYPE, headers, body: jsonText(said) }
}

function links(root: string): HttpAnswer {
  const names = COMMANDS.map(({ names: [first = ''] }) => first).sort()
  const rows = names.map((name) => `<a href="${root}/${name}">${name}</a>\n<br/>\n`)
  return { status: 200, type: 'text/html;charset=utf-8', body: rows.join('') }
}

/** Liveness: the process answers, and its member has not given up. */
function health(view: ServerView): HttpAnswer {
  const halted = view.status?.halted ?? null
  const said = { status: halted === null ? 'alive' : 'halted', reason: halted }
  return { status: halted === null ? 200 : 503, type: JSON_TYPE, body: jsonText(said) }
}

/** Readiness: clients may read and write here. */
function readiness(view: ServerView): HttpAnswer {
  const { status } = view
  const isReady = status?.serving === true
  const said = {
    status: isReady ? 'serving' : 'not serving',
    mode: view.state,
    zxid: status?.zxid ?? null,
    reason: isReady ? null : (status?.whyNotServing ?? 'starting'),
  }
  return { status: isReady ? 200 : 503, type: JSON_TYPE, body: jsonText(said) }
}
