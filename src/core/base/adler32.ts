/** Adler-32 (RFC 1950): the checksum of transaction log entries and of snapshots (P3, P11). */

const MODULUS = 65521
/** Most bytes that can be summed before the second sum may pass 2^32 (from zlib). */
const RUN_BYTES = 5552

/** Unsigned. Pass the result of the bytes before as `previous` to go on. */
export function adler32(bytes: Uint8Array, previous = 1): number {
  let a = previous & 0xffff
  let b = previous >>> 16
  for (let at = 0; at < bytes.length; at += RUN_BYTES) {
    const end = Math.min(at + RUN_BYTES, bytes.length)
    for (let i = at; i < end; i++) {
      a += bytes[i] as number
      b += a
    }
    a %= MODULUS
    b %= MODULUS
  }
  return ((b << 16) | a) >>> 0
}
