/**
 * Agreement (T37): if f delivered a and f' delivered b, then f' delivered a or f delivered b. With
 * every server delivering the global log from its start without a gap, one of the two always holds.
 */
import type { HostView } from '../host-view.ts'
import type { World } from '../world.ts'
import { hex, Rule } from '../../../src/history/rule.ts'

export function checkAgreement(world: World): void {
  const rule = new Rule(world, 'Agreement')
  const delivered = new Map<HostView, number>()
  world.probe.on('started', ({ host }) => delivered.set(host, -1))
  world.probe.on('committed-at', ({ host, committed }) => {
    const before = delivered.get(host) ?? -1
    delivered.set(host, committed.index)
    rule.holds(committed.index === before + 1, () => {
      return `${host.name} delivers ${hex(committed.zxid)} as ${committed.index} after ${before}`
    })
  })
}
