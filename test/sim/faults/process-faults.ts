/** Processes that die, sleep, are throttled, or are told a wrong time. */
import type { PersistEffect } from '../../../src/core/zab/effect.ts'
import { within } from '../draw.ts'
import type { Scene } from './fault.ts'

/** ms between two timers of a page in the background, and of one long there (browser-facts). */
const THROTTLED_TICK_MS = 1000
const STARVED_TICK_MS = 60_000
const CHANCE_OF_STARVING = 0.3
const THROTTLE_MS: readonly [number, number] = [1500, 8000]
const STARVE_MS: readonly [number, number] = [4000, 20_000]
/** Effects after which a host dies: mostly few, so that the places right ahead are hit. */
const EFFECTS_MAX = [4, 20, 100]
const WALL_JUMP_MS = 3_600_000
/** Up to, and beyond, the silence limit; some longer than sessions last. */
const PAUSES_MS = [
  [200, 1100],
  [1250, 5000],
  [1250, 3000],
  [5000, 12_000],
] as const
/** Kinds of writes to die at; those of elections are rare, so they are asked for more often. */
const WRITE_KINDS: readonly PersistEffect['kind'][] = [
  'append',
  'append',
  'accepted-epoch',
  'accepted-epoch',
  'current-epoch',
  'current-epoch',
  'current-epoch',
  'truncate',
  'truncate',
  'snapshot-commit',
  'snapshot-chunk',
]

export function crash({ victim, prng, note }: Scene): void {
  if (!victim.isUp) return
  note('killed', [victim.sid])
  victim.crash('killed', prng.bool())
}

export function crashAtEffect({ victim, prng, tell, happens }: Scene): void {
  const effects = prng.int(prng.pick(EFFECTS_MAX))
  tell(`to die after ${effects} effects`, [victim.sid])
  victim.crashPlan.afterEffects(effects, happens)
}

/** Elections bring epoch writes about, so the leader often goes as well. */
export function crashAtWrite({ world, victim, prng, tell, happens }: Scene): void {
  const kind = prng.pick(WRITE_KINDS)
  const moment = prng.bool() ? 'before' : 'after'
  tell(`to die ${moment} a write of ${kind}`, [victim.sid])
  victim.crashPlan.atWrite(kind, moment, happens)
  const leader = world.hosts.find((each) => each.isLeading)
  if (leader === undefined || leader === victim || !prng.bool()) return
  tell('killed', [leader.sid])
  leader.crash('killed', prng.bool())
}

export function crashAll({ world, prng, note }: Scene): void {
  const up = world.hosts.filter((each) => each.isUp)
  if (up.length === 0) return
  note(
    'all killed',
    up.map(({ sid }) => sid),
  )
  for (const each of world.hosts) each.crash('killed with all', prng.bool())
}

export function pause(scene: Scene): void {
  pauseFor(scene, false)
}

export function suspend(scene: Scene): void {
  pauseFor(scene, true)
}

function pauseFor({ victim, prng, note, endsAfter }: Scene, isSuspended: boolean): void {
  if (!victim.isRunning) return
  const forMs = within(prng, prng.pick(PAUSES_MS))
  note(isSuspended ? 'suspended' : 'frozen', [victim.sid], forMs)
  const { life } = victim
  victim.pause(isSuspended)
  endsAfter(forMs, () => {
    if (victim.life === life) victim.thaw()
  })
}

export function throttle({ world, victim, prng, note, endsAfter }: Scene): void {
  const isStarved = prng.bool(CHANCE_OF_STARVING)
  const forMs = within(prng, isStarved ? STARVE_MS : THROTTLE_MS)
  const tickMs = isStarved ? STARVED_TICK_MS : THROTTLED_TICK_MS
  note(`a timer every ${tickMs} ms`, [victim.sid], forMs)
  victim.tickEvery(tickMs)
  endsAfter(forMs, () => victim.tickEvery(world.draw.tickMs))
}

export function wallJump({ victim, prng, note }: Scene): void {
  const byMs = Math.round((prng.next() - 0.5) * 2 * WALL_JUMP_MS)
  // Not of a machine that is suspended: with both clocks wrong nothing tells that it slept.
  if (victim.isPaused) return
  note(`wall clock set by ${byMs} ms`, [victim.sid])
  victim.wallSkewMs += byMs
}
