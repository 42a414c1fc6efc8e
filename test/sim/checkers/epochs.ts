/**
 * EpochsOnDisk (Q66): epoch of the last entry ≤ currentEpoch ≤ acceptedEpoch, at every moment.
 * EpochImpliesHistory (Q36): a disk that says currentEpoch e holds the history that e began with;
 * a member with the epoch and without the entries would win an election and lose them.
 */
import { epochOf, type Zxid } from '../../../src/core/base/zxid.ts'
import { PacketType } from '../../../src/core/jute/quorum-records.ts'
import type { History } from '../history.ts'
import type { World } from '../world.ts'
import { hex, Rule } from '../../../src/history/rule.ts'

export function checkEpochs(world: World, history: History): void {
  const order = new Rule(world, 'EpochsOnDisk')
  const implied = new Rule(world, 'EpochImpliesHistory')
  const initial = new Map<number, Zxid>()
  world.probe.on('packet', ({ host, packet }) => {
    if (packet.type !== PacketType.NEWLEADER) return
    const epoch = epochOf(packet.zxid as Zxid)
    if (!initial.has(epoch)) initial.set(epoch, history.lastEmitted(host))
  })
  // One voter begins without a word to anybody.
  world.probe.on('service', ({ host, service }) => {
    if (service.kind !== 'leading' || initial.has(service.epoch)) return
    initial.set(service.epoch, history.lastEmitted(host))
  })
  world.probe.on('durable', ({ host, batch }) => {
    const { acceptedEpoch, currentEpoch, last } = host.view
    // An observer writes its epoch when a quorum has it, and the entries before that.
    const isBehind = host.isObserver || epochOf(last) <= currentEpoch
    order.holds(currentEpoch <= acceptedEpoch && isBehind, () => {
      const epochs = `currentEpoch ${currentEpoch}, acceptedEpoch ${acceptedEpoch}`
      return `${host.name}: last entry ${hex(last)}, ${epochs}`
    })
    const wroteEpoch = batch.some(
      (e) => e.kind === 'current-epoch' || (e.kind === 'snapshot-commit' && e.install),
    )
    const begin = initial.get(currentEpoch)
    if (!wroteEpoch || begin === undefined) return
    implied.holds(history.isOnPath(begin, last), () => {
      const what = `epoch ${currentEpoch}, which began with ${hex(begin)}`
      return `${host.name} is in ${what}, and its disk ends at ${hex(last)}`
    })
  })
}
