/** What SHA-1 and SHA-256 share: the padded message and the HMAC construction (RFC 2104). */

import { concat } from './bytes.ts'

/** The message, one 1 bit, zeros, and the length in bits, up to a multiple of 64 bytes. */
export function padMessage(bytes: Uint8Array): DataView {
  const blocks = Math.floor((bytes.length + 8) / 64) + 1
  const padded = new Uint8Array(blocks * 64)
  padded.set(bytes)
  padded[bytes.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 0x2000_0000))
  view.setUint32(padded.length - 4, (bytes.length << 3) >>> 0)
  return view
}

export function hmac(
  hash: (bytes: Uint8Array) => Uint8Array,
  blockBytes: number,
  key: Uint8Array,
  bytes: Uint8Array,
): Uint8Array {
  const shortKey = key.length > blockBytes ? hash(key) : key
  const inner = new Uint8Array(blockBytes).fill(0x36)
  const outer = new Uint8Array(blockBytes).fill(0x5c)
  for (const [i, byte] of shortKey.entries()) {
    inner[i] = byte ^ 0x36
    outer[i] = byte ^ 0x5c
  }
  return hash(concat([outer, hash(concat([inner, bytes]))]))
}
