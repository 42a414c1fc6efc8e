/** Sessions that only their server knows (S22–S25, D9). */
import { describe, expect, test } from 'vitest'
import { toServerId } from '../../../src/core/base/zxid.ts'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { OPEN_ACL_UNSAFE } from '../../../src/core/jute/perms.ts'
import { decodeTxn } from '../../../src/core/jute/txn.ts'
import { FakeEnsemble, type FakeOptions } from './fake-ensemble.ts'
import { bytesOf, type TestClient } from './test-client.ts'

const VOTERS = [1, 2, 3].map(toServerId)

function start(options: FakeOptions = {}): FakeEnsemble {
  return new FakeEnsemble({ followers: 2, voters: VOTERS, localSessionsEnabled: true, ...options })
}

function upgrading(): FakeEnsemble {
  return start({ localSessionsUpgradingEnabled: true })
}

/** Kinds of everything proposed so far. */
function kinds(ensemble: FakeEnsemble): string[] {
  return ensemble.log.map(({ entry }) => decodeTxn(entry).txn.kind)
}

function createPart(path: string, flags: number) {
  const request = { path, data: bytesOf(''), acl: OPEN_ACL_UNSAFE, flags }
  return { type: OpCode.create, request } as const
}

const PLACES = [
  ['on the leader', 0],
  ['on a follower', 1],
] as const

describe.each(PLACES)('a local session %s', (_, place) => {
  test('costs no transaction; reads, writes and watches work (S22, S25)', () => {
    const ensemble = start()
    const client = ensemble.session(place)
    expect(kinds(ensemble)).toEqual([])
    expect(client.create('/a', 'x')).toBe('/a')
    expect(client.getData('/a', true)).toMatchObject({ data: 'x' })
    expect(client.setData('/a', 'y')).toMatchObject({ version: 1 })
    expect(client.events).toMatchObject([{ path: '/a' }])
    expect(client.call(OpCode.closeSession, null).err).toBe(ErrorCode.OK)
    expect(client.closedBecause).toBe('client_closed_session')
    expect(kinds(ensemble)).toEqual(['create', 'setData'])
    expect(ensemble.leader.tree.sessions.size).toBe(0)
  })

  test('may have no ephemerals, unless it may be upgraded (S23, D9)', () => {
    const ensemble = start()
    const client = ensemble.session(place)
    expect(client.create('/e', '', 1)).toBe(ErrorCode.EPHEMERALONLOCALSESSION)
    expect(client.create2('/e', '', 3)).toBe(ErrorCode.EPHEMERALONLOCALSESSION)
    const parts = [createPart('/p', 0), createPart('/p/e', 1)]
    expect(client.multi(parts)).toMatchObject([
      { err: ErrorCode.OK },
      { err: ErrorCode.EPHEMERALONLOCALSESSION },
    ])
    expect(client.create('/p')).toBe('/p')
  })

  test('becomes one of the ensemble with its first ephemeral, under the same id (S23)', () => {
    const ensemble = upgrading()
    const client = ensemble.session(place)
    const { session } = client
    ensemble.autoCommit = false
    const parts = [createPart('/p', 0), createPart('/p/e', 1)]
    expect(() => client.multi(parts)).toThrow('no reply')
    expect(() => client.exists('/p')).toThrow('no reply')
    ensemble.commit()
    expect(client.replies.map(({ err }) => err)).toEqual([0, 0])
    ensemble.autoCommit = true
    expect(kinds(ensemble)).toEqual(['createSession', 'multi'])
    expect(client.exists('/p/e')).toMatchObject({ ephemeralOwner: session })
    expect(client.create('/p/e2', '', 1)).toBe('/p/e2')
    expect(kinds(ensemble).filter((kind) => kind === 'createSession')).toHaveLength(1)
    // Now it can move, and its end takes the ephemerals along.
    const again = ensemble.client(2).resume(client)
    expect(again.session).toBe(session)
    again.call(OpCode.closeSession, null)
    expect(again.closedBecause).toBe('client_closed_session')
    expect(ensemble.leader.tree.node('/p/e')).toBeUndefined()
  })

  test('comes back to its own server only (S24)', () => {
    const ensemble = start()
    const client = ensemble.session(place)
    const again = ensemble.client(place).resume(client)
    expect(client.closedBecause).toBe('client_reconnect')
    expect(again.session).toBe(client.session)
    const elsewhere = ensemble.client(2).resume(again)
    expect(elsewhere.connected).toMatchObject({ timeOut: 0, sessionId: 0n })
    expect(elsewhere.closedBecause).toBe('invalid_session')
  })

  test('ends when nothing is heard of it, and is kept alive by pings', () => {
    const ensemble = start()
    const client = ensemble.session(place, 4_000)
    for (let i = 0; i < 5; i++) {
      ensemble.pass(3_000)
      client.send(OpCode.ping, null)
    }
    expect(client.closedBecause).toBe(null)
    ensemble.pass(8_000)
    expect(client.closedBecause).toBe('session_closed')
    expect(ensemble.client(place).resume(client).connected).toMatchObject({ timeOut: 0 })
    expect(kinds(ensemble)).toEqual([])
  })
})

test('requests in the pipeline keep their order around an upgrade and a close', () => {
  const ensemble = upgrading()
  const client = ensemble.session(1)
  ensemble.autoCommit = false
  const send = (path: string, flags: number): void => {
    expect(() => client.create(path, '', flags)).toThrow('no reply')
  }
  send('/a', 0)
  send('/e', 1)
  send('/f', 1)
  client.send(OpCode.closeSession, null)
  expect(kinds(ensemble)).toEqual(['create', 'createSession', 'create', 'create', 'closeSession'])
  ensemble.commit()
  expect(client.replies.map(({ err }) => err)).toEqual([0, 0, 0, 0])
  expect(client.closedBecause).toBe('client_closed_session')
  expect([...ensemble.leader.tree.sessions]).toEqual([])
  expect(ensemble.leader.tree.store.ephemerals.count).toBe(0)
})

test('a close waits for the writes before it', () => {
  const ensemble = start()
  const client: TestClient = ensemble.session(1)
  ensemble.autoCommit = false
  expect(() => client.create('/a')).toThrow('no reply')
  const close = client.send(OpCode.closeSession, null)
  expect(client.hasReply(close)).toBe(false)
  ensemble.commit()
  expect(client.replies.map(({ err }) => err)).toEqual([0, 0])
})

test('a server alone ignores the setting, as ZooKeeper does', () => {
  const ensemble = new FakeEnsemble({ localSessionsEnabled: true })
  const client = ensemble.session()
  expect(kinds(ensemble)).toEqual(['createSession'])
  expect(client.create('/e', '', 1)).toBe('/e')
})

test('a new time of service knows none of the old ones (S24)', () => {
  const ensemble = start()
  const client = ensemble.session(1)
  ensemble.stop()
  ensemble.serve()
  expect(ensemble.client(1).resume(client).connected).toMatchObject({ timeOut: 0 })
})
