/** `zabra log`: looks at transaction logs and mends them, as ZooKeeper's TxnLogToolkit does. */
import { rmSync } from 'node:fs'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { forgetDroppedTail, readMemberFile } from '../../adapters/files/member-file.ts'
import { OwnerFile } from '../../adapters/files/owner-file.ts'
import { folderOf, logFilesOf, type LogFile } from './log-files.ts'
import { copyAside, firstDamage, mend, newestSnapshot, type Patient } from './mend-log.ts'
import type { Remedy } from './mend-log.ts'
import { runTool, type Tool } from './tool.ts'
import { readEntry, txnJson, txnLine } from './txn-text.ts'

const USAGE = `usage: zabra log [--dump | --verify | --fix] [options] DIR

DIR is a data directory, its version-2, or one log file.

  --dump      every transaction in a line (this is what it does unless told otherwise)
  --json      … as JSON
  --verify    a line for each file; the exit code is 1 when one is damaged
  --fix       mends what is damaged, asks before, and keeps the old file as damaged.log.ZXID
  --yes       … without asking: keeps what can be read, and cuts at what cannot
`

interface Choice {
  readonly mode: 'dump' | 'verify' | 'fix'
  readonly isJson: boolean
  readonly isSure: boolean
}

/** Asks a question and returns what was typed, '' at the end of the input. */
export type Ask = (question: string) => Promise<string>

const LOG: Tool<Choice> = {
  name: 'zabra log',
  usage: USAGE,
  takes: 'directory or log file',
  flags: { dump: 'd', verify: null, fix: 'r', yes: 'y', json: null },
  choose: (given) => {
    const modes = (['dump', 'verify', 'fix'] as const).filter(given)
    if (modes.length > 1) throw new Error('one of --dump, --verify and --fix at a time')
    return { mode: modes[0] ?? 'dump', isJson: given('json'), isSure: given('yes') }
  },
  run: ({ mode, isJson, isSure }, path) => {
    if (mode === 'fix') return fix(path, isSure)
    return mode === 'verify' ? verify(path) : dump(logFilesOf(path), isJson)
  },
}

/** Resolves with the exit code. */
export function runLog(args: readonly string[]): Promise<number> {
  return runTool(LOG, args)
}

function dump(files: readonly LogFile[], isJson: boolean): number {
  let damaged = 0
  for (const { path, pieces } of files) {
    if (!isJson) say(`${path}: ZooKeeper transaction log, format version 2`)
    let count = 0
    for (const { kind, entry, offset, next } of pieces) {
      if (kind === 'torn') continue
      if (kind === 'damaged') damaged++
      else count++
      const logged = entry === null ? null : readEntry(entry)
      const mark = kind === 'damaged' ? 'CRC ERROR - ' : ''
      if (logged === null) say(`${mark}${next - offset} bytes at ${offset} that cannot be read`)
      else say(isJson ? txnJson(logged) : `${mark}${txnLine(logged)}`)
    }
    if (!isJson) say(`EOF reached after ${count} txns.`)
  }
  return damaged === 0 ? 0 : 1
}

function verify(path: string): number {
  let damaged = 0
  for (const file of logFilesOf(path)) {
    damaged += file.pieces.filter(({ kind }) => kind === 'damaged').length
    say(`${file.path}: ${stateOf(file)}`)
  }
  return damaged === 0 ? 0 : 1
}

function stateOf({ pieces }: LogFile): string {
  const whole = pieces.filter(({ kind }) => kind === 'whole')
  const zxids = [whole[0], whole.at(-1)].map((piece) => zxidText(piece?.entry ?? null))
  const range = whole.length === 0 ? '' : `, ${zxids.join(' to ')}`
  const flaws = pieces.flatMap(({ kind, offset }) => {
    if (kind === 'damaged') return [`damaged at byte ${offset}`]
    return kind === 'torn' ? [`stops short at byte ${offset}, where nothing was acknowledged`] : []
  })
  return [`${whole.length} transactions${range}`, ...flaws].join('; ')
}

function zxidText(entry: Uint8Array | null): string {
  const zxid = entry === null ? undefined : readEntry(entry)?.header.zxid
  return zxid === undefined ? '?' : `0x${zxid.toString(16)}`
}

async function fix(path: string, isSure: boolean): Promise<number> {
  const typed = createInterface({ input: process.stdin, terminal: false })
  const lines = typed[Symbol.asyncIterator]()
  const ask: Ask = async (question) => {
    process.stdout.write(question)
    const { value, done } = (await lines.next()) as IteratorResult<string, unknown>
    return done === true ? '' : value.trim().toLowerCase()
  }
  try {
    return await fixLog(path, isSure ? null : ask)
  } finally {
    typed.close()
  }
}

/** `ask` null: the best remedy each time. Resolves with the exit code. */
export async function fixLog(path: string, ask: Ask | null): Promise<number> {
  const directory = folderOf(path)
  // Throws while a server of ours runs on it.
  new OwnerFile(directory).close()
  const aside = new Set<string>()
  const keepCopy = (file: string): void => {
    if (aside.has(file)) return
    aside.add(file)
    say(`a copy is in ${copyAside(file)}`)
  }
  for (;;) {
    const files = logFilesOf(path)
    const patient = firstDamage(files, newestSnapshot(directory))
    if (patient === null) break
    tell(patient)
    const remedy = ask === null ? patient.remedies[0] : await choose(patient, ask)
    if (remedy === undefined) {
      say('Nothing was changed.')
      return 1
    }
    keepCopy(patient.file.path)
    mend(patient, remedy)
    if (remedy !== 'cut') continue
    for (const { path: later } of files.slice(files.indexOf(patient.file) + 1)) {
      keepCopy(later)
      rmSync(later)
    }
  }
  return accept(directory, ask, aside.size)
}

function tell({ file, piece, behind }: Patient): void {
  const logged = piece.entry === null ? null : readEntry(piece.entry)
  say(`${file.path} is damaged at byte ${piece.offset}; ${behind} transactions are behind it.`)
  if (logged === null) say(`${piece.next - piece.offset} bytes cannot be read.`)
  else say(`CRC ERROR - ${txnLine(logged)}`)
}

const QUESTIONS: Readonly<Record<Remedy, string>> = {
  keep: 'Keep it as it reads, with a new checksum',
  drop: 'Leave it out: the newest snapshot has what it did',
  cut: 'Cut the log here, and lose it and all behind it',
}

/** undefined: nothing is to be done. */
async function choose({ remedies }: Patient, ask: Ask): Promise<Remedy | undefined> {
  for (const remedy of remedies) {
    const answer = await ask(`${QUESTIONS[remedy]} (Yes/No/Abort) ? `)
    if (answer.startsWith('y')) return remedy
    if (!answer.startsWith('n')) return undefined
  }
  return undefined
}

/** What an earlier start, as a member of an ensemble, cut off by itself. */
async function accept(directory: string, ask: Ask | null, mended: number): Promise<number> {
  const { droppedTail } = readMemberFile(directory)
  if (droppedTail > 0) {
    say(`${droppedTail} damaged entries at the end were cut off by an earlier start.`)
    const answer = ask === null ? 'yes' : await ask('Accept that they are lost (Yes/No) ? ')
    if (!answer.startsWith('y')) return 1
    forgetDroppedTail(directory)
  }
  say(mended === 0 && droppedTail === 0 ? 'Nothing is damaged.' : 'The log is whole.')
  return 0
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
