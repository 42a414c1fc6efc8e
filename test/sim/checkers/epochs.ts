/**
 * EpochsOnDisk (Q66): epoch of the last entry ≤ currentEpoch ≤ acceptedEpoch, at every moment.
 * A death amid a write to files leaves entries of a newer epoch without the currentEpoch that was
 * to follow them: such a member votes with the older epoch, as one that has less, and a leader
 * synchronises it anew. It is excused until it has written a currentEpoch that fits.
 * EpochImpliesHistory (Q36): a disk that says currentEpoch e holds the history that e began with;
 * a member with the epoch and without the entries would win an election and lose them.
 */
import { epochOf, type Zxid } from '../../../src/core/base/zxid.ts'
import { PacketType } from '../../../src/core/jute/quorum-records.ts'
import type { History } from '../history.ts'
import type { HostView } from '../host-view.ts'
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
  const excused = new Set<HostView>()
  // What a life begins with was judged when it was written, also where an old copy brings it back.
  world.probe.on('started', ({ host }) => {
    if (epochOf(host.view.last) > host.view.currentEpoch) excused.add(host)
    else excused.delete(host)
  })
  world.probe.on('durable', ({ host, batch, cutOff }) => {
    const { acceptedEpoch, currentEpoch, last } = host.view
    const isInOrder = epochOf(last) <= currentEpoch
    if (isInOrder) excused.delete(host)
    else if (cutOff.some(({ kind }) => kind === 'current-epoch')) excused.add(host)
    // An observer writes its epoch when a quorum has it, and the entries before that.
    const isFitting = isInOrder || host.isObserver || excused.has(host)
    order.holds(currentEpoch <= acceptedEpoch && isFitting, () => {
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
