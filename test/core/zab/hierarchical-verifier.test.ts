// Quorums of groups and weights (Q6): what is one, that any two meet, and an ensemble of them.
import { describe, expect, test } from 'vitest'
import { Prng } from '../../../src/core/base/prng.ts'
import { toServerId, type ServerId } from '../../../src/core/base/zxid.ts'
import {
  HierarchicalVerifier,
  type QuorumGroup,
} from '../../../src/core/zab/hierarchical-verifier.ts'
import { Ensemble } from './ensemble.ts'
import { RandomRun } from './random-ensemble.ts'

/** Weights of each group's members; ids are given in order. */
function groupsOf(...weights: readonly (readonly number[])[]): QuorumGroup[] {
  let sid = 0
  return weights.map((group) => group.map((weight) => ({ sid: toServerId(++sid), weight })))
}

function sids(...numbers: readonly number[]): Set<ServerId> {
  return new Set(numbers.map(toServerId))
}

const THREE_BY_THREE = groupsOf([1, 1, 1], [1, 1, 1], [1, 1, 1])

describe('a quorum', () => {
  test.each([
    ['two of three in two of three groups', THREE_BY_THREE, [1, 2, 4, 5], true],
    ['a whole group and one of each other', THREE_BY_THREE, [1, 2, 3, 4, 7], false],
    ['two whole groups', THREE_BY_THREE, [4, 5, 6, 7, 8, 9], true],
    ['one group of two', groupsOf([1, 1, 1], [1, 1, 1]), [1, 2, 3], false],
    ['half of a group’s weight', groupsOf([1, 1]), [1], false],
    ['the heavy one alone', groupsOf([3, 1, 1]), [1], true],
    ['the light ones without it', groupsOf([3, 1, 1]), [2, 3], false],
    ['members without weight', groupsOf([1, 0, 0]), [2, 3], false],
    ['one, where others have no weight', groupsOf([1, 0, 0]), [1], true],
    ['one of two groups, the other without weight', groupsOf([1, 1, 1], [0, 0]), [1, 2], true],
    ['that other one', groupsOf([1, 1, 1], [0, 0]), [4, 5], false],
    ['strangers', groupsOf([1, 1, 1]), [1, 8, 9], false],
  ] as const)('%s', (_name, groups, acks, isQuorum) => {
    expect(new HierarchicalVerifier(groups).containsQuorum(sids(...acks))).toBe(isQuorum)
  })

  test('says how few can be one', () => {
    expect(new HierarchicalVerifier(THREE_BY_THREE).quorumSize).toBe(4)
    expect(new HierarchicalVerifier(groupsOf([3, 1, 1], [1, 1, 1], [0])).quorumSize).toBe(3)
  })

  test('knows weights, and none of strangers', () => {
    const verifier = new HierarchicalVerifier(groupsOf([3, 0]))
    expect([1, 2, 9].map((sid) => verifier.weightOf(toServerId(sid)))).toEqual([3, 0, 0])
    expect([...verifier.voters]).toEqual([1, 2])
  })

  test('any two of them share a member with weight; quorumSize is the least of their sizes', () => {
    const chance = new Prng(6)
    let pairs = 0
    for (let round = 0; round < 60; round++) {
      const count = 1 + chance.int(4)
      const groups = groupsOf(
        ...Array.from({ length: count }, () =>
          Array.from({ length: 1 + chance.int(2) }, () => chance.int(4)),
        ),
      )
      const members = groups.flat()
      if (members.every(({ weight }) => weight === 0)) continue
      const verifier = new HierarchicalVerifier(groups)
      const quorums: ServerId[][] = []
      for (let mask = 0; mask < 2 ** members.length; mask++) {
        const set = members.filter((_member, at) => (mask & (1 << at)) !== 0).map(({ sid }) => sid)
        if (verifier.containsQuorum(new Set(set))) quorums.push(set)
      }
      expect(Math.min(...quorums.map((one) => one.length))).toBe(verifier.quorumSize)
      for (const one of quorums) {
        for (const other of quorums) {
          const meets = one.some((sid) => other.includes(sid) && verifier.weightOf(sid) > 0)
          if (!meets)
            throw new Error(`${JSON.stringify(groups)}: ${one.join()} and ${other.join()}`)
          pairs++
        }
      }
    }
    expect(pairs).toBeGreaterThan(1_000)
  })
})

describe('an ensemble of groups', () => {
  test('commits with two of three groups, and not with one and a half', () => {
    const ensemble = new Ensemble({ size: 9, groups: THREE_BY_THREE })
    ensemble.startAll()
    ensemble.runUntil('settled', () => ensemble.isSettled)
    // A majority of groups without one member each; five of nine are gone.
    for (const sid of [1, 2, 3, 6, 9]) ensemble.crash(sid)
    ensemble.runUntil('settled again', () => ensemble.leader !== undefined, 30_000)
    ensemble.act(ensemble.leader!, ({ replica }) => replica.propose('a', ensemble.now))
    ensemble.run(200)
    expect(ensemble.up.map(({ replica }) => replica.texts)).toEqual(
      Array.from({ length: 4 }, () => ['a']),
    )
    // Five of nine are more than half, and a group and one of each other are no quorum.
    for (const sid of [1, 2, 3]) ensemble.start(sid)
    ensemble.runUntil('seven', () => ensemble.isSettled, 30_000)
    ensemble.crash(5)
    ensemble.crash(8)
    ensemble.run(5_000)
    expect(ensemble.up.map(({ sid }) => sid)).toEqual([1, 2, 3, 4, 7])
    expect(ensemble.leader).toBeUndefined()
  })

  test('elects nobody without weight, though it has the newest history', () => {
    const ensemble = new Ensemble({ size: 3, groups: groupsOf([1, 1, 0]) })
    ensemble.startAll()
    ensemble.runUntil('settled', () => ensemble.isSettled)
    expect(ensemble.leader?.sid).toBe(2)
    expect(ensemble.member(3).peer.role).toBe('following')
  })

  test.each([
    ['three groups of weights', 6, groupsOf([1, 1], [2, 1, 0], [1])],
    ['two groups', 4, groupsOf([1, 1, 1], [5])],
  ] as const)(
    'loses nothing under random faults: %s',
    (_name, size, groups) => {
      for (let seed = 1; seed <= 4; seed++) {
        const run = new RandomRun({ seed, size, groups })
        run.run(10_000)
        expect(run.committed.length).toBeGreaterThan(0)
      }
    },
    120_000,
  )
})
