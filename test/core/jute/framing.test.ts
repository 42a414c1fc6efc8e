import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { frame, joinFrames, JUTE_MAX_BUFFER, splitFrames } from '../../../src/core/jute/framing.ts'
import { JuteError } from '../../../src/core/jute/jute-error.ts'
import { FrameSplitter } from './frame-splitter.ts'

const payloads = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 })

test('a frame is its length and its payload (W1)', () => {
  expect(toHex(frame(fromHex('aabb')))).toBe('00000002aabb')
  expect(toHex(frame(new Uint8Array(0)))).toBe('00000000')
})

test('joined frames split again', () => {
  fc.assert(
    fc.property(payloads, (list) => {
      expect(splitFrames(joinFrames(list), 40)).toEqual(list)
    }),
  )
})

test.each(['000000', '00000001', '00000002aa', '00000000ff', '0000000100ffffffff', '0000002900'])(
  'splitFrames refuses %s',
  (hex) => {
    expect(() => splitFrames(fromHex(hex), 40)).toThrow(JuteError)
  },
)

describe('a stream of frames', () => {
  test('gives the same payloads however the stream is cut', () => {
    fc.assert(
      fc.property(payloads, fc.array(fc.integer({ min: 1, max: 12 })), (list, cuts) => {
        const stream = joinFrames(list)
        const splitter = new FrameSplitter(40)
        const got: Uint8Array[] = []
        let at = 0
        for (const cut of [...cuts, stream.length]) {
          got.push(...splitter.push(stream.subarray(at, at + cut)))
          at += cut
        }
        expect(got).toEqual(list)
      }),
      { numRuns: 500 },
    )
  })

  test('keeps nothing of a chunk that the caller may use again', () => {
    const splitter = new FrameSplitter(40)
    const chunk = fromHex('00000003aa')
    expect(splitter.push(chunk)).toEqual([])
    chunk.fill(0)
    expect(splitter.push(fromHex('bbcc')).map(toHex)).toEqual(['aabbcc'])
  })

  test('a frame of the largest size passes, one byte more does not (W5)', () => {
    const largest = new Uint8Array(JUTE_MAX_BUFFER)
    const lengths = new FrameSplitter().push(frame(largest)).map((payload) => payload.length)
    expect(lengths).toEqual([JUTE_MAX_BUFFER])
    expect(() => new FrameSplitter().push(fromHex('00100000'))).toThrow(
      'frame of 1048576 bytes, at most 1048575',
    )
  })

  test.each(['ffffffff', '80000000', '00000029', '00000001aaffffffff'])('refuses %s', (hex) => {
    const whole = new FrameSplitter(40)
    expect(() => whole.push(fromHex(hex))).toThrow(JuteError)
    const byteByByte = new FrameSplitter(40)
    expect(() => {
      for (const byte of fromHex(hex)) byteByByte.push(new Uint8Array([byte]))
    }).toThrow(JuteError)
  })

  test('a big frame in small chunks is put together in linear time', () => {
    const payload = Uint8Array.from({ length: JUTE_MAX_BUFFER }, (_, i) => i & 255)
    const stream = concat([frame(payload), frame(payload.subarray(0, 5))])
    const splitter = new FrameSplitter()
    const got: Uint8Array[] = []
    for (let at = 0; at < stream.length; at += 100) {
      got.push(...splitter.push(stream.subarray(at, at + 100)))
    }
    expect(got.map((bytes) => bytes.length)).toEqual([JUTE_MAX_BUFFER, 5])
    expect(Buffer.compare(got[0]!, payload)).toBe(0)
  })
})
