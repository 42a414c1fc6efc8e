/**
 * SHA-1 (FIPS 180-4), for the digest ACL scheme (A4). Not for anything that needs collision
 * resistance.
 */

import { hmac, padMessage } from './sha-padding.ts'

const BLOCK_BYTES = 64

export function sha1(bytes: Uint8Array): Uint8Array {
  const view = padMessage(bytes)
  const state = new Int32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0])
  const words = new Int32Array(80)
  for (let at = 0; at < view.byteLength; at += BLOCK_BYTES) {
    for (let t = 0; t < 16; t++) words[t] = view.getInt32(at + 4 * t)
    for (let t = 16; t < 80; t++) {
      const mixed =
        (words[t - 3] as number) ^
        (words[t - 8] as number) ^
        (words[t - 14] as number) ^
        (words[t - 16] as number)
      words[t] = (mixed << 1) | (mixed >>> 31)
    }
    compress(state, words)
  }
  const digest = new DataView(new ArrayBuffer(20))
  for (let i = 0; i < 5; i++) digest.setInt32(4 * i, state[i] as number)
  return new Uint8Array(digest.buffer)
}

export function hmacSha1(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return hmac(sha1, BLOCK_BYTES, key, bytes)
}

function compress(state: Int32Array, words: Int32Array): void {
  let a = state[0] as number
  let b = state[1] as number
  let c = state[2] as number
  let d = state[3] as number
  let e = state[4] as number
  for (let t = 0; t < 80; t++) {
    let f: number
    let k: number
    if (t < 20) {
      f = (b & c) | (~b & d)
      k = 0x5a827999
    } else if (t < 40) {
      f = b ^ c ^ d
      k = 0x6ed9eba1
    } else if (t < 60) {
      f = (b & c) | (b & d) | (c & d)
      k = 0x8f1bbcdc
    } else {
      f = b ^ c ^ d
      k = 0xca62c1d6
    }
    const next = (((a << 5) | (a >>> 27)) + f + e + k + (words[t] as number)) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  state[0] = (state[0] as number) + a
  state[1] = (state[1] as number) + b
  state[2] = (state[2] as number) + c
  state[3] = (state[3] as number) + d
  state[4] = (state[4] as number) + e
}
