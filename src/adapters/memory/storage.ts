/**
 * The Storage port over a MemoryDisk: for tests and for members that live in one process. Durable
 * exactly as far as the disk: drop the instance, call `disk.crash()`, and only completed writes are
 * there for the next one.
 */
import type { LogRange, LogWanted, PersistEffect } from '../../ports/storage.ts'
import { type MemberMeta, type Recovered, type Storage, StorageError } from '../../ports/storage.ts'
import type { MemoryDisk } from './memory-disk.ts'

export interface MemoryStorageOptions {
  /** Start token: unique per open of one disk. */
  readonly token: string
  /** Runs before each write takes effect: a slow disk, or a place to crash. */
  readonly beforeWrite?: () => Promise<void>
  /** Bytes of entries and chunks that fit into writes; one more fails with 'quota'. */
  readonly quotaBytes?: number
}

export class MemoryStorage implements Storage {
  readonly failed: Promise<StorageError>
  readonly #disk: MemoryDisk
  readonly #options: MemoryStorageOptions
  readonly #powerCycles: number
  #resolveFailed: (error: StorageError) => void = () => undefined
  #failure: StorageError | null = null
  #bytesLeft: number
  /** The port asks for order; a slow first write must not be overtaken. */
  #tail: Promise<unknown> = Promise.resolve()

  constructor(disk: MemoryDisk, options: MemoryStorageOptions) {
    this.#disk = disk
    this.#options = options
    this.#bytesLeft = options.quotaBytes ?? Number.POSITIVE_INFINITY
    this.failed = new Promise((resolve) => {
      this.#resolveFailed = resolve
    })
    disk.claim(options.token)
    disk.dropStaged()
    this.#powerCycles = disk.powerCycles
  }

  async recover(): Promise<Recovered> {
    return this.#write(() => this.#disk.recoverSync())
  }

  async write(batch: readonly PersistEffect[]): Promise<void> {
    return this.#write(() => {
      let size = 0
      for (const effect of batch) {
        if (effect.kind === 'append') size += effect.entry.length
        else if (effect.kind === 'snapshot-chunk') size += effect.bytes.length
      }
      if (size > this.#bytesLeft) throw new StorageError('quota', 'the disk is full')
      this.#bytesLeft -= size
      this.#disk.apply(batch)
    })
  }

  async readLog(wanted: LogWanted): Promise<LogRange | null> {
    this.#check()
    return this.#disk.readLogSync(wanted)
  }

  async meta(): Promise<MemberMeta> {
    this.#check()
    return this.#disk.metaSync()
  }

  async pinFounding(record: Uint8Array, emptySnapshot: Uint8Array | null): Promise<void> {
    return this.#write(() => this.#disk.pinFoundingSync(record, emptySnapshot))
  }

  async rememberPeerToken(incarnation: string, token: string): Promise<void> {
    return this.#write(() => this.#disk.rememberPeerTokenSync(incarnation, token))
  }

  async close(): Promise<void> {
    await this.#tail
    this.#failure ??= new StorageError('closed', 'the storage was closed')
  }

  async #write<T>(act: () => T): Promise<T> {
    this.#check()
    const run = this.#tail.then(async () => {
      await this.#options.beforeWrite?.()
      try {
        this.#check()
        return act()
      } catch (error) {
        throw this.#fail(error)
      }
    })
    this.#tail = run.catch(() => undefined)
    return run
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure
    const reason = this.#lostBecause()
    if (reason !== null) throw this.#fail(reason)
  }

  #lostBecause(): StorageError | null {
    if (this.#disk.wiped) return new StorageError('wiped', 'the storage was deleted')
    if (this.#disk.powerCycles !== this.#powerCycles) {
      return new StorageError('closed', 'the process of this storage ended')
    }
    if (this.#disk.owner === this.#options.token) return null
    return new StorageError('not-owner', 'another holder opened this storage')
  }

  #fail(error: unknown): unknown {
    if (!(error instanceof StorageError) || error.code === 'already-founded') return error
    this.#failure ??= error
    this.#resolveFailed(this.#failure)
    return error
  }
}
