/**
 * Many watches, one wait: "something changed, look again".
 *
 * A watch is one-shot and says nothing but that. So a program reads all it depends on, each read
 * with this bell as its watcher, acts on what it saw, and waits for the bell; what changes in
 * between has rung it already. Nothing is lost, however many events came, and nothing is kept.
 * Session events ring as well: after a reconnect, or the end of the session, a look is due.
 */
import type { Watcher } from '../../src/client/watched-event.ts'

export class ChangeBell {
  #hasRung = false
  #wake: (() => void) | null = null
  /** One function, so that the client keeps one watch per path however often it is set. */
  readonly watcher: Watcher = () => this.ring()

  ring(): void {
    this.#hasRung = true
    this.#wake?.()
  }

  /** Resolves when it has rung since it was heard last; for one waiter. */
  async heard(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (!this.#hasRung) await this.#next(signal)
    this.#hasRung = false
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.#wake = null
        signal.removeEventListener('abort', onAbort)
        settle()
      }
      const onAbort = (): void => end(() => reject(signal.reason as Error))
      this.#wake = () => end(resolve)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}
