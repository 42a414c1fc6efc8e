/**
 * Agreement (T37): if f delivered a and f' delivered b, then f' delivered a or f delivered b. So of
 * any two servers one has delivered all that the other one has.
 *
 * Delivered is what a server applied while it served, and what it began to serve with: before that
 * it may hold entries that are never committed.
 */
import { ZXID_NONE, type Zxid } from '../../../src/core/base/zxid.ts'
import type { History } from '../history.ts'
import type { HostView } from '../host-view.ts'
import type { World } from '../world.ts'
import { hex, Rule } from '../../../src/history/rule.ts'

interface Delivered {
  readonly zxids: Set<Zxid>
  /** How many of them each other server has delivered, too. */
  readonly common: Map<HostView, number>
}

export function checkAgreement(world: World, history: History): void {
  const rule = new Rule(world, 'Agreement')
  const servers = new Map<HostView, Delivered>()
  const applied = new Map<HostView, Zxid>()

  const deliver = (host: HostView, zxids: readonly Zxid[]): void => {
    const own = servers.get(host) ?? { zxids: new Set(), common: new Map<HostView, number>() }
    servers.set(host, own)
    for (const zxid of zxids) own.zxids.add(zxid)
    for (const [other, theirs] of servers) {
      if (other === host) continue
      const ahead = zxids.find((zxid) => !theirs.zxids.has(zxid))
      const both = zxids.filter((zxid) => theirs.zxids.has(zxid)).length
      const common = (own.common.get(other) ?? 0) + both
      own.common.set(other, common)
      theirs.common.set(host, common)
      rule.holds(ahead === undefined || common === theirs.zxids.size, () => {
        const behind = [...theirs.zxids].find((zxid) => !own.zxids.has(zxid)) ?? ZXID_NONE
        const each = `${host.name} delivered ${hex(ahead ?? ZXID_NONE)} and not ${hex(behind)}`
        return `${each}, ${other.name} the other way round`
      })
    }
  }

  world.probe.on('restored', ({ host, last }) => applied.set(host, last))
  world.probe.on('delivered', ({ host, entry: { zxid }, serving }) => {
    applied.set(host, zxid)
    if (serving && servers.get(host)?.zxids.has(zxid) !== true) deliver(host, [zxid])
  })
  world.probe.on('service', ({ host, service }) => {
    if (service.kind === 'stopped') return
    const fresh: Zxid[] = []
    let known = history.find(applied.get(host) ?? ZXID_NONE)
    while (known !== undefined && servers.get(host)?.zxids.has(known.zxid) !== true) {
      fresh.push(known.zxid)
      known = history.find(known.before)
    }
    deliver(host, fresh)
  })
}
