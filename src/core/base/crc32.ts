/** CRC-32 (IEEE 802.3, as java.util.zip.CRC32): node digests (P20) and our log batches. */

const TABLE: Uint32Array = makeTable()

/** Unsigned. Pass the result of the bytes before as `previous` to go on. */
export function crc32(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous
  for (const byte of bytes) {
    crc = (TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8)
  }
  return ~crc >>> 0
}

function makeTable(): Uint32Array {
  const table = new Uint32Array(256)
  for (let n = 0; n < 256; n++) {
    let c = n
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb8_8320 ^ (c >>> 1) : c >>> 1
    table[n] = c
  }
  return table
}
