/** GlobalPrimaryOrder (T40): entries of an older epoch are delivered before those of a newer. */
import { epochOf } from '../../../src/core/base/zxid.ts'
import type { HostView } from '../host-view.ts'
import type { World } from '../world.ts'
import { hex, Rule } from '../../../src/history/rule.ts'

export function checkGlobalPrimaryOrder(world: World): void {
  const rule = new Rule(world, 'GlobalPrimaryOrder')
  const last = new Map<HostView, bigint>()
  world.probe.on('started', ({ host }) => last.delete(host))
  world.probe.on('committed-at', ({ host, committed: { zxid } }) => {
    const before = last.get(host) ?? 0n
    last.set(host, zxid)
    const isLater = epochOf(zxid) >= Number(before >> 32n)
    rule.holds(isLater, () => `${host.name}: ${hex(zxid)} after ${hex(before)}`)
  })
}
