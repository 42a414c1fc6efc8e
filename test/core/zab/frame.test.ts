import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JuteError } from '../../../src/core/jute/jute-error.ts'
import { quorumPacketRecord } from '../../../src/core/jute/quorum-records.ts'
import { encode } from '../../../src/core/jute/record.ts'
import {
  FRAME_TARGET_BYTES,
  PEER_FRAME_MAX_BYTES,
  PEER_PACKET_MAX_BYTES,
} from '../../../src/core/zab/constants.ts'
import { decodeFrame, encodeFrames } from '../../../src/core/zab/frame.ts'
import { decodeNotification } from '../../../src/core/zab/notification.ts'
import {
  decodePacket,
  decodePulse,
  encodePacket,
  encodePulse,
  isNext,
} from '../../../src/core/zab/packets.ts'
import { zxidOf } from './rig.ts'

const bytes = (...all: number[]): Uint8Array => new Uint8Array(all)

describe('frames', () => {
  test('have a header of six bytes, then packets behind their lengths', () => {
    const frames = encodeFrames('stream', 0x01020304, [bytes(9), bytes(8, 7)])
    const expected = bytes(1, 2, 1, 2, 3, 4, 0, 0, 0, 1, 9, 0, 0, 0, 2, 8, 7)
    expect(frames).toEqual([expected])
  })

  test('are filled to the last byte, and a packet beyond the size has one of its own', () => {
    const sizes = (...lengths: number[]): number[] => {
      const packets = lengths.map((length) => new Uint8Array(length))
      return encodeFrames('stream', 1, packets).map(({ length }) => length)
    }
    const room = FRAME_TARGET_BYTES - 6 - 4 - 4
    expect(sizes(room - 1, 1)).toEqual([FRAME_TARGET_BYTES])
    expect(sizes(room, 1)).toEqual([FRAME_TARGET_BYTES - 4, 11])
    expect(sizes(FRAME_TARGET_BYTES)).toEqual([FRAME_TARGET_BYTES + 10])
  })

  test('come back as they were sent', () => {
    const lane = fc.constantFrom('pulse', 'election', 'stream', 'request')
    const packets = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { minLength: 1 })
    const roundTrip = fc.property(
      lane,
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      packets,
      (...a) => {
        const [laneName, conversation, list] = a
        const all = encodeFrames(laneName, conversation, list).map((frame) => decodeFrame(frame))
        expect(all.flatMap((frame) => frame.packets)).toEqual(list)
        for (const frame of all) expect(frame).toMatchObject({ lane: laneName, conversation })
      },
    )
    fc.assert(roundTrip)
  })

  test.each([
    ['nothing', bytes()],
    ['a header alone', bytes(1, 2, 0, 0, 0, 1)],
    ['another version', bytes(2, 2, 0, 0, 0, 1, 0, 0, 0, 1, 9)],
    ['an unknown lane', bytes(1, 9, 0, 0, 0, 1, 0, 0, 0, 1, 9)],
    ['an empty packet', bytes(1, 2, 0, 0, 0, 1, 0, 0, 0, 0)],
    ['a negative length', bytes(1, 2, 0, 0, 0, 1, 255, 255, 255, 255, 9)],
    ['a length beyond the frame', bytes(1, 2, 0, 0, 0, 1, 0, 0, 0, 3, 9, 9)],
    ['a cut length', bytes(1, 2, 0, 0, 0, 1, 0, 0, 1)],
    ['bytes after the last packet', bytes(1, 2, 0, 0, 0, 1, 0, 0, 0, 1, 9, 9)],
    ['too much', new Uint8Array(PEER_FRAME_MAX_BYTES + 1)],
  ])('with %s are refused', (_, frame) => {
    expect(() => decodeFrame(frame)).toThrow(JuteError)
  })

  test('with a packet that is too long are refused', () => {
    const frame = new Uint8Array(6 + 4 + PEER_PACKET_MAX_BYTES + 1)
    frame.set([1, 2])
    new DataView(frame.buffer).setInt32(6, PEER_PACKET_MAX_BYTES + 1)
    expect(() => decodeFrame(frame)).toThrow(JuteError)
  })

  test('and packets of any bytes throw JuteError or nothing', () => {
    const decoders = [decodeFrame, decodePacket, decodePulse, decodeNotification]
    const any = fc.property(fc.uint8Array({ maxLength: 80 }), (input) => {
      for (const decoder of decoders) {
        try {
          decoder(input)
        } catch (error) {
          expect(error).toBeInstanceOf(JuteError)
        }
      }
    })
    fc.assert(any, { numRuns: 500 })
  })
})

describe('packets', () => {
  test.each([null, bytes(), bytes(1, 2, 3)])('are QuorumPacket records: data %s', (data) => {
    const zxid = zxidOf('3.7')
    const record = encode(quorumPacketRecord, { type: 2, zxid, data, authinfo: null })
    expect(encodePacket(2, zxid, data)).toEqual(record)
    expect(decodePacket(record)).toEqual({ type: 2, zxid, data, authinfo: null })
  })

  test('carry authinfo', () => {
    const authinfo = [{ scheme: 'digest', id: 'a:b' }]
    expect(decodePacket(encodePacket(1, -1n, null, authinfo)).authinfo).toEqual(authinfo)
  })

  test('pulses keep a fractional time', () => {
    expect(decodePulse(encodePulse(1, 1234.5))).toEqual({ kind: 1, value: 1234.5 })
  })

  test.each([
    ['1.1', '1.2', true],
    ['1.1', '1.3', false],
    ['1.2', '1.2', false],
    ['1.2', '1.1', false],
    ['1.7', '2.1', true],
    ['1.7', '4.1', true],
    ['1.7', '2.2', false],
    ['2.1', '1.1', false],
    ['0.0', '1.1', true],
    ['1.4294967295', '2.0', false],
  ])('after %s may come %s: %s (Q37)', (previous, next, expected) => {
    expect(isNext(zxidOf(previous), zxidOf(next))).toBe(expected)
  })
})
