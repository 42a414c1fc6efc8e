/**
 * `zabra.json` beside ZooKeeper's files: what ZooKeeper has no file for. Apache ZooKeeper ignores
 * it, and a directory without it is one that Apache ZooKeeper wrote.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromBase64, toBase64 } from '../../core/base/bytes.ts'
import { StorageError, type MemberMeta } from '../../ports/storage.ts'
import { replaceFile } from './durable-file.ts'

/** A snapshot of a leader that replaces everything, begun and maybe not ended (Q36). */
export interface Installation {
  /** Hex. */
  readonly zxid: string
  /** Name of the staged file. */
  readonly staged: string
  readonly currentEpoch: number | null
}

export interface MemberFile extends MemberMeta {
  readonly droppedTail: number
  readonly installing: Installation | null
}

const NAME = 'zabra.json'
const FORMAT = 1

const BLANK: MemberFile = {
  founding: null,
  startChain: [],
  lives: 0,
  peerTokens: {},
  droppedTail: 0,
  installing: null,
}

export function readMemberFile(directory: string): MemberFile {
  const path = join(directory, NAME)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return BLANK
    throw error
  }
  const read = parse(text)
  if (read === null) throw new StorageError('corrupt', `${path} cannot be read`)
  if (read.format > FORMAT) {
    const what = `${path} is of format ${read.format}, this version knows ${FORMAT}`
    throw new StorageError('newer-format', `${what}: update it`)
  }
  return { ...BLANK, ...read.content }
}

export function writeMemberFile(directory: string, file: MemberFile): void {
  const founding = file.founding === null ? null : toBase64(file.founding)
  const content = { format: FORMAT, ...file, founding }
  replaceFile(join(directory, NAME), `${JSON.stringify(content, null, 1)}\n`)
}

/** Whoever repairs the directory accepts that what was dropped is lost. */
export function forgetDroppedTail(directory: string): void {
  writeMemberFile(directory, { ...readMemberFile(directory), droppedTail: 0 })
}

/** Ours, and replaced as a whole: what has the right format is as it was written. */
function parse(text: string): { format: number; content: Partial<MemberFile> } | null {
  try {
    const { format, founding, ...rest } = JSON.parse(text) as Omit<MemberFile, 'founding'> & {
      format?: unknown
      founding?: unknown
    }
    if (typeof format !== 'number') return null
    const bytes = typeof founding === 'string' ? fromBase64(founding) : null
    return { format, content: { ...rest, founding: bytes } }
  } catch {
    return null
  }
}
