/**
 * Random clients on three servers: what must hold for any schedule (T44–T47), and for any bytes.
 */
import { describe, expect, test } from 'vitest'
import { Prng } from '../../../src/core/base/prng.ts'
import { concat } from '../../../src/core/base/bytes.ts'
import { connectRequestRecord } from '../../../src/core/jute/connect-records.ts'
import { frame } from '../../../src/core/jute/framing.ts'
import { multiRequestRecord } from '../../../src/core/jute/multi.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import * as proto from '../../../src/core/jute/proto-records.ts'
import { encode } from '../../../src/core/jute/record.ts'
import type { DataTree } from '../../../src/core/tree/data-tree.ts'
import { parentOf } from '../../../src/core/tree/path.ts'
import { FakeEnsemble } from './fake-ensemble.ts'
import { bytesOf, createRequest, type TestClient } from './test-client.ts'

const STEPS = 400
const NAMES = ['a', 'b', 'c']

function randomPath(prng: Prng): string {
  const depth = 1 + prng.int(3)
  return Array.from({ length: depth }, () => `/${prng.pick(NAMES)}`).join('')
}

function randomRequest(prng: Prng, client: TestClient): number {
  const path = randomPath(prng)
  const version = prng.bool(0.7) ? -1 : prng.int(4)
  const watch = prng.bool(0.3)
  switch (prng.int(8)) {
    case 0:
    case 1:
      return client.send(
        OpCode.create,
        proto.createRequestRecord,
        createRequest(path, 'x', prng.int(4)),
      )
    case 2:
      return client.send(OpCode.delete, proto.deleteRequestRecord, { path, version })
    case 3:
      return client.send(OpCode.setData, proto.setDataRequestRecord, {
        path,
        data: bytesOf(`${prng.int(100)}`),
        version,
      })
    case 4:
      return client.send(OpCode.getData, proto.getDataRequestRecord, { path, watch })
    case 5:
      return client.send(OpCode.getChildren, proto.getChildrenRequestRecord, { path, watch })
    case 6:
      return client.send(OpCode.sync, proto.syncRequestRecord, { path })
    default:
      return client.send(OpCode.multi, multiRequestRecord, [
        { type: OpCode.create, request: createRequest(path, '', prng.int(4)) },
        { type: OpCode.check, request: { path: '/a', version } },
        { type: OpCode.delete, request: { path: randomPath(prng), version } },
      ])
  }
}

function checkTree(tree: DataTree): void {
  for (const node of tree.store.nodes()) {
    if (node.path === '/') continue
    const parent = tree.node(parentOf(node.path))
    expect(parent).not.toBe(undefined)
    expect(parent?.ephemeralOwner ?? 0n).toBe(0n)
    // The initial nodes were never created, so they do not count (D4).
    if (node.path.startsWith('/zookeeper')) continue
    const planted = parent?.path === '/' ? 1 : 0
    expect((parent?.cversion ?? 0) + planted).toBeGreaterThanOrEqual(parent?.children?.size ?? 0)
    if (node.ephemeralOwner === 0n) continue
    expect(tree.sessions.has(node.ephemeralOwner)).toBe(true)
    expect(tree.store.ephemerals.of(node.ephemeralOwner).has(node.path)).toBe(true)
  }
}

