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

/** Collects packets of one lane and conversation until the frame is full. */
export class FrameBuilder {
  readonly #lane: Lane
  readonly #conversation: number
  #packets: Uint8Array[] = []
  #bytes = FRAME_HEADER_BYTES

  constructor(lane: Lane, conversation: number) {
    this.#lane = lane
    this.#conversation = conversation
  }

  /** false when it would outgrow the frame: build, and begin another one. */
  add(packet: Uint8Array): boolean {
    const grown = this.#bytes + LENGTH_BYTES + packet.length
    if (grown > FRAME_TARGET_BYTES && this.#packets.length > 0) return false
    this.#packets.push(packet)
    this.#bytes = grown
    return true
  }

  get isEmpty(): boolean {
    return this.#packets.length === 0
  }

  build(): Uint8Array {
    const bytes = new Uint8Array(this.#bytes)
    bytes[0] = FRAME_VERSION
    bytes[1] = LANES.indexOf(this.#lane)
    setInt32At(bytes, 2, this.#conversation)
    let at = FRAME_HEADER_BYTES
    for (const packet of this.#packets) {
      setInt32At(bytes, at, packet.length)
      bytes.set(packet, at + LENGTH_BYTES)
      at += LENGTH_BYTES + packet.length
    }
    return bytes
  }
}

/** All packets of one lane and conversation as few frames as the target size allows. */
export function encodeFrames(
  lane: Lane,
  conversation: number,
  packets: readonly Uint8Array[],
): Uint8Array[] {
  const frames: Uint8Array[] = []
  let builder = new FrameBuilder(lane, conversation)
  for (const packet of packets) {
    if (builder.add(packet)) continue
    frames.push(builder.build())
    builder = new FrameBuilder(lane, conversation)
    builder.add(packet)
  }
  if (!builder.isEmpty) frames.push(builder.build())
  return frames
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
