/**
 * How a leader brings one learner to its own history (Q30, Q31), decided from the committed entries
 * in memory; below that window the log on disk may have what it lacks (synchronizer.ts).
 *
 * Differences from ZooKeeper's table, all on the safe side:
 * - The window knows its base, so a learner that is exactly there gets DIFF instead of SNAP.
 * - A learner whose zxid has counter 0 and is no point of our history gets SNAP. ZooKeeper sends
 *   DIFF, but nothing shows that what this learner holds under that number is our prefix.
 * - TRUNC goes across epochs: every entry of ours that is older than the learner's last one is also
 *   in the learner's log, since a leader that had entries of its own was established, and a later
 *   leader's history contains everything an established leader began with. That holds for entries
 *   in memory and for those on disk.
 */
import { counterOf, type Zxid } from '../base/zxid.ts'
import type { CommittedLog } from './committed-log.ts'

export interface LearnerPosition {
  readonly lastZxid: Zxid
  /** Newest snapshot on the learner's disk: it cannot cut its log below that (contract 4). */
  readonly truncFloor: Zxid
}

/** Entries after `from` follow as PROPOSAL and COMMIT; `from` is where the learner then is. */
export type SyncPlan =
  | { readonly mode: 'DIFF'; readonly from: Zxid }
  | { readonly mode: 'TRUNC'; readonly from: Zxid }
  | { readonly mode: 'SNAP' }

/** LOG: memory does not go back so far; the log on disk is to be asked, or SNAP. */
export type SyncChoice = SyncPlan | { readonly mode: 'LOG' }

export const SNAP: SyncPlan = { mode: 'SNAP' }
const LOG: SyncChoice = { mode: 'LOG' }

export function chooseSync(log: CommittedLog, learner: LearnerPosition): SyncChoice {
  // It says that its state is in doubt, whatever its log is.
  if (learner.truncFloor > learner.lastZxid) return SNAP
  const common = log.newestUpTo(learner.lastZxid)
  if (common !== null) return planFrom(common, learner)
  // No entry has such a zxid, so no log shows that it is a point of our history.
  return counterOf(learner.lastZxid) === 0 ? SNAP : LOG
}

/** `common`: the newest point of our history that is not newer than what the learner has. */
export function planFrom(common: Zxid, learner: LearnerPosition): SyncPlan {
  if (common === learner.lastZxid) return { mode: 'DIFF', from: common }
  // From here on the learner has entries that we have not.
  if (counterOf(learner.lastZxid) === 0 || counterOf(common) === 0) return SNAP
  if (common < learner.truncFloor) return SNAP
  return { mode: 'TRUNC', from: common }
}
