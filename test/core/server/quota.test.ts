/** Quotas: what is counted, what is refused (D18, D52–D57). */
import { describe, expect, test } from 'vitest'
import { concat } from '../../../src/core/base/bytes.ts'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { OPEN_ACL_UNSAFE } from '../../../src/core/jute/perms.ts'
import { readQuota, writeQuota } from '../../../src/core/jute/quota-text.ts'
import { restoreTree, TreeSnapshot } from '../../../src/core/tree/snapshot.ts'
import { createSingleMember, type SingleMember } from './single-member.ts'
import { bytesOf, textOf, type TestClient } from './test-client.ts'

const QUOTA = '/zookeeper/quota'

function start(enforceQuota = true): { member: SingleMember; client: TestClient } {
  const member = createSingleMember({ config: { enforcesQuota: enforceQuota } })
  return { member, client: member.session(40_000) }
}

/** As zkCli does it. */
function setQuota(client: TestClient, path: string, limits: string): void {
  let at = QUOTA
  for (const name of path.slice(1).split('/')) client.create((at += `/${name}`))
  client.create(`${at}/zookeeper_limits`, limits)
  client.create(`${at}/zookeeper_stats`, 'count=0,bytes=0')
}

function stats(client: TestClient, path: string): unknown {
  const answer = client.getData(`${QUOTA}${path}/zookeeper_stats`)
  return typeof answer === 'number' ? answer : answer.data
}

describe('the text (D52)', () => {
  test('has a stray = before hard limits, and those by name', () => {
    const text = 'count=5,bytes=-1=;byteHardLimit=100;countHardLimit=7'
    const quota = readQuota(bytesOf(text))
    expect(Object.fromEntries(quota)).toEqual({
      count: 5,
      bytes: -1,
      byteHardLimit: 100,
      countHardLimit: 7,
    })
    expect(textOf(writeQuota(quota))).toBe(text)
    expect(textOf(writeQuota(readQuota(null)))).toBe('count=-1,bytes=-1')
  })

  test('that is none limits nothing', () => {
    expect(readQuota(bytesOf('count=many,,;bytes')).get('count')).toBe(-1)
  })
})

describe('statistics (D54, D55)', () => {
  test('are counted when their node comes, with the root itself, and follow every change', () => {
    const { client } = start()
    client.create('/a', 'four')
    client.create('/a/b', '12')
    client.create('/ab', 'not below')
    setQuota(client, '/a', 'count=100,bytes=-1')
    expect(stats(client, '/a')).toBe('count=2,bytes=6')
    client.create('/a/b/c', '123')
    client.setData('/a', '')
    client.setData('/ab', 'longer than before')
    expect(stats(client, '/a')).toBe('count=3,bytes=5')
    client.delete('/a/b/c')
    client.multi([{ type: OpCode.delete, request: { path: '/a/b', version: -1 } }])
    expect(stats(client, '/a')).toBe('count=1,bytes=0')
  })

  test('change without zxid, version and event', () => {
    const { client } = start()
    client.create('/a')
    setQuota(client, '/a', 'count=100,bytes=-1')
    const before = client.getData(`${QUOTA}/a/zookeeper_stats`, true)
    client.create('/a/b', 'x')
    const after = client.getData(`${QUOTA}/a/zookeeper_stats`)
    expect(before).toMatchObject({ data: 'count=1,bytes=0', stat: { dataLength: 15 } })
    expect(after).toMatchObject({ data: 'count=2,bytes=1' })
    if (typeof before === 'number' || typeof after === 'number') throw new Error('no statistics')
    expect(after.stat).toEqual(before.stat)
    expect(client.events).toEqual([])
  })

  test('end with the limits; ephemerals count until their session ends', () => {
    const { member, client } = start()
    client.create('/a')
    setQuota(client, '/a', 'count=100,bytes=-1')
    const other = member.session(4_000)
    other.create('/a/e', '12345', 1)
    expect(stats(client, '/a')).toBe('count=2,bytes=5')
    other.call(OpCode.closeSession, null)
    expect(stats(client, '/a')).toBe('count=1,bytes=0')
    client.delete(`${QUOTA}/a/zookeeper_limits`)
    client.create('/a/b')
    expect(stats(client, '/a')).toBe('count=1,bytes=0')
  })

  test('the nearest quota counts; loading counts each subtree anew', () => {
    const { member, client } = start()
    client.create('/a')
    client.create('/a/b')
    setQuota(client, '/a', 'count=100,bytes=-1')
    setQuota(client, '/a/b', 'count=100,bytes=-1')
    client.create('/a/b/c', '12')
    expect(stats(client, '/a')).toBe('count=2,bytes=0')
    expect(stats(client, '/a/b')).toBe('count=2,bytes=2')
    member.restart()
    member.untilServing()
    const again = member.session()
    // The memory disk has a snapshot of the beginning: all of this is a replay of the log.
    expect(stats(again, '/a')).toBe('count=2,bytes=0')
    const tree = restored(member)
    expect(tree.node(`${QUOTA}/a/zookeeper_stats`)?.data).toEqual(bytesOf('count=3,bytes=2'))
    expect(tree.quotas.of('/a/b/x')?.path).toBe('/a/b')
    expect(tree.digest).toBe(member.machine.tree.digest)
  })

  test('in a snapshot are those of its moment', () => {
    const { member, client } = start()
    client.create('/a')
    setQuota(client, '/a', 'count=100,bytes=-1')
    const snapshot = new TreeSnapshot(member.machine.tree)
    client.create('/a/b', 'later')
    const chunks: Uint8Array[] = []
    for (let chunk = snapshot.next(64); chunk !== null; chunk = snapshot.next(64)) {
      chunks.push(chunk)
    }
    const text = textOf(concat(chunks))
    expect(text).toContain('count=1,bytes=0')
    expect(text).not.toContain('count=2')
  })
})

