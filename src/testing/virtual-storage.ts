/** A member's storage on virtual time: the memory storage behind a disk that takes its time. */
import { MemoryStorage } from '../adapters/memory/storage.ts'
import type { MemoryDisk } from '../adapters/memory/memory-disk.ts'
import { type PersistEffect, StorageError } from '../ports/storage.ts'
import type { StorageFailure } from './ensemble-faults.ts'

export interface VirtualStorageOptions {
  readonly token: string
  /** Resolves when the disk has done half of a write. */
  readonly delay: () => Promise<void>
  /** Asked before each write. */
  readonly failure: () => StorageFailure | null
  /** Durable from here on. */
  readonly onDurable: (batch: readonly PersistEffect[]) => void
}

export class VirtualStorage extends MemoryStorage {
  readonly #options: VirtualStorageOptions

  constructor(disk: MemoryDisk, options: VirtualStorageOptions) {
    const beforeWrite = async (): Promise<void> => {
      await options.delay()
      const failure = options.failure()
      if (failure === 'quota') throw new StorageError('quota', 'the disk is full')
      if (failure === 'closed') throw new StorageError('closed', 'the connection was lost')
      if (failure === 'hangs') await new Promise(() => {})
    }
    super(disk, { token: options.token, beforeWrite })
    this.#options = options
  }

  /** Whoever dies in the second half has written, and does not know. */
  override async write(batch: readonly PersistEffect[]): Promise<void> {
    await super.write(batch)
    this.#options.onDurable(batch)
    await this.#options.delay()
  }
}
