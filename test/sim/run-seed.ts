/** One seed with all checkers: what it did and the first rule that it broke. */
import { listen } from './checkers/all-checkers.ts'
import type { PlantedBug } from './planted/planted-bug.ts'
import type { Violation } from '../../src/history/history-events.ts'
import { describeDraw } from './draw.ts'
import { Transcript } from './transcript.ts'
import { World } from './world.ts'

export interface RunResult {
  readonly seed: number
  readonly draw: string
  readonly violation: Violation | null
  readonly digest: string
  readonly simulatedMs: number
  readonly events: number
  readonly faults: number
  readonly operations: number
  readonly checks: number
  readonly transcript: readonly string[]
}

/** Lines of transcript that a failure shows. */
const TRANSCRIPT_LINES = 60

export interface RunOptions {
  readonly planted?: PlantedBug
  /** Lines of transcript to keep; 0 = none. */
  readonly transcriptLines?: number
}

export function runSeed(seed: number, options: RunOptions = {}): RunResult {
  const lines = options.transcriptLines ?? 0
  const transcript = new Transcript(lines > 0, lines)
  const { planted } = options
  const world = new World({ seed, transcript, ...(planted === undefined ? {} : { planted }) })
  const tally = listen(world)
  world.run()
  return {
    seed,
    draw: describeDraw(world.draw),
    violation: world.violation,
    digest: world.digest.hex,
    simulatedMs: world.timeline.nowMs,
    events: world.timeline.events,
    faults: world.faults.count,
    operations: tally.operations,
    checks: world.checks,
    transcript: transcript.lines,
  }
}

/** The same run once more, for people: it takes the same steps, so it ends the same way. */
export function replayForPeople(seed: number, options: RunOptions = {}): RunResult {
  return runSeed(seed, { ...options, transcriptLines: options.transcriptLines ?? TRANSCRIPT_LINES })
}
