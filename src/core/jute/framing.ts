/** Frames: a big-endian int32 length, then that many bytes (W1, W5). */

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
