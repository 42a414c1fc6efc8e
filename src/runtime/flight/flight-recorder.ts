/**
 * The flight recorder of one member: what came in, when, and a running digest of what the machine
 * asked for. A pure core makes the same of the same, so this is all that a replay needs.
 *
 * Kept in a ring of segments. Once the first is dropped the beginning of this life is gone, and
 * what is left can be read but not run: a machine begins from what its storage held, nowhere else.
 * The bounds are such that a life fits in as a rule: an idle member of three takes about 1 kB a
 * second.
 *
 * The ensemble's secret is never in it. Passwords in connect requests are replaced by what they are
 * under the key that a replay uses, or by zeros if they were wrong.
 */
import { SESSION_KEY_OF_REPLAYS } from './replay-config.ts'
import { checkPassword, PASSWORD_BYTES, sessionPassword } from '../../core/server/session-ids.ts'
import { toSessionId } from '../../core/base/zxid.ts'
import type { ConnectionId, MemberEffect, MemberInput } from '../../core/server/effect.ts'
import type { MemberConfig } from '../../core/server/member-machine.ts'
import type { Moment, RecoveredState } from '../../core/zab/effect.ts'
import { EffectDigest } from './effect-digest.ts'
import { FlightWriter } from './flight-bytes.ts'
import { redactedConfig, type ReplayConfig } from './replay-config.ts'
import { recoveredBytesMax, stepBytesMax, writeStep, type Digests } from './step-codec.ts'

/** Ours: what a tab can spare; five hours of an idle member, the last 14 000 writes of 1 kB. */
const RING_BYTES_MAX: number = 16 * 1024 * 1024
/** Ours: small enough that the ring loses little at a time. */
const SEGMENT_BYTES: number = 256 * 1024
/** What the storage held at the start, bytes. Held by reference; most of it the tree holds, too. */
const START_BYTES_MAX: number = 32 * 1024 * 1024

export interface FlightLimits {
  readonly ringBytesMax?: number
  readonly segmentBytes?: number
  readonly startBytesMax?: number
}

/** Everything kept, as it was at one moment. */
export interface Flight {
  readonly config: ReplayConfig
  readonly startedAt: Moment
  /** What the member began with, and what it asked for at once; null: lost. */
  readonly start: FlightStart | null
  /** Number of the first step that is kept; 0 while the beginning is. */
  readonly firstStep: number
  readonly steps: number
  /** Steps as step-codec writes them, whole ones in each. */
  readonly segments: readonly Uint8Array[]
}

export interface FlightStart {
  readonly recovered: RecoveredState
  readonly digests: Digests
}

interface Segment {
  readonly writer: FlightWriter
  firstStep: number
}

export class FlightRecorder {
  readonly #sessionKey: Uint8Array | null
  readonly #config: ReplayConfig
  readonly #startedAt: Moment
  readonly #limits: Required<FlightLimits>
  readonly #digest = new EffectDigest()
  readonly #segments: Segment[] = []
  /** Connections whose first message is still to come: it holds a password. */
  readonly #unconnected = new Set<ConnectionId>()
  #start: FlightStart | null
  #bytes = 0
  #steps = 0

  /** `effects`: what the machine asked for when it was made. */
  constructor(
    config: MemberConfig,
    recovered: RecoveredState,
    at: Moment,
    effects: readonly MemberEffect[],
    limits: FlightLimits = {},
  ) {
    this.#sessionKey = config.sessionKey
    this.#config = redactedConfig(config)
    this.#startedAt = at
    this.#limits = {
      ringBytesMax: limits.ringBytesMax ?? RING_BYTES_MAX,
      segmentBytes: limits.segmentBytes ?? SEGMENT_BYTES,
      startBytesMax: limits.startBytesMax ?? START_BYTES_MAX,
    }
    this.#digest.add(effects)
    const isKept = recoveredBytesMax(recovered) <= this.#limits.startBytesMax
    this.#start = isKept ? { recovered, digests: this.#digests } : null
  }

  /** After each step of the machine, with all that it asked for in it. */
  step(at: Moment, input: MemberInput, effects: readonly MemberEffect[]): void {
    this.#digest.onInput(input)
    if (effects.length > 0) this.#digest.add(effects)
    if (this.#unconnected.size > 0) this.#forgetClosed(effects)
    const size = stepBytesMax(input)
    const segment = this.#room(size)
    const { writer } = segment
    const before = writer.length
    const digests = effects.length > 0 ? this.#digest : null
    const bytesAt = writeStep(writer, this.#startedAt, at, input, digests)
    this.#bytes += writer.length - before
    this.#steps++
    if (input.kind === 'client-open') this.#unconnected.add(input.connection)
    else if (input.kind === 'client-closed') this.#unconnected.delete(input.connection)
    else if (input.kind === 'client-data' && this.#unconnected.delete(input.connection)) {
      this.#hidePassword(writer.bytes.subarray(bytesAt, writer.length))
    }
  }

  /** The segments are copies: what comes later does not change them. */
  take(): Flight {
    return {
      config: this.#config,
      startedAt: this.#startedAt,
      start: this.#start,
      firstStep: this.#segments[0]?.firstStep ?? this.#steps,
      steps: this.#steps,
      segments: this.#segments.map(({ writer }) => writer.written.slice()),
    }
  }

  /** Bytes of steps that are kept. */
  get bytes(): number {
    return this.#bytes
  }

  get #digests(): Digests {
    return { full: this.#digest.full, shape: this.#digest.shape }
  }

  /** A segment with room for so much more; the oldest go when it is too much for the ring. */
  #room(size: number): Segment {
    const last = this.#segments.at(-1)
    if (last !== undefined && last.writer.length + size <= last.writer.bytes.length) return last
    const { ringBytesMax, segmentBytes } = this.#limits
    let reserved = Math.max(size, segmentBytes)
    for (const { writer } of this.#segments) reserved += writer.bytes.length
    let writer: FlightWriter | null = null
    while (reserved > ringBytesMax && this.#segments.length > 0) {
      const dropped = this.#segments.shift()
      if (dropped === undefined) break
      writer = dropped.writer
      reserved -= writer.bytes.length
      this.#bytes -= writer.length
      this.#start = null
    }
    // A full ring goes on in the memory that it has.
    if (writer === null || writer.bytes.length < Math.max(size, segmentBytes)) {
      writer = new FlightWriter(Math.max(size, segmentBytes))
    }
    writer.length = 0
    const segment = { writer, firstStep: this.#steps }
    this.#segments.push(segment)
    return segment
  }

  /** A connection that the member itself closed sends nothing, and its end is not told. */
  #forgetClosed(effects: readonly MemberEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'client-close') this.#unconnected.delete(effect.connection)
    }
  }

  /** `message` is the copy: a frame with a connect request (W11), maybe more behind it. */
  #hidePassword(message: Uint8Array): void {
    if (message.length < PASSWORD_AT) return
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
    const session = toSessionId(view.getBigInt64(SESSION_AT))
    const length = view.getInt32(PASSWORD_AT - 4)
    const end = Math.min(message.length, PASSWORD_AT + Math.max(0, length))
    const password = message.subarray(PASSWORD_AT, end)
    const isRight = length === PASSWORD_BYTES && checkPassword(this.#sessionKey, session, password)
    if (isRight) password.set(sessionPassword(SESSION_KEY_OF_REPLAYS, session))
    else password.fill(0)
  }
}

/** Frame length 4, protocol 4, last zxid 8, time-out 4, session 8, length of the password 4. */
const SESSION_AT = 20
const PASSWORD_AT = 32
