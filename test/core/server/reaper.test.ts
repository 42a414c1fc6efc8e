/** Containers and nodes with a time to live: made, and removed by the leader (D7, D8, D47–D49). */
import { describe, expect, test } from 'vitest'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { Perms } from '../../../src/core/jute/perms.ts'
import {
  create2ResponseRecord,
  createRequestRecord,
  createTTLRequestRecord,
  setDataRequestRecord,
} from '../../../src/core/jute/proto-records.ts'
import { decode } from '../../../src/core/jute/record.ts'
import { FakeEnsemble } from './fake-ensemble.ts'
import { createSingleMember, type SingleMember } from './single-member.ts'
import { createRequest, type TestClient } from './test-client.ts'

const CHECK_MS = 1_000
const NEVER_USED_MS = 10_000
const CONFIG = {
  extendedTypesEnabled: true,
  containerCheckIntervalMs: CHECK_MS,
  containerNeverUsedMs: NEVER_USED_MS,
}
const SESSION_MS = 40_000

function start(config = {}): { member: SingleMember; client: TestClient } {
  const member = createSingleMember({ config: { ...CONFIG, ...config } })
  return { member, client: member.session(SESSION_MS) }
}

function createTtl(client: TestClient, path: string, ttlMs: number, flags = 5): string | number {
  const request = { ...createRequest(path, '', flags), ttl: BigInt(ttlMs) }
  const reply = client.call(OpCode.createTTL, createTTLRequestRecord, request)
  return reply.err === 0 ? decode(create2ResponseRecord, reply.body).path : reply.err
}

function container(client: TestClient, path: string): void {
  client.create2(path, '', 4, OpCode.createContainer)
}

describe('nodes with a time to live', () => {
  test('go when it is over, not before; a write starts it anew (D48)', () => {
    const { member, client } = start()
    expect(createTtl(client, '/t', 5_000)).toBe('/t')
    expect(createTtl(client, '/s-', 60_000, 6)).toBe('/s-0000000001')
    member.advance(4_000)
    client.setData('/t', 'again')
    member.advance(4_000)
    expect(client.exists('/t')).toMatchObject({ ephemeralOwner: 0n })
    member.advance(2_000 + CHECK_MS)
    expect(client.exists('/t')).toBe(ErrorCode.NONODE)
    expect(client.exists('/s-0000000001')).not.toBe(ErrorCode.NONODE)
  })

  test('stay while they have children, and tell whoever watches when they go', () => {
    const { member, client } = start()
    createTtl(client, '/t', 2_000)
    client.create('/t/child')
    member.advance(4_000)
    expect(client.exists('/t', true)).toMatchObject({ numChildren: 1 })
    client.delete('/t/child')
    member.advance(2 * CHECK_MS)
    expect(client.received.filter((m) => m.kind === 'event')).toMatchObject([{ path: '/t' }])
  })

  test('are off by default (D7), and their time is checked (D8)', () => {
    const off = start({ extendedTypesEnabled: false })
    expect(createTtl(off.client, '/t', 1_000)).toBe(ErrorCode.UNIMPLEMENTED)
    const { client } = start()
    expect(createTtl(client, '/t', 0)).toBe(ErrorCode.BADARGUMENTS)
    expect(createTtl(client, '/t', 2 ** 40)).toBe(ErrorCode.BADARGUMENTS)
    expect(createTtl(client, '/t', 1_000, 0)).toBe(ErrorCode.BADARGUMENTS)
    expect(client.create('/t', '', 5)).toBe(ErrorCode.BADARGUMENTS)
  })

  test('outlive a restart with their time', () => {
    const { member, client } = start()
    createTtl(client, '/t', 5_000)
    member.restart()
    const again = member.session(SESSION_MS)
    expect(again.exists('/t')).not.toBe(ErrorCode.NONODE)
    member.advance(6_000)
    expect(again.exists('/t')).toBe(ErrorCode.NONODE)
  })
})

