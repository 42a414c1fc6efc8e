/** One member of an ensemble as a process of its own, started again when it ends. */
import { spawn, type ChildProcess } from 'node:child_process'
import process from 'node:process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { Backoff } from '../core/base/backoff.ts'
import { ENDS_WITH_STARTER } from './starter.ts'

export interface MemberProcessHooks {
  /** A line of its output: it says that it serves. */
  readonly onLine: (line: string) => void
  /** What goes to the error output. */
  readonly onSaid: (text: string) => void
  /** It never came up, over and over. Called once. */
  readonly onGivenUp: (reason: string) => void
}

/** ms before it is started again; doubles while it keeps ending. Ours. */
const RESTART = { firstMs: 200, capMs: 10_000 } as const
/** A process that ran so long, ms, ended for a new reason. Ours. */
const STEADY_MS = 10_000
/** Starts in a row without ever serving, after which more of them are no help. Ours. */
const FAILED_STARTS_MAX = 5
/** How long it may take to end by SIGTERM, ms. Ours: its last batch has to reach the disk. */
const STOP_LIMIT_MS = 5_000

export class MemberProcess {
  readonly #sid: number
  readonly #config: string
  readonly #hooks: MemberProcessHooks
  readonly #backoff = new Backoff(RESTART, Math.random)
  #child: ChildProcess | null = null
  #timer: ReturnType<typeof setTimeout> | null = null
  #hasServed = false
  #failedStarts = 0
  #isStopping = false

  constructor(sid: number, config: string, hooks: MemberProcessHooks) {
    this.#sid = sid
    this.#config = config
    this.#hooks = hooks
  }

  start(): void {
    const startedMs = performance.now()
    // This program again, however it was started.
    const script = process.argv[1] ?? ''
    const words = [...process.execArgv, script, 'server', this.#config]
    // Its own group: what a terminal sends to us is ours to pass on. The channel tells it of our
    // end, also of one by SIGKILL.
    const child = spawn(process.execPath, words, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
      env: { ...process.env, ...ENDS_WITH_STARTER },
    })
    this.#child = child
    createInterface({ input: child.stdout as Readable }).on('line', (line) => {
      this.#hasServed = true
      this.#failedStarts = 0
      this.#hooks.onLine(line)
    })
    createInterface({ input: child.stderr as Readable }).on('line', (line) => {
      this.#hooks.onSaid(`member ${this.#sid}: ${line}\n`)
    })
    child.once('error', (error) => this.#hooks.onSaid(`member ${this.#sid}: ${error.message}\n`))
    child.once('close', (code, signal) => {
      this.#child = null
      this.#ended(signal ?? `exit code ${String(code)}`, performance.now() - startedMs)
    })
  }

  /** Resolves when its process is gone. */
  async stop(): Promise<void> {
    this.#isStopping = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    const child = this.#child
    if (child === null) return
    const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
    child.kill('SIGTERM')
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
    await gone
    clearTimeout(limit)
  }

  #ended(how: string, ranMs: number): void {
    if (this.#isStopping) return
    if (ranMs > STEADY_MS) this.#backoff.reset()
    if (!this.#hasServed && ++this.#failedStarts >= FAILED_STARTS_MAX) {
      this.#hooks.onGivenUp(`member ${this.#sid} does not start`)
      return
    }
    this.#hasServed = false
    const delayMs = this.#backoff.nextMs()
    this.#hooks.onSaid(`member ${this.#sid}: ended (${how}), starts again in ${delayMs} ms\n`)
    this.#timer = setTimeout(() => this.start(), delayMs)
  }
}
