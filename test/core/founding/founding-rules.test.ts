import { describe, expect, it } from 'vitest'
import {
  encodeFoundingRecord,
  parseFoundingRecord,
  sealFoundingRecord,
} from '../../../src/core/founding/founding-record.ts'
import { FoundingRules } from '../../../src/core/founding/founding-rules.ts'
import { clusterHash, incarnationOf } from '../../../src/core/founding/key-names.ts'
import { makeZxid, toServerId, ZXID_NONE } from '../../../src/core/base/zxid.ts'
import {
  keyOf,
  linkBy,
  modelSignature,
  type ModelTab,
  RoomModel,
  type RoomLinkFacts,
} from './room-model.ts'

const BY_HAND: RoomLinkFacts = { room: 'room', size: 3, creator: null, cluster: null }

/** Tabs of one room, none open. The first is the creator unless the link was typed by hand. */
function room(
  names: readonly string[],
  link = linkBy(names[0]!),
): { model: RoomModel; tabs: ModelTab[] } {
  const model = new RoomModel()
  return { model, tabs: names.map((name) => model.add(name, link)) }
}

function openAll(model: RoomModel, tabs: readonly ModelTab[]): void {
  for (const tab of tabs) model.open(tab)
}

function sids(tabs: readonly ModelTab[]): (number | null | undefined)[] {
  return tabs.map((tab) => tab.sid)
}

/** Performs decisions one by one until `tab` has carried out one of `kind`. */
function performUntil(model: RoomModel, tab: ModelTab, kind: string): void {
  for (let steps = 0; steps < 100; steps++) {
    if (tab.done.at(-1)?.kind === kind) return
    if (!model.perform(tab)) break
  }
  expect.fail(`${tab.name} never came to ${kind}`)
}

describe('founding a room', () => {
  it('waits for N candidates, then every listed one is a voter, creator first', () => {
    const { model, tabs } = room(['a', 'b', 'c'])
    const [a, b, c] = tabs as [ModelTab, ModelTab, ModelTab]
    model.open(b)
    expect(b.status.text).toMatch(/^1 of 3 here; the creator of this room is away/)
    model.open(a)
    expect(a.status.text).toBe("2 of 3 here; open this room's link in 1 more tab")
    expect(b.status.creator).toBe('here')
    model.settle()
    expect(model.ensembles()).toBe(0)
    model.open(c)
    model.settle()
    expect(sids([a, b, c])).toEqual([1, 2, 3])
    expect(a.status.text).toBe('founded: this is machine 1 of 3')
    expect(a.status.holds).toEqual(c.status.holds)
    expect(a.status.holds?.creator).toBe(linkBy('a').creator)
  })

  it('founds alone when the room is for one', () => {
    const { model, tabs } = room(['a'], linkBy('a', 1))
    openAll(model, tabs)
    model.settle()
    expect(sids(tabs)).toEqual([1])
  })

  it('makes everybody beyond N a client, told so, with the record for the next life', () => {
    const { model, tabs } = room(['a', 'b', 'c', 'd'])
    openAll(model, tabs)
    model.settle()
    const d = tabs[3]!
    expect(sids(tabs)).toEqual([1, 2, 3, null])
    expect(d.status.text).toBe('this room exists already: joined as client')
    model.reload(d)
    model.settle()
    expect(d.sid).toBeNull()
  })

  it('counts a candidate that left no more', () => {
    const { model, tabs } = room(['a', 'b', 'c'])
    const [a, b, c] = tabs as [ModelTab, ModelTab, ModelTab]
    openAll(model, [b, a])
    model.close(b)
    model.open(c)
    model.settle()
    expect(model.ensembles()).toBe(0)
    expect(a.status.here).toBe(2)
  })

  it('passes the record on without the creator: any holder does', () => {
    const { model, tabs } = room(['a', 'b', 'c'])
    const [a, b, c] = tabs as [ModelTab, ModelTab, ModelTab]
    openAll(model, tabs)
    performUntil(model, a, 'pin')
    model.disconnect(a, c)
    model.settle()
    expect(sids([a, b, c])).toEqual([1, 2, 3])
    expect(c.stored).not.toBeNull()
  })
})

