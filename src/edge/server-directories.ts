/** What zkServer-initialize.sh and zkCleanup.sh do to the directories of a zoo.cfg (O34). */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { VERSION_DIRECTORY } from '../adapters/files/file-names.ts'
import { SnapshotFiles } from '../adapters/files/snapshot-files.ts'
import { TxnLog } from '../adapters/files/txn-log.ts'
import { messageOf } from '../core/base/message-of.ts'
import { SNAPSHOTS_RETAINED } from '../ports/storage.ts'
import { parseProperties } from './config/properties.ts'
import { INITIALIZE_FILE } from './recover-database.ts'
import { ExitCode } from './run-server.ts'

interface Directories {
  readonly data: string
  /** Where the logs are; the same unless the file says otherwise. */
  readonly log: string
}

const MY_ID_MAX = 255

/** `initialize zoo.cfg [--myid N] [--force]`: leave to begin with an empty database, once. */
export function initializeDirectories(args: readonly string[]): number {
  return said('initialize', () => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { myid: { type: 'string' }, force: { type: 'boolean', default: false } },
    })
    const { myid } = values
    if (myid !== undefined && !(/^\d+$/.test(myid) && Number(myid) <= MY_ID_MAX && myid !== '0')) {
      throw new Error(`--myid ${myid}: it is a number from 1 to ${MY_ID_MAX}`)
    }
    const { data, log } = directoriesOf(positionals)
    for (const directory of new Set([data, log])) {
      const versions = join(directory, VERSION_DIRECTORY)
      if (existsSync(versions) && !values.force) {
        throw new Error(`${versions} is there: --force removes what is in it for good`)
      }
      rmSync(join(directory, 'myid'), { force: true })
      rmSync(versions, { recursive: true, force: true })
      mkdirSync(versions, { recursive: true })
    }
    if (myid !== undefined) writeFileSync(join(data, 'myid'), `${myid}\n`)
    writeFileSync(join(data, INITIALIZE_FILE), '')
    const who = myid === undefined ? 'no myid: an ensemble’s server needs one' : `myid ${myid}`
    return `${data} may begin with an empty database (${who})\n`
  })
}

/** `cleanup zoo.cfg [-n COUNT]`: old snapshots go, and logs that none of the others needs (P18). */
export function cleanUpDirectories(args: readonly string[]): number {
  return said('cleanup', () => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { count: { type: 'string', short: 'n', default: String(SNAPSHOTS_RETAINED) } },
    })
    const count = Number(values.count)
    if (!Number.isSafeInteger(count) || count < SNAPSHOTS_RETAINED) {
      throw new Error(`-n ${values.count}: at least ${SNAPSHOTS_RETAINED} snapshots stay`)
    }
    const { data, log } = directoriesOf(positionals)
    const snapshots = join(data, VERSION_DIRECTORY)
    if (!existsSync(snapshots)) throw new Error(`${snapshots} is not there`)
    // Beside a server that runs: it writes newer files than any that goes.
    const oldest = new SnapshotFiles(snapshots).retain(count)
    if (oldest === null) return `${snapshots} has no whole snapshot: everything stays\n`
    const options = { preallocateBytes: 0, forceSync: false, pace: null }
    new TxnLog({ directory: join(log, VERSION_DIRECTORY), ...options }).purge(oldest)
    return `the newest ${count} snapshots stay, from snapshot.${oldest.toString(16)} on\n`
  })
}

/** Without judging the rest of the file: it may name servers whose myid is still to be written. */
function directoriesOf([path, ...more]: readonly string[]): Directories {
  if (path === undefined || more.length > 0) throw new Error('name one zoo.cfg')
  const entries = parseProperties(readFileSync(path, 'utf8'))
  const value = (key: string): string | undefined => {
    return entries.findLast((entry) => entry.key === key)?.value.trim()
  }
  const data = value('dataDir')
  if (data === undefined || data === '') throw new Error(`${path} names no dataDir`)
  return { data, log: value('dataLogDir') ?? data }
}

function said(action: string, run: () => string): number {
  try {
    process.stdout.write(run())
    return ExitCode.FINISHED
  } catch (error) {
    const text = messageOf(error)
    process.stderr.write(`zabra server ${action}: ${text}\n`)
    return ExitCode.UNEXPECTED_ERROR
  }
}
