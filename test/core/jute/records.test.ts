import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as connect from '../../../src/core/jute/connect-records.ts'
import * as dataRecords from '../../../src/core/jute/data-records.ts'
import * as election from '../../../src/core/jute/election-records.ts'
import { JuteError } from '../../../src/core/jute/jute-error.ts'
import * as multi from '../../../src/core/jute/multi.ts'
import * as proto from '../../../src/core/jute/proto-records.ts'
import * as quorum from '../../../src/core/jute/quorum-records.ts'
import * as session from '../../../src/core/jute/session-records.ts'
import * as txn from '../../../src/core/jute/txn-records.ts'
import { RECORD_CASES } from './record-cases.ts'

/** Small ints and lengths are what gets a decoder far enough to be fooled. */
const hostile = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: -2, max: 24 }).map(int32) },
      { weight: 1, arbitrary: fc.constantFrom(0x7fff_ffff, -0x8000_0000, 0x1f_fffe).map(int32) },
      { weight: 2, arbitrary: fc.uint8Array({ maxLength: 9 }).map((b) => [...b]) },
    ),
    { maxLength: 30 },
  )
  .map((parts) => new Uint8Array(parts.flat()))

function int32(n: number): number[] {
  return [(n >> 24) & 255, (n >> 16) & 255, (n >> 8) & 255, n & 255]
}

/** Decodes or throws JuteError: any other way out fails the test. */
function tryDecode(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): void {
  try {
    decode(bytes)
  } catch (error) {
    if (!(error instanceof JuteError)) throw error
    expect(error.message).not.toBe('')
  }
}

test('every record that exists has a case here', () => {
  const modules = [connect, dataRecords, election, multi, proto, quorum, session, txn]
  const names = modules.flatMap((module) =>
    Object.entries(module).flatMap(([name, value]) =>
      name.endsWith('Record') ? [(value as { name: string }).name] : [],
    ),
  )
  expect(RECORD_CASES.map((entry) => entry.name).sort()).toEqual(names.sort())
})

describe.each(RECORD_CASES)('$name', ({ samples, decode, encodeDecoded }) => {
  test('comes back from its bytes, and the bytes from it', () => {
    fc.assert(
      fc.property(samples, ({ bytes, value, again }) => {
        expect(again()).toEqual(value)
        expect(encodeDecoded(bytes)).toEqual(bytes)
      }),
      { numRuns: 50 },
    )
  })

  test('decodes or throws JuteError, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.oneof(hostile, fc.uint8Array({ maxLength: 100 })), (bytes) => {
        tryDecode(decode, bytes)
      }),
      { numRuns: 200 },
    )
  })

  test('survives truncation, extension and flipped bytes of a good record', () => {
    fc.assert(
      fc.property(samples, fc.nat(), fc.nat(255), ({ bytes }, where, value) => {
        const at = bytes.length === 0 ? 0 : where % bytes.length
        tryDecode(decode, bytes.subarray(0, at))
        tryDecode(decode, new Uint8Array([...bytes, value]))
        const flipped = bytes.slice()
        flipped[at] = value
        tryDecode(decode, flipped)
      }),
      { numRuns: 50 },
    )
  })
})

test('reading leaves the input as it was', () => {
  for (const { samples, decode } of RECORD_CASES) {
    for (const { bytes } of fc.sample(samples, 3)) {
      const before = bytes.slice()
      decode(bytes)
      expect(bytes).toEqual(before)
    }
  }
})
