// Faults of a room that is being founded: each has a number, can be left out while the others stay
// as they are, and is taken away from a failed run when it was not needed.
import { describe, expect, test, vi } from 'vitest'
import { readOptions } from '../cli-options.ts'
import { drawRun } from '../draw.ts'
import { commandOf } from '../explain.ts'
import type { FaultId, InjectedFault } from '../faults/fault-choice.ts'
import { PLANTED_BUGS } from '../planted/bugs.ts'
import type { PlantedBug } from '../planted/planted-bug.ts'
import { runSeed, type RunResult } from '../run-seed.ts'
import { shrink, type Shrunk } from '../shrink.ts'
import { Transcript } from '../transcript.ts'
import { World } from '../world.ts'

// A busy machine takes its time; nothing here waits for real time.
vi.setConfig({ testTimeout: 600_000 })

/** Long enough for some faults of the ensemble. */
const RUN_MS = 8000
const LINES = 1_000_000
const FAULTS_MIN = 6
const ROOMS = 3
/** One in six of those from 1 on. */
const FOUNDING_SEEDS = Array.from({ length: 150 }, (_, i) => i + 1).filter((seed) => {
  return drawRun(seed).pages > 0
})
/** Of runs that fail while the room is founded, or not at all. */
const SHORT = { safetyMs: 6000 }

function isOfRoom({ id }: { readonly id: FaultId }): boolean {
  return typeof id === 'string'
}

function isOfEnsemble(fault: { readonly id: FaultId }): boolean {
  return !isOfRoom(fault)
}

interface Run {
  /** What was drawn, whether it was to happen or not. */
  readonly drawn: readonly (InjectedFault & { readonly atMs: number })[]
  readonly injected: readonly InjectedFault[]
  readonly world: World
  /** What the transcript says of each, with the time. */
  readonly told: ReadonlyMap<string, readonly string[]>
}

function play(seed: number, onlyFaults?: ReadonlySet<FaultId>): Run {
  const transcript = new Transcript(true, LINES)
  const world = new World({
    seed,
    transcript,
    ...(onlyFaults === undefined ? {} : { onlyFaults }),
  })
  const drawn: (InjectedFault & { readonly atMs: number })[] = []
  const takes = world.choice.takes.bind(world.choice)
  vi.spyOn(world.choice, 'takes').mockImplementation((id, kind) => {
    drawn.push({ atMs: world.nowMs, id, kind })
    return takes(id, kind)
  })
  world.begin()
  world.faults.start()
  world.runFor(RUN_MS)
  const told = new Map<string, string[]>()
  for (const line of transcript.lines) {
    const [, id] = /^ *[\d.]+ fault +(r?\d+) /.exec(line) ?? []
    if (id !== undefined) told.set(id, [...(told.get(id) ?? []), line])
  }
  return { drawn, injected: world.choice.injected, world, told }
}

const rooms: [number, Run][] = []

/** Foundings that some faults befall, as the seeds have them. */
function eachRoom(look: (seed: number, whole: Run) => void): void {
  for (const seed of FOUNDING_SEEDS) {
    if (rooms.length === ROOMS) break
    if (seed <= (rooms.at(-1)?.[0] ?? 0)) continue
    const whole = play(seed)
    if (whole.injected.filter(isOfRoom).length >= FAULTS_MIN) rooms.push([seed, whole])
  }
  expect(rooms.length).toBe(ROOMS)
  for (const [seed, whole] of rooms) look(seed, whole)
}

