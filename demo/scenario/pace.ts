/** The pause between two steps. It may be changed while somebody waits. */

export const PAUSE_MAX_MS = 3_000
export const PAUSE_DEFAULT_MS = 800

export class Pace {
  #pauseMs = PAUSE_DEFAULT_MS
  readonly #waiting = new Set<() => void>()

  get pauseMs(): number {
    return this.#pauseMs
  }

  set(pauseMs: number): void {
    if (!Number.isFinite(pauseMs)) return
    this.#pauseMs = Math.min(PAUSE_MAX_MS, Math.max(0, Math.round(pauseMs)))
    for (const look of [...this.#waiting]) look()
  }

  /** Resolves after the pause; rejects with the signal's reason. */
  async pass(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#pauseMs === 0) return
    const begunMs = performance.now()
    await new Promise<void>((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout> | undefined
      const end = (settle: () => void): void => {
        clearTimeout(timer)
        this.#waiting.delete(look)
        signal.removeEventListener('abort', onAbort)
        settle()
      }
      const onAbort = (): void => end(() => reject(signal.reason as Error))
      const look = (): void => {
        clearTimeout(timer)
        const leftMs = begunMs + this.#pauseMs - performance.now()
        if (leftMs <= 0) end(resolve)
        else timer = setTimeout(look, leftMs)
      }
      this.#waiting.add(look)
      signal.addEventListener('abort', onAbort, { once: true })
      look()
    })
  }
}
