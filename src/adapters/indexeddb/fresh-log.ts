/**
 * Chromium keeps all databases of an origin in one LevelDB. Killed in the middle of a write it
 * leaves half a record at the end of LevelDB's log, which is harmless by itself: the next start
 * passes over it, and goes on writing behind it. The start after that takes what was written there
 * for the rest of that record. As long as that record is said to be longer, it is dropped in
 * silence, acknowledged or not; else the log is damaged, and Chromium deletes every database of the
 * origin (google/leveldb#1287). Seen with Chromium 156: of 250 kills under load 7 left such a half.
 *
 * When a database is deleted LevelDB begins another log, and drops the one before as soon as a
 * table has what it held. So one is made and deleted at every start, in some 10 ms.
 */
import { type IDBPDatabase, openDB } from 'idb'
import { isChromium } from './engine.ts'

const NAME = 'zabra-fresh-log'

/**
 * Nobody waits for it: asked before the first write it is done by the first answers, another tab
 * that stands still between the two steps delays nobody, and where there is no room for it the old
 * log is dangerous only if the browser was killed in the middle of a write.
 */
export function beginFreshLog(): void {
  if (!isChromium()) return
  const discard = (db: IDBPDatabase): void => {
    db.close()
    indexedDB.deleteDatabase(NAME)
  }
  openDB(NAME).then(discard, () => undefined)
}
