/** GlobalPrimaryOrder (T40): entries of an older epoch are delivered before those of a newer. */
import { epochOf, ZXID_NONE, type Zxid } from '../../../src/core/base/zxid.ts'
import type { HostView } from '../host-view.ts'
import type { World } from '../world.ts'
import { hex, Rule } from '../../../src/history/rule.ts'

export function checkGlobalPrimaryOrder(world: World): void {
  const rule = new Rule(world, 'GlobalPrimaryOrder')
  const applied = new Map<HostView, Zxid>()
  world.probe.on('restored', ({ host, last }) => applied.set(host, last))
  world.probe.on('delivered', ({ host, entry: { zxid } }) => {
    const last = applied.get(host) ?? ZXID_NONE
    applied.set(host, zxid)
    rule.holds(epochOf(zxid) >= epochOf(last), () => {
      return `${host.name} applies ${hex(zxid)} after ${hex(last)}`
    })
  })
}
