/**
 * One step of a machine as bytes: when, what came in, and the digests of what it had asked for by
 * the end of it. Steps follow each other without anything between and need no step before them.
 *
 *     kind and flags u8 · elapsed f64 · wall i16 or f64 · [full u32 · shape u32] · input
 *
 * The wall clock is told as its distance from where it would be had both clocks gone alike since
 * the start; the digests are left out when the step asked for nothing.
 */
import { toServerId, toZxid, type ServerId } from '../../core/base/zxid.ts'
import type { MemberInput } from '../../core/server/effect.ts'
import type { LogEntry, LogRange, Moment, RecoveredState } from '../../core/zab/effect.ts'
import { FlightFormatError, type FlightReader, type FlightWriter } from './flight-bytes.ts'

export interface Digests {
  readonly full: number
  readonly shape: number
}

export interface FlightStep {
  readonly at: Moment
  readonly input: MemberInput
  /** null: as after the step before. */
  readonly digests: Digests | null
}

/** Index = number in the file. */
const KINDS: readonly MemberInput['kind'][] = [
  'tick',
  'link-up',
  'link-down',
  'frame',
  'link-writable',
  'suspect',
  'persisted',
  'truncated',
  'storage-failed',
  'client-open',
  'client-data',
  'client-closed',
  'admit-observer',
  'replace-state',
  'log-read',
]
const KIND_NUMBER: ReadonlyMap<string, number> = new Map(KINDS.map((kind, i) => [kind, i]))
const KIND_MASK = 0x0f
const HAS_DIGESTS = 0x10
const HAS_RAW_WALL = 0x20
/** A tick while nothing waits for the disk: all but a few. */
const IS_IDLE = 0x40
/** Flags, both clocks, both digests, and the fixed fields of any input. */
const STEP_HEAD_BYTES = 1 + 8 + 8 + 8 + 16
const CHUNK_HEAD_BYTES = 4
const ENTRY_HEAD_BYTES = 12
const RECOVERED_HEAD_BYTES = 40
/** Flag, zxid, count. */
const RANGE_HEAD_BYTES = 16

/** Wall clock of a moment, as the clocks of the start foretell it. */
function expectedWall(start: Moment, elapsedMs: number): number {
  return Math.floor(start.wallMs + (elapsedMs - start.elapsedMs))
}

/** No step of this input takes more bytes. */
export function stepBytesMax(input: MemberInput): number {
  switch (input.kind) {
    case 'frame':
    case 'client-data':
      return STEP_HEAD_BYTES + input.bytes.length
    case 'link-down':
    case 'storage-failed':
      return STEP_HEAD_BYTES + 3 * input.reason.length
    case 'admit-observer':
      return STEP_HEAD_BYTES + 3 * input.incarnation.length
    case 'client-open':
      return STEP_HEAD_BYTES + 3 * input.address.length
    case 'truncated':
      return STEP_HEAD_BYTES + recoveredBytesMax(input.recovered)
    case 'replace-state':
      return STEP_HEAD_BYTES + chunksBytes(input.chunks)
    case 'log-read':
      return STEP_HEAD_BYTES + RANGE_HEAD_BYTES + entriesBytes(input.range?.entries ?? [])
    default:
      return STEP_HEAD_BYTES
  }
}

/** Returns where the bytes of the input begin, for those that have some. */
export function writeStep(
  w: FlightWriter,
  start: Moment,
  at: Moment,
  input: MemberInput,
  digests: Digests | null,
): number {
  const drift = at.wallMs - expectedWall(start, at.elapsedMs)
  const isDrift = (drift << 16) >> 16 === drift
  const isIdle = input.kind === 'tick' && input.oldestAppendAgeMs === 0
  const kind = KIND_NUMBER.get(input.kind) ?? 0
  w.u8(
    kind |
      (digests === null ? 0 : HAS_DIGESTS) |
      (isDrift ? 0 : HAS_RAW_WALL) |
      (isIdle ? IS_IDLE : 0),
  )
  w.f64(at.elapsedMs)
  if (isDrift) w.i16(drift)
  else w.f64(at.wallMs)
  if (digests !== null) {
    w.u32(digests.full)
    w.u32(digests.shape)
  }
  return isIdle ? 0 : writeInput(w, input)
}

function writeInput(w: FlightWriter, input: MemberInput): number {
  switch (input.kind) {
    case 'tick':
      w.f64(input.oldestAppendAgeMs)
      return 0
    case 'link-up':
    case 'link-writable':
    case 'suspect':
      w.u32(input.peer)
      return 0
    case 'link-down':
      w.u32(input.peer)
      w.text(input.reason)
      return 0
    case 'frame':
      w.u32(input.peer)
      return w.blob(input.bytes)
    case 'persisted':
      w.f64(input.mark)
      return 0
    case 'truncated':
      writeRecovered(w, input.recovered)
      return 0
    case 'storage-failed':
      w.text(input.reason)
      return 0
    case 'replace-state':
      writeChunks(w, input.chunks)
      return 0
    case 'log-read':
      w.u32(input.id)
      w.u8(input.range === null ? 0 : 1)
      if (input.range === null) return 0
      w.i64(input.range.from)
      writeEntries(w, input.range.entries)
      return 0
    case 'admit-observer':
      w.text(input.incarnation)
      return 0
    case 'client-open':
      w.u32(input.connection)
      w.text(input.address)
      return 0
    case 'client-data':
      w.u32(input.connection)
      return w.blob(input.bytes)
    case 'client-closed':
      w.u32(input.connection)
      return 0
  }
}

