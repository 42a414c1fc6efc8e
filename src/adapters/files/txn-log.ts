/**
 * The transaction log of one member: files in order, the newest one open for appending (P1–P7).
 */
import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  fsyncSync,
  openSync,
  readdirSync,
  unlinkSync,
  write as writeSome,
} from 'node:fs'
import { join } from 'node:path'
import { EMPTY_BYTES } from '../../core/base/bytes.ts'
import { ZXID_NONE, type Zxid } from '../../core/base/zxid.ts'
import { StorageError, type LogEntry, type LogRange, type LogWanted } from '../../ports/storage.ts'
import type { DiskPace } from './disk-pace.ts'
import { readBytes, syncDirectory, writeAll } from './durable-file.ts'
import { fileName, zxidFiles, type ZxidFile } from './file-names.ts'
import { readLogRange, type LogPlace } from './log-range.ts'
import {
  entryBytes,
  LOG_HEADER_BYTES,
  logHeader,
  isUnbegun,
  logHeaderProblem,
  putEntry,
  readLogFile,
  type ReadLogFile,
} from './log-format.ts'

/** preAllocSize: so much room is made at once, since a growing file costs the sync more (P5). */
export const PREALLOCATE_BYTES: number = 64 * 1024 * 1024
/** What whoever reads that a log is damaged can do. */
export const REMEDY =
  "look with 'zabra log DIR', mend with 'zabra log DIR --fix', which keeps a copy of what it mends"
/** Room that must be left before more is made (P5). */
const ROOM_MIN_BYTES = 4096
/** What one append may keep for the next, bytes. Ours: a thousand writes of 1 kB. */
const BUFFER_BYTES_MAX = 2 * 1024 * 1024
/**
 * Every write is on the disk when it returns: what fdatasync does, in one call of a thread instead
 * of two. Only Linux promises that; macOS leaves it in the drive's cache, Windows has no such flag.
 */
const O_DSYNC = process.platform === 'linux' ? constants.O_DSYNC : 0

export interface TxnLogOptions {
  readonly directory: string
  readonly preallocateBytes: number
  /** false: forceSync=no, the operating system writes when it likes (P6). */
  readonly forceSync: boolean
  /** Says which writes to wait for on the event loop; null: none of them. */
  readonly pace: DiskPace | null
}

export interface ReadLog {
  readonly entries: readonly LogEntry[]
  /** Damaged entries that `repair` cuts off. */
  readonly damaged: number
  /** Where the first of them is. */
  readonly damagedAt: string
}

interface OpenFile {
  readonly name: string
  readonly fd: number
  end: number
  room: number
}

export class TxnLog {
  readonly #options: TxnLogOptions
  #open: OpenFile | null = null
  #buffer: Uint8Array = EMPTY_BYTES
  /** Where the last part ended that was read back. */
  #place: LogPlace | null = null
  /** What a crash left behind the last whole entry. */
  #torn: { readonly name: string; readonly end: number } | null = null

  constructor(options: TxnLogOptions) {
    this.#options = options
  }

  /** Every entry behind `after`, in order. Closes the file that is open. */
  read(after: Zxid): ReadLog {
    this.roll()
    this.#torn = null
    const files = this.#files()
    const first = files.findLastIndex((file) => file.zxid <= after + 1n)
    const wanted = files.slice(Math.max(0, first))
    const entries: LogEntry[] = []
    let [damaged, damagedAt] = [0, '']
    for (const file of wanted) {
      const isLast = file === wanted.at(-1)
      const read = this.#readFile(file, isLast)
      if (isLast) damaged = read.damaged
      if (damaged > 0) damagedAt = this.#placeText(file.name, read.end)
      for (const { zxid, entry } of read.entries) {
        // A file begun anew after a failed write may repeat what the one before has.
        if (zxid > (entries.at(-1)?.zxid ?? after)) entries.push({ zxid, entry })
      }
    }
    return { entries, damaged, damagedAt }
  }

