/** Web Locks in memory: exclusive and shared, first come first served, as the browser's. */

interface Waiting {
  readonly name: string
  readonly mode: LockMode
  readonly grant: () => void
}

export class FakeLocks {
  #held: { name: string; mode: LockMode }[] = []
  #waiting: Waiting[] = []

  /** What `navigator.locks` of every tab of one browser is. */
  readonly manager: LockManager = {
    request: ((name: string, options: LockOptions, callback: LockGrantedCallback<unknown>) =>
      this.#request(name, options, callback)) as LockManager['request'],
    query: async () => ({ held: this.#held.map((lock) => ({ ...lock })), pending: [] }),
  }

  async #request(
    name: string,
    options: LockOptions,
    callback: LockGrantedCallback<unknown>,
  ): Promise<unknown> {
    const mode = options.mode ?? 'exclusive'
    if (options.ifAvailable === true && !this.#isFree(name, mode)) return callback(null)
    await this.#turn(name, mode, options.signal)
    const lock = { name, mode }
    try {
      return await callback(lock)
    } finally {
      this.#held.splice(
        this.#held.findIndex((one) => one.name === name && one.mode === mode),
        1,
      )
      this.#serve()
    }
  }

  async #turn(name: string, mode: LockMode, signal?: AbortSignal): Promise<void> {
    await new Promise<void>((grant, reject) => {
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
      this.#held.push({ name: one.name, mode: one.mode })
      one.grant()
    }
    this.#waiting = left
  }

  #isFree(name: string, mode: LockMode): boolean {
    return !this.#held.some(
      (lock) => lock.name === name && (mode === 'exclusive' || lock.mode === 'exclusive'),
    )
  }
}
