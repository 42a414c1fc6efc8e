import { createHash, createHmac } from 'node:crypto'
import { crc32 as zlibCrc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { adler32 } from '../../../src/core/base/adler32.ts'
import { toHex } from '../../../src/core/base/bytes.ts'
import { crc32 } from '../../../src/core/base/crc32.ts'
import { hmacSha1, sha1 } from '../../../src/core/base/sha1.ts'
import { hmacSha256, sha256 } from '../../../src/core/base/sha256.ts'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'

const bytes = fc.uint8Array({ maxLength: 300 })
/** Around the block and padding edges, and past the runs of Adler-32. */
const lengths = [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 5551, 5552, 5553, 70_001]

function ramp(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 151 + 7) & 0xff)
}

/** Straight from RFC 1950. */
function slowAdler32(data: Uint8Array): number {
  let a = 1
  let b = 0
  for (const byte of data) {
    a = (a + byte) % 65521
    b = (b + a) % 65521
  }
  return b * 65536 + a
}

describe.each([
  ['sha1', sha1, hmacSha1],
  ['sha256', sha256, hmacSha256],
] as const)('%s', (name, hash, hmac) => {
  test.each(lengths)('of %i bytes', (length) => {
    const data = ramp(length)
    expect(toHex(hash(data))).toBe(createHash(name).update(data).digest('hex'))
  })

  test('of any bytes, plain and keyed', () => {
    fc.assert(
      fc.property(bytes, bytes, (key, data) => {
        expect(toHex(hash(data))).toBe(createHash(name).update(data).digest('hex'))
        expect(toHex(hmac(key, data))).toBe(createHmac(name, key).update(data).digest('hex'))
      }),
    )
  })

  test.each([63, 64, 65, 200])('keyed with %i bytes', (length) => {
    const expected = createHmac(name, ramp(length)).update('x').digest('hex')
    expect(toHex(hmac(ramp(length), encodeUtf8('x')))).toBe(expected)
  })
})

describe('crc32', () => {
  test('check value', () => {
    expect(crc32(encodeUtf8('123456789'))).toBe(0xcbf43926)
    expect(crc32(new Uint8Array(0))).toBe(0)
  })

  test.each(lengths)('of %i bytes is zlib’s', (length) => {
    expect(crc32(ramp(length))).toBe(zlibCrc32(ramp(length)))
  })

  test('goes on from the bytes before', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(crc32(b, crc32(a))).toBe(crc32(new Uint8Array([...a, ...b])))
      }),
    )
  })
})

describe('adler32', () => {
  test('check values', () => {
    expect(adler32(encodeUtf8('Wikipedia'))).toBe(0x11e60398)
    expect(adler32(new Uint8Array(0))).toBe(1)
  })

  test.each(lengths)('of %i bytes', (length) => {
    expect(adler32(ramp(length))).toBe(slowAdler32(ramp(length)))
    expect(adler32(new Uint8Array(length).fill(255))).toBe(
      slowAdler32(new Uint8Array(length).fill(255)),
    )
  })

  test('goes on from the bytes before', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(adler32(b, adler32(a))).toBe(adler32(new Uint8Array([...a, ...b])))
      }),
    )
  })
})
