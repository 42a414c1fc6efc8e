/** Web Locks in memory: exclusive and shared, first come first served, as the browser's. */

interface Held {
  readonly name: string
  readonly mode: LockMode
}

interface Waiting extends Held {
  readonly grant: (lock: Held) => void
}

/** Until the browser hears that a lock was let go; sooner when its holder asks something. */
const HEARS_AFTER_MS = 20

export class FakeLocks {
  #held: Held[] = []
  #waiting: Waiting[] = []
  /** Let go by their holders, who told the browser, which has not heard it yet. */
  #left: Held[] = []

  /** What `navigator.locks` of every tab of one browser is. */
  readonly manager: LockManager = {
    request: ((name: string, options: LockOptions, callback: LockGrantedCallback<unknown>) =>
      this.#request(name, options, callback)) as LockManager['request'],
    query: async () => {
      this.#hear(this.#left)
      return { held: this.#held.map((lock) => ({ ...lock })), pending: [] }
    },
  }

  async #request(
    name: string,
    options: LockOptions,
    callback: LockGrantedCallback<unknown>,
  ): Promise<unknown> {
    const mode = options.mode ?? 'exclusive'
    if (options.ifAvailable === true && !this.#isFree(name, mode)) return callback(null)
    const lock =
      options.steal === true ? this.#steal(name) : await this.#turn(name, mode, options.signal)
    try {
      return await callback(lock)
    } finally {
      this.#left.push(lock)
      setTimeout(() => this.#hear([lock]), HEARS_AFTER_MS)
    }
  }

  #hear(left: readonly Held[]): void {
    this.#held = this.#held.filter((one) => !left.includes(one))
    this.#left = this.#left.filter((one) => !left.includes(one))
    this.#serve()
  }

  /** Who held it is told by an error, which nobody here waits for. */
  #steal(name: string): Held {
    const lock: Held = { name, mode: 'exclusive' }
    this.#held = [...this.#held.filter((one) => one.name !== name), lock]
    return lock
  }

  #turn(name: string, mode: LockMode, signal?: AbortSignal): Promise<Held> {
    return new Promise<Held>((grant, reject) => {
      const waiting = { name, mode, grant }
      this.#waiting.push(waiting)
      signal?.addEventListener('abort', () => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting)
        reject(new DOMException('aborted', 'AbortError'))
      })
      this.#serve()
    })
  }

  #serve(): void {
    const left: Waiting[] = []
    for (const one of this.#waiting) {
      const isBehind = left.some((other) => other.name === one.name)
      if (isBehind || !this.#isFree(one.name, one.mode)) {
        left.push(one)
        continue
      }
      const lock: Held = { name: one.name, mode: one.mode }
      this.#held.push(lock)
      one.grant(lock)
    }
    this.#waiting = left
  }

  #isFree(name: string, mode: LockMode): boolean {
    return !this.#held.some(
      (lock) => lock.name === name && (mode === 'exclusive' || lock.mode === 'exclusive'),
    )
  }
}
