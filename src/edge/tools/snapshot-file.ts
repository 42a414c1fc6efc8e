import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { zxidFiles } from '../../adapters/files/file-names.ts'
import { hasSeal, readSnapshot } from '../../adapters/files/snapshot-reader.ts'
import { ZXID_NONE, type Zxid } from '../../core/base/zxid.ts'
import type { DataTree } from '../../core/tree/data-tree.ts'
import { restoreTree } from '../../core/tree/snapshot.ts'
import { folderOf } from './log-files.ts'

/** A file, or the newest whole one of a directory. Throws an Error that says what is wrong. */
export function openSnapshot(path: string): { readonly zxid: Zxid; readonly tree: DataTree } {
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
