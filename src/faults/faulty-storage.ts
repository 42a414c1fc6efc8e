/**
 * The Storage port with faults. As below, after the first failure nothing succeeds any more, and
 * `failed` tells the reason before any caller hears of it.
 */
import type {
  LogRange,
  LogWanted,
  MemberMeta,
  PersistEffect,
  Recovered,
  Storage,
  StorageErrorCode,
} from '../ports/storage.ts'
import { StorageError } from '../ports/storage.ts'
import type { LaneClock } from './faulty-lane.ts'

/**
 * No room, its connection ends, it answers no more, or it takes long and goes well. A torn tail
 * befalls a storage at rest, so it is none of these.
 */
export type LiveStorageFault = 'quota' | 'closed' | 'hangs' | 'slow'

export interface StorageRule {
  readonly fault: LiveStorageFault | null
  /** How long a write takes when it is `slow`; ms. */
  readonly slowMs: number
  /** How long a that `hangs` write may take until the storage is given up; ms. */
  readonly limitMs: number
}

export const NO_STORAGE_FAULT: StorageRule = { fault: null, slowMs: 0, limitMs: 0 }

export class FaultyStorage implements Storage {
  readonly failed: Promise<StorageError>
  readonly #storage: Storage
  readonly #clock: LaneClock
  #rule: StorageRule = NO_STORAGE_FAULT
  #failure: StorageError | null = null
  #resolveFailed: (error: StorageError) => void = () => {}
  #goOn: (() => void)[] = []
  /** Slow writes stay in the order of their calls. */
  #turn: Promise<unknown> = Promise.resolve()
  #writing = 0

  constructor(storage: Storage, clock: LaneClock) {
    this.#storage = storage
    this.#clock = clock
    this.failed = new Promise((resolve) => {
      this.#resolveFailed = resolve
    })
    void storage.failed.then((error) => this.#fail(error))
  }

  set(rule: StorageRule): void {
    this.#rule = rule
    if (rule.fault === 'closed') this.#fail(new StorageError('closed', TEXTS.closed))
    if (rule.fault !== 'hangs') for (const goOn of this.#goOn.splice(0)) goOn()
  }

  recover(): Promise<Recovered> {
    return this.#storage.recover()
  }

  async write(batch: readonly PersistEffect[]): Promise<void> {
    await this.#written(() => this.#storage.write(batch))
  }

  async readLog(wanted: LogWanted): Promise<LogRange | null> {
    if (this.#failure !== null) throw this.#failure
    return this.#storage.readLog(wanted)
  }

  meta(): Promise<MemberMeta> {
    return this.#storage.meta()
  }

  async pinFounding(record: Uint8Array, emptySnapshot: Uint8Array | null): Promise<void> {
    await this.#written(() => this.#storage.pinFounding(record, emptySnapshot))
  }

  async rememberPeerToken(incarnation: string, token: string): Promise<void> {
    await this.#written(() => this.#storage.rememberPeerToken(incarnation, token))
  }

  close(): Promise<void> {
    return this.#storage.close()
  }

  async #written(write: () => Promise<void>): Promise<void> {
    // Nothing to wait for is nothing to be waited for: a write on an idle storage starts at once.
    if (this.#rule.fault === null && this.#writing === 0) await this.#through(write)
    else await this.#inTurn(write)
    if (this.#failure !== null) throw this.#failure
  }

  #inTurn(write: () => Promise<void>): Promise<void> {
    this.#writing++
    const result = this.#turn.then(async () => {
      await this.#suffer()
      await this.#through(write)
    })
    const settled = (): void => void this.#writing--
    this.#turn = result.then(settled, settled)
    return result
  }

  async #through(write: () => Promise<void>): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    await write()
  }

  async #suffer(): Promise<void> {
    const { fault, slowMs } = this.#rule
    if (fault === 'quota') this.#fail(new StorageError('quota', TEXTS.quota))
    if (fault === 'slow') await new Promise<void>((go) => this.#clock.after(slowMs, go))
    if (fault === 'hangs') await this.#hang()
  }

  /** As of a transaction that the browser neither ends nor aborts. */
  async #hang(): Promise<void> {
    const { limitMs } = this.#rule
    await new Promise<void>((go) => {
      const cancel = this.#clock.after(limitMs, () => {
        this.#fail(new StorageError('timeout', TEXTS.timeout))
        go()
      })
      this.#goOn.push(() => {
        cancel()
        go()
      })
    })
  }

  #fail(error: StorageError): void {
    if (this.#failure !== null) return
    this.#failure = error
    this.#resolveFailed(error)
  }
}

/** As the browser's own failures read (storage-failure.ts), with a word on where they come from. */
const TEXTS = {
  quota: 'the browser gives this site no more disk space: injected fault',
  closed: 'the browser closed the storage: injected fault',
  timeout: 'a storage transaction took too long: injected fault',
} as const satisfies Partial<Record<StorageErrorCode, string>>
