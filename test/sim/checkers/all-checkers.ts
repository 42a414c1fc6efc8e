/** Every checker, listening to one world. */
import type { World } from '../world.ts'
import { checkAgreement } from './agreement.ts'
import { followCommitted } from './committed-model.ts'
import { checkDurability } from './durability.ts'
import { checkEpochs } from './epochs.ts'
import { checkFreshness } from './freshness.ts'
import { checkIntegrity } from './integrity.ts'
import { checkLeadership } from './leadership.ts'
import { Linearizability } from './linearizability.ts'
import { trackHistory } from './log-matching.ts'
import { GlobalLog } from './prefix-consistency.ts'
import { checkPrimaryIntegrity } from './primary-integrity.ts'
import { checkPrimaryOrder } from './primary-order.ts'
import { checkReads } from './reads.ts'
import { checkSessions, waitForSessions } from './sessions.ts'
import { checkThawed } from './thawed.ts'
import { checkTotalOrder } from './total-order.ts'
import { checkTrees } from './trees.ts'
import { checkVotes } from './votes.ts'
import { Watches } from './watches.ts'

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
  checkIntegrity(world)
  checkTotalOrder(world, history)
  checkLeadership(world)
  checkAgreement(world)
  checkPrimaryOrder(world)
  checkDurability(world, history)
  checkEpochs(world, history)
  checkThawed(world)
  const log = new GlobalLog(world, history)
  checkVotes(world, log)
  checkPrimaryIntegrity(world, history, log)
  // From here on: what clients see, judged by the log.
  const tree = followCommitted(world)
  new Linearizability(world, tree)
  checkReads(world, tree)
  checkFreshness(world)
  checkSessions(world, tree)
  waitForSessions(world, tree)
  new Watches(world, tree)
  checkTrees(world, log, tree)
  return tally
}