  /** A part of it; null: it does not go back so far. Changes nothing, so it may go on beside. */
  async readRange(wanted: LogWanted): Promise<LogRange | null> {
    const { directory } = this.#options
    const { range, next } = await readLogRange(directory, this.#files(), wanted, this.#place)
    this.#place = next
    return range
  }

  /** Makes what `read` found be all there is. */
  repair(): void {
    const torn = this.#torn
    this.#torn = null
    if (torn === null) return
    if (torn.end <= LOG_HEADER_BYTES) this.#remove(torn.name)
    else this.#cut(torn.name, torn.end)
    syncDirectory(this.#options.directory)
  }

  /** Resolves when the entries are on the disk. One call at a time. */
  append(entries: readonly LogEntry[]): Promise<void> {
    const [first] = entries
    if (first === undefined) return Promise.resolve()
    const file = this.#open ?? this.#create(first.zxid)
    let size = 0
    for (const { entry } of entries) size += entryBytes(entry)
    if (file.end + size + ROOM_MIN_BYTES > file.room) this.#makeRoom(file, size)
    const bytes = this.#bufferOf(size)
    let offset = 0
    for (const { entry } of entries) offset = putEntry(bytes, offset, entry)
    const position = file.end
    file.end += size
    return this.#write(file.fd, bytes, position)
  }

  async #write(fd: number, bytes: Uint8Array, position: number): Promise<void> {
    const { pace, forceSync } = this.#options
    const mustSync = forceSync && O_DSYNC === 0
    if (pace?.begin(bytes.length) === true) {
      writeAll(fd, bytes, position)
      if (mustSync) fdatasyncSync(fd)
    } else await write(fd, bytes, position, mustSync)
    pace?.end()
  }

  /** Bytes of the file that is open. */
  get fileBytes(): number {
    return this.#open?.end ?? 0
  }

  /** The next entry begins a file of its own (P7). Everything before must have been synced. */
  roll(): void {
    const file = this.#open
    if (file === null) return
    this.#open = null
    ftruncateSync(file.fd, file.end)
    if (this.#options.forceSync) fsyncSync(file.fd)
    closeSync(file.fd)
  }

  /** Drops every entry behind `to`, the newest file first: a crash leaves a longer log only. */
  truncate(to: Zxid): void {
    this.roll()
    this.#place = null
    for (const file of this.#files().reverse()) {
      const { entries } = this.#readFile(file, true)
      const beyond = entries.find((entry) => entry.zxid > to)
      if (beyond === undefined && entries.length > 0) break
      if (beyond === undefined || beyond === entries[0]) this.#remove(file.name)
      else this.#cut(file.name, beyond.offset)
      syncDirectory(this.#options.directory)
    }
    this.#torn = null
  }

  removeAll(): void {
    this.roll()
    this.#place = null
    for (const { name } of this.#files().reverse()) this.#remove(name)
    syncDirectory(this.#options.directory)
  }

  /** Files that nothing behind `oldest` needs; the one that straddles it stays (P18). */
  purge(oldest: Zxid): void {
    const files = this.#files()
    const needed = files.findLastIndex((file) => file.zxid <= oldest + 1n)
    for (const { name } of files.slice(0, Math.max(0, needed))) {
      if (name !== this.#open?.name) this.#remove(name)
    }
  }

  close(): void {
    this.roll()
  }

  #files(): ZxidFile[] {
    return zxidFiles('log', readdirSync(this.#options.directory))
  }

  #readFile(file: ZxidFile, mayBeTorn: boolean): ReadLogFile {
    const path = join(this.#options.directory, file.name)
    const bytes = readBytes(path)
    const problem = logHeaderProblem(bytes)
    if (problem !== null) {
      if (!isUnbegun(bytes)) {
        throw new StorageError('corrupt', `${path} is no transaction log: ${problem}`)
      }
      // The process ended between making it and writing into it.
      if (mayBeTorn) this.#torn = { name: file.name, end: 0 }
      return { entries: [], end: 0, damaged: 0, corruptAt: null }
    }
    const read = readLogFile(bytes)
    const damagedAt = read.corruptAt ?? (read.damaged > 0 && !mayBeTorn ? read.end : null)
    if (damagedAt !== null) {
      throw new StorageError('corrupt', `${this.#placeText(file.name, damagedAt)}: ${REMEDY}`)
    }
    if (mayBeTorn) this.#torn = { name: file.name, end: read.end }
    return read
  }

  #placeText(name: string, offset: number): string {
    return `${join(this.#options.directory, name)} is damaged at byte ${offset}`
  }

  #create(first: Zxid): OpenFile {
    const { directory } = this.#options
    const name = fileName('log', first)
    const { O_WRONLY, O_CREAT, O_EXCL } = constants
    const dsync = this.#options.forceSync ? O_DSYNC : 0
    const fd = openSync(join(directory, name), O_WRONLY | O_CREAT | O_EXCL | dsync)
    const file: OpenFile = { name, fd, end: LOG_HEADER_BYTES, room: 0 }
    this.#open = file
    writeAll(fd, logHeader(), 0)
    if (this.#options.forceSync) {
      fsyncSync(fd)
      syncDirectory(directory)
    }
    return file
  }

  /** Of exactly that size. Memory fresh for each batch costs more than what goes into it. */
  #bufferOf(size: number): Uint8Array {
    if (size > BUFFER_BYTES_MAX) return new Uint8Array(size)
    if (this.#buffer.length < size) this.#buffer = new Uint8Array(Math.max(size, 64 * 1024))
    return this.#buffer.subarray(0, size)
  }

  #makeRoom(file: OpenFile, size: number): void {
    const { preallocateBytes } = this.#options
    if (preallocateBytes <= 0) return
    const wanted = file.end + size + ROOM_MIN_BYTES
    file.room = Math.ceil(wanted / preallocateBytes) * preallocateBytes
    ftruncateSync(file.fd, file.room)
  }

  #cut(name: string, end: number): void {
    const fd = openSync(join(this.#options.directory, name), 'r+')
    try {
      ftruncateSync(fd, end)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }

  #remove(name: string): void {
    unlinkSync(join(this.#options.directory, name))
  }
}

/** The newest zxid of a log, or what came before it. */
export function newestOf(entries: readonly LogEntry[], before: Zxid = ZXID_NONE): Zxid {
  return entries.at(-1)?.zxid ?? before
}

function write(fd: number, bytes: Uint8Array, position: number, mustSync: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let done = 0
    const settle = (error: NodeJS.ErrnoException | null): void => {
      if (error === null) resolve()
      else reject(error)
    }
    const next = (error: NodeJS.ErrnoException | null, written: number): void => {
      if (error !== null) return reject(error)
      done += written
      if (done < bytes.length) some()
      else if (mustSync) fdatasync(fd, settle)
      else resolve()
    }
    const some = (): void => {
      writeSome(fd, bytes, done, bytes.length - done, position + done, next)
    }
    some()
  })
}
