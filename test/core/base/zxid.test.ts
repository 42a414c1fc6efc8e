import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AssertionError } from '../../../src/core/base/assert.ts'
import {
  counterOf,
  epochOf,
  formatSessionId,
  formatZxid,
  makeZxid,
  nextZxid,
  toServerId,
  toSessionId,
  toZxid,
  ZXID_NONE,
} from '../../../src/core/base/zxid.ts'

const epochs = fc.nat(0x7fff_ffff)
const counters = fc.integer({ min: 0, max: 0xffff_ffff })

describe('zxid', () => {
  test('is epoch and counter', () => {
    fc.assert(
      fc.property(epochs, counters, (epoch, counter) => {
        const zxid = makeZxid(epoch, counter)
        expect(epochOf(zxid)).toBe(epoch)
        expect(counterOf(zxid)).toBe(counter)
        expect(toZxid(zxid)).toBe(zxid)
      }),
    )
  })

  test('orders by epoch first, then by counter', () => {
    fc.assert(
      fc.property(epochs, counters, epochs, counters, (e1, c1, e2, c2) => {
        const less = makeZxid(e1, c1) < makeZxid(e2, c2)
        expect(less).toBe(e1 < e2 || (e1 === e2 && c1 < c2))
      }),
    )
  })

  test.each([
    [makeZxid(1, 0x5e1), '0x1000005e1'],
    [makeZxid(0, 10), '0xa'],
    [ZXID_NONE, '0x0'],
    [toZxid(-1n), '0xffffffffffffffff'],
  ])('%i prints as %s', (zxid, text) => {
    expect(formatZxid(zxid)).toBe(text)
  })

  test('next stays in the epoch and asserts at its end (D35)', () => {
    expect(nextZxid(makeZxid(3, 7))).toBe(makeZxid(3, 8))
    expect(nextZxid(makeZxid(3, 0xffff_fffe))).toBe(makeZxid(3, 0xffff_ffff))
    expect(() => nextZxid(makeZxid(3, 0xffff_ffff))).toThrow(AssertionError)
  })

  test.each([
    [-1, 0],
    [0x8000_0000, 0],
    [0, -1],
    [0, 0x1_0000_0000],
    [0.5, 0],
    [0, NaN],
  ])('makeZxid(%s, %s) asserts', (epoch, counter) => {
    expect(() => makeZxid(epoch, counter)).toThrow(AssertionError)
  })

  test('toZxid takes signed 64-bit numbers only', () => {
    expect(toZxid(-(1n << 63n))).toBe(-(1n << 63n))
    expect(() => toZxid(1n << 63n)).toThrow(AssertionError)
  })
})

test('session ids print unsigned, top byte = server id (S1)', () => {
  expect(formatSessionId(toSessionId(0x1083cee35470003n))).toBe('0x1083cee35470003')
  expect(formatSessionId(toSessionId(-1n))).toBe('0xffffffffffffffff')
  expect(formatSessionId(toSessionId(BigInt.asIntN(64, 0xfe00_0000_0000_0001n)))).toBe(
    '0xfe00000000000001',
  )
  expect(() => toSessionId(1n << 64n)).toThrow(AssertionError)
})

test.each([-1, 256, 1.5, NaN])('toServerId(%s) asserts', (n) => {
  expect(() => toServerId(n)).toThrow(AssertionError)
})
