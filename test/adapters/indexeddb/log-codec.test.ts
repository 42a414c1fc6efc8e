import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  claimedCount,
  LOG_VALUE_BYTES_MAX,
  packEntries,
  unpackEntries,
} from '../../../src/adapters/indexeddb/log-codec.ts'
import { toHex } from '../../../src/core/base/bytes.ts'
import { makeZxid, ZXID_NONE } from '../../../src/core/base/zxid.ts'
import type { LogEntry } from '../../../src/core/zab/effect.ts'

function entriesOf(sizes: readonly number[]): LogEntry[] {
  return sizes.map((size, index) => ({
    zxid: makeZxid(2, index + 1),
    entry: new Uint8Array(size).fill(index),
  }))
}

describe('log values', () => {
  it('has this layout, format 1', () => {
    const [value] = packEntries(
      [{ zxid: makeZxid(1, 2), entry: Uint8Array.of(0xab, 0xcd) }],
      makeZxid(1, 1),
    )
    expect(value?.key).toEqual([1, 2])
    expect(toHex(value!.bytes)).toBe(
      '5a4c0100' + '00000001' + '0000000100000001' + '000000010000000200000002abcd' + 'aef1389a',
    )
  })

  it('gives back what was packed, linked value to value, none above the bound', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(sizes, (list) => {
        const entries = entriesOf(list)
        let previous = ZXID_NONE
        const back: LogEntry[] = []
        for (const { key, bytes } of packEntries(entries, previous)) {
          expect(bytes.length).toBeLessThanOrEqual(LOG_VALUE_BYTES_MAX)
          const value = unpackEntries(bytes)!
          expect(value.previous).toBe(previous)
          expect(makeZxid(...key)).toBe(value.entries[0]!.zxid)
          back.push(...value.entries)
          previous = value.entries.at(-1)!.zxid
        }
        expect(back.map(({ zxid }) => zxid)).toEqual(entries.map(({ zxid }) => zxid))
        expect(back.every(({ entry }, i) => entry.length === list[i])).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  it('puts an entry above the bound alone', () => {
    const values = packEntries(entriesOf([10, 100_000, 10]), ZXID_NONE)
    expect(values.map(({ key }) => key)).toEqual([
      [2, 1],
      [2, 2],
      [2, 3],
    ])
  })

  it('recognises every flipped bit and every cut', () => {
    const { bytes } = packEntries(entriesOf([3, 0, 5]), ZXID_NONE)[0]!
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(unpackEntries(flipped)).toBeNull()
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(unpackEntries(bytes.subarray(0, length))).toBeNull()
    }
  })

  it('guesses the number of lost entries within reason', () => {
    const { bytes } = packEntries(entriesOf([3, 0, 5]), ZXID_NONE)[0]!
    expect(claimedCount(bytes)).toBe(3)
    expect(claimedCount(bytes.fill(0xff))).toBeLessThan(bytes.length)
    expect(claimedCount(new Uint8Array(3))).toBe(1)
  })
})
