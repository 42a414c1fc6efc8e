/** SHA-256 (FIPS 180-4): session passwords and other keyed digests inside the pure core. */

import { hmac, padMessage } from './sha-padding.ts'

const BLOCK_BYTES = 64
// Signed words throughout: V8 keeps 32-bit signed numbers unboxed, unsigned ones it does not.
/** First 32 bits of the fractional parts of the cube (K) and square (H) roots of the primes. */
const K: Int32Array = primeRootBits(64, 3)
const H: Int32Array = primeRootBits(8, 2)

export function sha256(bytes: Uint8Array): Uint8Array {
  const view = padMessage(bytes)
  const state = new Int32Array(H)
  const words = new Int32Array(64)
  for (let at = 0; at < view.byteLength; at += BLOCK_BYTES) {
    for (let t = 0; t < 16; t++) words[t] = view.getInt32(at + 4 * t)
    for (let t = 16; t < 64; t++) {
      const w15 = words[t - 15] as number
      const w2 = words[t - 2] as number
      const s0 = rotr(w15, 7) ^ rotr(w15, 18) ^ (w15 >>> 3)
      const s1 = rotr(w2, 17) ^ rotr(w2, 19) ^ (w2 >>> 10)
      words[t] = (words[t - 16] as number) + s0 + (words[t - 7] as number) + s1
    }
    compress(state, words)
  }
  const digest = new DataView(new ArrayBuffer(32))
  for (let i = 0; i < 8; i++) digest.setInt32(4 * i, state[i] as number)
  return new Uint8Array(digest.buffer)
}

export function hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return hmac(sha256, BLOCK_BYTES, key, bytes)
}

function compress(state: Int32Array, words: Int32Array): void {
  let [a, b, c, d] = [
    state[0] as number,
    state[1] as number,
    state[2] as number,
    state[3] as number,
  ]
  let [e, f, g, h] = [
    state[4] as number,
    state[5] as number,
    state[6] as number,
    state[7] as number,
  ]
  for (let t = 0; t < 64; t++) {
    const s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (K[t] as number) + (words[t] as number)) | 0
    const s0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  const add = [a, b, c, d, e, f, g, h]
  for (let i = 0; i < 8; i++) state[i] = (state[i] as number) + (add[i] as number)
}

function rotr(x: number, n: number): number {
  return (x >>> n) | (x << (32 - n))
}

/** Integer arithmetic on purpose: floating-point roots may differ in the last bit by engine. */
function primeRootBits(count: number, root: 2 | 3): Int32Array {
  const bits = new Int32Array(count)
  for (let i = 0, candidate = 2; i < count; candidate++) {
    if (!isPrime(candidate)) continue
    const scaled = BigInt(candidate) << BigInt(32 * root)
    bits[i++] = Number(BigInt.asIntN(32, integerRoot(scaled, root)))
  }
  return bits
}

function isPrime(n: number): boolean {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false
  return true
}

/** Largest r with r ** root ≤ n, by bisection. */
function integerRoot(n: bigint, root: 2 | 3): bigint {
  let low = 0n
  let high = 1n << 40n
  while (low < high) {
    const middle = (low + high + 1n) / 2n
    if (middle ** BigInt(root) <= n) low = middle
    else high = middle - 1n
  }
  return low
}
