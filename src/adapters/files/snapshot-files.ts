/**
 * Snapshots on disk (P10, P14, P18). They are staged under a name that ZooKeeper does not read, and
 * renamed when they are whole and on the disk.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { assert } from '../../core/base/assert.ts'
import type { Zxid } from '../../core/base/zxid.ts'
import { StorageError } from '../../ports/storage.ts'
import { syncDirectory, writeAll } from './durable-file.ts'
import {
  fileName,
  packingOf,
  withEnding,
  zxidFiles,
  type SnapshotPacking,
  type ZxidFile,
} from './file-names.ts'
import { packSnappy, SNAPPY_HEADER } from './snappy.ts'
import { hasSeal, readSnapshot } from './snapshot-reader.ts'

const STAGED = /^staged\.\d+(\.gz|\.snappy)?$/
/** The newest ones that are tried (P14). */
const TRIED_MAX = 100

interface Staging {
  readonly fd: number
  chunks: number
}

export class SnapshotFiles {
  readonly #directory: string
  readonly #staging = new Map<number, Staging>()

  readonly #packing: SnapshotPacking

  /** `packing`: of those that are written; all are read. */
  constructor(directory: string, packing: SnapshotPacking = 'plain') {
    this.#directory = directory
    this.#packing = packing
  }

  /** What never became a snapshot goes, but for the one that is being installed. */
  clearStaged(except: string | null): void {
    for (const name of readdirSync(this.#directory)) {
      if (STAGED.test(name) && name !== except) rmSync(join(this.#directory, name))
    }
  }

  /** The newest whole one (P14), or null when there is none at all. */
  newest(): { readonly zxid: Zxid; readonly chunks: readonly Uint8Array[] } | null {
    const files = this.#files().reverse()
    for (const file of files.slice(0, TRIED_MAX)) {
      const chunks = readSnapshot(join(this.#directory, file.name))
      if (chunks !== null) return { zxid: file.zxid, chunks }
    }
    if (files.length === 0) return null
    throw new StorageError('corrupt', `no snapshot in ${this.#directory} is whole`)
  }

  stage(id: number, index: number, bytes: Uint8Array): void {
    if (index === 0) this.abandon(id)
    const staging = this.#staging.get(id) ?? {
      fd: openSync(this.#stagedPath(id), 'w'),
      chunks: 0,
    }
    this.#staging.set(id, staging)
    assert(staging.chunks === index, `chunk ${index} after ${staging.chunks}`)
    for (const part of this.#packed(bytes, index)) writeAll(staging.fd, part, null)
    staging.chunks++
  }

  abandon(id: number): void {
    const staging = this.#staging.get(id)
    if (staging === undefined) return
    this.#staging.delete(id)
    closeSync(staging.fd)
    rmSync(this.#stagedPath(id), { force: true })
  }

  /** Puts a staged one on the disk and returns the name it still has. */
  seal(id: number, chunks: number): string {
    const staging = this.#staging.get(id)
    const count = staging?.chunks ?? 0
    assert(staging !== undefined && count === chunks, `${count} of ${chunks} chunks`)
    this.#staging.delete(id)
    fsyncSync(staging.fd)
    closeSync(staging.fd)
    return this.#stagedName(id)
  }

  /**
   * Returns its new name. Idempotent: the same again after a crash finds it done, also when it is
   * to be packed in another way by now.
   */
  publish(staged: string, zxid: Zxid): string {
    const path = join(this.#directory, staged)
    const name = withEnding(fileName('snapshot', zxid), packingOf(staged))
    if (existsSync(path)) renameSync(path, join(this.#directory, name))
    syncDirectory(this.#directory)
    return name
  }

  /**
   * Keeps the newest `count` that are whole, and what is newer than they are, and returns the zxid
   * of the oldest of them, or null without any.
   */
  retain(count: number): Zxid | null {
    const files = this.#files()
    const whole = files.filter(({ name }) => hasSeal(join(this.#directory, name)))
    const oldest = whole.at(-count) ?? whole[0]
    if (oldest === undefined) return null
    for (const { name, zxid } of files) {
      if (zxid < oldest.zxid) rmSync(join(this.#directory, name))
    }
    return oldest.zxid
  }

  removeAllBut(kept: string): void {
    for (const { name } of this.#files()) {
      if (name !== kept) rmSync(join(this.#directory, name))
    }
    syncDirectory(this.#directory)
  }

  /** Zxid of the newest one by its name, whole or not. */
  get newestZxid(): Zxid | null {
    return this.#files().at(-1)?.zxid ?? null
  }

  close(): void {
    for (const id of [...this.#staging.keys()]) this.abandon(id)
  }

  #files(): ZxidFile[] {
    return zxidFiles('snapshot', readdirSync(this.#directory))
  }

  #stagedPath(id: number): string {
    return join(this.#directory, this.#stagedName(id))
  }

  #stagedName(id: number): string {
    return withEnding(`staged.${id}`, this.#packing)
  }

  /** Each chunk for itself: both forms may be joined of parts, and Java reads them so. */
  #packed(bytes: Uint8Array, index: number): readonly Uint8Array[] {
    switch (this.#packing) {
      case 'plain':
        return [bytes]
      case 'gz':
        return [gzipSync(bytes)]
      case 'snappy':
        return [...(index === 0 ? [SNAPPY_HEADER] : []), ...packSnappy(bytes)]
    }
  }
}
