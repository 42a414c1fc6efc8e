import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { readLogFile } from '../../../src/adapters/files/log-format.ts'
import { FileStorage } from '../../../src/adapters/files/storage.ts'
import { STORAGE_CONTRACT } from '../../contracts/storage-contract.ts'
import type { StorageHarness } from '../../contracts/storage-samples.ts'

const directories: string[] = []

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'zabra-files-'))
  directories.push(directory)
  return directory
}

/** The last file of the log, and where in it each batch began, as the harness saw them written. */
class Directory implements StorageHarness {
  readonly path = newDirectory()
  #starts = 0
  #sizes: number[] = []

  async open(): Promise<FileStorage> {
    const storage = new FileStorage({
      dataDirectory: this.path,
      token: `token${++this.#starts}`,
      preallocateBytes: 64 * 1024,
    })
    const write = storage.write.bind(storage)
    storage.write = async (batch) => {
      await write(batch)
      this.#sizes.push(batch.filter((effect) => effect.kind === 'append').length)
    }
    return storage
  }

  async crash(): Promise<void> {}

  async tearTail(): Promise<void> {
    const count = this.#sizes.findLast((size) => size > 0) ?? 0
    this.#damage((entries) => entries.slice(-count))
  }

  async corruptLog(): Promise<void> {
    this.#damage((entries) => entries.slice(0, 1))
  }

  #damage(pick: (offsets: number[]) => number[]): void {
    const folder = join(this.path, 'version-2')
    const name = readdirSync(folder)
      .filter((file) => file.startsWith('log.'))
      .sort()
      .at(-1)
    if (name === undefined) throw new Error('no log')
    const bytes = readFileSync(join(folder, name))
    const offsets = readLogFile(bytes).entries.map((entry) => entry.offset)
    for (const offset of pick(offsets)) bytes[offset + 20]! ^= 0xff
    writeFileSync(join(folder, name), bytes)
  }
}

describe('the storage contract on files', () => {
  for (const { name, run } of STORAGE_CONTRACT) it(name, () => run(new Directory()))
})

it('has no two contract cases of one name', () => {
  const names = STORAGE_CONTRACT.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})
