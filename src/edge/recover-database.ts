/**
 * The database of a data directory, made when there is none and that is allowed. An ensemble from a
 * file has no founding record but that file; what tells a wiped disk from a new one is the rule of
 * Q18 and P15.
 */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { FileStorage } from '../adapters/files/storage.ts'
import { encodeUtf8 } from '../core/base/utf8.ts'
import { emptySnapshotChunk } from '../core/server/member-machine.ts'
import { StorageError, type Recovered } from '../ports/storage.ts'
import { isStandalone, type ServerSettings } from './settings.ts'

/** Pinned where a room's member pins its record: this directory belongs to a configured server. */
const CONFIGURED: Uint8Array = encodeUtf8('configured')
/** Made by zkServer-initialize (O34): this directory is empty on purpose. Used up by one start. */
export const INITIALIZE_FILE = 'initialize'

/**
 * An empty directory without leave counts as one that lost everything: its member follows and does
 * not vote until a leader has synchronised it; alone it does not start.
 */
export async function recoverDatabase(
  storage: FileStorage,
  settings: ServerSettings,
): Promise<Recovered> {
  const isAlone = isStandalone(settings)
  const atOpen = await storage.recover()
  const { founding } = await storage.meta()
  const initialize = join(settings.dataDirectory, INITIALIZE_FILE)
  const isEmpty = atOpen.snapshot === null
  if (isEmpty && !settings.createsDatabase && !existsSync(initialize)) {
    if (isAlone) throw noDatabase()
    await storage.rememberLoss()
  }
  if (founding === null || isEmpty) {
    await storage.pinFounding(founding ?? CONFIGURED, emptySnapshotChunk())
  }
  rmSync(initialize, { force: true })
  const recovered = isEmpty ? await storage.recover() : atOpen
  if (isAlone && recovered.droppedTail > 0) throw lostTail(settings, recovered)
  return recovered
}

function noDatabase(): StorageError {
  const what = 'the data directory is empty and db.autocreate is off'
  return new StorageError('wiped', `${what}: bring its files back, or make the file 'initialize'`)
}

/** As a member of an ensemble it dropped them, and now it is alone. */
function lostTail({ dataDirectory }: ServerSettings, { droppedTail }: Recovered): StorageError {
  const what = `${droppedTail} entries at the end of the log were damaged and dropped`
  const why = 'a server alone has nobody to ask what they were'
  const remedy = `'zabra log ${dataDirectory} --fix' accepts the loss`
  return new StorageError('corrupt', `${what}, and ${why}: ${remedy}`)
}
