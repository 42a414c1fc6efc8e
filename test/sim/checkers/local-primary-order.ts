/** LocalPrimaryOrder (T39): a primary's broadcasts are delivered in its order, none left out. */
import { counterOf, epochOf } from '../../../src/core/base/zxid.ts'
import type { HostView } from '../host-view.ts'
import type { World } from '../world.ts'
import { hex, Rule } from '../../../src/history/rule.ts'

export function checkLocalPrimaryOrder(world: World): void {
  const rule = new Rule(world, 'LocalPrimaryOrder')
  const last = new Map<HostView, bigint>()
  world.probe.on('started', ({ host }) => last.delete(host))
  world.probe.on('committed-at', ({ host, committed: { zxid } }) => {
    const before = last.get(host) ?? 0n
    last.set(host, zxid)
    const due = epochOf(zxid) === Number(before >> 32n) ? Number(before & 0xffff_ffffn) + 1 : 1
    rule.holds(counterOf(zxid) === due, () => {
      return `${host.name} delivers ${hex(zxid)} after ${hex(before)}`
    })
  })
}
