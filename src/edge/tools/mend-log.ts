/**
 * Mends damaged logs. Whatever is changed is kept beside it as `damaged.log.ZXID`, a name that no
 * ZooKeeper reads.
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { syncDirectory, writeAll } from '../../adapters/files/durable-file.ts'
import { zxidFiles } from '../../adapters/files/file-names.ts'
import { entryBytes, logHeader, putEntry } from '../../adapters/files/log-format.ts'
import { hasSeal } from '../../adapters/files/snapshot-reader.ts'
import type { LogFile } from './log-files.ts'
import type { LogPiece } from './log-scan.ts'
import { readEntry } from './txn-text.ts'

/**
 * keep: its checksum is made anew. drop: the newest snapshot has what it did. cut: it goes, and all
 * behind it, in this file and in later ones.
 */
export type Remedy = 'keep' | 'drop' | 'cut'

export interface Patient {
  readonly file: LogFile
  readonly piece: LogPiece
  /** What can be done, best first. */
  readonly remedies: readonly Remedy[]
  /** Whole transactions that a cut would lose. */
  readonly behind: number
}

/** The first damaged piece, or null. `snapshotZxid`: of the newest snapshot. */
export function firstDamage(files: readonly LogFile[], snapshotZxid: bigint): Patient | null {
  for (const [index, file] of files.entries()) {
    const at = file.pieces.findIndex(({ kind }) => kind === 'damaged')
    const piece = file.pieces[at]
    if (piece === undefined) continue
    const inOrder = files.flatMap(({ pieces }) => pieces)
    const place = inOrder.indexOf(piece)
    const before = zxidOf(inOrder.slice(0, place).findLast(isWhole)) ?? -1n
    const after = zxidOf(inOrder.slice(place + 1).find(isWhole))
    const behind = [...file.pieces.slice(at), ...files.slice(index + 1).flatMap((f) => f.pieces)]
    const remedies: Remedy[] = []
    if (isReadable(piece, before, after)) remedies.push('keep')
    if (after !== null && after <= snapshotZxid + 1n) remedies.push('drop')
    return { file, piece, remedies: [...remedies, 'cut'], behind: behind.filter(isWhole).length }
  }
  return null
}

/** The zxid of the newest snapshot beside the logs, −1 without any. */
export function newestSnapshot(directory: string): bigint {
  const files = zxidFiles('snapshot', readdirSync(directory))
  return files.findLast(({ name }) => hasSeal(join(directory, name)))?.zxid ?? -1n
}

/** Puts a mended file in the place of the damaged one. */
export function mend({ file, piece }: Patient, remedy: Remedy): void {
  const at = file.pieces.indexOf(piece)
  const kept = file.pieces.slice(0, at).flatMap(({ entry }) => (entry === null ? [] : [entry]))
  if (remedy === 'keep' && piece.entry !== null) kept.push(piece.entry)
  const head = written(kept)
  // What is behind stays as it is, damage and all: it is next.
  const rest = remedy === 'cut' ? new Uint8Array() : file.bytes.subarray(piece.next)
  const draft = `${file.path}.mended`
  const fd = openSync(draft, 'w')
  try {
    writeAll(fd, head, null)
    writeAll(fd, rest, null)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(draft, file.path)
  syncDirectory(dirname(file.path))
}

/** Under a name that nobody reads; what was put there earlier stays as well. */
export function copyAside(path: string): string {
  const name = join(dirname(path), `damaged.${basename(path)}`)
  let free = name
  for (let n = 2; existsSync(free); n++) free = `${name}.${n}`
  copyFileSync(path, free)
  const fd = openSync(free, 'r+')
  fsyncSync(fd)
  closeSync(fd)
  syncDirectory(dirname(path))
  return free
}

function written(entries: readonly Uint8Array[]): Uint8Array {
  const header = logHeader()
  const size = entries.reduce((sum, entry) => sum + entryBytes(entry), header.length)
  const bytes = new Uint8Array(size)
  bytes.set(header)
  let offset = header.length
  for (const entry of entries) offset = putEntry(bytes, offset, entry)
  return bytes
}

function isWhole({ kind }: LogPiece): boolean {
  return kind === 'whole'
}

function isReadable({ entry }: LogPiece, before: bigint, after: bigint | null): boolean {
  if (entry === null) return false
  const zxid = readEntry(entry)?.header.zxid
  return zxid !== undefined && zxid > before && (after === null || zxid < after)
}

function zxidOf(piece: LogPiece | undefined): bigint | null {
  if (piece === undefined || piece.entry === null) return null
  return readEntry(piece.entry)?.header.zxid ?? null
}
