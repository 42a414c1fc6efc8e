import { describe, expect, test } from 'vitest'
import {
  hasCredentials,
  hasTurn,
  iceAddresses,
  IceSettingsError,
  parseIceSettings,
  parseIceText,
} from '../../../src/adapters/webrtc/ice-settings.ts'

const TURN = { urls: ['turn:turn.example.org:3478'], username: 'u', credential: 'c' }

describe('ICE settings', () => {
  test.each([
    ['', []],
    ['stun:stun.example.org', ['stun:stun.example.org']],
    [
      'stun:a.example, stun:b.example:3478\nstuns:[2001:db8::1]:5349',
      ['stun:a.example', 'stun:b.example:3478', 'stuns:[2001:db8::1]:5349'],
    ],
    [JSON.stringify(TURN), TURN.urls],
    [JSON.stringify([TURN, { urls: 'stun:x' }]), [...TURN.urls, 'stun:x']],
    [JSON.stringify({ iceServers: [TURN], iceTransportPolicy: 'relay' }), TURN.urls],
    [
      JSON.stringify({ ...TURN, urls: 'turns:t.example:443?transport=tcp' }),
      ['turns:t.example:443?transport=tcp'],
    ],
  ])('%s is taken', (text, addresses) => {
    expect(iceAddresses(parseIceText(text))).toEqual(addresses)
  })

  test.each([
    ['{', /not JSON/],
    ['"x"', /list of servers/],
    ['7', /address like turn:/],
    ['{"iceServers": 7}', /not a list/],
    ['{"iceserver": []}', /"iceserver" is none of iceServers/],
    ['[7]', /ICE server 1 is not an object/],
    ['[{"urls": []}]', /1 needs "urls"/],
    ['[{"urls": "http://x"}]', /'http:\/\/x' where an address like turn:/],
    ['[{"urls": "turn:x:99999", "username": "u", "credential": "c"}]', /99999 is no port/],
    ['turn:x', /needs a "username" and a "credential"/],
    ['[{"urls": "turn:x", "username": "u", "pasword": "c"}]', /"pasword" is none of/],
    ['[{"urls": "turn:x", "username": "u", "credential": ""}]', /"credential"/],
    ['[{"urls": "stun:x", "username": "u"}]', /takes no username/],
    ['stun:x?transport=tcp', /after a stun: address nothing/],
    ['[{"urls": "turn:x?transport=sctp", "username": "u", "credential": "c"}]', /\?transport=udp/],
    ['[{"urls": "stun:user@x"}]', /address like turn:/],
    [JSON.stringify({ iceServers: [], iceTransportPolicy: 'relay' }), /needs a turn: server/],
    [JSON.stringify({ iceServers: [], iceTransportPolicy: 'some' }), /"all" or "relay"/],
    [JSON.stringify(Array(9).fill(TURN)), /More than 8/],
    ['x'.repeat(40_000), /too long/],
  ])('%s is refused in words', (text, words) => {
    expect(() => parseIceText(text)).toThrow(IceSettingsError)
    expect(() => parseIceText(text)).toThrow(words)
  })

  test('what is taken is what RTCPeerConnection takes, and nothing besides', () => {
    expect(parseIceSettings({ iceServers: [{ ...TURN, urls: TURN.urls[0] }] })).toEqual({
      iceServers: [TURN],
      iceTransportPolicy: 'all',
    })
    const settings = parseIceSettings([TURN])
    expect([hasTurn(settings), hasCredentials(settings)]).toEqual([true, true])
    const stun = parseIceText('stun:x')
    expect([hasTurn(stun), hasCredentials(stun)]).toEqual([false, false])
  })
})
