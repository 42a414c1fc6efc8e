import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toServerId } from '../../src/core/base/zxid.ts'
import {
  decodePageMessage,
  encodePageMessage,
  type PageMessage,
} from '../../src/runtime/page-message.ts'

const grant = { sid: toServerId(4), sessionBase: 3n << 36n }
const MESSAGES: readonly PageMessage[] = [
  { kind: 'record', envelope: Uint8Array.of(0, 0, 1, 2) },
  { kind: 'observe' },
  { kind: 'grant', grant },
  { kind: 'no-place', reason: 'there are 16 observers already' },
  { kind: 'observing', grant },
  { kind: 'place-lost', grant },
]

describe('page messages', () => {
  test.each(MESSAGES.map((message) => [message.kind, message] as const))(
    '%s comes out as it went in',
    (_kind, message) => {
      expect(decodePageMessage(encodePageMessage(message))).toEqual(message)
    },
  )

  test('of later kinds or versions are none', () => {
    expect(decodePageMessage(Uint8Array.of(99, 1))).toBeNull()
    expect(decodePageMessage(Uint8Array.of(1, 2))).toBeNull()
    expect(decodePageMessage(new Uint8Array(0))).toBeNull()
  })

  test('out of bounds are none: a server id, a session base, a length', () => {
    for (const wrong of [
      { sid: 255, sessionBase: 1n },
      { sid: 0, sessionBase: 1n },
      { sid: 4, sessionBase: 1n << 56n },
    ]) {
      const bytes = encodePageMessage({ kind: 'grant', grant: wrong as typeof grant })
      expect(decodePageMessage(bytes)).toBeNull()
    }
    expect(decodePageMessage(Uint8Array.of(3, 1, ...new Uint8Array(2000)))).toBeNull()
    const long = encodePageMessage({ kind: 'no-place', reason: 'x'.repeat(1000) })
    expect(decodePageMessage(long)).toEqual({ kind: 'no-place', reason: 'x'.repeat(200) })
  })

  test('any bytes are read without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const message = decodePageMessage(bytes)
        expect(message === null || message.kind.length > 0).toBe(true)
      }),
    )
  })
})
