/** Every checker, listening to one world. */
import type { World } from '../world.ts'
import { checkAgreement } from './agreement.ts'
import { checkAppliedOnce } from './applied-once.ts'
import { followCommitted } from '../../../src/history/committed-model.ts'
import { checkDurability } from './durability.ts'
import { checkEpochs } from './epochs.ts'
import { checkFreshness } from '../../../src/history/freshness.ts'
import { checkIntegrity } from './integrity.ts'
import { checkGlobalPrimaryOrder } from './global-primary-order.ts'
import { checkLeadership1 } from './leadership1.ts'
import { checkLeadership2 } from './leadership2.ts'
import { checkLocalPrimaryOrder } from './local-primary-order.ts'
import { Linearizability } from '../../../src/history/linearizability.ts'
import { trackHistory } from './log-matching.ts'
import { GlobalLog } from './prefix-consistency.ts'
import { checkExpiry } from '../../../src/history/expiry.ts'
import { checkSequences } from '../../../src/history/sequences.ts'
import { SILENCE_LIMIT_MS } from '../../../src/core/zab/constants.ts'
import { checkPrimaryIntegrity } from './primary-integrity.ts'
import { checkReadOnly } from '../../../src/history/read-only.ts'
import { checkReads } from '../../../src/history/reads.ts'
import { checkSessions } from '../../../src/history/sessions.ts'
import { checkFounding } from './founding.ts'
import { checkObserverTable } from './observer-table.ts'
import { waitForSessions } from './session-ends.ts'
import { checkProtocol } from './should-not-be-triggered.ts'
import { checkThawed } from './thawed.ts'
import { checkTotalOrder } from './total-order.ts'
import { checkTrees } from './trees.ts'
import { checkVotes } from './votes.ts'
import { Watches } from '../../../src/history/watches.ts'

/** Silence, timers of a background tab, and a pause that is too short to count as sleep. */
const STALENESS_LIMIT_MS: number = 2 * SILENCE_LIMIT_MS + 1600

export interface Tally {
  operations: number
}

export function listen(world: World): Tally {
  const tally: Tally = { operations: 0 }
  world.probe.on('completed', () => {
    tally.operations++
  })
  // The order matters where one checker builds on what another one tells.
  const history = trackHistory(world)
  checkFounding(world)
  checkProtocol(world)
  checkIntegrity(world)
  checkAppliedOnce(world)
  checkTotalOrder(world, history)
  checkLeadership1(world)
  checkLeadership2(world)
  checkLocalPrimaryOrder(world)
  checkGlobalPrimaryOrder(world)
  checkDurability(world, history)
  checkEpochs(world, history)
  checkThawed(world)
  const log = new GlobalLog(world, history)
  checkAgreement(world, history)
  checkVotes(world, log)
  checkPrimaryIntegrity(world, history, log)
  // From here on: what clients see, judged by the log.
  const tree = followCommitted(world, world.origin?.tree)
  new Linearizability(world, tree, world.draw.localSessions)
  checkReads(world, tree)
  checkReadOnly(world, tree)
  checkFreshness(world, STALENESS_LIMIT_MS)
  checkObserverTable(world)
  checkSessions(world, tree, world.draw.localSessions)
  checkExpiry(world)
  checkSequences(world)
  waitForSessions(world, tree)
  new Watches(world, tree)
  checkTrees(world, log, tree)
  return tally
}
