/**
 * Runs the core again on what a recording says that it heard, and compares what it asks for, step
 * by step. The first difference is what matters; behind it nothing can be trusted.
 */
import { messageOf } from '../core/base/message-of.ts'
import type { MemberEffect, MemberInput } from '../core/server/effect.ts'
import { MEMBER_RULES, MemberMachine, type MemberRules } from '../core/server/member-machine.ts'
import type { Moment } from '../core/zab/effect.ts'
import { EffectDigest } from '../runtime/flight/effect-digest.ts'
import { FlightFormatError } from '../runtime/flight/flight-bytes.ts'
import { flightSteps, type FlightFile } from '../runtime/flight/flight-file.ts'
import { replayConfig } from '../runtime/flight/replay-config.ts'
import type { Digests } from '../runtime/flight/step-codec.ts'

/** What happened in one step. */
export interface ReplayedStep {
  /** From 0; −1: what the machine asked for when it was made. */
  readonly number: number
  readonly at: Moment
  readonly input: MemberInput | null
  /** Empty when the recording has no beginning, so that nothing can be run. */
  readonly effects: readonly MemberEffect[]
}

export type ReplayResult =
  /** Every step asked for what it asked for then. `exact`: every byte of it, not only its shape. */
  | { readonly kind: 'same'; readonly steps: number; readonly exact: boolean }
  /** The beginning is lost: the steps were read, not run. */
  | { readonly kind: 'unchecked'; readonly steps: number; readonly lost: number }
  | { readonly kind: 'different'; readonly step: ReplayedStep; readonly what: string }

/** Throws FlightFormatError where the recording is damaged. */
export function replayFlight(
  flight: FlightFile,
  onStep: (step: ReplayedStep) => void = () => {},
  // In masked data no digest of the true data is met.
  rules: MemberRules = { ...MEMBER_RULES, comparesDigests: flight.hasPayloads },
): ReplayResult {
  const run = new Run(flight, rules)
  if (run.first !== null) {
    onStep(run.first)
    if (run.difference !== null) return different(run.first, run.difference)
  }
  let number = flight.firstStep
  for (const { at, input, digests } of flightSteps(flight)) {
    const effects = run.step(at, input, digests)
    const step = { number, at, input, effects }
    onStep(step)
    if (run.difference !== null) return different(step, run.difference)
    number++
  }
  const steps = number - flight.firstStep
  if (flight.start === null) return { kind: 'unchecked', steps, lost: flight.firstStep }
  return { kind: 'same', steps, exact: flight.hasPayloads }
}

class Run {
  readonly #machine: MemberMachine | null
  readonly #digest = new EffectDigest()
  readonly #isExact: boolean
  #lastElapsedMs: number
  readonly first: ReplayedStep | null
  difference: string | null = null

  constructor(flight: FlightFile, rules: MemberRules) {
    const { config, start, startedAt: at, hasPayloads } = flight
    this.#isExact = hasPayloads
    this.#lastElapsedMs = at.elapsedMs
    if (start === null) {
      this.#machine = null
      this.first = null
      return
    }
    this.#machine = begun(() => {
      return new MemberMachine(replayConfig(config), start.recovered, at, rules)
    })
    const effects = this.#machine.takeEffects()
    this.#digest.add(effects)
    this.first = { number: -1, at, input: null, effects }
    this.#compare(start.digests)
  }

  step(at: Moment, input: MemberInput, digests: Digests | null): readonly MemberEffect[] {
    if (at.elapsedMs < this.#lastElapsedMs) this.difference = 'its time goes back'
    this.#lastElapsedMs = at.elapsedMs
    if (this.#machine === null || this.difference !== null) return []
    this.#digest.onInput(input)
    this.#machine.step(input, at)
    const effects = this.#machine.takeEffects()
    if (effects.length > 0) this.#digest.add(effects)
    if (digests !== null) this.#compare(digests)
    else if (effects.length > 0) {
      this.difference = `asks for ${listed(effects)}; then it asked for nothing`
    }
    if (this.difference === null && digests !== null && effects.length === 0) {
      this.difference = 'asks for nothing; then it asked for something'
    }
    return effects
  }

  #compare({ full, shape }: Digests): void {
    const { full: newFull, shape: newShape } = this.#digest
    if (shape !== newShape) {
      this.difference = `asks for something else: shape ${hex(newShape)}, was ${hex(shape)}`
    } else if (this.#isExact && full !== newFull) {
      this.difference = `asks for the same with other bytes: ${hex(newFull)}, was ${hex(full)}`
    }
  }
}

/** Of a member whose storage could not be read there is no recording: the file is damaged. */
function begun(make: () => MemberMachine): MemberMachine {
  try {
    return make()
  } catch (error) {
    const why = messageOf(error)
    throw new FlightFormatError(`what the member began with cannot be read: ${why}`)
  }
}

function different(step: ReplayedStep, what: string): ReplayResult {
  return { kind: 'different', step, what }
}

function listed(effects: readonly MemberEffect[]): string {
  return effects.map(({ kind }) => kind).join(', ')
}

function hex(n: number): string {
  return n.toString(16).padStart(8, '0')
}