describe('crashes while founding', () => {
  it('the creator vanishes before the commit: nobody saw anything, a later life founds', () => {
    for (const step of ['sign'] as const) {
      const { model, tabs } = room(['a', 'b', 'c'])
      openAll(model, tabs)
      performUntil(model, tabs[0]!, step)
      model.close(tabs[0]!)
      model.settle()
      expect(model.ensembles()).toBe(0)
      expect(tabs[1]!.status.text).toMatch(/creator of this room is away/)
      model.open(tabs[0]!)
      model.settle()
      expect([model.ensembles(), ...sids(tabs)]).toEqual([1, 1, 2, 3])
    }
  })

  it('the creator vanishes between commit and spread: its next life spreads it', () => {
    const { model, tabs } = room(['a', 'b', 'c'])
    const a = tabs[0]!
    openAll(model, tabs)
    performUntil(model, a, 'pin')
    const record = a.stored
    model.close(a)
    model.settle()
    expect(tabs[1]!.stored).toBeNull()
    model.open(a)
    model.settle()
    expect(a.stored?.body).toEqual(record?.body)
    expect([model.ensembles(), ...sids(tabs)]).toEqual([1, 1, 2, 3])
  })

  it('the creator vanishes after it reached one: that one passes it on', () => {
    const { model, tabs } = room(['a', 'b', 'c'])
    openAll(model, tabs)
    performUntil(model, tabs[0]!, 'send-record')
    model.close(tabs[0]!)
    model.settle()
    expect(sids(tabs.slice(1))).toEqual([2, 3])
  })

  it('another founder reloads at each step', () => {
    for (let step = 0; step < 12; step++) {
      const { model, tabs } = room(['a', 'b', 'c'])
      openAll(model, tabs)
      const order = [0, 1, 0, 2, 0, 1, 1, 0, 2, 2, 0, 1]
      for (let i = 0; i < step; i++) model.perform(tabs[order[i]!]!)
      model.reload(tabs[1]!)
      model.settle()
      expect([step, model.ensembles(), ...sids(tabs)]).toEqual([step, 1, 1, 2, 3])
    }
  })

  it('a founder that is gone for good leaves a majority; its place stays its own', () => {
    const { model, tabs } = room(['a', 'b', 'c'])
    openAll(model, tabs)
    performUntil(model, tabs[0]!, 'sign')
    model.close(tabs[2]!)
    model.settle()
    expect(sids(tabs.slice(0, 2))).toEqual([1, 2])
    const late = model.add('d', linkBy('a'))
    model.open(late)
    model.settle()
    expect(late.sid).toBeNull()
    model.open(tabs[2]!)
    model.settle()
    expect(tabs[2]!.sid).toBe(3)
  })

  it('the broker restarts empty at each step and changes nothing', () => {
    for (let step = 0; step < 10; step++) {
      const { model, tabs } = room(['a', 'b', 'c'])
      openAll(model, tabs)
      for (let i = 0; i < step; i++) model.perform(tabs[i % 3]!)
      model.restartBroker([tabs[2]!, tabs[1]!, tabs[0]!])
      model.settle()
      expect([model.ensembles(), ...sids(tabs)]).toEqual([1, 1, 2, 3])
    }
  })

  it('a tab that pinned and crashed before it heard so is a voter in its next life', () => {
    const { model, tabs } = room(['a', 'b', 'c'])
    openAll(model, tabs)
    performUntil(model, tabs[0]!, 'send-record')
    performUntil(model, tabs[1]!, 'pin')
    model.close(tabs[1]!)
    model.open(tabs[1]!)
    expect(tabs[1]!.todo[0]).toMatchObject({ kind: 'start', sid: 2 })
  })

  it('all close and open in any order: everyone is who it was', () => {
    const { model, tabs } = room(['a', 'b', 'c'])
    openAll(model, tabs)
    model.settle()
    for (const tab of tabs) model.close(tab)
    openAll(model, [tabs[2]!, tabs[0]!, tabs[1]!])
    model.settle()
    expect(sids(tabs)).toEqual([1, 2, 3])
  })
})

