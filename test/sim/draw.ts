/**
 * What one seed draws: size, timing, fault rates, workload. Everything else of a run follows from
 * here, so this text is also what a failure report says about it. One draw for all: no planted bug
 * has a mix of its own.
 */
import { Prng } from '../../src/core/base/prng.ts'

export interface FaultRates {
  /** Mean ms between two faults of any kind, in the safety phase. */
  readonly meanGapMs: number
  /** Relative weights of the kinds. */
  readonly weights: Readonly<Record<FaultKind, number>>
}

export type FaultKind =
  | 'crash'
  | 'crash-at-effect'
  | 'crash-at-write'
  | 'crash-all'
  | 'partition'
  | 'link-loss'
  | 'pause'
  | 'suspend'
  | 'throttle'
  | 'slow-disk'
  | 'disk-fails'
  | 'wall-jump'
  | 'wipe'
  | 'tear'
  | 'hint'
  | 'client-cut'

export interface Draw {
  readonly seed: number
  readonly voters: number
  readonly clients: number
  /** Observers that come at some time. */
  readonly observers: number
  readonly safetyMs: number
  readonly linkDelayMs: readonly [number, number]
  readonly linkSpikeChance: number
  readonly diskDelayMs: readonly [number, number]
  readonly snapCount: number
  readonly thinkMs: number
  readonly pipeline: number
  /** Chance of a write of 20 kB: snapshots of many chunks. */
  readonly longDataChance: number
  readonly sessionTimeoutMs: readonly [number, number]
  readonly faults: FaultRates
}

export const FAULT_KINDS: readonly FaultKind[] = [
  'crash',
  'crash-at-effect',
  'crash-at-write',
  'crash-all',
  'partition',
  'link-loss',
  'pause',
  'suspend',
  'throttle',
  'slow-disk',
  'disk-fails',
  'wall-jump',
  'wipe',
  'tear',
  'hint',
  'client-cut',
]

/** How often each kind occurs on average; a seed bends every weight by up to three times. */
const BASE_WEIGHTS: Readonly<Record<FaultKind, number>> = {
  crash: 4,
  'crash-at-effect': 6,
  'crash-at-write': 8,
  'crash-all': 0.7,
  partition: 8,
  'link-loss': 4,
  pause: 4,
  suspend: 1,
  throttle: 1,
  'slow-disk': 2,
  'disk-fails': 1,
  'wall-jump': 1,
  wipe: 1,
  tear: 1.5,
  hint: 1,
  'client-cut': 3,
}

export function drawRun(seed: number): Draw {
  const prng = new Prng(seed).fork('draw')
  const between = (low: number, high: number): number => low + prng.next() * (high - low)
  const size = prng.next()
  const voters = size < 0.05 ? 1 : size < 0.8 ? 3 : 5
  const slow = prng.bool(0.2)
  const weights = Object.fromEntries(
    FAULT_KINDS.map((kind) => [kind, BASE_WEIGHTS[kind] * between(0.3, 2)]),
  ) as Record<FaultKind, number>
  const drawn: Omit<Draw, 'observers'> = {
    seed,
    voters,
    clients: 2 + prng.int(4),
    safetyMs: Math.round(between(25_000, 60_000)),
    linkDelayMs: slow ? [5, 60] : [0.3, 4],
    linkSpikeChance: prng.bool(0.3) ? 0.02 : 0.001,
    diskDelayMs: prng.bool(0.25) ? [4, 40] : [0.5, 6],
    snapCount: prng.pick([12, 40, 150, 100_000]),
    thinkMs: Math.round(between(40, 300)),
    pipeline: 1 + prng.int(6),
    longDataChance: prng.bool(0.2) ? 0.05 : 0.005,
    sessionTimeoutMs: [4000, 4000 + prng.int(6000)],
    faults: { meanGapMs: Math.round(between(700, 3000)), weights },
  }
  // Drawn last: a seed without observers is the history that it was before there were any.
  return { ...drawn, observers: prng.bool() ? 1 + prng.int(3) : 0 }
}

/** For nights: most of an ensemble's life nothing much happens, for long. */
export function quietOf(seed: number): Partial<Draw> {
  const prng = new Prng(seed).fork('quiet')
  const between = (low: number, high: number): number =>
    Math.round(low + prng.next() * (high - low))
  return {
    clients: 1 + prng.int(3),
    safetyMs: between(1_200_000, 3_600_000),
    thinkMs: between(3000, 20_000),
    faults: { ...drawRun(seed).faults, meanGapMs: between(20_000, 90_000) },
  }
}

export function describeDraw(draw: Draw): string {
  const { voters, observers, clients, safetyMs, snapCount, thinkMs, pipeline, faults } = draw
  const [low, high] = draw.linkDelayMs
  return [
    `${voters} voters, ${observers} observers, ${clients} clients`,
    `${safetyMs} ms of faults every ${faults.meanGapMs} ms`,
    `links ${low}–${high} ms, disk ${draw.diskDelayMs.join('–')} ms, snapCount ${snapCount}`,
    `think ${thinkMs} ms, pipeline ${pipeline}`,
  ].join('; ')
}

/** A number of `range`, evenly. */
export function within(prng: Prng, range: readonly [number, number]): number {
  return range[0] + prng.next() * (range[1] - range[0])
}
