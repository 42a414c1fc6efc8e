import { describe, expect, test } from 'vitest'
import { toServerId } from '../../src/core/base/zxid.ts'
import { ObserverSeat } from '../../src/runtime/observer-seat.ts'
import { commitText, observerText } from '../../src/runtime/observer-text.ts'
import { PeerTable, type PeerLink } from '../../src/runtime/peer-table.ts'
import { ManualTime } from './bench.ts'

const grant = (base: number) => ({ sid: toServerId(4), sessionBase: BigInt(base) })

function newcomer() {
  const time = new ManualTime()
  const told: string[] = []
  const links: PeerLink[] = []
  const peers = new PeerTable()
  const seat = new ObserverSeat({
    clock: time,
    every: time.every,
    voters: () => links,
    say: ({ linkId }, { kind }) => told.push(`${kind} to ${linkId}`),
    start: ({ sessionBase }) => told.push(`start ${sessionBase}`),
    end: () => told.push('end'),
    random: () => 1,
  })
  const link = (id: string): void => {
    links.push(peers.link(id))
    seat.onLink(peers.link(id))
  }
  return { time, told, seat, link, take: () => told.splice(0) }
}

describe('a newcomer', () => {
  test('asks every voter, again and again, ever more rarely, until it has a place', async () => {
    const { time, seat, link, take } = newcomer()
    link('v1')
    expect(take()).toEqual(['observe to v1'])
    await time.pass(20_000)
    const asked = take().length
    expect(asked).toBeGreaterThanOrEqual(4)
    await time.pass(20_000)
    expect(take().length).toBeLessThan(asked)
    seat.onMessage({ kind: 'grant', grant: grant(10) })
    await time.pass(20_000)
    expect(take()).toEqual(['start 10'])
  })

  test('tells all voters when its member runs, and those that come later', () => {
    const { seat, link, take } = newcomer()
    link('v1')
    seat.onMessage({ kind: 'grant', grant: grant(10) })
    take()
    link('v2')
    expect(take()).toEqual([])
    seat.onRunning()
    expect(take()).toEqual(['observing to v1', 'observing to v2'])
    link('v3')
    expect(take()).toEqual(['observing to v3'])
  })

  test('takes one grant only', () => {
    const { seat, take } = newcomer()
    seat.onMessage({ kind: 'grant', grant: grant(10) })
    seat.onMessage({ kind: 'grant', grant: grant(20) })
    seat.onMessage({ kind: 'no-place', reason: 'full' })
    expect(take()).toEqual(['start 10'])
    expect(seat.text).not.toContain('full')
  })

  test('without a place says why, waits, and asks again', async () => {
    const { time, seat, link, take } = newcomer()
    link('v1')
    seat.onMessage({ kind: 'no-place', reason: 'there are 16 observers already' })
    expect(seat.text).toBe('there are 16 observers already: a client only until one leaves')
    take()
    await time.pass(10_000)
    expect(take()).toEqual([])
    await time.pass(10_000)
    expect(take().length).toBeGreaterThan(0)
  })

  test('that lost its place ends its member and asks for another', () => {
    const { seat, link, take } = newcomer()
    link('v1')
    seat.onMessage({ kind: 'grant', grant: grant(10) })
    seat.onRunning()
    take()
    seat.onMessage({ kind: 'place-lost', grant: grant(9) })
    expect(take()).toEqual([])
    seat.onMessage({ kind: 'place-lost', grant: grant(10) })
    expect(take()).toEqual(['end', 'observe to v1'])
    seat.onMessage({ kind: 'grant', grant: grant(20) })
    expect(take()).toEqual(['start 20'])
  })
})

describe('what an observer says', () => {
  const peers = (...away: number[]) =>
    [1, 2, 3].map((sid) => ({
      sid,
      up: !away.includes(sid),
      silentMs: 125_000,
      rttMs: null,
      synced: false,
    }))
  const quorum = { needed: 2, voters: 3, reachable: true }

  test('names the voters', () => {
    expect(observerText([1, 2, 3], { peers: peers(), quorum })).toBe(
      'observing: the three voters of this room are machines 1, 2, 3',
    )
  })

  test('says what a lost voter means', () => {
    expect(observerText([1, 2, 3], { peers: peers(3), quorum })).toBe(
      "machine 3's storage is gone or away for 2 min; this tab observes; " +
        'the ensemble commits with 2 of 3, one more loss stops it',
    )
    expect(observerText([1, 2, 3], { peers: peers(2, 3), quorum })).toContain(
      'the ensemble cannot commit: it needs 2 of 3',
    )
  })

  test('counts what the ensemble stands', () => {
    expect(commitText(5, 1)).toBe('the ensemble commits with 4 of 5, it stands 1 more loss')
    expect(commitText(7, 1)).toBe('the ensemble commits with 6 of 7, it stands 2 more losses')
  })
})
