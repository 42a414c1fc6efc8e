/**
 * A Chromium started and driven without Playwright, which keeps all its pages visible for itself:
 * here a tab behind another one is hidden, as on a person's screen.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { WebSocket } from 'ws'

const FLAGS = [
  // The real browser without a screen, not the old shell of that name, which has no tabs.
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
  '--remote-debugging-port=0',
]
const START_TIMEOUT_MS = 30_000
const POLL_MS = 50

interface Answer {
  readonly id?: number
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

interface Evaluated {
  readonly result: { readonly value?: unknown }
  readonly exceptionDetails?: { readonly text: string; readonly exception?: object }
}

export class OwnChromium {
  readonly #process: ChildProcess
  readonly #profile: string
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #lastId = 0

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process
    this.#profile = profile
    this.#socket = socket
    socket.on('message', (data: Buffer) => {
      const answer = JSON.parse(data.toString()) as Answer
      if (answer.id === undefined) return
      this.#waiting.get(answer.id)?.(answer)
      this.#waiting.delete(answer.id)
    })
  }

  static async start(binary: string): Promise<OwnChromium> {
    const profile = await mkdtemp(join(tmpdir(), 'zabra-bench-profile-'))
    const args = [...FLAGS, `--user-data-dir=${profile}`, 'about:blank']
    const chromium = spawn(binary, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    const signal = AbortSignal.timeout(START_TIMEOUT_MS)
    for await (const line of createInterface({ input: chromium.stderr, signal })) {
      const address = /^DevTools listening on (ws:\S+)/.exec(line)?.[1]
      if (address === undefined) continue
      chromium.stderr.resume()
      const socket = new WebSocket(address)
      await once(socket, 'open')
      return new OwnChromium(chromium, profile, socket)
    }
    throw new Error('Chromium did not start')
  }

  async open(url: string): Promise<OwnTab> {
    const { targetId } = await this.call('Target.createTarget', { url })
    const attached = await this.call('Target.attachToTarget', { targetId, flatten: true })
    return new OwnTab(this, String(targetId), String(attached['sessionId']))
  }

  async call(method: string, params: object, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.#lastId
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve))
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }))
    const { result, error } = await answered
    if (error !== undefined) throw new Error(`${method}: ${error.message}`)
    return result ?? {}
  }

  async close(): Promise<void> {
    const gone = once(this.#process, 'exit')
    await this.call('Browser.close', {})
    await gone
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

export class OwnTab {
  readonly #browser: OwnChromium
  readonly #targetId: string
  readonly #sessionId: string

  constructor(browser: OwnChromium, targetId: string, sessionId: string) {
    this.#browser = browser
    this.#targetId = targetId
    this.#sessionId = sessionId
  }

  async evaluate(expression: string): Promise<unknown> {
    const params = { expression, awaitPromise: true, returnByValue: true }
    const answer = await this.#browser.call('Runtime.evaluate', params, this.#sessionId)
    const { result, exceptionDetails } = answer as unknown as Evaluated
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
    return result.value
  }

  async until(expression: string, timeoutMs: number): Promise<void> {
    const endMs = performance.now() + timeoutMs
    while ((await this.evaluate(expression)) !== true) {
      if (performance.now() > endMs) throw new Error(`not in ${timeoutMs} ms: ${expression}`)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  /** What was in front is hidden then. */
  async bringToFront(): Promise<void> {
    await this.#browser.call('Target.activateTarget', { targetId: this.#targetId })
  }
}
