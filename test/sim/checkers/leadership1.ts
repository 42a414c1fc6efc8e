/** Leadership1 (T33): two established leaders of one epoch are the same server. */
import type { ServerId } from '../../../src/core/base/zxid.ts'
import type { World } from '../world.ts'
import { Rule } from '../../../src/history/rule.ts'

export function checkLeadership1(world: World): void {
  const rule = new Rule(world, 'Leadership1')
  const leaders = new Map<number, ServerId>()
  world.probe.on('service', ({ host, service }) => {
    if (service.kind !== 'leading') return
    const { epoch } = service
    const other = leaders.get(epoch) ?? host.sid
    leaders.set(epoch, other)
    rule.holds(other === host.sid, () => `epoch ${epoch}: machines ${other} and ${host.sid}`)
  })
}
