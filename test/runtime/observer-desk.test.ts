// Who is told which place, and whose link may be used.
import { describe, expect, test } from 'vitest'
import { toServerId } from '../../src/core/base/zxid.ts'
import { ObserverDesk } from '../../src/runtime/observer-desk.ts'
import { PeerTable, type PeerLink } from '../../src/runtime/peer-table.ts'
import { memoryPair } from './bench.ts'

class Desk {
  readonly told: string[] = []
  readonly peers = new PeerTable()
  readonly desk = new ObserverDesk({
    say: ({ linkId }, message) => {
      const what = 'grant' in message ? ` ${message.grant.sid}/${message.grant.sessionBase}` : ''
      this.told.push(`${linkId} ${message.kind}${what}`)
    },
    admit: (incarnation) => this.told.push(`admit ${incarnation}`),
    attach: ({ linkId }, sid) => this.told.push(`attach ${linkId} as ${sid}`),
    cut: ({ linkId }) => this.told.push(`cut ${linkId}`),
  })

  link(linkId: string, incarnation: string): PeerLink {
    const link = this.peers.link(linkId)
    link.quorum = memoryPair()[0]
    link.member = { peerId: linkId, incarnation, publicKey: new Uint8Array(1) }
    return link
  }

  table(...lines: readonly (readonly [sid: number, incarnation: string, base: number])[]): void {
    this.desk.onTable(
      lines.map(([sid, incarnation, base]) => {
        return { sid, incarnation, sessionBase: `0x${base.toString(16)}` }
      }),
    )
  }

  /** What was told since the last call. */
  take(): string[] {
    return this.told.splice(0)
  }
}

const claim = (sid: number, base: number) => ({ sid: toServerId(sid), sessionBase: BigInt(base) })

describe('the desk of a leader', () => {
  test('tells a place once it is in the table', () => {
    const d = new Desk()
    d.desk.onLeading()
    d.desk.onAsk(d.link('l1', 'aa'))
    expect(d.take()).toEqual(['admit aa'])
    d.table([4, 'aa', 10])
    expect(d.take()).toEqual(['l1 grant 4/10'])
    d.table([4, 'aa', 10], [5, 'bb', 10])
    expect(d.take()).toEqual([])
  })

  test('never tells a place that an earlier life may have used', () => {
    const d = new Desk()
    d.table([4, 'aa', 10])
    d.desk.onLeading()
    d.desk.onAsk(d.link('l1', 'aa'))
    d.table([4, 'aa', 10])
    expect(d.take()).toEqual(['admit aa'])
    d.table([4, 'aa', 20])
    expect(d.take()).toEqual(['l1 grant 4/20'])
  })

  test('tells again the place that nobody came with, and no other', () => {
    const d = new Desk()
    d.desk.onLeading()
    d.desk.onAsk(d.link('l1', 'aa'))
    d.table([4, 'aa', 10])
    d.desk.forget('l1')
    d.take()
    d.desk.onAsk(d.link('l2', 'aa'))
    expect(d.take()).toEqual(['l2 grant 4/10'])
    d.desk.onObserving(d.link('l2', 'aa'), claim(4, 10))
    d.desk.forget('l2')
    d.take()
    d.desk.onAsk(d.link('l3', 'aa'))
    expect(d.take()).toEqual(['admit aa'])
  })

  test('answers whoever asked before it led', () => {
    const d = new Desk()
    d.desk.onAsk(d.link('l1', 'aa'))
    expect(d.take()).toEqual([])
    d.desk.onLeading()
    expect(d.take()).toEqual(['admit aa'])
    d.desk.onRoleChange()
    d.table([4, 'aa', 10])
    expect(d.take()).toEqual([])
  })

  test('passes a refusal on to the one who asked', () => {
    const d = new Desk()
    d.desk.onLeading()
    d.desk.onAsk(d.link('l1', 'aa'))
    d.desk.onAsk(d.link('l2', 'bb'))
    d.take()
    d.desk.onRefused('bb', 'there are 16 observers already')
    expect(d.take()).toEqual(['l2 no-place'])
  })

  test('has no place for a client or for a link without a quorum channel', () => {
    const d = new Desk()
    d.desk.onLeading()
    const client = d.link('l1', 'aa')
    client.member = { ...client.member!, isClient: true }
    d.desk.onAsk(client)
    const bare = d.link('l2', 'bb')
    bare.quorum = null
    d.desk.onAsk(bare)
    expect(d.take()).toEqual([])
  })
})

describe('a link of an observer', () => {
  test('is used when its own name stands under the id that it claims', () => {
    const d = new Desk()
    const link = d.link('l1', 'aa')
    d.desk.onObserving(link, claim(4, 10))
    expect(d.take()).toEqual([])
    d.table([4, 'aa', 10])
    expect(d.take()).toEqual(['attach l1 as 4'])
  })

  test('waits while this table is behind the grant', () => {
    const d = new Desk()
    d.table([4, 'old', 10])
    d.desk.onObserving(d.link('l1', 'aa'), claim(4, 20))
    expect(d.take()).toEqual([])
    d.table([4, 'aa', 20])
    expect(d.take()).toEqual(['attach l1 as 4'])
  })

  test('is cut when its place was given to somebody else', () => {
    const d = new Desk()
    d.table([4, 'aa', 10])
    d.desk.onObserving(d.link('l1', 'aa'), claim(4, 10))
    d.take()
    d.table([4, 'bb', 20])
    expect(d.take()).toEqual(['l1 place-lost 4/10', 'cut l1'])
  })

  test('of a stranger who claims the id of another is cut, not used', () => {
    const d = new Desk()
    d.table([4, 'aa', 10])
    d.desk.onObserving(d.link('l1', 'thief'), claim(4, 10))
    expect(d.take()).toEqual(['l1 place-lost 4/10', 'cut l1'])
  })
})
