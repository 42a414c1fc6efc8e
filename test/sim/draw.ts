/**
 * What one seed draws: size, timing, fault rates, workload. Everything else of a run follows from
 * here, so this text is also what a failure report says about it. One draw for all: no planted bug
 * has a mix of its own.
 */
import { Prng } from '../../src/core/base/prng.ts'
import { TICK_INTERVAL_MS } from '../../src/core/zab/constants.ts'
import { COMMIT_LOG_COUNT, SNAPSHOT_SIZE_FACTOR } from '../../src/core/zab/constants.ts'

/** A write is there as a whole or not at all, as a database's, or a prefix of it, as of files. */
export type Disks = 'whole' | 'prefix'

export interface FaultRates {
  /** Mean ms between two faults of any kind, in the safety phase. */
  readonly meanGapMs: number
  /** Relative weights of the kinds. */
  readonly weights: Readonly<Record<FaultKind, number>>
}

/** How often each kind occurs on average; a seed bends every weight by up to three times. */
const BASE_WEIGHTS = {
  crash: 4,
  'crash-at-effect': 6,
  'crash-at-write': 8,
  'crash-all': 0.7,
  pause: 4,
  suspend: 1,
  throttle: 1,
  'wall-jump': 1,
  partition: 2,
  isolate: 2,
  tangle: 2,
  'one-way': 2,
  'one-pair': 1.5,
  'dead-link': 2,
  'reset-link': 2,
  'duplicate-link': 1.5,
  hint: 1,
  'slow-disk': 2,
  'disk-fails': 0.7,
  'disk-full': 0.7,
  tear: 1.5,
  rot: 0.6,
  wipe: 1,
  'roll-back': 1,
  'cut-client': 1.5,
  'crash-client': 0.8,
  'sleep-client': 0.8,
  'move-client': 1.2,
  'reconnect-storm': 0.4,
} as const

export type FaultKind = keyof typeof BASE_WEIGHTS

export const FAULT_KINDS: readonly FaultKind[] = Object.keys(BASE_WEIGHTS) as FaultKind[]

export interface Draw {
  readonly seed: number
  readonly voters: number
  readonly clients: number
  /** More clients, that only read: who writes soon notices that nobody hears its server. */
  readonly readers: number
  /** Observers that come at some time. */
  readonly observers: number
  /** Followers take observers, and observers go to them before they go to the leader (Q58). */
  readonly observerMasters: boolean
  readonly safetyMs: number
  readonly linkDelayMs: readonly [number, number]
  readonly linkSpikeChance: number
  readonly diskDelayMs: readonly [number, number]
  readonly disks: Disks
  readonly snapCount: number
  /** Of what leaders have in memory for a DIFF, and how long a log may be that is read for one. */
  readonly commitLogCount: number
  readonly snapshotSizeFactor: number
  readonly thinkMs: number
  readonly pipeline: number
  /** Chance of a write of 20 kB: snapshots of many chunks. */
  readonly longDataChance: number
  readonly sessionTimeoutMs: readonly [number, number]
  readonly faults: FaultRates
  /** Monotonic clocks go this much faster or slower, at most. */
  readonly clockDrift: number
  /** ms within which the voters start for the first time: who founds, and who takes the record. */
  readonly foundingMs: number
  /** Voters, from the first on, that run code from before there were digests. */
  readonly oldMembers: number
  /** New sessions are known to their server alone, until their first ephemeral (S22, S23). */
  readonly localSessions: boolean
  /** Members without a leader answer reads of clients that asked for no more (S37). */
  readonly readOnlyMode: boolean
  /** It begins with what a former ensemble left. */
  readonly hasOrigin: boolean
  /** Machines that meet in a room to found it, some too many; 0: it was founded before. */
  readonly pages: number
  /** A backup is taken, and brought back. Without observers: their places may be in neither. */
  readonly restores: boolean
  /** ms between two timers of a page: as in the runtime, or as pages of the background have it. */
  readonly tickMs: number
}