/** Byte strings of the step are views. Throws FlightFormatError. */
export function readStep(r: FlightReader, start: Moment): FlightStep {
  const began = r.at
  const first = r.u8()
  const kind = KINDS[first & KIND_MASK]
  if (kind === undefined || (first & ~(KIND_MASK | HAS_DIGESTS | HAS_RAW_WALL | IS_IDLE)) !== 0) {
    throw new FlightFormatError(`byte ${began}: a step of kind ${first}`)
  }
  const elapsedMs = r.f64()
  const wallMs = (first & HAS_RAW_WALL) === 0 ? expectedWall(start, elapsedMs) + r.i16() : r.f64()
  if (!Number.isFinite(elapsedMs) || !Number.isFinite(wallMs)) {
    throw new FlightFormatError(`byte ${began}: a step at no time`)
  }
  const digests = (first & HAS_DIGESTS) === 0 ? null : { full: r.u32(), shape: r.u32() }
  const isIdle = (first & IS_IDLE) !== 0
  const input: MemberInput = isIdle ? { kind: 'tick', oldestAppendAgeMs: 0 } : readInput(r, kind)
  return { at: { elapsedMs, wallMs }, input, digests }
}

function readInput(r: FlightReader, kind: MemberInput['kind']): MemberInput {
  switch (kind) {
    case 'tick':
      return { kind, oldestAppendAgeMs: r.f64() }
    case 'link-up':
    case 'link-writable':
    case 'suspect':
      return { kind, peer: readPeer(r) }
    case 'link-down':
      return { kind, peer: readPeer(r), reason: r.text() }
    case 'frame':
      return { kind, peer: readPeer(r), bytes: r.blob() }
    case 'persisted':
      return { kind, mark: r.f64() }
    case 'truncated':
      return { kind, recovered: readRecovered(r) }
    case 'storage-failed':
      return { kind, reason: r.text() }
    case 'replace-state':
      return { kind, chunks: readChunks(r) }
    case 'log-read':
      return { kind, id: r.u32(), range: r.u8() === 0 ? null : readRange(r) }
    case 'admit-observer':
      return { kind, incarnation: r.text() }
    case 'client-open':
      return { kind, connection: r.u32(), address: r.text() }
    case 'client-data':
      return { kind, connection: r.u32(), bytes: r.blob() }
    case 'client-closed':
      return { kind, connection: r.u32() }
  }
}

function readPeer(r: FlightReader): ServerId {
  const sid = r.u32()
  if (sid > 255) throw new FlightFormatError(`byte ${r.at}: machine ${sid}`)
  return toServerId(sid)
}

/** Bytes of snapshot and log; what holding on to them costs. */
export function recoveredBytesMax({ snapshot, log }: RecoveredState): number {
  return RECOVERED_HEAD_BYTES + chunksBytes(snapshot?.chunks ?? []) + entriesBytes(log)
}

export function writeRecovered(w: FlightWriter, recovered: RecoveredState): void {
  const { acceptedEpoch, currentEpoch, snapshot, log, droppedTail = 0 } = recovered
  w.u32(acceptedEpoch)
  w.u32(currentEpoch)
  w.u32(droppedTail)
  w.u8(snapshot === null ? 0 : 1)
  if (snapshot !== null) {
    w.i64(snapshot.zxid)
    writeChunks(w, snapshot.chunks)
  }
  writeEntries(w, log)
}

export function readRecovered(r: FlightReader): RecoveredState {
  const acceptedEpoch = r.u32()
  const currentEpoch = r.u32()
  const droppedTail = r.u32()
  const hasSnapshot = r.u8() !== 0
  let snapshot: RecoveredState['snapshot'] = null
  if (hasSnapshot) {
    const zxid = toZxid(r.i64())
    snapshot = { zxid, chunks: readChunks(r) }
  }
  return { acceptedEpoch, currentEpoch, snapshot, log: readEntries(r), droppedTail }
}

function readRange(r: FlightReader): LogRange {
  return { from: toZxid(r.i64()), entries: readEntries(r) }
}

function entriesBytes(entries: readonly LogEntry[]): number {
  return entries.reduce((sum, { entry }) => sum + ENTRY_HEAD_BYTES + entry.length, 0)
}

function writeEntries(w: FlightWriter, entries: readonly LogEntry[]): void {
  w.u32(entries.length)
  for (const { zxid, entry } of entries) {
    w.i64(zxid)
    w.blob(entry)
  }
}

function readEntries(r: FlightReader): LogEntry[] {
  const entries: LogEntry[] = []
  for (let left = r.count(ENTRY_HEAD_BYTES); left > 0; left--) {
    const zxid = toZxid(r.i64())
    entries.push({ zxid, entry: r.blob() })
  }
  return entries
}

function chunksBytes(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + CHUNK_HEAD_BYTES + chunk.length, 0)
}

function writeChunks(w: FlightWriter, chunks: readonly Uint8Array[]): void {
  w.u32(chunks.length)
  for (const chunk of chunks) w.blob(chunk)
}

function readChunks(r: FlightReader): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let left = r.count(CHUNK_HEAD_BYTES); left > 0; left--) chunks.push(r.blob())
  return chunks
}
