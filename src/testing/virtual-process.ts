/**
 * A process, or a tab, on virtual time: what happens in it are tasks, its timers' and those of what
 * reaches it. Frozen, its tasks wait; ended, they never run.
 */
import type { Prng } from '../core/base/prng.ts'
import type { VirtualTime } from './virtual-time.ts'

export class VirtualProcess {
  readonly time: VirtualTime
  readonly #prng: Prng
  #isFrozen = false
  #hasEnded = false
  /** Of timers and of messages apart: the platform says nothing of their order. */
  #timersDue: (() => void)[] = []
  #tasksDue: (() => void)[] = []

  constructor(time: VirtualTime, prng: Prng) {
    this.time = time
    this.#prng = prng
  }

  get isFrozen(): boolean {
    return this.#isFrozen
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Not frozen, not ended. */
  get isRunning(): boolean {
    return !this.#isFrozen && !this.#hasEnded
  }

  run(task: () => void): void {
    if (this.#hasEnded) return
    if (this.#isFrozen) this.#tasksDue.push(task)
    else task()
  }

  after(delayMs: number, task: () => void): () => void {
    let isDue = true
    const fire = (): void => {
      if (!isDue || this.#hasEnded) return
      if (this.#isFrozen) this.#timersDue.push(fire)
      else task()
    }
    const cancel = this.time.after(delayMs, fire)
    return () => {
      isDue = false
      cancel()
    }
  }

  /** Not more than one turn waits while it is frozen. */
  every(intervalMs: number, run: () => void): () => void {
    let cancel: () => void = () => {}
    let isStopped = false
    const again = (): void => {
      if (isStopped) return
      cancel = this.after(intervalMs * (0.95 + 0.1 * this.#prng.next()), () => {
        run()
        again()
      })
    }
    // Processes start when they like.
    cancel = this.after(intervalMs * this.#prng.next(), () => {
      run()
      again()
    })
    return () => {
      isStopped = true
      cancel()
    }
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve))
  }

  freeze(): void {
    if (!this.#hasEnded) this.#isFrozen = true
  }

  thaw(): void {
    if (!this.#isFrozen) return
    this.#isFrozen = false
    const timers = this.#timersDue
    const tasks = this.#tasksDue
    this.#timersDue = []
    this.#tasksDue = []
    const order = this.#prng.bool() ? [...timers, ...tasks] : [...tasks, ...timers]
    for (const task of order) this.time.after(0, () => this.run(task))
  }

  end(): void {
    this.#hasEnded = true
    this.#isFrozen = false
    this.#timersDue = []
    this.#tasksDue = []
  }
}