export function drawRun(seed: number): Draw {
  const prng = new Prng(seed).fork('draw')
  const between = (low: number, high: number): number => low + prng.next() * (high - low)
  // Of its own, so that seeds from before it draw all else as they did.
  const log = new Prng(seed).fork('log')
  const masters = new Prng(seed).fork('masters')
  const room = new Prng(seed).fork('founders')
  const readers = new Prng(seed).fork('readers')
  const voters = drawVoters(prng.next())
  const slow = prng.bool(0.2)
  const weights = Object.fromEntries(
    FAULT_KINDS.map((kind) => [kind, BASE_WEIGHTS[kind] * between(0.3, 2)]),
  ) as Record<FaultKind, number>
  const drawn: Draw = {
    seed,
    voters,
    clients: 2 + prng.int(4),
    readers: readers.bool(0.25) ? 1 + readers.int(3) : 0,
    safetyMs: Math.round(between(15_000, 40_000)),
    linkDelayMs: slow ? [5, 60] : [0.3, 4],
    linkSpikeChance: prng.bool(0.3) ? 0.02 : 0.001,
    diskDelayMs: prng.bool(0.25) ? [4, 40] : [0.5, 6],
    disks: new Prng(seed).fork('disks').pick(['whole', 'prefix'] as const),
    snapCount: prng.pick([12, 40, 150, 100_000]),
    commitLogCount: log.pick([2, 10, 60, COMMIT_LOG_COUNT]),
    snapshotSizeFactor: log.pick([0, 0, SNAPSHOT_SIZE_FACTOR]),
    thinkMs: Math.round(between(40, 300)),
    pipeline: 1 + prng.int(6),
    longDataChance: prng.bool(0.2) ? 0.05 : 0.005,
    sessionTimeoutMs: [4000, 4000 + prng.int(6000)],
    faults: { meanGapMs: Math.round(between(600, 2400)), weights },
    observers: prng.bool() ? 1 + prng.int(3) : 0,
    observerMasters: masters.bool(0.4),
    clockDrift: prng.bool(0.3) ? 0.02 : 0,
    foundingMs: prng.bool(0.2) ? 8000 : 300,
    oldMembers: prng.bool(0.2) ? 1 + prng.int(voters) : 0,
    localSessions: prng.bool(0.1),
    readOnlyMode: prng.bool(0.3),
    hasOrigin: prng.bool(0.15),
    pages: room.bool(1 / 6) ? voters + room.int(3) : 0,
    restores: false,
    tickMs: TICK_INTERVAL_MS,
  }
  return {
    ...drawn,
    restores: drawn.observers === 0 && prng.bool(0.3),
    pages: drawn.hasOrigin ? 0 : drawn.pages,
  }
}

/** Of quiet runs: in front, busy, or for long in the background. */
const QUIET_TICKS_MS = [TICK_INTERVAL_MS, 250, 1000]

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
    tickMs: prng.pick(QUIET_TICKS_MS),
  }
}

/** Three most of all; 1 to 7. */
const CHANCES_OF_VOTERS = [0.04, 0.05, 0.6, 0.07, 0.14, 0.04, 0.06]

function drawVoters(chance: number): number {
  let left = chance
  const at = CHANCES_OF_VOTERS.findIndex((share) => (left -= share) < 0)
  return at < 0 ? 3 : at + 1
}

export function describeDraw(draw: Draw): string {
  const { voters, observers, clients, readers, safetyMs, snapCount, thinkMs, pipeline, faults } =
    draw
  const [low, high] = draw.linkDelayMs
  return [
    `${voters} voters, ${observers} observers, ${clients} clients, ${readers} readers`,
    `${safetyMs} ms of faults every ${faults.meanGapMs} ms`,
    `links ${low}–${high} ms, ${draw.disks} disks of ${draw.diskDelayMs.join('–')} ms`,
    `snapCount ${snapCount}`,
    `think ${thinkMs} ms, pipeline ${pipeline}, window ${draw.commitLogCount}`,
    `clock drift ${draw.clockDrift}, founded within ${draw.foundingMs} ms`,
    `${draw.oldMembers} old members${namesOf(draw)}`,
    `faults ${mixOf(faults)}`,
  ].join('; ')
}

/** How much of all faults each kind is. */
function mixOf({ weights }: FaultRates): string {
  const total = FAULT_KINDS.reduce((sum, kind) => sum + weights[kind], 0)
  return [...FAULT_KINDS]
    .sort((a, b) => weights[b] - weights[a])
    .map((kind) => `${kind} ${((100 * weights[kind]) / total).toFixed(1)}%`)
    .join(', ')
}

function namesOf(draw: Draw): string {
  const { localSessions, readOnlyMode, hasOrigin, restores, observers, observerMasters } = draw
  const names = [localSessions && 'local sessions', readOnlyMode && 'read-only mode']
  const { pages } = draw
  const isLearnt = observerMasters && observers > 0
  names.push(pages > 0 && `a room of ${pages} pages`)
  names.push(hasOrigin && 'an origin', restores && 'a restore', isLearnt && 'observer masters')
  return names
    .filter((name) => name !== false)
    .map((name) => `, ${name}`)
    .join('')
}

/** A number of `range`, evenly. */
export function within(prng: Prng, range: readonly [number, number]): number {
  return range[0] + prng.next() * (range[1] - range[0])
}