describe('containers', () => {
  test('go once their last child went, not while they have one (D47)', () => {
    const { member, client } = start()
    container(client, '/c')
    client.create('/c/child')
    member.advance(3 * CHECK_MS)
    expect(client.exists('/c')).toMatchObject({ numChildren: 1 })
    client.delete('/c/child')
    member.advance(2 * CHECK_MS)
    expect(client.exists('/c')).toBe(ErrorCode.NONODE)
  })

  test('that never had a child are given longer', () => {
    const { member, client } = start()
    container(client, '/c')
    member.advance(NEVER_USED_MS - CHECK_MS)
    expect(client.exists('/c')).not.toBe(ErrorCode.NONODE)
    member.advance(3 * CHECK_MS)
    expect(client.exists('/c')).toBe(ErrorCode.NONODE)
  })

  test('no more of them go in a minute than is allowed', () => {
    const { member, client } = start({ containersPerMinute: 60 })
    for (const path of ['/a', '/b', '/c']) {
      container(client, path)
      client.create(`${path}/child`)
      client.delete(`${path}/child`)
    }
    member.advance(CHECK_MS)
    expect(client.getChildren('/')).toHaveLength(3)
    member.advance(2 * CHECK_MS)
    expect(client.getChildren('/')).toEqual(['zookeeper'])
  })
})

describe('what is in flight when one is due (D49)', () => {
  function due(): { ensemble: FakeEnsemble; client: TestClient } {
    const ensemble = new FakeEnsemble({ containerCheckIntervalMs: CHECK_MS })
    const client = ensemble.session(0, SESSION_MS)
    container(client, '/c')
    client.create('/c/child')
    client.delete('/c/child')
    ensemble.autoCommit = false
    return { ensemble, client }
  }

  test('a new child keeps it', () => {
    const { ensemble, client } = due()
    client.send(OpCode.create, createRequestRecord, createRequest('/c/new'))
    ensemble.pass(CHECK_MS)
    expect(ensemble.proposedCount).toBe(1)
    ensemble.commit()
    expect(client.exists('/c/new')).toMatchObject({ version: 0 })
  })

  test('new data start the time of a node anew', () => {
    const options = { containerCheckIntervalMs: CHECK_MS, extendedTypesEnabled: true }
    const ensemble = new FakeEnsemble(options)
    const client = ensemble.session(0, SESSION_MS)
    createTtl(client, '/t', 2_500)
    ensemble.pass(2 * CHECK_MS)
    ensemble.autoCommit = false
    client.send(OpCode.setData, setDataRequestRecord, { path: '/t', data: null, version: 0 })
    ensemble.pass(CHECK_MS)
    ensemble.commit()
    expect(client.exists('/t')).toMatchObject({ version: 1 })
  })

  test('a delete or a removal before is not repeated, and nobody makes children there', () => {
    const { ensemble, client } = due()
    ensemble.pass(3 * CHECK_MS)
    expect(ensemble.proposedCount).toBe(1)
    const late = client.send(OpCode.create, createRequestRecord, createRequest('/c/late'))
    const anew = client.send(OpCode.create, createRequestRecord, createRequest('/c'))
    ensemble.pass(CHECK_MS)
    ensemble.commit()
    expect([client.reply(late).err, client.reply(anew).err]).toEqual([ErrorCode.NONODE, 0])
    // The one made anew is a plain node.
    ensemble.autoCommit = true
    ensemble.pass(3 * CHECK_MS)
    expect(client.exists('/c')).toMatchObject({ version: 0 })
  })
})

test('needs no permission (A10)', () => {
  const ensemble = new FakeEnsemble({ containerCheckIntervalMs: CHECK_MS })
  const client = ensemble.session(0, SESSION_MS)
  const owner = ensemble.session(0, SESSION_MS)
  client.create('/p')
  container(client, '/p/c')
  client.create('/p/c/child')
  owner.create('/p/e', '', 1)
  client.setAcl('/p', [{ perms: Perms.READ, id: { scheme: 'world', id: 'anyone' } }])
  expect(client.delete('/p/e')).toBe(ErrorCode.NOAUTH)
  client.delete('/p/c/child')
  ensemble.pass(2 * CHECK_MS)
  owner.call(OpCode.closeSession, null)
  expect(client.getChildren('/p')).toEqual([])
})