describe('hard limits (D18, D53, D57)', () => {
  test('refuse creates beyond the count, after NODEEXISTS', () => {
    const { client } = start()
    client.create('/a')
    setQuota(client, '/a', 'count=-1,bytes=-1=;countHardLimit=2')
    expect(client.create('/a/b')).toBe('/a/b')
    expect(client.create('/a/b')).toBe(ErrorCode.NODEEXISTS)
    expect(client.create('/a/c')).toBe(ErrorCode.QUOTAEXCEEDED)
    expect(client.create('/other')).toBe('/other')
    client.delete('/a/b')
    expect(client.create('/a/c')).toBe('/a/c')
  })

  test('refuse bytes by what a write adds, before BADVERSION', () => {
    const { client } = start()
    client.create('/a', '12345')
    setQuota(client, '/a', 'count=-1,bytes=-1=;byteHardLimit=6')
    expect(client.create('/a/b', '12')).toBe(ErrorCode.QUOTAEXCEEDED)
    expect(client.setData('/a', '1234567', 77)).toBe(ErrorCode.QUOTAEXCEEDED)
    expect(client.setData('/a', '123456')).toMatchObject({ dataLength: 6 })
    expect(client.setData('/a', '654321')).toMatchObject({ dataLength: 6 })
    expect(client.create('/a/b', null)).toBe('/a/b')
  })

  test('fail a multi as a whole; limits may change at any time', () => {
    const { client } = start()
    client.create('/a')
    setQuota(client, '/a', 'count=-1,bytes=-1=;countHardLimit=1')
    const create = (path: string) => {
      const request = { path, data: bytesOf(''), acl: OPEN_ACL_UNSAFE, flags: 0 }
      return { type: OpCode.create, request } as const
    }
    expect(client.multi([create('/x'), create('/a/b')])).toMatchObject([
      { err: 0 },
      { err: ErrorCode.QUOTAEXCEEDED },
    ])
    expect(client.exists('/x')).toBe(ErrorCode.NONODE)
    client.setData(`${QUOTA}/a/zookeeper_limits`, 'count=-1,bytes=-1=;countHardLimit=9')
    expect(client.multi([create('/x'), create('/a/b')])).toMatchObject([{ path: '/x' }, {}])
  })

  test('soft ones refuse nothing, and nothing is refused unless enforceQuota is on', () => {
    const { client } = start()
    client.create('/a')
    setQuota(client, '/a', 'count=1,bytes=1')
    expect(client.create('/a/b', 'more')).toBe('/a/b')
    const off = start(false).client
    off.create('/a')
    setQuota(off, '/a', 'count=-1,bytes=-1=;countHardLimit=1')
    expect(off.create('/a/b')).toBe('/a/b')
    expect(stats(off, '/a')).toBe('count=2,bytes=0')
  })
})

function restored(member: SingleMember): SingleMember['machine']['tree'] {
  const snapshot = new TreeSnapshot(member.machine.tree)
  const chunks: Uint8Array[] = []
  for (let chunk = snapshot.next(4096); chunk !== null; chunk = snapshot.next(4096)) {
    chunks.push(chunk)
  }
  return restoreTree(chunks)
}

test('a change that goes beyond a soft limit is told of, once each time (D53)', () => {
  const { member, client } = start(false)
  const told = (): unknown[] => member.traces.filter(({ type }) => type === 'quota-exceeded')
  client.create('/a')
  setQuota(client, '/a', 'count=3,bytes=5')
  client.create('/a/1')
  client.create('/a/2', '12345')
  expect(told()).toEqual([])
  client.create('/a/3', '6')
  expect(told()).toEqual([
    { type: 'quota-exceeded', path: '/a', of: 'count', used: 4, limit: 3 },
    { type: 'quota-exceeded', path: '/a', of: 'bytes', used: 6, limit: 5 },
  ])
  client.create('/a/4')
  expect(told()).toHaveLength(2)
  client.delete('/a/4')
  client.delete('/a/3')
  client.create('/a/3')
  expect(told()).toHaveLength(3)
})
