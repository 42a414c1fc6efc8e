/** CPU profile of a page's member worker, by Chromium's own profiler. */
import type { CDPSession, Page } from 'playwright'

interface Answer {
  readonly id?: number
  readonly result?: { readonly profile?: CpuProfile }
}

/** As DevTools' performance panel loads it from a `.cpuprofile` file. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const SAMPLING_INTERVAL_US = 250

/** Starts at once; the function stops it and hands over what was found. */
export async function profileWorker(page: Page): Promise<() => Promise<CpuProfile>> {
  const session = await page.context().newCDPSession(page)
  const worker = await WorkerSession.attach(session)
  await worker.call('Profiler.enable')
  await worker.call('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US })
  await worker.call('Profiler.start')
  return async () => {
    const { profile } = (await worker.call('Profiler.stop')) ?? {}
    await session.detach()
    if (profile === undefined) throw new Error('no profile')
    return profile
  }
}

/** Share of the samples by function, largest first. */
export function hottest(profile: CpuProfile, count: number): string[] {
  const names = new Map(
    profile.nodes.map(({ id, callFrame }) => [
      id,
      `${callFrame.functionName || '(anonymous)'}:${callFrame.lineNumber + 1}`,
    ]),
  )
  const timeUs = new Map<string, number>()
  let totalUs = 0
  for (const [i, id] of profile.samples.entries()) {
    const name = names.get(id) ?? '?'
    const us = profile.timeDeltas[i] ?? 0
    totalUs += us
    timeUs.set(name, (timeUs.get(name) ?? 0) + us)
  }
  return [...timeUs]
    .sort((a, b) => b[1] - a[1])
    .slice(0, count)
    .map(([name, us]) => `${((100 * us) / totalUs).toFixed(1)} % ${name}`)
}

/** Commands to a worker go inside commands to its page. */
class WorkerSession {
  readonly #session: CDPSession
  readonly #sessionId: string
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #lastId = 0

  private constructor(session: CDPSession, sessionId: string) {
    this.#session = session
    this.#sessionId = sessionId
    session.on('Target.receivedMessageFromTarget', ({ message }) => {
      const answer = JSON.parse(message) as Answer
      if (answer.id === undefined) return
      this.#waiting.get(answer.id)?.(answer)
      this.#waiting.delete(answer.id)
    })
  }

  static async attach(session: CDPSession): Promise<WorkerSession> {
    const attached = new Promise<string>((resolve) => {
      session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
        if (targetInfo.type === 'worker') resolve(sessionId)
      })
    })
    await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false })
    return new WorkerSession(session, await attached)
  }

  async call(method: string, params: object = {}): Promise<Answer['result']> {
    const id = ++this.#lastId
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve))
    const message = JSON.stringify({ id, method, params })
    const sessionId = this.#sessionId
    await this.#session.send('Target.sendMessageToTarget', { message, sessionId })
    return (await answered).result
  }
}
