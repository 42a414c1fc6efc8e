/** Observers in an ensemble: they learn, serve and count for nothing (Q7, Q20, Q29, Q34, Q44). */
import { describe, expect, test } from 'vitest'
import { Ensemble, type Member } from './ensemble.ts'

function started(size: number, observers: number): Ensemble {
  const ensemble = new Ensemble({ size, observers })
  ensemble.startAll()
  ensemble.runUntil('settled', () => ensemble.isSettled)
  return ensemble
}

function write(ensemble: Ensemble, ...texts: readonly string[]): void {
  const { leader } = ensemble
  if (leader === undefined) throw new Error('no leader')
  ensemble.act(leader, ({ replica }) => {
    for (const text of texts) replica.propose(text, ensemble.now)
  })
  ensemble.run(50)
}

function texts(members: readonly Member[]): string[] {
  return members.map(({ replica }) => replica.texts.join(' '))
}

describe('an observer', () => {
  test('joins, is informed of what is committed, and logs it', () => {
    const ensemble = started(3, 2)
    expect(ensemble.members.map(({ peer }) => peer.role)).toEqual([
      'following',
      'following',
      'leading',
      'observing',
      'observing',
    ])
    write(ensemble, 'a', 'b')
    expect(texts(ensemble.members)).toEqual(Array.from({ length: 5 }, () => 'a b'))
    expect(ensemble.member(4).disk.log.length).toBe(2)
    const status = ensemble.member(3).peer.status(ensemble.now)
    expect(status.synced).toEqual([1, 2])
    expect(status.syncedObservers).toEqual([4, 5])
    expect(status.observerLinks.map(({ peer, up }) => [peer, up])).toEqual([
      [4, true],
      [5, true],
    ])
    expect(status.quorum).toMatchObject({ needed: 2, voters: 3, isReachable: true })
  })

  test('finds the next leader', () => {
    const ensemble = started(3, 1)
    write(ensemble, 'a')
    ensemble.crash(3)
    expect(ensemble.member(4).replica.service.kind).toBe('following')
    ensemble.run(5)
    expect(ensemble.member(4).replica.service.kind).toBe('stopped')
    ensemble.runUntil('settled', () => ensemble.isSettled)
    write(ensemble, 'b')
    expect(texts(ensemble.up)).toEqual(['a b', 'a b', 'a b'])
    ensemble.start(3)
    ensemble.runUntil('settled', () => ensemble.isSettled)
    expect(texts(ensemble.up)).toEqual(['a b', 'a b', 'a b', 'a b'])
  })

  test('makes no quorum with a leader that lost its followers', () => {
    const ensemble = started(3, 2)
    ensemble.crash(1)
    ensemble.crash(2)
    ensemble.run(5)
    expect(ensemble.leader).toBeUndefined()
    ensemble.run(20_000)
    expect(ensemble.up.map(({ peer }) => peer.role)).toEqual(['looking', 'looking', 'looking'])
  })
})
