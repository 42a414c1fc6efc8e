/** Paths that are cut, links that die, and links that are there twice. */
import { within } from '../draw.ts'
import type { CutMode } from '../network.ts'
import type { SimHost } from '../sim-host.ts'
import type { Scene } from './fault.ts'

const PARTITION_MS: readonly [number, number] = [300, 8000]
const CHANCE_OF_CUT = 0.3

type IsCut = (from: SimHost, to: SimHost) => boolean

export function partition(scene: Scene): void {
  const { prng, world } = scene
  const side = new Set(world.hosts.filter(() => prng.bool()))
  cut(scene, 'two sides', (from, to) => side.has(from) !== side.has(to))
}

export function isolate(scene: Scene): void {
  const { victim } = scene
  cut(scene, 'cut off', (from, to) => from === victim || to === victim)
}

/** Any path may go, in one direction or in both: who hears whom is no longer transitive. */
export function tangle(scene: Scene): void {
  cut(scene, 'some paths cut', () => scene.prng.bool(CHANCE_OF_CUT))
}

export function oneWay(scene: Scene): void {
  const { victim, prng } = scene
  cut(scene, 'not heard by some', (from) => from === victim && prng.bool())
}

/** A – B cut, both with C: who sees a majority need not see the leader. */
export function onePair(scene: Scene): void {
  const { victim, world, prng } = scene
  const other = prng.pick(world.hosts)
  const isPair = (a: SimHost, b: SimHost): boolean => a === victim && b === other
  cut(scene, `cut from member ${other.sid}`, (from, to) => isPair(from, to) || isPair(to, from))
}

function cut(scene: Scene, what: string, isCut: IsCut): void {
  const { world, victim, prng, endsAfter } = scene
  const { hosts, network } = world
  let paths = 0
  const mode: CutMode = prng.bool() ? 'vanish' : 'stall'
  for (const from of hosts) {
    for (const to of hosts) {
      if (from === to || !isCut(from, to)) continue
      network.cut(from.sid, to.sid, mode)
      paths++
    }
  }
  const forMs = within(prng, PARTITION_MS)
  const note = paths > 0 ? scene.note : scene.tell
  note(`${what}, frames ${mode}`, [victim.sid], forMs)
  endsAfter(forMs, () => network.heal())
}

/** It stays open, and nothing that it is given arrives. */
export function deadLink({ victim, prng, note }: Scene): void {
  const ends = [...victim.ends.values()]
  if (ends.length === 0) return
  const end = prng.pick(ends)
  note(`its link to member ${end.peer.sid} is dead`, [victim.sid])
  end.broken = true
}

export function resetLink({ victim, prng, note }: Scene): void {
  const ends = [...victim.ends.values()]
  if (ends.length === 0) return
  const end = prng.pick(ends)
  note(`its link to member ${end.peer.sid} is reset`, [victim.sid])
  victim.linkDies(end, 'connection reset')
}

/** Both pages dial though they have one: each side may take another one for the newer. */
export function duplicateLink({ world, victim, prng, note }: Scene): void {
  const other = prng.pick(world.hosts)
  if (other === victim || (other.isObserver && victim.isObserver)) return
  if (!world.network.connectAgain(victim, other)) return
  note(`a second link to member ${other.sid}`, [victim.sid])
}

/** Somebody heard that the peer is gone, truly or not. */
export function hint({ world, victim, prng, note }: Scene): void {
  const peer = prng.pick(world.hosts)
  if (peer === victim || !victim.isUp) return
  note(`told that member ${peer.sid} is gone`, [victim.sid])
  victim.inputs({ kind: 'suspect', peer: peer.sid })
}
