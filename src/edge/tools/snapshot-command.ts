/** `zabra snapshot`: shows a snapshot file, as ZooKeeper's SnapshotFormatter does. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import process from 'node:process'
import { zxidFiles } from '../../adapters/files/file-names.ts'
import { hasSeal, readSnapshot } from '../../adapters/files/snapshot-reader.ts'
import { ZXID_NONE, type Zxid } from '../../core/base/zxid.ts'
import type { DataTree } from '../../core/tree/data-tree.ts'
import { restoreTree } from '../../core/tree/snapshot.ts'
import { folderOf } from './log-files.ts'
import { snapshotJson, snapshotLines } from './snapshot-text.ts'
import { runTool, type Tool } from './tool.ts'

const USAGE = `usage: zabra snapshot [--data | --json] FILE

FILE is a snapshot, or a data directory, of which the newest whole one is shown.

  --data, -d  each znode's data in base64
  --json      names and sizes in ncdu's format: … --json FILE | ncdu -f -
`

interface Choice {
  readonly showsData: boolean
  readonly isJson: boolean
}

const SNAPSHOT: Tool<Choice> = {
  name: 'zabra snapshot',
  usage: USAGE,
  takes: 'snapshot file',
  flags: { data: 'd', json: null },
  choose: (given) => {
    const [showsData, isJson] = [given('data'), given('json')]
    if (showsData && isJson) throw new Error('--data or --json, not both')
    return { showsData, isJson }
  },
  run: show,
}

/** Resolves with the exit code. */
export function runSnapshot(args: readonly string[]): Promise<number> {
  return runTool(SNAPSHOT, args)
}

async function show({ showsData, isJson }: Choice, path: string): Promise<number> {
  const { zxid, tree } = openSnapshot(path)
  const lines = isJson ? snapshotJson(tree, Date.now()) : snapshotLines(tree, { showsData, zxid })
  for (const line of lines) await write(isJson ? line : `${line}\n`)
  if (isJson) await write('\n')
  return 0
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
