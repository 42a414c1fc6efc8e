import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  compare,
  concat,
  EMPTY_BYTES,
  equal,
  fromBase64,
  fromHex,
  toBase64,
  toHex,
} from '../../../src/core/base/bytes.ts'

const bytes = fc.uint8Array({ maxLength: 70 })

test('concat joins in order', () => {
  expect(concat([])).toEqual(EMPTY_BYTES)
  expect(concat([new Uint8Array([1, 2]), EMPTY_BYTES, new Uint8Array([3])])).toEqual(
    new Uint8Array([1, 2, 3]),
  )
})

test('equal and compare agree with Buffer', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      expect(Math.sign(compare(a, b))).toBe(Buffer.compare(a, b))
      expect(equal(a, b)).toBe(Buffer.compare(a, b) === 0)
      expect(compare(a, a.slice())).toBe(0)
    }),
  )
})

test.each([
  [[], [], 0],
  [[1], [], 1],
  [[1, 2], [1, 3], -1],
  [[255], [1, 1, 1], 1],
  [[1], [1, 0], -1],
])('compare %j with %j', (a, b, sign) => {
  expect(Math.sign(compare(new Uint8Array(a), new Uint8Array(b)))).toBe(sign)
})

test('hex and base64 are those of Buffer and come back', () => {
  fc.assert(
    fc.property(bytes, (b) => {
      expect(toHex(b)).toBe(Buffer.from(b).toString('hex'))
      expect(fromHex(toHex(b))).toEqual(b)
      expect(toBase64(b)).toBe(Buffer.from(b).toString('base64'))
      expect(fromBase64(toBase64(b))).toEqual(b)
    }),
  )
})

test.each(['a', 'ab=', 'abc', 'a===', '====', 'ab=c', 'abc\n', 'ab-_', 'ab==cdef', 'aR=='])(
  'fromBase64 refuses %j',
  (text) => {
    expect(fromBase64(text)).toBeNull()
  },
)

test.each(['0', '0g', ' 00', '00 '])('fromHex asserts on %j', (text) => {
  expect(() => fromHex(text)).toThrow('not a hex string')
})
