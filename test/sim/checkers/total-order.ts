/**
 * TotalOrder (T38): if some server delivers a before b, every server that delivers b delivers a
 * first. So what a server applies right before an entry is what went before it in every log.
 */
import { ZXID_NONE, type Zxid } from '../../../src/core/base/zxid.ts'
import type { History } from '../history.ts'
import type { HostView } from '../host-view.ts'
import type { World } from '../world.ts'
import { hex, Rule } from '../../../src/history/rule.ts'

export function checkTotalOrder(world: World, history: History): void {
  const rule = new Rule(world, 'TotalOrder')
  const applied = new Map<HostView, Zxid>()
  world.probe.on('restored', ({ host, last }) => applied.set(host, last))
  world.probe.on('delivered', ({ host, entry }) => {
    const last = applied.get(host) ?? ZXID_NONE
    applied.set(host, entry.zxid)
    const known = history.find(entry.zxid)
    rule.holds(known?.before === last, () => {
      const before = known === undefined ? 'unknown' : hex(known.before)
      return `${host.name} applies ${hex(entry.zxid)} after ${hex(last)}, others after ${before}`
    })
  })
}
