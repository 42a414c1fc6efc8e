/**
 * A tab that stands still: page and worker execute nothing, and what is said to them waits. The
 * driver's pages count as shown, and those no browser freezes; the debugger's pause does the same.
 */
import type { CDPSession, Page } from 'playwright/test'

const sessions = new WeakMap<Page, CDPSession>()

/** The DevTools session of a page, one for all of a test. Rejects where the browser has none. */
export async function devTools(page: Page): Promise<CDPSession> {
  const known = sessions.get(page)
  if (known !== undefined) return known
  const made = await page.context().newCDPSession(page).catch(onlyChromium)
  sessions.set(page, made)
  return made
}

export class Standstill {
  readonly #session: CDPSession
  readonly #workers: readonly string[]
  readonly #isHidden: boolean

  private constructor(session: CDPSession, workers: readonly string[], isHidden: boolean) {
    this.#session = session
    this.#workers = workers
    this.#isHidden = isHidden
  }

  /** Resolves when nothing runs any more, or will at the next task. */
  static async of(page: Page): Promise<Standstill> {
    const session = await devTools(page)
    const isHidden = await page.evaluate(() => document.visibilityState === 'hidden')
    if (isHidden) {
      await session.send('Page.setWebLifecycleState', { state: 'frozen' })
      return new Standstill(session, [], true)
    }
    const workers: string[] = []
    const onAttached = ({ sessionId }: { readonly sessionId: string }): void => {
      workers.push(sessionId)
    }
    session.on('Target.attachedToTarget', onAttached)
    // Those that are there are told before this resolves.
    await session.send('Target.setAutoAttach', {
      autoAttach: true,
      waitForDebuggerOnStart: false,
      flatten: false,
    })
    session.off('Target.attachedToTarget', onAttached)
    const standstill = new Standstill(session, workers, false)
    await standstill.#each('Debugger.enable', 'Debugger.pause')
    return standstill
  }

  async end(): Promise<void> {
    if (this.#isHidden) {
      await this.#session.send('Page.setWebLifecycleState', { state: 'active' })
      return
    }
    // Ends the pause, and one that has not begun yet.
    await this.#each('Debugger.disable')
    await this.#session.send('Target.setAutoAttach', {
      autoAttach: false,
      waitForDebuggerOnStart: false,
      flatten: false,
    })
  }

  /** Workers first: they are what the ensemble hears. */
  async #each(...methods: readonly ('Debugger.enable' | 'Debugger.pause' | 'Debugger.disable')[]) {
    for (const method of methods) {
      for (const [index, sessionId] of this.#workers.entries()) {
        const message = JSON.stringify({ id: index + 1, method })
        await this.#session.send('Target.sendMessageToTarget', { sessionId, message })
      }
      await this.#session.send(method)
    }
  }
}

function onlyChromium(cause: unknown): never {
  const what = 'only in Chromium can one tab crash or stand still by itself'
  const instead = 'open the room with a process for each member, and kill it or put it to sleep'
  throw new Error(`${what}; elsewhere ${instead} (browsers: 'each')`, { cause })
}
