/**
 * LocalPrimaryOrder (T39): a primary's broadcasts are delivered in its order, none left out.
 * GlobalPrimaryOrder (T40): an entry of an older epoch is delivered before one of a newer epoch.
 */
import { counterOf, epochOf } from '../../../src/core/base/zxid.ts'
import type { HostView } from '../host-view.ts'
import type { World } from '../world.ts'
import { hex, Rule } from '../../../src/history/rule.ts'

export function checkPrimaryOrder(world: World): void {
  const local = new Rule(world, 'LocalPrimaryOrder')
  const global = new Rule(world, 'GlobalPrimaryOrder')
  const last = new Map<HostView, bigint>()
  world.probe.on('started', ({ host }) => last.delete(host))
  world.probe.on('committed-at', ({ host, committed: { zxid } }) => {
    const before = last.get(host) ?? 0n
    last.set(host, zxid)
    const epochBefore = Number(before >> 32n)
    const epoch = epochOf(zxid)
    global.holds(epoch >= epochBefore, () => `${host.name}: ${hex(zxid)} after ${hex(before)}`)
    const due = epoch === epochBefore ? Number(before & 0xffff_ffffn) + 1 : 1
    local.holds(counterOf(zxid) === due, () => {
      return `${host.name} delivers ${hex(zxid)} after ${hex(before)}`
    })
  })
}
