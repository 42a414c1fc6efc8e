/** The whole member: one voter on virtual time, from founding over restart to halt. */
import { describe, expect, test } from 'vitest'
import { decode } from '../../../src/core/jute/record.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import * as proto from '../../../src/core/jute/proto-records.ts'
import { MEMBER_RULES } from '../../../src/core/server/member-machine.ts'
import { restoreTree } from '../../../src/core/tree/snapshot.ts'
import { emptySnapshotChunk } from '../../../src/core/server/member-machine.ts'
import { createSingleMember } from './single-member.ts'
import { createRequest } from './test-client.ts'

test('one voter elects itself, serves, and says so', () => {
  const member = createSingleMember()
  expect(member.status()).toMatchObject({
    sid: 1,
    role: 'leading',
    epoch: 1,
    leader: 1,
    serving: true,
    whyNotServing: null,
    quorum: { needed: 1, voters: 1, reachable: true },
    znodes: 5,
    sessions: [],
    halted: null,
  })
  const client = member.session()
  client.create('/e', '', 1)
  client.exists('/x', true)
  expect(member.status()).toMatchObject({
    zxid: '0x100000002',
    loggedZxid: '0x100000002',
    watches: 1,
    znodes: 6,
    ephemerals: 1,
    clientConnections: 1,
    sessions: [{ timeoutMs: 10_000, ephemerals: 1, connectedHere: true }],
  })
  const [session] = member.status().sessions
  expect(session?.id).toBe(`0x${client.session.toString(16)}`)
  expect(session?.remainingMs).toBeGreaterThan(9_000)
  structuredClone(member.status())
})

test('the empty snapshot restores to the initial tree', () => {
  const tree = restoreTree([emptySnapshotChunk()])
  expect(tree.lastProcessed).toBe(0n)
  expect([...(tree.node('/')?.children ?? [])]).toEqual(['zookeeper'])
})

describe('restart', () => {
  test('everything acknowledged is there; the session goes on with its password', () => {
    const member = createSingleMember()
    const client = member.session()
    client.create('/a', 'x')
    client.create('/e', '', 1)
    const digest = member.status().treeDigest
    member.restart()
    expect(client.closedBecause).toBe('member crashed')
    expect(member.status()).toMatchObject({ epoch: 2, serving: true, treeDigest: digest })
    const back = member.client().resume(client)
    expect(back.getData('/a')).toMatchObject({ data: 'x' })
    expect(back.exists('/e')).toMatchObject({ ephemeralOwner: client.session })
    expect(back.setData('/a', 'y', 0)).toMatchObject({ version: 1 })
  })

  test('from a local snapshot and the log after it, with sessions and ephemerals', () => {
    const member = createSingleMember({ config: { snapCount: 20 } })
    const client = member.session()
    client.create('/p')
    client.create('/e', '', 1)
    for (let i = 0; i < 50; i++) {
      client.create('/p/n-', `${i}`, 2)
      member.advance(50)
    }
    expect(member.traces.some((trace) => trace.type === 'snapshot')).toBe(true)
    const { treeDigest, zxid } = member.status()
    expect(member.disk.recoverSync().snapshot?.zxid).toBeGreaterThan(0n)
    member.restart()
    expect(member.status()).toMatchObject({ treeDigest, zxid })
    const back = member.client().resume(client)
    expect(back.create('/p/n-', '', 2)).toBe('/p/n-0000000050')
  })

  test('ids of a former life are not given again, though the wall clock went back', () => {
    const member = createSingleMember()
    const ids = [member.session().session, member.session().session]
    member.restart()
    member.at = { ...member.at, wallMs: member.at.wallMs - 3_600_000 }
    member.restart()
    ids.push(member.session().session)
    expect(new Set(ids).size).toBe(3)
  })
})

test('a member that slept closes its clients before it answers what was queued (Q85)', () => {
  const member = createSingleMember()
  const client = member.session()
  client.create('/e', '', 1)
  const heard = client.received.length
  member.jump(60_000)
  client.send(OpCode.getData, proto.getDataRequestRecord, { path: '/', watch: false })
  expect(client.closedBecause).toBe('server_shutdown')
  expect(client.received).toHaveLength(heard)
  member.untilServing()
  const back = member.client().resume(client)
  expect(back.exists('/e')).toMatchObject({ ephemeralOwner: client.session })
})

test('a programmer’s error halts the member: nothing of the broken step leaves', () => {
  let isBroken = false
  const member = createSingleMember({
    rules: {
      ...MEMBER_RULES,
      makeDelivery: (send) => {
        const rule = MEMBER_RULES.makeDelivery(send)
        return {
          event: (...args) => rule.event(...args),
          settled: () => {
            if (isBroken) throw new TypeError('planted')
          },
        }
      },
    },
  })
  const client = member.session()
  isBroken = true
  const xid = client.send(OpCode.create, proto.createRequestRecord, createRequest('/a'))
  expect(member.haltReason).toBe('TypeError: planted')
  expect(client.hasReply(xid)).toBe(false)
  expect(member.status()).toMatchObject({ serving: false, halted: 'TypeError: planted' })
  client.send(OpCode.create, proto.createRequestRecord, createRequest('/b'))
  member.advance(1000)
  expect(member.machine.takeEffects()).toEqual([])
})

test('pipelined requests in one message are answered in one message, in order', () => {
  const member = createSingleMember()
  const client = member.session()
  const record = proto.createRequestRecord
  const frames = Array.from({ length: 100 }, (_, i) =>
    client.frame(OpCode.create, record, createRequest(`/n${i}`)),
  )
  client.rawFrames(frames)
  expect(client.replies.map(({ xid, err }) => [xid, err])).toEqual(frames.map((_, i) => [i + 1, 0]))
  const last = client.replies.at(-1)
  expect(last && decode(proto.createResponseRecord, last.body).path).toBe('/n99')
})
