/**
 * Session passwords as Apache ZooKeeper makes them (S2): java.util.Random seeded with the id under
 * a number that everybody knows. A checksum and no secret, but every server computes the same, so
 * sessions move between servers that share nothing but a configuration, Apache's among them.
 */

/** ZooKeeperServer.superSecret. */
const SUPER_SECRET = 0xb3415c00n
const MULTIPLIER = 0x5deece66dn
const INCREMENT = 0xbn
const STATE_BITS = 48
/** A step yields the upper 32 bits of its state. */
const UNUSED_BITS = 16n

export function zookeeperPassword(id: bigint, length: number): Uint8Array {
  let state = BigInt.asUintN(STATE_BITS, id ^ SUPER_SECRET ^ MULTIPLIER)
  const bytes = new Uint8Array(length)
  let word = 0
  for (let i = 0; i < length; i++) {
    if (i % 4 === 0) {
      state = BigInt.asUintN(STATE_BITS, state * MULTIPLIER + INCREMENT)
      word = Number(state >> UNUSED_BITS)
    }
    bytes[i] = word & 0xff
    word >>>= 8
  }
  return bytes
}
