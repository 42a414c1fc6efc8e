import { AssertionError } from '../base/assert.ts'
import { formatZxid } from '../base/zxid.ts'
import { JuteError } from '../jute/jute-error.ts'
import { decodeTxn, type LoggedTxn } from '../jute/txn.ts'
import type { LogEntry } from '../zab/effect.ts'

/** A transaction that this code does not know must not be skipped: the error halts the member. */
export function decodeEntry(entry: LogEntry): LoggedTxn {
  try {
    return decodeTxn(entry.entry)
  } catch (error) {
    if (!(error instanceof JuteError)) throw error
    throw new AssertionError(`transaction ${formatZxid(entry.zxid)}: ${error.message}`)
  }
}
