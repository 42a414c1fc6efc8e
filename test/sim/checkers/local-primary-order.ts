/**
 * LocalPrimaryOrder (T39): a primary's broadcasts are delivered in its order, none left out. Its
 * counters are 1, 2, 3, …, so what a server applies next is the next one of that epoch, or the
 * first one of another.
 */
import { counterOf, epochOf, ZXID_NONE, type Zxid } from '../../../src/core/base/zxid.ts'
import type { HostView } from '../host-view.ts'
import type { World } from '../world.ts'
import { hex, Rule } from '../../../src/history/rule.ts'

export function checkLocalPrimaryOrder(world: World): void {
  const rule = new Rule(world, 'LocalPrimaryOrder')
  const applied = new Map<HostView, Zxid>()
  world.probe.on('restored', ({ host, last }) => applied.set(host, last))
  world.probe.on('delivered', ({ host, entry: { zxid } }) => {
    const last = applied.get(host) ?? ZXID_NONE
    applied.set(host, zxid)
    const isSame = epochOf(zxid) === epochOf(last)
    const due = isSame ? counterOf(last) + 1 : 1
    rule.holds(counterOf(zxid) === due, () => {
      return `${host.name} applies ${hex(zxid)} after ${hex(last)}`
    })
  })
}
