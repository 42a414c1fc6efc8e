/** Frames: a big-endian int32 length, then that many bytes (W1, W5). */

import { EMPTY_BYTES } from '../base/bytes.ts'
import { JuteError } from './jute-error.ts'

/** `jute.maxbuffer`: the longest frame in either direction, in bytes (W5). */
export const JUTE_MAX_BUFFER = 0xfffff

const LENGTH_BYTES = 4

export function frame(payload: Uint8Array): Uint8Array {
  return joinFrames([payload])
}

/** All payloads, each behind its length, in one message. */
export function joinFrames(payloads: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const payload of payloads) length += LENGTH_BYTES + payload.length
  const message = new Uint8Array(length)
  const view = new DataView(message.buffer)
  let at = 0
  for (const payload of payloads) {
    view.setInt32(at, payload.length)
    message.set(payload, at + LENGTH_BYTES)
    at += LENGTH_BYTES + payload.length
  }
  return message
}

/** The payloads of a message that holds whole frames only. They are views of the message. */
export function splitFrames(
  message: Uint8Array,
  maxFrameBytes: number = JUTE_MAX_BUFFER,
): Uint8Array[] {
  const payloads: Uint8Array[] = []
  let at = 0
  while (at < message.length) {
    const length = frameLength(message, at, message.length, maxFrameBytes)
    if (length === undefined || length > message.length - at - LENGTH_BYTES) {
      throw new JuteError(`message ends inside a frame, ${message.length - at} bytes left`)
    }
    payloads.push(message.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length))
    at += LENGTH_BYTES + length
  }
  return payloads
}

/** Cuts a byte stream into payloads. After a JuteError the connection is to be closed (W5). */
export class FrameSplitter {
  readonly #maxFrameBytes: number
  /** Our own copy of an incomplete frame, length word included; the first `#held` bytes count. */
  #buffer: Uint8Array = EMPTY_BYTES
  #held = 0

  constructor(maxFrameBytes: number = JUTE_MAX_BUFFER) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Bytes held back for a frame that has begun. */
  get pendingBytes(): number {
    return this.#held
  }

  /**
   * The payloads that this chunk completes, maybe none. Views of the chunk where it is possible.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const payloads: Uint8Array[] = []
    let at = 0
    while (this.#held > 0 && at < chunk.length) {
      const wanted = LENGTH_BYTES + (this.#heldFrameLength() ?? 0)
      at += this.#hold(chunk.subarray(at, at + wanted - this.#held))
      if (this.#held - LENGTH_BYTES === this.#heldFrameLength()) payloads.push(this.#release())
    }
    if (this.#held > 0) return payloads
    while (at < chunk.length) {
      const length = frameLength(chunk, at, chunk.length, this.#maxFrameBytes)
      if (length === undefined || length > chunk.length - at - LENGTH_BYTES) {
        this.#hold(chunk.subarray(at))
        break
      }
      payloads.push(chunk.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length))
      at += LENGTH_BYTES + length
    }
    return payloads
  }

  #heldFrameLength(): number | undefined {
    return frameLength(this.#buffer, 0, this.#held, this.#maxFrameBytes)
  }

  /** Doubles as bytes really come: a length word alone must not make us allocate. */
  #hold(bytes: Uint8Array): number {
    const needed = this.#held + bytes.length
    if (needed > this.#buffer.length) {
      const wider = new Uint8Array(Math.max(needed, 2 * this.#buffer.length))
      wider.set(this.#buffer.subarray(0, this.#held))
      this.#buffer = wider
    }
    this.#buffer.set(bytes, this.#held)
    this.#held = needed
    return bytes.length
  }

  #release(): Uint8Array {
    const payload = this.#buffer.subarray(LENGTH_BYTES, this.#held)
    this.#buffer = EMPTY_BYTES
    this.#held = 0
    return payload
  }
}

/** undefined while the length word itself is incomplete. */
function frameLength(
  bytes: Uint8Array,
  at: number,
  end: number,
  maxFrameBytes: number,
): number | undefined {
  if (end - at < LENGTH_BYTES) return undefined
  const length = new DataView(bytes.buffer, bytes.byteOffset + at).getInt32(0)
  if (length < 0 || length > maxFrameBytes) {
    throw new JuteError(`frame of ${length} bytes, at most ${maxFrameBytes}`)
  }
  return length
}