describe('never a second ensemble', () => {
  it('the same link on a second set of devices, empty broker: they wait for the creator', () => {
    const { model, tabs } = room(['x', 'y', 'z', 'w'], linkBy('a'))
    openAll(model, tabs)
    model.restartBroker([...tabs].reverse())
    model.settle()
    expect([model.ensembles(), model.signedBodies.length]).toEqual([0, 0])
    expect(tabs[0]!.status.text).toMatch(/^4 of 3 here; the creator of this room is away/)
  })

  it('a copied link with CLUSTER: even the creator’s key founds nothing', () => {
    const link = { ...linkBy('a'), cluster: 'c'.repeat(20) }
    const { model, tabs } = room(['a', 'b', 'c'], link)
    openAll(model, tabs)
    model.settle()
    expect(model.signedBodies).toEqual([])
    expect(tabs[0]!.status.text).toMatch(/exists already; waiting for one of its machines/)
  })

  it('a copied link with CLUSTER takes that record and no other of the same creator', () => {
    const first = room(['a', 'b', 'c'])
    openAll(first.model, first.tabs)
    first.model.settle()
    const cluster = clusterHash(first.tabs[0]!.stored!.body)
    const { model, tabs } = room(['a', 'd'], { ...linkBy('a'), cluster })
    tabs[0]!.stored = first.tabs[0]!.stored
    openAll(model, tabs)
    model.settle()
    expect(tabs[1]!.sid).toBeNull()
    const stranger = model.add('e', { ...linkBy('a'), cluster: '0'.repeat(20) })
    model.open(stranger)
    model.settle()
    expect(stranger.stored).toBeNull()
    expect(new Set(stranger.refusals)).toEqual(new Set(['not-the-links']))
    expect(stranger.status.secondEnsemble).toBe(true)
  })

  it('a stale link: a tab of one ensemble refuses the link of another', () => {
    const { model, tabs } = room(['a', 'b', 'c'])
    openAll(model, tabs)
    model.settle()
    for (const link of [linkBy('x'), { ...linkBy('a'), cluster: '0'.repeat(20) }]) {
      const tab = model.add('b', link)
      tab.stored = tabs[1]!.stored
      model.open(tab)
      model.settle()
      expect([tab.status.phase, tab.sid, tab.refusals]).toEqual([
        'refused',
        undefined,
        ['not-the-links'],
      ])
      expect(tab.status.text).toMatch(/another ensemble than its link names/)
      expect(tab.status.holds).toBeNull()
    }
  })

  it('two rooms at once share nothing, whatever strays', () => {
    const first = room(['a', 'b', 'c'])
    const second = room(['x', 'y', 'z'], linkBy('x', 3, 'other'))
    openAll(first.model, first.tabs)
    openAll(second.model, second.tabs)
    first.model.settle()
    second.model.settle()
    expect([sids(first.tabs), sids(second.tabs)]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
    const stray = room(['n'], { ...BY_HAND, room: 'other' })
    openAll(stray.model, stray.tabs)
    const signed = first.tabs[0]!.stored!
    stray.tabs[0]!.input({
      kind: 'record',
      from: 'stray',
      signed,
      signer: signed.record.creatorKey,
    })
    stray.model.settle()
    expect(stray.tabs[0]!.refusals).toEqual(['other-room'])
  })

  it('the creator with an emptied storage has another key: it is a client of its own room', () => {
    const { model, tabs } = room(['a', 'b', 'c'])
    openAll(model, tabs)
    model.settle()
    model.close(tabs[0]!)
    const again = model.add('a-after-wipe', linkBy('a'))
    model.open(again)
    model.settle()
    expect(again.sid).toBeNull()
    expect(model.ensembles()).toBe(1)
  })

  it('a creator rolled back to before its commit signs nothing beside a holder', () => {
    const { model, tabs } = room(['a', 'b', 'c', 'd', 'e'])
    openAll(model, tabs.slice(0, 3))
    model.settle()
    for (const tab of tabs) if (tab.rules !== null) model.close(tab)
    tabs[0]!.stored = null
    openAll(model, [tabs[1]!, tabs[3]!, tabs[4]!, tabs[0]!])
    model.settle()
    expect([model.ensembles(), model.signedBodies.length]).toEqual([1, 1])
  })

  it('a duplicated tab never counts as a second candidate', () => {
    const { model, tabs } = room(['a', 'b'])
    const twin = new RoomModel().add('a', linkBy('a'))
    openAll(model, tabs)
    model.tabs.set('twin', twin)
    model.open(twin)
    model.settle()
    expect(tabs[0]!.status.here).toBe(2)
    expect(model.ensembles()).toBe(0)
  })

  it('a record that its creator did not sign is refused', () => {
    const { model, tabs } = room(['b'], linkBy('a', 1))
    openAll(model, tabs)
    const members = [
      { sid: toServerId(1), incarnation: incarnationOf(keyOf('a')), publicKey: keyOf('a') },
    ]
    const body = encodeFoundingRecord({
      clusterId: new Uint8Array(16),
      room: 'room',
      size: 1,
      sessionKey: new Uint8Array(32),
      creatorKey: keyOf('a'),
      members,
      origin: ZXID_NONE,
    })
    const envelope = sealFoundingRecord(body, modelSignature(keyOf('mallory'), body))
    const signed = parseFoundingRecord(envelope)!
    tabs[0]!.input({ kind: 'record', from: 'mallory', signed, signer: keyOf('mallory') })
    model.settle()
    expect([tabs[0]!.refusals, tabs[0]!.stored]).toEqual([['forged'], null])
  })
})

describe('a link typed by hand', () => {
  it('is founded by whom the broker names first', () => {
    const { model, tabs } = room(['a', 'b', 'c'], BY_HAND)
    openAll(model, [tabs[1]!, tabs[0]!, tabs[2]!])
    model.settle()
    expect(sids(tabs)).toEqual([2, 1, 3])
    expect(tabs[0]!.status.holds?.creator).toBe(linkBy('b').creator)
  })

  it('goes on with the next one when the first leaves before it founded', () => {
    const { model, tabs } = room(['a', 'b', 'c', 'd'], BY_HAND)
    openAll(model, tabs.slice(0, 2))
    model.reload(tabs[0]!)
    model.open(tabs[2]!)
    model.settle()
    expect([model.ensembles(), ...sids(tabs.slice(0, 3))]).toEqual([1, 2, 1, 3])
  })

  it('joins what exists, also when the broker restarted and names the newcomer first', () => {
    const { model, tabs } = room(['a', 'b', 'c', 'd'], BY_HAND)
    openAll(model, tabs.slice(0, 3))
    model.settle()
    model.open(tabs[3]!)
    model.restartBroker([tabs[3]!, tabs[0]!, tabs[1]!, tabs[2]!])
    model.settle()
    expect([model.ensembles(), tabs[3]!.sid]).toEqual([1, null])
  })

  it('detects a second ensemble and says so on both sides; nobody changes over', () => {
    const one = room(['a', 'b', 'c'], BY_HAND)
    const two = room(['x', 'y', 'z'], BY_HAND)
    for (const { model, tabs } of [one, two]) {
      openAll(model, tabs)
      model.settle()
    }
    const [a, x] = [one.tabs[0]!, two.tabs[0]!]
    one.model.connect(a, x)
    one.model.settle()
    two.model.settle()
    for (const tab of [a, x]) expect(tab.status.text).toMatch(/another ensemble of the same name/)
    expect([a.sid, x.sid]).toEqual([1, 1])
  })

  it('a tab that brings state along writes it into the record, and pins no other', () => {
    const { model, tabs } = room(['a', 'b', 'c'], linkBy('a', 3))
    tabs[0]!.origin = makeZxid(7, 42)
    openAll(model, tabs)
    model.settle()
    expect(tabs.map(({ stored }) => stored?.record.origin)).toEqual(Array(3).fill(makeZxid(7, 42)))
    const other = room(['a', 'b'], linkBy('a', 2))
    other.tabs[1]!.origin = makeZxid(9, 1)
    openAll(other.model, other.tabs)
    other.model.settle()
    expect([other.tabs[0]!.stored !== null, other.tabs[1]!.stored]).toEqual([true, null])
    expect(other.tabs[1]!.refusals).toContain('not-the-links')
  })

  it('says that it asks while nobody was named', () => {
    const publicKey = keyOf('a')
    const fresh = { clusterId: new Uint8Array(16), sessionKey: new Uint8Array(32) }
    const rules = new FoundingRules({
      room: 'room',
      size: 3,
      linkCreator: null,
      linkCluster: null,
      publicKey,
      stored: null,
      origin: ZXID_NONE,
      fresh,
    })
    expect(rules.status().text).toBe('1 of 3 here; asking who was first in this room')
    expect(rules.takeDecisions()).toEqual([])
  })
})
