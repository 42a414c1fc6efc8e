/** Clients of observers that learn from a follower (Q58): what they ask, and whose answers are. */
import { describe, expect, test } from 'vitest'
import { toServerId } from '../../../src/core/base/zxid.ts'
import { JuteError } from '../../../src/core/jute/jute-error.ts'
import { OpCode, SpecialXid } from '../../../src/core/jute/op-code.ts'
import * as proto from '../../../src/core/jute/proto-records.ts'
import { PacketType } from '../../../src/core/jute/quorum-records.ts'
import { AnswerLine, Relayed } from '../../../src/core/server/relayed.ts'
import { FakeEnsemble } from './fake-ensemble.ts'
import { createRequest, type TestClient } from './test-client.ts'

/** Leader 0, follower 1, its observers 2 and 3. */
function ensembleOf(): FakeEnsemble {
  return new FakeEnsemble({ followers: 1, observers: 2 })
}

function sync(client: TestClient): number {
  return client.send(OpCode.sync, proto.syncRequestRecord, { path: '/' })
}

describe('clients of observers', () => {
  test('write and read, and hear of what others write', () => {
    const ensemble = ensembleOf()
    const [one, two] = [ensemble.session(2), ensemble.session(3)]
    expect(one.create('/a')).toBe('/a')
    expect(two.exists('/a', true)).toMatchObject({ version: 0 })
    expect(one.setData('/a', 'new')).toMatchObject({ version: 1 })
    expect(two.events).toHaveLength(1)
    expect(ensemble.member(1).server.tree.node('/a')?.version).toBe(1)
  })

  test('keep their sessions by signs of life, and lose them without', () => {
    const ensemble = ensembleOf()
    const [lively, silent] = [ensemble.session(2, 4000), ensemble.session(3, 4000)]
    for (let i = 0; i < 6; i++) {
      ensemble.pass(2000)
      lively.send(OpCode.ping, null, undefined, SpecialXid.ping)
    }
    expect(lively.closedBecause).toBe(null)
    expect(silent.closedBecause).not.toBe(null)
    expect([...ensemble.leader.tree.sessions.keys()]).toEqual([lively.session])
  })

  test('take them along from one to another, to the follower and to the leader', () => {
    const ensemble = ensembleOf()
    let client = ensemble.session(2)
    client.create('/e', '', 1)
    for (const [turn, index] of [3, 1, 2, 0, 3].entries()) {
      const next = ensemble.client(index).resume(client)
      expect(next.connected).toMatchObject({ sessionId: client.session })
      expect(next.create(`/by${turn}`)).toBe(`/by${turn}`)
      client = next
    }
    expect(client.exists('/e')).toMatchObject({ ephemeralOwner: client.session })
  })

  test('whose session is over are told so, while others at the same follower are let in', () => {
    const ensemble = ensembleOf()
    const [gone, kept] = [ensemble.session(2, 4000), ensemble.session(1, 20_000)]
    gone.close()
    ensemble.pass(8000)
    expect(ensemble.client(3).resume(gone).connected).toMatchObject({ sessionId: 0n })
    expect(ensemble.client(2).resume(kept).connected).toMatchObject({ sessionId: kept.session })
  })

  test('that sync are answered each when its own moment has come', () => {
    const ensemble = ensembleOf()
    const clients = [2, 1, 3, 2].map((index) => ensemble.session(index))
    const writer = ensemble.session(0)
    ensemble.autoCommit = false
    const asked = clients.map((client, i) => {
      writer.send(OpCode.create, proto.createRequestRecord, createRequest(`/a${i}`))
      return sync(client)
    })
    const answered = (): boolean[] => clients.map((client, i) => client.hasReply(asked[i] ?? 0))
    for (let count = 1; count <= clients.length; count++) {
      expect(answered()).toEqual(clients.map((_, i) => i < count - 1))
      ensemble.commit(1)
    }
    expect(answered()).toEqual([true, true, true, true])
  })

  test('are not answered what another life of their observer had asked', () => {
    const ensemble = ensembleOf()
    const [before, writer] = [ensemble.session(2), ensemble.session(0)]
    ensemble.autoCommit = false
    writer.send(OpCode.create, proto.createRequestRecord, createRequest('/a'))
    sync(before)
    // The observer loses its master and comes back; the leader answers only then.
    const { server } = ensemble.member(2)
    server.onService({ kind: 'stopped', reason: 'test' }, ensemble.at)
    ensemble.conversation++
    server.onService({ kind: 'following', epoch: 1, leader: toServerId(1) }, ensemble.at)
    const after = ensemble.client(2).resume(before)
    writer.send(OpCode.create, proto.createRequestRecord, createRequest('/b'))
    const asked = sync(after)
    ensemble.commit(1)
    expect(after.hasReply(asked)).toBe(false)
    ensemble.commit(1)
    expect(after.hasReply(asked)).toBe(true)
  })
})

test('an observer that asks without end is cut off', () => {
  const line = new AnswerLine<never>()
  const packet = { type: PacketType.REQUEST, data: new Uint8Array(0), conversation: 7 }
  const flood = (): void => {
    for (let i = 0; i < 100_000; i++) line.relay(toServerId(4), packet)
  }
  expect(flood).toThrow(JuteError)
  const first = line.next()
  expect(first).toBeInstanceOf(Relayed)
  expect((first as unknown as Relayed).answer(packet)).toMatchObject({ conversation: 7 })
})
