import { describe, expect, test } from 'vitest'
import { Ensemble } from './ensemble.ts'

describe('an ensemble', () => {
  test.each([1, 3, 5])('of %i elects a leader and commits', (size) => {
    const ensemble = new Ensemble({ size })
    ensemble.startAll()
    const tookMs = ensemble.runUntil('settled', () => ensemble.isSettled)
    expect(tookMs).toBeLessThan(500)
    const leader = ensemble.leader!
    expect(leader.sid).toBe(size)
    ensemble.act(leader, ({ replica }) => {
      for (const text of ['a', 'b', 'c']) replica.propose(text, ensemble.now)
    })
    ensemble.run(100)
    for (const member of ensemble.members) {
      expect(member.replica.texts).toEqual(['a', 'b', 'c'])
      expect(member.disk.log).toHaveLength(3)
      expect(member.disk.currentEpoch).toBe(1)
    }
  })
})
