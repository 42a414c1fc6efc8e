/**
 * What travels between two members as one message: a header of six bytes, then packets, each behind
 * its length (contract of all adapters: message boundaries are kept).
 *
 *     version u8 · lane u8 · conversation u32 · { length i32 · packet }*
 *
 * The conversation number says which learner–leader attempt a stream packet belongs to, since links
 * outlive roles (design §4). The decoder throws JuteError and nothing else.
 */
import { JuteError } from '../jute/jute-error.ts'
import { FRAME_TARGET_BYTES, PEER_PACKET_MAX_BYTES } from './constants.ts'
import type { Lane } from './effect.ts'

export const FRAME_VERSION = 1
export const FRAME_HEADER_BYTES = 6
const LENGTH_BYTES = 4

/** Index = number on the wire. */
const LANES: readonly Lane[] = ['pulse', 'election', 'stream', 'request']

export interface Frame {
  readonly lane: Lane
  readonly conversation: number
  /** Views of the frame, at least one; copies of pulses. */
  readonly packets: readonly Uint8Array[]
}

/** Of a frame of this version; nothing else of it is looked at. */
export function laneOf(bytes: Uint8Array): Lane | undefined {
  return LANES[bytes[1] ?? LANES.length]
}

/** `packetBytesMax`: see ZabTuning. */
export function decodeFrame(
  bytes: Uint8Array,
  packetBytesMax: number = PEER_PACKET_MAX_BYTES,
): Frame {
  if (bytes.length > packetBytesMax + FRAME_TARGET_BYTES)
    throw new JuteError(`frame of ${bytes.length} bytes`)
  if (bytes.length <= FRAME_HEADER_BYTES) throw new JuteError('frame without a packet')
  const version = bytes[0] ?? 0
  if (version !== FRAME_VERSION) throw new JuteError(`frame version ${version}`)
  const lane = laneOf(bytes)
  if (lane === undefined) throw new JuteError(`lane ${bytes[1] ?? 0}`)
  const packets: Uint8Array[] = []
  let at = FRAME_HEADER_BYTES
  while (at < bytes.length) {
    const left = bytes.length - at - LENGTH_BYTES
    const length = left < 0 ? -1 : int32At(bytes, at)
    if (length <= 0 || length > left || length > packetBytesMax) {
      throw new JuteError(`packet of ${length} bytes with ${left} left`)
    }
    at += LENGTH_BYTES
    const end = at + length
    // A view makes engines move the array that it looks at out of their object heap, which costs
    // more than all else about a pulse; readers of other lanes make views anyway.
    packets.push(lane === 'pulse' ? bytes.slice(at, end) : bytes.subarray(at, end))
    at = end
  }
  return { lane, conversation: int32At(bytes, 2) >>> 0, packets }
}

/** One packet and more of one lane and conversation, in as few frames as the target size allows. */
export function encodeFrames(
  lane: Lane,
  conversation: number,
  packets: readonly Uint8Array[],
): Uint8Array[] {
  const frames: Uint8Array[] = []
  let from = 0
  let size = FRAME_HEADER_BYTES
  for (const [i, { length }] of packets.entries()) {
    // One packet at least, however long it is.
    if (i > from && size + LENGTH_BYTES + length > FRAME_TARGET_BYTES) {
      frames.push(encodeFrame(lane, conversation, packets.slice(from, i), size))
      from = i
      size = FRAME_HEADER_BYTES
    }
    size += LENGTH_BYTES + length
  }
  frames.push(encodeFrame(lane, conversation, packets.slice(from), size))
  return frames
}

function encodeFrame(
  lane: Lane,
  conversation: number,
  packets: readonly Uint8Array[],
  size: number,
): Uint8Array {
  const bytes = new Uint8Array(size)
  bytes[0] = FRAME_VERSION
  bytes[1] = LANES.indexOf(lane)
  setInt32At(bytes, 2, conversation)
  let at = FRAME_HEADER_BYTES
  for (const packet of packets) {
    setInt32At(bytes, at, packet.length)
    bytes.set(packet, at + LENGTH_BYTES)
    at += LENGTH_BYTES + packet.length
  }
  return bytes
}

/** Big-endian, without a view: see decodeFrame. */
function int32At(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16)
  return high | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
}

function setInt32At(bytes: Uint8Array, at: number, n: number): void {
  bytes[at] = n >>> 24
  bytes[at + 1] = n >>> 16
  bytes[at + 2] = n >>> 8
  bytes[at + 3] = n
}