describe('any schedule', () => {
  test.each(Array.from({ length: 10 }, (_, seed) => seed))('seed %d', (seed) => {
    const prng = new Prng(seed).fork('schedule')
    const ensemble = new FakeEnsemble({ followers: 2, globalOutstandingLimit: 5 })
    const sent = new Map<TestClient, number[]>()
    ensemble.autoCommit = false
    for (let i = 0; i < STEPS; i++) {
      const open = [...sent.keys()].filter((c) => c.connected !== null && c.closedBecause === null)
      const dice = prng.int(20)
      if (open.length < 3 || dice === 0) {
        sent.set(ensemble.session(prng.int(3)), [])
      } else if (dice === 1) {
        const client = prng.pick(open)
        sent.get(client)?.push(client.send(OpCode.closeSession, null))
      } else if (dice < 16) {
        const client = prng.pick(open)
        sent.get(client)?.push(randomRequest(prng, client))
      } else {
        ensemble.commit(1 + prng.int(4))
      }
      if (open.length < 3) ensemble.commit()
    }
    while (ensemble.proposedCount > 0) ensemble.commit()

    for (const [client, xids] of sent) {
      const replies = client.replies.map(({ xid }) => xid)
      expect(replies).toEqual(xids.slice(0, replies.length))
      if (client.closedBecause === null) expect(replies).toHaveLength(xids.length)
      const zxids = client.received.map(({ zxid }) => zxid)
      expect(zxids.every((zxid, i) => i === 0 || zxid >= (zxids[i - 1] as bigint))).toBe(true)
    }
    const [leader, ...followers] = ensemble.members.map(({ server }) => server.tree)
    for (const tree of followers) expect(tree.digest).toBe(leader?.digest)
    for (const { server } of ensemble.members) {
      checkTree(server.tree)
      expect(server.outstanding).toBe(0)
      expect(server.outstandingBytes).toBe(0)
    }
  })
})

describe('any bytes', () => {
  const connect = frame(
    encode(connectRequestRecord, {
      protocolVersion: 0,
      lastZxidSeen: 0n,
      timeOut: 10_000,
      sessionId: 0n,
      passwd: null,
      readOnly: false,
    }),
  )
  const OPS = [...Object.values(OpCode).filter((op) => op !== OpCode.closeSession), 888]

  test('never throw, never break another client', () => {
    const prng = new Prng(7).fork('bytes')
    const ensemble = new FakeEnsemble({ followers: 1 })
    const bystander = ensemble.session()
    bystander.create('/here')
    for (let i = 0; i < 1000; i++) {
      const noise = Uint8Array.from({ length: prng.int(60) }, () => prng.int(256))
      const header = new Uint8Array(8)
      new DataView(header.buffer).setInt32(0, prng.int(100))
      new DataView(header.buffer).setInt32(4, prng.pick(OPS))
      const request = frame(concat([header, noise]))
      const client = ensemble.client(prng.int(2))
      const shape = prng.int(3)
      if (shape === 0) client.raw(noise)
      else if (shape === 1) client.raw(frame(noise))
      else client.raw(concat([connect, request]))
      client.close()
    }
    expect(bystander.closedBecause).toBe(null)
    expect(bystander.exists('/here')).toMatchObject({ version: 0 })
    expect(ensemble.member(1).server.tree.digest).toBe(ensemble.leader.tree.digest)
    expect(ensemble.leader.connections.size).toBe(1)
  })

  test('cut or bent requests are answered or end their connection', () => {
    const prng = new Prng(11).fork('bent')
    const ensemble = new FakeEnsemble()
    const bodies: [number, Uint8Array][] = [
      [OpCode.create, encode(proto.createRequestRecord, createRequest('/a', 'x'))],
      [OpCode.setData, encode(proto.setDataRequestRecord, { path: '/a', data: null, version: 0 })],
      [
        OpCode.multi,
        encode(multiRequestRecord, [
          { type: OpCode.create, request: createRequest('/b') },
          { type: OpCode.delete, request: { path: '/b', version: -1 } },
        ]),
      ],
    ]
    for (let i = 0; i < 600; i++) {
      const client = ensemble.session()
      const [type, body] = prng.pick(bodies)
      const bent = body.slice(0, prng.int(body.length + 1))
      if (bent.length > 0) bent[prng.int(bent.length)] = prng.int(256)
      const header = new Uint8Array(8)
      new DataView(header.buffer).setInt32(0, 1)
      new DataView(header.buffer).setInt32(4, type)
      client.raw(frame(concat([header, bent])))
      expect(client.hasReply(1)).toBe(true)
      client.close()
    }
  })
})
