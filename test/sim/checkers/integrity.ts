/** Integrity (T36): whatever a server delivered was broadcast by the primary of its epoch. */
import { epochOf, type ServerId, type Zxid } from '../../../src/core/base/zxid.ts'
import type { HostView } from '../host-view.ts'
import { entryHash } from '../../../src/testing/trace-digest.ts'
import type { World } from '../world.ts'
import { hex, Rule } from '../../../src/history/rule.ts'

export function checkIntegrity(world: World): void {
  const rule = new Rule(world, 'Integrity')
  const leads = new Map<HostView, number>()
  const broadcast = new Map<Zxid, { readonly by: ServerId; readonly hash: number }>()
  world.probe.on('started', ({ host }) => leads.delete(host))
  world.probe.on('service', ({ host, service }) => {
    if (service.kind === 'leading') leads.set(host, service.epoch)
    else leads.delete(host)
  })
  world.probe.on('emitted', ({ host, effect }) => {
    if (effect.kind !== 'append' || leads.get(host) !== epochOf(effect.zxid)) return
    rule.holds(!broadcast.has(effect.zxid), () => `${hex(effect.zxid)} is proposed twice`)
    broadcast.set(effect.zxid, { by: host.sid, hash: entryHash(effect.entry) })
  })
  world.probe.on('delivered', ({ host, entry }) => {
    const origin = broadcast.get(entry.zxid)
    rule.holds(origin?.hash === entryHash(entry.entry), () => {
      const what =
        origin === undefined ? 'which nobody broadcast' : 'which is not what was broadcast'
      return `${host.name} delivers ${hex(entry.zxid)}, ${what}`
    })
  })
}
