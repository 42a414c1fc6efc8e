// A running member whose memory changes: its clients are cut off, it comes back with the right
// tree, it says so, and its flight recording names the step.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { OpCode } from '../../src/core/jute/op-code.ts'
import { createRequestRecord } from '../../src/core/jute/proto-records.ts'
import { ZooKeeperServer } from '../../src/core/server/zookeeper-server.ts'
import type { DataTree } from '../../src/core/tree/data-tree.ts'
import { replayFlight } from '../../src/edge/replay-flight.ts'
import { createRequest } from '../core/server/test-client.ts'
import { settle } from './bench.ts'
import { flightOf, RecordedRoom } from './flight/recorded-room.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** The product has no way to its trees; they are seen when they are made, machine 1 first. */
async function opened(): Promise<{ room: RecordedRoom; treeOf: (sid: number) => DataTree }> {
  const servers: ZooKeeperServer[] = []
  const { restore } = ZooKeeperServer.prototype
  vi.spyOn(ZooKeeperServer.prototype, 'restore').mockImplementation(function (
    this: ZooKeeperServer,
    ...args
  ) {
    restore.apply(this, args)
    if (!servers.includes(this)) servers.push(this)
  })
  const room = await RecordedRoom.open()
  const treeOf = (sid: number): DataTree => {
    const server = servers[sid - 1]
    if (server === undefined) throw new Error(`machine ${sid}`)
    return server.tree
  }
  return { room, treeOf }
}

describe.each([
  ['a follower', false],
  ['the leader', true],
])('%s', (_, isLeader) => {
  test('whose memory changed leaves service, synchronises anew and keeps its alarm', async () => {
    const { room, treeOf } = await opened()
    const sid = isLeader ? room.leader : room.leader === 1 ? 2 : 1
    const client = await room.client(sid)
    client.send(OpCode.create, createRequestRecord, createRequest('/a', 'abc'))
    await settle()
    await room.time.pass(1000)
    const data = treeOf(sid).node('/a')?.data
    if (data === null || data === undefined) throw new Error('no data')
    data[1] = (data[1] ?? 0) ^ 1
    await room.time.until('the alarm', () => room.member(sid).status().alarm !== null)
    await room.time.until('out of service', () => client.closedBecause !== null)
    await room.untilServing(1, 2, 3)
    await room.time.pass(3000)
    const statuses = room.members.map((member) => member.status())
    expect(new Set(statuses.map(({ treeDigest }) => treeDigest)).size).toBe(1)
    expect(statuses.map(({ alarm }) => alarm?.count ?? 0)).toEqual(
      statuses.map((status) => (status.sid === sid ? 1 : 0)),
    )
    const { alarm } = room.member(sid).status()
    expect(alarm).toMatchObject({ what: '/a changed without a transaction', otherDigest: null })
    expect(alarm?.healedAtMs).toBeGreaterThan(alarm?.atMs ?? 0)
    expect(new TextDecoder().decode(treeOf(sid).node('/a')?.data ?? undefined)).toBe('abc')
    structuredClone(statuses)
    await expectNamed(room, sid)
  })
})

/** The change was no input, so a replay has no reason to leave service where the member did. */
async function expectNamed(room: RecordedRoom, sid: number): Promise<void> {
  const result = replayFlight(await flightOf(room.member(sid)))
  if (result.kind !== 'different') throw new Error(result.kind)
  expect(result.step.input?.kind).toBe('tick')
  const other = sid === 1 ? 2 : 1
  expect(replayFlight(await flightOf(room.member(other)))).toMatchObject({ kind: 'same' })
}
