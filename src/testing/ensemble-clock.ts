/**
 * The ensemble's time for the program under test: timers to hand in, or to put in the place of the
 * platform's for a while.
 */
import { toError } from './thrown.ts'
import type { Ticker } from '../client/ticker.ts'
import type { VirtualProcess } from './virtual-process.ts'
import type { VirtualTime } from './virtual-time.ts'

/** Timers in the forms of the platform, and a `Ticker` as clients and recipes take one. */
export class EnsembleClock implements Ticker {
  readonly #time: VirtualTime
  readonly #startMs: number
  readonly #process: VirtualProcess | null
  readonly #cancels = new Map<number, () => void>()
  readonly #sleepers = new Set<(error: Error) => void>()
  #nextId = 1
  #restore: (() => void) | null = null

  /** `process`: the timers stand still while it is frozen. */
  constructor(time: VirtualTime, startMs: number, process: VirtualProcess | null = null) {
    this.#time = time
    this.#startMs = startMs
    this.#process = process
  }

  /** ms since the ensemble was made. */
  now(): number {
    return this.#time.nowMs
  }

  /** The wall clock. */
  date(): Date {
    return new Date(this.#wallMs())
  }

  /** The result cancels it. */
  after(ms: number, call: () => void): () => void {
    const id = this.setTimeout(call, ms)
    return () => this.clearTimeout(id)
  }

  setTimeout<A extends readonly unknown[]>(
    call: (...args: A) => void,
    ms = 0,
    ...args: A
  ): TimerHandle {
    const handle = new TimerHandle(this.#nextId++)
    this.#start(handle.id, ms, () => {
      this.#cancels.delete(handle.id)
      call(...args)
    })
    return handle
  }

  setInterval<A extends readonly unknown[]>(
    call: (...args: A) => void,
    ms = 0,
    ...args: A
  ): TimerHandle {
    const handle = new TimerHandle(this.#nextId++)
    const again = (): void => {
      this.#start(handle.id, Math.max(1, ms), () => {
        again()
        call(...args)
      })
    }
    again()
    return handle
  }

  /** Of a time-out or an interval. */
  clearTimeout(handle: TimerHandle | number | null | undefined): void {
    const id = typeof handle === 'number' ? handle : handle?.id
    if (id === undefined) return
    this.#cancels.get(id)?.()
    this.#cancels.delete(id)
  }

  clearInterval(handle: TimerHandle | number | null | undefined): void {
    this.clearTimeout(handle)
  }

  /** Rejects with the signal's reason, and when the ensemble is closed. */
  sleep(ms: number, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(toError(signal.reason))
      const fail = (error: Error): void => {
        cancel()
        end()
        reject(error)
      }
      const onAbort = (): void => fail(toError(signal?.reason))
      const end = (): void => {
        this.#sleepers.delete(fail)
        signal?.removeEventListener('abort', onAbort)
      }
      const cancel = this.after(ms, () => {
        end()
        resolve()
      })
      this.#sleepers.add(fail)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /**
   * Puts these timers, `Date` and `performance.now` in the place of the platform's, for everybody
   * in this process, until the result is disposed of. For programs that take no clock.
   */
  install(): Disposable {
    const { globals } = EnsembleClock
    if (globals.owner !== null) throw new Error('the timers of another ensemble are installed')
    globals.owner = this
    const before = new Map<string, PropertyDescriptor | undefined>()
    const stand = (name: string, value: unknown): void => {
      before.set(name, Object.getOwnPropertyDescriptor(globalThis, name))
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
    }
    stand('setTimeout', this.setTimeout.bind(this))
    stand('setInterval', this.setInterval.bind(this))
    stand('clearTimeout', this.clearTimeout.bind(this))
    stand('clearInterval', this.clearInterval.bind(this))
    stand(
      'Date',
      dateOf(() => this.#wallMs()),
    )
    const { performance } = globalThis
    const own = Object.getOwnPropertyDescriptor(performance, 'now')
    Object.defineProperty(performance, 'now', { value: () => this.now(), configurable: true })
    this.#restore = () => {
      this.#restore = null
      globals.owner = null
      for (const [name, descriptor] of before) {
        if (descriptor === undefined) Reflect.deleteProperty(globalThis, name)
        else Object.defineProperty(globalThis, name, descriptor)
      }
      if (own === undefined) Reflect.deleteProperty(performance, 'now')
      else Object.defineProperty(performance, 'now', own)
    }
    return { [Symbol.dispose]: () => this.#restore?.() }
  }

  /** No timer of the program fires any more; who sleeps is told why. */
  stop(reason: Error): void {
    this.#restore?.()
    for (const cancel of this.#cancels.values()) cancel()
    this.#cancels.clear()
    for (const fail of [...this.#sleepers]) fail(reason)
  }

  #start(id: number, ms: number, run: () => void): void {
    const cancel = (this.#process ?? this.#time).after(ms, () => {
      this.#time.touch()
      run()
    })
    this.#cancels.set(id, cancel)
    this.#time.touch(ms)
  }

  #wallMs(): number {
    return this.#startMs + Math.floor(this.#time.nowMs)
  }

  /** There is one set of timers in a process. */
  static readonly globals: { owner: EnsembleClock | null } = { owner: null }
}

/** What Node's timers have, which programs for Node use. */
export class TimerHandle {
  readonly id: number

  constructor(id: number) {
    this.id = id
  }

  /** A virtual timer keeps no process alive. */
  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  hasRef(): boolean {
    return false
  }

  [Symbol.toPrimitive](): number {
    return this.id
  }
}

function dateOf(nowMs: () => number): DateConstructor {
  const Real = Date
  const virtual = function (this: unknown, ...args: unknown[]): unknown {
    if (new.target === undefined) return new Real(nowMs()).toString()
    return Reflect.construct(Real, args.length === 0 ? [nowMs()] : args, new.target) as Date
  }
  virtual.prototype = Real.prototype
  return Object.assign(virtual, {
    now: () => Math.floor(nowMs()),
    parse: Real.parse.bind(Real),
    UTC: Real.UTC.bind(Real),
  }) as unknown as DateConstructor
}
