/** Every checker, listening to one world. */
import type { World } from '../world.ts'
import { checkAgreement } from './agreement.ts'
import { checkDurability } from './durability.ts'
import { checkEpochs } from './epochs.ts'
import { checkIntegrity } from './integrity.ts'
import { checkLeadership } from './leadership.ts'
import { trackHistory } from './log-matching.ts'
import { GlobalLog } from './prefix-consistency.ts'
import { checkPrimaryIntegrity } from './primary-integrity.ts'
import { checkPrimaryOrder } from './primary-order.ts'
import { checkThawed } from './thawed.ts'
import { checkTotalOrder } from './total-order.ts'
import { checkVotes } from './votes.ts'

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
  return tally
}
