import { describe, expect, it } from 'vitest'
import {
  decodeMeshSignal,
  encodeMeshSignal,
  type MeshSignal,
} from '../../../src/adapters/webrtc/mesh-signal.ts'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'

describe('signals between pages', () => {
  it.each<MeshSignal>([
    { kind: 'ask', attempt: 3 },
    { kind: 'refuse', attempt: 3, reason: 'full' },
    { kind: 'rtc', attempt: 1, signal: { type: 'offer', sdp: 'v=0' } },
    {
      kind: 'rtc',
      attempt: 1,
      signal: {
        type: 'candidate',
        candidate: { candidate: 'candidate:1', sdpMid: '0', sdpMLineIndex: 0 },
      },
    },
  ])('$kind comes back as it was', (signal) => {
    expect(decodeMeshSignal(encodeMeshSignal(signal))).toEqual(signal)
  })

  it.each([
    'x',
    '[]',
    'null',
    '{"kind":"ask"}',
    '{"kind":"ask","attempt":-1}',
    '{"kind":"ask","attempt":1.5}',
    '{"kind":"other","attempt":1}',
    '{"kind":"refuse","attempt":1}',
    '{"kind":"rtc","attempt":1}',
    '{"kind":"rtc","attempt":1,"signal":{"type":"offer"}}',
    '{"kind":"rtc","attempt":1,"signal":{"type":"renegotiate","renegotiate":true}}',
    '{"kind":"rtc","attempt":1,"signal":{"type":"candidate","candidate":"x"}}',
    `{"kind":"refuse","attempt":1,"reason":"${'x'.repeat(20_000)}"}`,
  ])('%s is none', (text) => {
    expect(decodeMeshSignal(encodeUtf8(text))).toBeNull()
  })
})
