/** `zabra snapshot`: shows a snapshot file, as ZooKeeper's SnapshotFormatter does. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { zxidFiles } from '../../adapters/files/file-names.ts'
import { hasSeal, readSnapshot } from '../../adapters/files/snapshot-reader.ts'
import { ZXID_NONE, type Zxid } from '../../core/base/zxid.ts'
import type { DataTree } from '../../core/tree/data-tree.ts'
import { restoreTree } from '../../core/tree/snapshot.ts'
import { folderOf } from './log-files.ts'
import { snapshotJson, snapshotLines } from './snapshot-text.ts'

const USAGE = `usage: zabra snapshot [--data | --json] FILE

FILE is a snapshot, or a data directory, of which the newest whole one is shown.

  --data, -d  each znode's data in base64
  --json      names and sizes in ncdu's format: … --json FILE | ncdu -f -
`

/** Resolves with the exit code. */
export async function runSnapshot(args: readonly string[]): Promise<number> {
  let options
  try {
    options = parse(args)
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${USAGE}`)
    return 2
  }
  if (options === null) {
    process.stdout.write(USAGE)
    return 0
  }
  try {
    const { zxid, tree } = openSnapshot(options.path)
    const { showsData } = options
    const lines = options.isJson
      ? snapshotJson(tree, Date.now())
      : snapshotLines(tree, { showsData, zxid })
    for (const line of lines) await write(options.isJson ? line : `${line}\n`)
    if (options.isJson) await write('\n')
    return 0
  } catch (error) {
    process.stderr.write(`zabra snapshot: ${messageOf(error)}\n`)
    return 1
  }
}

/** null: help was asked for. */
function parse(
  args: readonly string[],
): { readonly path: string; readonly showsData: boolean; readonly isJson: boolean } | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      data: { type: 'boolean', short: 'd' },
      json: { type: 'boolean' },
    },
  })
  if (values.help === true) return null
  const [path, ...more] = positionals
  if (path === undefined || more.length > 0) throw new Error('name one snapshot file')
  if (values.data === true && values.json === true) throw new Error('--data or --json, not both')
  return { path, showsData: values.data === true, isJson: values.json === true }
}

/** Throws an Error that says what is wrong with it. */
function openSnapshot(path: string): { readonly zxid: Zxid; readonly tree: DataTree } {
  if (!existsSync(path)) throw new Error(`${path} is not there`)
  const file = statSync(path).isDirectory() ? newestIn(folderOf(path)) : path
  const chunks = readSnapshot(file)
  if (chunks === null) throw new Error(`${file} is not whole: its end or its checksum is missing`)
  const zxid = zxidFiles('snapshot', [basename(file)])[0]?.zxid ?? ZXID_NONE
  return { zxid, tree: restoreTree(chunks, { zxid }) }
}

function newestIn(directory: string): string {
  const files = zxidFiles('snapshot', readdirSync(directory)).map(({ name }) =>
    join(directory, name),
  )
  const newest = files.findLast(hasSeal)
  if (newest === undefined) throw new Error(`${directory} has no whole snapshot`)
  return newest
}

/** At the pace of who reads it. */
async function write(text: string): Promise<void> {
  if (process.stdout.write(text)) return
  await new Promise<void>((resolve) => process.stdout.once('drain', resolve))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
