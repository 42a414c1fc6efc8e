import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { decodeUtf8, encodeUtf8, utf8Length, writeUtf8 } from '../../../src/core/base/utf8.ts'

/** What Java's writer makes of a string: each UTF-16 unit on its own (W3). */
function encodeCesu8(text: string): Uint8Array {
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))
  return new Uint8Array(
    units.flatMap((unit) => {
      if (unit < 0x80) return [unit]
      if (unit < 0x800) return [0xc0 | (unit >> 6), 0x80 | (unit & 0x3f)]
      return [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)]
    }),
  )
}

const wellFormed = fc.string({ unit: 'binary', maxLength: 60 })
/** Bytes that are likely to look like UTF-8. */
const nearUtf8 = fc
  .array(
    fc.oneof(
      fc.constantFrom(0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xaf, 0xb0, 0xbf, 0xc0, 0xc1, 0xc2),
      fc.constantFrom(0xdf, 0xe0, 0xe1, 0xec, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff),
      fc.nat(255),
    ),
    { maxLength: 24 },
  )
  .map((numbers) => new Uint8Array(numbers))

describe('encode', () => {
  test.each([
    ['', ''],
    ['a/b', '612f62'],
    ['\0\x7f', '007f'],
    ['\x80\u07ff', 'c280dfbf'],
    ['\u0800\uffff', 'e0a080efbfbf'],
    ['节点', 'e88a82e782b9'],
    ['😀', 'f09f9880'],
    ['\u{10ffff}', 'f48fbfbf'],
    ['\ud83d', 'efbfbd'],
    ['\ude00x', 'efbfbd78'],
    ['\ud83d\ud83d\ude00', 'efbfbdf09f9880'],
  ])('%j', (text, hex) => {
    expect(toHex(encodeUtf8(text))).toBe(hex)
  })

  test('is TextEncoder, lone surrogates included', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.nat(0xffff).map((u) => String.fromCharCode(u)) }),
        (text) => {
          expect(encodeUtf8(text)).toEqual(new TextEncoder().encode(text))
          expect(utf8Length(text)).toBe(encodeUtf8(text).length)
        },
      ),
    )
  })

  test('writes in place and returns the end', () => {
    const target = new Uint8Array(8).fill(0xee)
    expect(writeUtf8('é!', target, 2)).toBe(5)
    expect(toHex(target)).toBe('eeeec3a921eeeeee')
  })
})

describe('decode', () => {
  test('real UTF-8 comes back', () => {
    fc.assert(
      fc.property(wellFormed, (text) => {
        expect(decodeUtf8(encodeUtf8(text))).toBe(text)
      }),
    )
  })

  test('CESU-8 comes back', () => {
    fc.assert(
      fc.property(wellFormed, (text) => {
        expect(decodeUtf8(encodeCesu8(text))).toBe(text)
      }),
    )
  })

  test('is TextDecoder for everything that has no surrogates in it', () => {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
    fc.assert(
      fc.property(nearUtf8, (bytes) => {
        // 0xED starts the three-byte forms of surrogates, where the two differ on purpose.
        if (!bytes.includes(0xed)) expect(decodeUtf8(bytes)).toBe(decoder.decode(bytes))
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['eda080', 3],
    ['edb080', 3],
    ['eda080eda080', 6],
    ['eda08041', 3],
    ['eda080edb0', 5],
    ['edb080eda080', 6],
  ])('lone surrogates in three bytes (%s) are malformed', (hex, replacements) => {
    const text = decodeUtf8(fromHex(hex))
    expect(text.split('\ufffd').length - 1).toBe(replacements)
  })

  test('whatever the bytes, the string is well formed and stable', () => {
    fc.assert(
      fc.property(fc.oneof(nearUtf8, fc.uint8Array({ maxLength: 40 })), (bytes) => {
        const text = decodeUtf8(bytes)
        expect(/\p{Surrogate}/u.test(text)).toBe(false)
        expect(decodeUtf8(encodeUtf8(text))).toBe(text)
        expect(text.length).toBeLessThanOrEqual(bytes.length)
      }),
      { numRuns: 2000 },
    )
  })

  test('long texts, ASCII and not', () => {
    const ascii = 'zabra'.repeat(5000)
    const mixed = `${ascii}节点😀`.repeat(3)
    expect(decodeUtf8(encodeUtf8(ascii))).toBe(ascii)
    expect(decodeUtf8(encodeUtf8(mixed))).toBe(mixed)
  })
})
