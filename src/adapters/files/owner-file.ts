/**
 * One process at a time in a data directory. The file names the process; who opens the directory
 * after us replaces it, and our descriptor then shows that its file has no name any more.
 */
import { closeSync, fstatSync, openSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { StorageError } from '../../ports/storage.ts'
import { writeAll } from './durable-file.ts'
import { isAlive, readPid } from './pid-file.ts'

const NAME = 'zabra.pid'

export class OwnerFile {
  readonly #fd: number
  #isOpen = true

  /** Throws StorageError 'blocked' while another process has the directory. */
  constructor(directory: string) {
    const path = join(directory, NAME)
    const holder = readPid(path)
    if (holder !== null && holder !== process.pid && isAlive(holder)) {
      const what = `process ${holder} uses ${directory}`
      throw new StorageError('blocked', `${what}: stop it, or remove ${path} if it is no member`)
    }
    const draft = `${path}.${process.pid}`
    this.#fd = openSync(draft, 'w')
    writeAll(this.#fd, new TextEncoder().encode(`${process.pid}\n`), null)
    renameSync(draft, path)
  }

  get isOurs(): boolean {
    return this.#isOpen && fstatSync(this.#fd).nlink > 0
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    closeSync(this.#fd)
  }
}
