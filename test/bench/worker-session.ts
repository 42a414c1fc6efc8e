/** DevTools' protocol with the member worker of a page, which Playwright has no way to. */
import type { CDPSession, Page } from 'playwright'

interface Answer {
  readonly id?: number
  readonly result?: object
}

/** Commands to a worker go inside commands to its page. */
export class WorkerSession {
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

  static async open(page: Page): Promise<WorkerSession> {
    const session = await page.context().newCDPSession(page)
    const attached = new Promise<string>((resolve) => {
      session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
        if (targetInfo.type === 'worker') resolve(sessionId)
      })
    })
    await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false })
    return new WorkerSession(session, await attached)
  }

  async call(method: string, params: object = {}): Promise<object> {
    const id = ++this.#lastId
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve))
    const message = JSON.stringify({ id, method, params })
    const sessionId = this.#sessionId
    await this.#session.send('Target.sendMessageToTarget', { message, sessionId })
    return (await answered).result ?? {}
  }

  async close(): Promise<void> {
    await this.#session.detach()
  }
}
