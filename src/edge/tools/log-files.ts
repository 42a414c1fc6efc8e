/** The log files that a person names: one file, a `version-2` directory, or the one above it. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { readBytes } from '../../adapters/files/durable-file.ts'
import { VERSION_DIRECTORY, zxidFiles } from '../../adapters/files/file-names.ts'
import { isUnbegun, logHeaderProblem } from '../../adapters/files/log-format.ts'
import { scanLog, type LogPiece } from './log-scan.ts'

export interface LogFile {
  readonly path: string
  readonly bytes: Uint8Array
  readonly pieces: readonly LogPiece[]
}

/** Throws an Error that says what is wrong with `path`. */
export function logFilesOf(path: string): LogFile[] {
  if (!existsSync(path)) throw new Error(`${path} is not there`)
  if (!statSync(path).isDirectory()) return [readLog(path)]
  const directory = folderOf(path)
  const names = zxidFiles('log', readdirSync(directory)).map(({ name }) => name)
  if (names.length === 0) throw new Error(`${directory} has no transaction log`)
  return names.map((name) => readLog(join(directory, name)))
}

/** Where the log files of `path` are. */
export function folderOf(path: string): string {
  if (!statSync(path).isDirectory()) return dirname(path)
  const below = join(path, VERSION_DIRECTORY)
  return basename(path) !== VERSION_DIRECTORY && existsSync(below) ? below : path
}

function readLog(path: string): LogFile {
  const bytes = readBytes(path)
  const problem = logHeaderProblem(bytes)
  if (problem === null) return { path, bytes, pieces: scanLog(bytes) }
  if (isUnbegun(bytes)) return { path, bytes, pieces: [] }
  throw new Error(`${path} is no transaction log: ${problem}`)
}
