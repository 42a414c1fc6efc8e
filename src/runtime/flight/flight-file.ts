/**
 * A flight recording as a file. Inside gzip:
 *
 *     "zabraFLT" · version u32 · header (JSON text) · [recovered state · full u32 · shape u32] ·
 *     number of segments u32 · { steps }* · "END." u32
 *
 * The header says what it is, for people as well; everything else is read by this file only.
 */
import { encodeUtf8 } from '../../core/base/utf8.ts'
import { JuteError } from '../../core/jute/jute-error.ts'
import type { Moment } from '../../core/zab/effect.ts'
import { FlightFormatError, FlightReader, FlightWriter } from './flight-bytes.ts'
import type { Flight } from './flight-recorder.ts'
import { configJson, readConfig } from './replay-config.ts'
import {
  readRecovered,
  readStep,
  recoveredBytesMax,
  writeRecovered,
  type FlightStep,
} from './step-codec.ts'

export const FLIGHT_FORMAT = 1
const MAGIC = 'zabraFLT'
const END = 0x2e44_4e45
/** Ours: magic, version, counts and end, with room. */
const FRAME_BYTES = 64
const SEGMENT_HEAD_BYTES = 12

export interface FlightFile extends Flight {
  /** With what applications stored; else that is masked and only shapes can be compared. */
  readonly hasPayloads: boolean
}

/** The file before compression. */
export function flightBytes(flight: FlightFile): Uint8Array {
  const { start, segments, hasPayloads, config, startedAt, firstStep, steps } = flight
  const header = encodeUtf8(
    JSON.stringify({
      what: 'zabra flight recording',
      hasPayloads,
      hasStart: start !== null,
      firstStep,
      steps,
      startedAt,
      config: configJson(config),
    }),
  )
  let size = FRAME_BYTES + header.length
  if (start !== null) size += recoveredBytesMax(start.recovered)
  for (const segment of segments) size += SEGMENT_HEAD_BYTES + segment.length
  const w = new FlightWriter(size)
  w.raw(encodeUtf8(MAGIC))
  w.u32(FLIGHT_FORMAT)
  w.blob(header)
  if (start !== null) {
    writeRecovered(w, start.recovered)
    w.u32(start.digests.full)
    w.u32(start.digests.shape)
  }
  w.u32(segments.length)
  for (const segment of segments) w.blob(segment)
  w.u32(END)
  return w.written
}

/** Throws FlightFormatError, and nothing else, for what is no whole recording. */
export function readFlight(bytes: Uint8Array): FlightFile {
  return guarded(() => {
    const r = new FlightReader(bytes)
    if (bytes.length < MAGIC.length || !sameText(r.raw(MAGIC.length), MAGIC)) {
      throw new FlightFormatError('this is no flight recording')
    }
    const version = r.u32()
    if (version !== FLIGHT_FORMAT) {
      throw new FlightFormatError(
        `a recording of format ${version}; this code reads format ${FLIGHT_FORMAT}`,
      )
    }
    const { hasStart, ...header } = readHeader(r.text())
    const start = hasStart
      ? { recovered: readRecovered(r), digests: { full: r.u32(), shape: r.u32() } }
      : null
    const segments: Uint8Array[] = []
    for (let left = r.count(4); left > 0; left--) segments.push(r.blob())
    if (r.u32() !== END || !r.atEnd) throw new FlightFormatError('the recording has no end')
    return { ...header, start, segments }
  })
}

/** The steps, in order; their byte strings are views. Throws FlightFormatError. */
export function* flightSteps(flight: Flight): Generator<FlightStep, void> {
  for (const segment of flight.segments) {
    const r = new FlightReader(segment)
    while (!r.atEnd) yield guarded(() => readStep(r, flight.startedAt))
  }
}

function readHeader(text: string): Omit<FlightFile, 'start' | 'segments'> & {
  readonly hasStart: boolean
} {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new FlightFormatError('the header is no JSON')
  }
  if (typeof json !== 'object' || json === null) throw new FlightFormatError('no header')
  const header = json as Readonly<Record<string, unknown>>
  const { hasPayloads, hasStart, firstStep, steps, startedAt, config } = header
  const isWhole =
    typeof hasPayloads === 'boolean' &&
    typeof hasStart === 'boolean' &&
    typeof firstStep === 'number' &&
    typeof steps === 'number' &&
    isMoment(startedAt)
  if (!isWhole) throw new FlightFormatError('the header is not whole')
  return { hasPayloads, hasStart, firstStep, steps, startedAt, config: readConfig(config) }
}

function isMoment(value: unknown): value is Moment {
  if (typeof value !== 'object' || value === null) return false
  const { elapsedMs, wallMs } = value as Readonly<Record<string, unknown>>
  return Number.isFinite(elapsedMs) && Number.isFinite(wallMs)
}

function sameText(bytes: Uint8Array, text: string): boolean {
  return encodeUtf8(text).every((byte, i) => bytes[i] === byte)
}

/** A zxid or a text that cannot be is a damaged file as well. */
function guarded<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof FlightFormatError) throw error
    if (error instanceof JuteError || error instanceof RangeError) {
      throw new FlightFormatError(error.message)
    }
    throw error
  }
}
