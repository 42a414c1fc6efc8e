/**
 * Leadership2 (T34): at most one server ever synchronises others as the leader of an epoch. Others
 * are voters: observers get NEWLEADER from followers as well (Q58), and count for nothing.
 */
import { epochOf, type ServerId } from '../../../src/core/base/zxid.ts'
import { PacketType } from '../../../src/core/jute/quorum-records.ts'
import type { World } from '../world.ts'
import { Rule } from '../../../src/history/rule.ts'

export function checkLeadership2(world: World): void {
  const rule = new Rule(world, 'Leadership2')
  const leaders = new Map<number, ServerId>()
  const voters = new Set(world.sids)
  world.probe.on('packet', ({ host, peer, packet }) => {
    if (packet.type !== PacketType.NEWLEADER || !voters.has(peer)) return
    const epoch = epochOf(packet.zxid as never)
    const other = leaders.get(epoch) ?? host.sid
    leaders.set(epoch, other)
    rule.holds(other === host.sid, () => `epoch ${epoch}: machines ${other} and ${host.sid}`)
  })
}
