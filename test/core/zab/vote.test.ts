import { describe, expect, test } from 'vitest'
import { toServerId } from '../../../src/core/base/zxid.ts'
import { MajorityVerifier, type QuorumVerifier } from '../../../src/core/zab/quorum-verifier.ts'
import { isBetter, isSameVote, type Proposed, type Vote } from '../../../src/core/zab/vote.ts'
import { zxidOf } from './rig.ts'

const FIVE = new MajorityVerifier([1, 2, 3, 4, 5].map(toServerId))

/** [leader, zxid, peerEpoch] */
type Row = readonly [leader: number, zxid: string, peerEpoch: number]

function proposed([leader, zxid, peerEpoch]: Row): Proposed {
  return { leader: toServerId(leader), zxid: zxidOf(zxid), peerEpoch }
}

// FLEPredicateTest (T22): peerEpoch, then zxid, then id (Q10).
const ORDER: readonly (readonly [string, Row, Row, boolean])[] = [
  ['a newer epoch beats a newer zxid', [1, '1.1', 2], [2, '1.9', 1], true],
  ['an older epoch loses with a newer zxid', [2, '1.9', 1], [1, '1.1', 2], false],
  ['in one epoch the newer zxid wins', [1, '1.2', 1], [2, '1.1', 1], true],
  ['in one epoch the older zxid loses', [2, '1.1', 1], [1, '1.2', 1], false],
  ['the epoch of the zxid counts like its counter', [1, '2.0', 1], [2, '1.9', 1], true],
  ['all equal: the higher id wins', [2, '1.1', 1], [1, '1.1', 1], true],
  ['all equal: the lower id loses', [1, '1.1', 1], [2, '1.1', 1], false],
  ['nobody is better than itself', [1, '1.1', 1], [1, '1.1', 1], false],
  ['who is no voter is never better (Q6)', [9, '9.9', 9], [1, '1.1', 1], false],
]

describe('the order of votes', () => {
  test.each(ORDER)('%s', (_, a, b, expected) => {
    expect(isBetter(proposed(a), proposed(b), FIVE)).toBe(expected)
  })

  test('weight 0 is never elected (Q6)', () => {
    const weights: QuorumVerifier = {
      version: FIVE.version,
      voters: FIVE.voters,
      quorumSize: FIVE.quorumSize,
      containsQuorum: (acks) => FIVE.containsQuorum(acks),
      weightOf: (sid) => (sid === 5 ? 0 : 1),
    }
    expect(isBetter(proposed([5, '9.9', 9]), proposed([1, '1.1', 1]), weights)).toBe(false)
  })
})

describe('votes for the same election (Q16)', () => {
  const base: Vote = { ...proposed([3, '2.5', 2]), electionEpoch: 4n, state: 'looking' }
  const rows: readonly (readonly [string, Partial<Vote>, Partial<Vote>, boolean])[] = [
    ['looking: all fields', {}, {}, true],
    ['looking: another zxid', {}, { zxid: zxidOf('2.4') }, false],
    ['looking: another round', {}, { electionEpoch: 5n }, false],
    ['looking: another leader', {}, { leader: toServerId(2) }, false],
    [
      'settled: another zxid',
      { state: 'following' },
      { state: 'leading', zxid: 1n as never },
      true,
    ],
    [
      'settled: another round',
      { state: 'following' },
      { state: 'following', electionEpoch: 9n },
      true,
    ],
    ['settled: another epoch', { state: 'following' }, { state: 'following', peerEpoch: 3 }, false],
    ['one looks: another zxid', { state: 'following' }, { zxid: zxidOf('2.4') }, false],
  ]
  test.each(rows)('%s', (_, a, b, expected) => {
    expect(isSameVote({ ...base, ...a }, { ...base, ...b })).toBe(expected)
    expect(isSameVote({ ...base, ...b }, { ...base, ...a })).toBe(expected)
  })
})

describe('a majority (Q5)', () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [7, 4],
  ])('of %i voters is %i', (size, needed) => {
    const all = Array.from({ length: size }, (_, i) => toServerId(i + 1))
    const verifier = new MajorityVerifier(all)
    expect(verifier.quorumSize).toBe(needed)
    expect(verifier.containsQuorum(new Set(all.slice(0, needed)))).toBe(true)
    expect(verifier.containsQuorum(new Set(all.slice(0, needed - 1)))).toBe(false)
  })

  test('has no place for those who are no voters (Q7)', () => {
    expect(FIVE.containsQuorum(new Set([1, 2, 8, 9, 10].map(toServerId)))).toBe(false)
  })
})