describe('faults of a room', () => {
  test('are numbered from 1 on, told by their ids, and counted by kind', () => {
    eachRoom((_, { injected, told, world }) => {
      const inRoom = injected.filter(isOfRoom).map(({ id }) => String(id))
      expect(inRoom).toEqual(inRoom.map((__, i) => `r${i + 1}`))
      expect(inRoom.filter((id) => told.has(id)).length).toBeGreaterThan(0)
      const drawn = new Map<string, number>()
      for (const { kind } of injected) drawn.set(kind, (drawn.get(kind) ?? 0) + 1)
      const { counts } = world.tally
      expect(new Map([...counts].map(([kind, count]) => [kind, count.drawn]))).toEqual(drawn)
    })
  })

  test('can be left out one by one: the others stay as they are', () => {
    eachRoom((seed, whole) => {
      const ids = whole.injected.map(({ id }) => id)
      for (const left of whole.injected.filter(isOfRoom).map(({ id }) => id)) {
        const part = play(seed, new Set(ids.filter((id) => id !== left)))
        expect(part.injected.map(({ id }) => id)).not.toContain(left)
        expect(part.told.has(String(left))).toBe(false)
        expectSame(part, whole, `seed ${seed} without ${left}`)
      }
    })
  })

  test('can be left out all, and then nothing is told of any', () => {
    eachRoom((seed) => {
      const { injected, told, world } = play(seed, new Set())
      expect([injected.length, told.size, world.tally.counts.size]).toEqual([0, 0, 0])
    })
  })
})

/** But for what one of them left out, or had no time for: a founding is over when it is. */
function expectSame(part: Run, whole: Run, what: string): void {
  expect(part.drawn.filter(isOfEnsemble), what).toEqual(whole.drawn.filter(isOfEnsemble))
  const [some, all] = [part, whole].map(({ drawn }) => drawn.filter(isOfRoom))
  const count = Math.min(some?.length ?? 0, all?.length ?? 0)
  expect(count).toBeGreaterThan(0)
  expect(some?.slice(0, count), what).toEqual(all?.slice(0, count))
  for (const [id, lines] of part.told) {
    if (id.startsWith('r') && whole.told.has(id)) expect(lines, what).toEqual(whole.told.get(id))
  }
}

describe('of a founding that fails', () => {
  function bugNamed(name: string): PlantedBug {
    const planted = PLANTED_BUGS.find((each) => each.name === name)
    if (planted === undefined) throw new Error(`no bug ${name}`)
    return planted
  }

  /** The first that fails by the bug's own rule, after some faults, and of which `isSo`. */
  function failedRun(planted: PlantedBug, isSo: (failed: RunResult) => boolean): RunResult {
    for (const seed of FOUNDING_SEEDS) {
      const failed = runSeed(seed, { planted, drawn: SHORT })
      if (!planted.foundBy.includes(failed.violation?.checker ?? '')) continue
      if (failed.injected.filter(isOfRoom).length >= 3 && isSo(failed)) return failed
    }
    throw new Error(`no such failure of ${planted.name}`)
  }

  function expectReplayed(seed: number, small: Shrunk): void {
    const [, args = ''] = commandOf(seed, small.options).split(' -- ')
    const options = readOptions(args.split(' '))
    if (typeof options === 'string') throw new Error(options)
    expect(options.firstSeed).toBe(seed)
    expect(runSeed(seed, options.run).digest).toBe(small.result.digest)
  }

  test('those go that were not needed', () => {
    const planted = bugNamed('record-before-disk')
    const failed = failedRun(planted, () => true)
    const small = shrink(failed, { planted, drawn: SHORT })
    expect(small.result.violation?.checker).toBe('RecordIsDurable')
    expect(small.result.injected.filter(isOfRoom)).toEqual([])
    expectReplayed(failed.seed, small)
  })

  test('those stay that were, each of them', () => {
    const planted = bugNamed('free-seat')
    const isOfFaults = ({ seed, injected }: RunResult): boolean => {
      const ids = injected.filter(isOfEnsemble).map(({ id }) => id)
      return runSeed(seed, { planted, drawn: SHORT, onlyFaults: new Set(ids) }).violation === null
    }
    const failed = failedRun(planted, isOfFaults)
    const small = shrink(failed, { planted, drawn: SHORT })
    const left = small.result.injected
    expect(small.result.violation?.checker).toBe('SeatIsTheKeys')
    expect(left.length).toBeLessThan(failed.injected.length)
    expect(left.filter(isOfRoom).length).toBeGreaterThan(0)
    expectReplayed(failed.seed, small)
    for (const needed of left) {
      const onlyFaults = new Set(left.filter((each) => each !== needed).map(({ id }) => id))
      const { violation } = runSeed(failed.seed, { ...small.options, onlyFaults })
      expect(violation?.checker, `without ${needed.id}`).not.toBe('SeatIsTheKeys')
    }
  })
})
