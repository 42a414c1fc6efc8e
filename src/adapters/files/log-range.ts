/**
 * A part of the log read back while it is written on, in blocks: a file of 64 MiB is neither in
 * memory as a whole nor waited for in one go. What is not whole ends it: the torn end, damage, an
 * entry that is being written.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Zxid } from '../../core/base/zxid.ts'
import type { LogEntry, LogRange, LogWanted } from '../../ports/storage.ts'
import type { ZxidFile } from './file-names.ts'
import { entryAt, LOG_HEADER_BYTES, logHeaderProblem } from './log-format.ts'

/** Ours: some ms of reading and checking, and far more than most entries. */
const BLOCK_BYTES = 1024 * 1024

/** Where the reading of the next part goes on. */
export interface LogPlace {
  readonly name: string
  readonly offset: number
  /** Of the entry before it. */
  readonly zxid: Zxid
}

export interface PlacedRange {
  readonly range: LogRange | null
  readonly next: LogPlace | null
}

/** `files`: all there are, oldest first. `place`: where an earlier part ended. */
export async function readLogRange(
  directory: string,
  files: readonly ZxidFile[],
  wanted: LogWanted,
  place: LogPlace | null,
): Promise<PlacedRange> {
  const known = place?.zxid === wanted.after ? files.findIndex((f) => f.name === place.name) : -1
  const start = known < 0 ? files.findLastIndex((file) => file.zxid <= wanted.after) : known
  const reader = new RangeReader(wanted, known < 0 ? null : wanted.after)
  let offset = known < 0 ? LOG_HEADER_BYTES : (place?.offset ?? 0)
  for (const { name } of start < 0 ? [] : files.slice(start)) {
    if (!(await reader.readFile(name, join(directory, name), offset))) break
    offset = LOG_HEADER_BYTES
  }
  return reader.found()
}

class RangeReader {
  readonly #wanted: LogWanted
  readonly #entries: LogEntry[] = []
  #from: Zxid | null
  #bytes = 0
  #next: LogPlace | null = null

  constructor(wanted: LogWanted, from: Zxid | null) {
    this.#wanted = wanted
    this.#from = from
  }

  found(): PlacedRange {
    const from = this.#from
    if (from === null) return { range: null, next: null }
    return { range: { from, entries: this.#entries }, next: this.#next }
  }

  /** From an offset on. False when what was wanted is there, or nothing more is to be had. */
  async readFile(name: string, path: string, offset: number): Promise<boolean> {
    const file = await open(path, 'r')
    try {
      const header = await blockAt(file, 0, LOG_HEADER_BYTES)
      if (logHeaderProblem(header) !== null) return false
      return await this.#readEntries(name, file, offset)
    } finally {
      await file.close()
    }
  }

  /** True at the end of the file. */
  async #readEntries(name: string, file: FileHandle, start: number): Promise<boolean> {
    let offset = start
    let size = BLOCK_BYTES
    for (;;) {
      const block = await blockAt(file, offset, size)
      let at = 0
      for (;;) {
        const found = entryAt(block, at)
        if (found.kind === 'whole') {
          at = found.next
          if (!this.#take(found.entry, { name, offset: offset + at, zxid: found.entry.zxid })) {
            return false
          }
          continue
        }
        if (found.kind === 'damaged') return false
        if (found.kind === 'end') return true
        // Nothing behind the block: where the file stops short an entry never ended.
        if (block.length < size) return block.length === at
        size = Math.max(BLOCK_BYTES, found.bytes)
        break
      }
      offset += at
    }
  }

  /** False when there is enough. */
  #take(entry: LogEntry, next: LogPlace): boolean {
    const { after, upTo, bytesMax } = this.#wanted
    const { zxid } = entry
    if (zxid <= after) {
      if (this.#from === null || zxid > this.#from) this.#from = zxid
      return true
    }
    // A file begun anew after a failed write may repeat what the one before has.
    if (zxid <= (this.#entries.at(-1)?.zxid ?? after)) return true
    if (zxid > upTo || this.#from === null) return false
    this.#entries.push(entry)
    this.#bytes += entry.entry.length
    this.#next = next
    return zxid < upTo && this.#bytes < bytesMax
  }
}

/** As far as the file goes. A block of its own each time: entries are views of it. */
async function blockAt(file: FileHandle, offset: number, size: number): Promise<Uint8Array> {
  const block = new Uint8Array(size)
  let done = 0
  while (done < size) {
    const { bytesRead } = await file.read(block, done, size - done, offset + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return block.subarray(0, done)
}
