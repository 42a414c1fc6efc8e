import { expect, test } from 'vitest'
import {
  countOf,
  kindOfCandidate,
  withCandidate,
  NO_CANDIDATES,
} from '../../../../src/adapters/webrtc/doctor/ice-facts.ts'
import { pairStats, pairsTried } from '../../../../src/adapters/webrtc/doctor/pair-stats.ts'

const PAIR = {
  id: 'P1',
  type: 'candidate-pair',
  timestamp: 5_000,
  localCandidateId: 'L',
  remoteCandidateId: 'R',
  state: 'succeeded',
  nominated: true,
  currentRoundTripTime: 0.0125,
  lastPacketReceivedTimestamp: 4_750,
  bytesSent: 10,
  bytesReceived: 20,
  requestsSent: 5,
  responsesReceived: 4,
}
const LOCAL = {
  id: 'L',
  type: 'local-candidate',
  timestamp: 1,
  candidateType: 'relay',
  protocol: 'udp',
  relayProtocol: 'tls',
  address: '192.0.2.1',
}
const REMOTE = { id: 'R', type: 'remote-candidate', timestamp: 1, candidateType: 'prflx' }
const OTHER = { id: 'P2', type: 'candidate-pair', timestamp: 1, requestsSent: 3 }
const TRANSPORT = { id: 'T', type: 'transport', timestamp: 1, selectedCandidatePairId: 'P1' }

test.each([
  ['named by the transport (Chromium)', [TRANSPORT, OTHER, PAIR]],
  ['marked (Firefox)', [{ ...PAIR, nominated: false, selected: true }, OTHER]],
  ['nominated and succeeded', [OTHER, PAIR]],
])('the pair in use, %s', (_name, entries) => {
  expect(pairStats([...entries, LOCAL, REMOTE])).toEqual({
    localType: 'relay',
    remoteType: 'prflx',
    protocol: 'udp',
    relayProtocol: 'tls',
    roundTripMs: 12.5,
    lastReceivedMsAgo: 250,
    bytesSent: 10,
    bytesReceived: 20,
    localAddress: '192.0.2.1',
    remoteAddress: null,
  })
})

test('nothing selected is nothing, and what was tried is counted', () => {
  expect(pairStats([OTHER, LOCAL])).toBeNull()
  expect(pairStats([])).toBeNull()
  expect(pairsTried([OTHER, PAIR, LOCAL])).toEqual({
    pairs: 2,
    requestsSent: 8,
    responsesReceived: 4,
  })
})

test.each([
  ['candidate:1 1 udp 2113937151 192.0.2.2 55877 typ host generation 0', 'host'],
  ['candidate:1 1 udp 2113937151 3f9c-11.local 55877 typ host', 'mdns'],
  ['candidate:1 1 udp 1 198.51.100.1 5 typ srflx raddr 0.0.0.0 rport 0', 'srflx'],
  ['candidate:1 1 udp 50339839 127.0.0.1 52165 typ relay raddr 0.0.0.0', 'relay'],
  ['', null],
  ['candidate:1 1 udp 1 x 5 typ', null],
])('%s', (line, kind) => {
  expect(kindOfCandidate(line)).toBe(kind)
  const counts = withCandidate(NO_CANDIDATES, line)
  expect(countOf(counts)).toBe(kind === null ? 0 : 1)
})
