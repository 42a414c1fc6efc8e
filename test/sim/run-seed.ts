/** One seed with all checkers: what it did and the first rule that it broke. */
import type { Violation } from '../../src/history/history-events.ts'
import type { Recording } from '../../src/history/recording.ts'
import { listen } from './checkers/all-checkers.ts'
import { describeDraw, quietOf, type Draw } from './draw.ts'
import type { ChosenFaults, InjectedFault } from './faults/fault-choice.ts'
import type { FaultCount } from './faults/fault-tally.ts'
import type { PlantedBug } from './planted/planted-bug.ts'
import { SimRecording } from './sim-recording.ts'
import { Transcript } from './transcript.ts'
import { World } from './world.ts'

export interface RunResult {
  readonly seed: number
  readonly draw: string
  readonly violation: Violation | null
  readonly digest: string
  readonly simulatedMs: number
  readonly events: number
  /** By kind; what found nothing to hurt is in `drawn` only. */
  readonly faults: ReadonlyMap<string, FaultCount>
  /** Of an ensemble and of its room. */
  readonly injected: readonly InjectedFault[]
  readonly clients: number
  readonly readers: number
  readonly observers: number
  readonly pages: number
  readonly operations: number
  readonly checks: number
  readonly transcript: readonly string[]
  readonly recording: Recording | null
}

export interface RunOptions {
  readonly planted?: PlantedBug
  /** Lines of transcript to keep; 0 = none. */
  readonly transcriptLines?: number
  readonly records?: boolean
  /** Long, with little to do: see quietOf. */
  readonly isQuiet?: boolean
  /** Instead of what the seed draws. */
  readonly drawn?: Partial<Draw>
  readonly onlyRule?: string
  /** Those faults that are to happen. */
  readonly onlyFaults?: ChosenFaults
}

/** A bug is in the core for as long as its run goes on. */
export function runSeed(seed: number, options: RunOptions = {}): RunResult {
  const remove = options.planted?.plant?.()
  try {
    return runAsItIs(seed, options)
  } finally {
    remove?.()
  }
}

function runAsItIs(seed: number, options: RunOptions): RunResult {
  const {
    planted,
    isQuiet = false,
    onlyFaults,
    onlyRule,
    transcriptLines: lines = 0,
    records = false,
  } = options
  const drawn = { ...(isQuiet ? quietOf(seed) : {}), ...options.drawn }
  const transcript = new Transcript(lines > 0, lines)
  const world = new World({
    seed,
    transcript,
    ...(planted === undefined ? {} : { planted }),
    draw: drawn,
    ...(onlyFaults === undefined ? {} : { onlyFaults }),
    ...(onlyRule === undefined ? {} : { onlyRule }),
  })
  const recording = records ? new SimRecording(world) : null
  const tally = listen(world)
  world.run()
  return {
    seed,
    draw: describeDraw(world.draw),
    violation: world.violation,
    digest: world.digest.hex,
    simulatedMs: world.timeline.nowMs,
    events: world.timeline.events,
    faults: world.tally.counts,
    injected: world.choice.injected,
    clients: world.draw.clients,
    readers: world.draw.readers,
    observers: world.draw.observers,
    pages: world.draw.pages,
    operations: tally.operations,
    checks: world.checks,
    transcript: transcript.lines,
    recording: recording?.finish(`Simulated ensemble, seed ${seed}`) ?? null,
  }
}
