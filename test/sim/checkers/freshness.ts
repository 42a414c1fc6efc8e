/**
 * BoundedStaleness (Q49, Q51): a server that is cut off notices within its silence limit, so a read
 * shows every write that was acknowledged some seconds before it was asked for.
 */
import { SILENCE_LIMIT_MS } from '../../../src/core/zab/constants.ts'
import { describeCall } from '../operation.ts'
import type { World } from '../world.ts'
import { hex, Rule } from './rule.ts'

/** Silence, timers of a background tab, and a pause that is too short to count as sleep. */
const STALENESS_LIMIT_MS: number = 2 * SILENCE_LIMIT_MS + 1600

export function checkFreshness(world: World): void {
  const rule = new Rule(world, 'BoundedStaleness')
  const acked: { readonly atMs: number; readonly zxid: bigint }[] = []
  world.probe.on('completed', ({ op, outcome }) => {
    const sinceMs = op.invokedAtMs - STALENESS_LIMIT_MS
    const floor = acked.findLast(({ atMs }) => atMs <= sinceMs)?.zxid ?? 0n
    rule.holds(outcome.zxid >= floor, () => {
      const told = `machine ${outcome.server} answers at ${hex(outcome.zxid)}`
      const late = `${hex(floor)} was acknowledged ${STALENESS_LIMIT_MS} ms before`
      return `${describeCall(op.call)}: ${told}; ${late}`
    })
    const { newestAcked } = world
    if (newestAcked > (acked.at(-1)?.zxid ?? 0n)) {
      acked.push({ atMs: world.timeline.nowMs, zxid: newestAcked })
    }
  })
}
