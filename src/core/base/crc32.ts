/** CRC-32 (IEEE 802.3, as java.util.zip.CRC32): node digests (P20) and our log batches. */

/**
 * Eight tables of 256: the k-th moves a byte past k more bytes, so that eight bytes of input cost
 * eight look-ups that do not wait for each other. Some four times as fast as byte by byte.
 */
const TABLES: Uint32Array = makeTables()

/** Unsigned, of the first `length` bytes. Pass the result of those before as `previous`. */
export function crc32(bytes: Uint8Array, previous = 0, length: number = bytes.length): number {
  let crc = ~previous
  let i = 0
  const wholeEnd = length & ~7
  for (; i < wholeEnd; i += 8) {
    const low = crc ^ word(bytes, i)
    const high = word(bytes, i + 4)
    crc =
      entry(0x700 | (low & 0xff)) ^
      entry(0x600 | ((low >>> 8) & 0xff)) ^
      entry(0x500 | ((low >>> 16) & 0xff)) ^
      entry(0x400 | (low >>> 24)) ^
      entry(0x300 | (high & 0xff)) ^
      entry(0x200 | ((high >>> 8) & 0xff)) ^
      entry(0x100 | ((high >>> 16) & 0xff)) ^
      entry(high >>> 24)
  }
  for (; i < length; i++) crc = entry((crc ^ (bytes[i] as number)) & 0xff) ^ (crc >>> 8)
  return ~crc >>> 0
}

function entry(index: number): number {
  return TABLES[index] as number
}

/** Four bytes, the first one lowest. */
function word(bytes: Uint8Array, i: number): number {
  const low = (bytes[i] as number) | ((bytes[i + 1] as number) << 8)
  return low | ((bytes[i + 2] as number) << 16) | ((bytes[i + 3] as number) << 24)
}

function makeTables(): Uint32Array {
  const tables = new Uint32Array(8 * 256)
  for (let n = 0; n < 256; n++) {
    let c = n
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb8_8320 ^ (c >>> 1) : c >>> 1
    tables[n] = c
  }
  for (let n = 256; n < tables.length; n++) {
    const before = tables[n - 256] as number
    tables[n] = (tables[before & 0xff] as number) ^ (before >>> 8)
  }
  return tables
}
