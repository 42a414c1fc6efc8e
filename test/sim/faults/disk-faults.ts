/** Disks that are slow, full, torn, rotten, empty, or not as new as they were. */
import { MemoryDisk } from '../../../src/adapters/memory/memory-disk.ts'
import { within } from '../draw.ts'
import { foundedDisk } from '../founding.ts'
import type { Scene } from './fault.ts'

const SLOW_DISK_MS: readonly [number, number] = [300, 4000]
const SLOWNESS = [5, 30, 100, 600]
const FULL_DISK_MS: readonly [number, number] = [500, 6000]
/** ms until somebody clears what the others refuse. */
const REFUSED_MS: readonly [number, number] = [2000, 10_000]

export function slowDisk(scene: Scene): void {
  const { victim, prng, endsAfter } = scene
  const slowness = prng.pick(SLOWNESS)
  const forMs = within(prng, SLOW_DISK_MS)
  const note = victim.isUp ? scene.note : scene.tell
  note(`its disk is ${slowness} times slower`, [victim.sid], forMs)
  victim.diskPace.slowness = slowness
  endsAfter(forMs, () => victim.diskPace.recovers())
}

/** One write is refused, as by a quota; the next life may write again. */
export function diskFails({ victim, tell, happens }: Scene): void {
  tell('its next write is refused', [victim.sid])
  victim.diskTrouble.failsNext = happens
}

/** Every write is refused, by every life, until there is room again. */
export function diskFull({ victim, prng, tell, happens, endsAfter }: Scene): void {
  const forMs = within(prng, FULL_DISK_MS)
  tell('its disk is full', [victim.sid], forMs)
  victim.diskTrouble.whileFull = happens
  endsAfter(forMs, () => {
    victim.diskTrouble.whileFull = null
  })
}

/** The last written value of the log is damaged, though it was acknowledged. */
export function tear(scene: Scene): void {
  const { victim } = scene
  if (!loses(scene, 'the end of its log is torn')) return
  victim.disk.tearTail()
}

/** A record before the last is damaged: nothing may be read from this disk any more. */
export function rot(scene: Scene): void {
  const { victim } = scene
  if (!loses(scene, 'a record in its log is damaged')) return
  victim.disk.corruptLog()
}

export function wipe(scene: Scene): void {
  const { victim, world } = scene
  if (!loses(scene, 'its storage is wiped')) return
  // The member that comes back has another identity, so no founding record names it (Q84). An
  // observer takes the record anew.
  const isFounded = victim.isObserver || world.planted.refoundsWiped === true
  victim.replaceDisk(isFounded ? foundedDisk() : new MemoryDisk())
}

/**
 * An older state of the disk is put back. Peers that saw a later life refuse it (startChainCheck),
 * so all of them must have seen one: what nobody noticed, nobody can notice.
 */
export function rollBack(scene: Scene): void {
  const { victim, world, prng, endsAfter } = scene
  const { storage } = victim
  const { incarnation } = storage
  const peers = world.voters.filter((host) => host !== victim)
  const isSeen = peers.every((host) => host.storage.hasMet(storage))
  if (victim.isObserver || !isSeen) return
  if (!loses(scene, 'its storage is rolled back')) return
  storage.rollBack()
  if (world.planted.admitsRolledBack === true) return
  endsAfter(within(prng, REFUSED_MS), () => {
    if (storage.incarnation !== incarnation) return
    victim.crash('refused, and cleared', true)
    victim.replaceDisk(new MemoryDisk())
  })
}

/** The process goes as well. False where that many losses are more than anybody promises. */
function loses({ victim, world, prng, note, mayLose }: Scene, what: string): boolean {
  if (!mayLose(victim)) return false
  note(what, [victim.sid])
  victim.crash(what, prng.bool())
  world.probe.emit('lost', { host: victim })
  return true
}
