/** multi: one transaction, all or nothing, and what its reply says (D36–D39, W47–W50, T6). */
import { describe, expect, test } from 'vitest'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import {
  multiReadRequestRecord,
  multiRequestRecord,
  multiResponseRecord,
  type MultiOp,
} from '../../../src/core/jute/multi.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { OPEN_ACL_UNSAFE, Perms } from '../../../src/core/jute/perms.ts'
import { createRequestRecord, createResponseRecord } from '../../../src/core/jute/proto-records.ts'
import { decode } from '../../../src/core/jute/record.ts'
import { FakeEnsemble } from './fake-ensemble.ts'
import { bytesOf, createRequest, type TestClient } from './test-client.ts'

const create = (path: string, flags = 0): MultiOp => ({
  type: OpCode.create,
  request: createRequest(path, '', flags),
})
const remove = (path: string, version = -1): MultiOp => ({
  type: OpCode.delete,
  request: { path, version },
})
const set = (path: string, data: string, version = -1): MultiOp => ({
  type: OpCode.setData,
  request: { path, data: bytesOf(data), version },
})
const check = (path: string, version = -1): MultiOp => ({
  type: OpCode.check,
  request: { path, version },
})

function start(): { ensemble: FakeEnsemble; client: TestClient } {
  const ensemble = new FakeEnsemble()
  return { ensemble, client: ensemble.session() }
}

const error = (err: number): object => ({ type: OpCode.error, err })

describe('multi', () => {
  test('later operations see earlier ones (D37)', () => {
    const { client } = start()
    const results = client.multi([
      create('/a'),
      create('/a/b'),
      set('/a', 'x', 0),
      set('/a', 'y', 1),
      check('/a', 2),
      remove('/a/b'),
    ])
    expect(results).toMatchObject([
      { type: OpCode.create, path: '/a' },
      { type: OpCode.create, path: '/a/b' },
      { type: OpCode.setData, stat: { version: 1 } },
      { type: OpCode.setData, stat: { version: 2 } },
      { type: OpCode.check },
      { type: OpCode.delete },
    ])
    expect(client.getData('/a')).toMatchObject({ data: 'y', stat: { numChildren: 0, cversion: 2 } })
  })

  test('W48: createContainer answers as create2, and a create2 as the create it is read as', () => {
    const { client } = start()
    const results = client.multi([
      { type: OpCode.create2, request: createRequest('/a') },
      { type: OpCode.createContainer, request: createRequest('/c', '', 4) },
    ])
    expect(results).toMatchObject([
      { type: OpCode.create, path: '/a' },
      { type: OpCode.create2, path: '/c', stat: { version: 0 } },
    ])
  })

  test('W48: a createTTL answers as create2, with its Stat', () => {
    const client = new FakeEnsemble({ extendedTypesEnabled: true }).session()
    const request = { ...createRequest('/t', '', 5), ttl: 9_000n }
    const results = client.multi([{ type: OpCode.createTTL, request }])
    expect(results).toMatchObject([{ type: OpCode.create2, path: '/t', stat: { version: 0 } }])
  })

  test.each([
    ['the syntax before the node', '/no/', -1, ErrorCode.BADARGUMENTS],
    ['the node', '/no', 9, ErrorCode.NONODE],
    ['READ before the version', '/locked', 9, ErrorCode.NOAUTH],
    ['the version', '/a', 9, ErrorCode.BADVERSION],
    ['the version, not that of the children or the list', '/a', 1, ErrorCode.BADVERSION],
  ])('D30: a check looks at %s', (_name, path, version, err) => {
    const { client } = start()
    for (const made of ['/a', '/a/b', '/locked']) client.create(made)
    client.setAcl('/a', OPEN_ACL_UNSAFE)
    client.setAcl('/locked', [{ perms: Perms.WRITE, id: { scheme: 'world', id: 'anyone' } }])
    expect(client.multi([check(path, version)])).toEqual([error(err)])
    expect(client.multi([check('/a'), check('/a', 0)])).toMatchObject([{ type: 13 }, { type: 13 }])
  })

  // ZOOKEEPER-1624
  test('W49, D38: a failure changes nothing, burns no number; its header says OK', () => {
    const { client } = start()
    client.create('/p')
    expect(client.multi([create('/p/a'), create('/p/b'), check('/no'), create('/p/c')])).toEqual([
      error(0),
      error(0),
      error(ErrorCode.NONODE),
      error(ErrorCode.RUNTIMEINCONSISTENCY),
    ])
    expect(client.getChildren('/p')).toEqual([])
    expect(client.create('/p/s-', '', 2)).toBe('/p/s-0000000000')
  })

  test('D38: what a failed multi took back is what was outstanding before it', () => {
    const { ensemble, client } = start()
    client.create('/p')
    ensemble.autoCommit = false
    const sequential = createRequest('/p/s-', '', 2)
    const first = client.send(OpCode.create, createRequestRecord, sequential)
    client.send(OpCode.multi, multiRequestRecord, [create('/p/x-', 2), remove('/no')])
    const second = client.send(OpCode.create, createRequestRecord, sequential)
    ensemble.commit()
    const paths = [first, second].map(
      (xid) => decode(createResponseRecord, client.reply(xid).body).path,
    )
    expect(paths).toEqual(['/p/s-0000000000', '/p/s-0000000001'])
  })

  test('a time to live without its time fails the whole multi and leaves no trace', () => {
    const { client } = start()
    expect(client.multi([create('/x'), create('/y', 5)])).toBe(ErrorCode.MARSHALLINGERROR)
    expect(client.create('/x')).toBe('/x')
  })

  test('D39: an empty multi is legal; events come after success, in order', () => {
    const { ensemble, client } = start()
    expect(client.multi([])).toEqual([])
    const watcher = ensemble.session()
    watcher.exists('/a', true)
    watcher.exists('/b', true)
    client.multi([create('/a'), create('/b'), remove('/no')])
    expect(watcher.events).toEqual([])
    client.multi([create('/b'), create('/a')])
    expect(watcher.events.map(({ path }) => path)).toEqual(['/b', '/a'])
    expect(new Set(watcher.events.map(({ zxid }) => zxid)).size).toBe(1)
  })
})

test('W50: multiRead answers each operation for itself', () => {
  const { client } = start()
  client.create('/a', 'x')
  const reply = client.call(OpCode.multiRead, multiReadRequestRecord, [
    { type: OpCode.getData, request: { path: '/a', watch: false } },
    { type: OpCode.getData, request: { path: '/no', watch: false } },
    { type: OpCode.getChildren, request: { path: '/', watch: false } },
  ])
  expect(reply.err).toBe(0)
  expect(decode(multiResponseRecord, reply.body)).toMatchObject([
    { type: OpCode.getData, data: bytesOf('x') },
    error(ErrorCode.NONODE),
    { type: OpCode.getChildren, children: ['zookeeper', 'a'] },
  ])
})

test('W50: multiRead sets no watches, whatever it says (differential seeds 7 and 14)', () => {
  const { client } = start()
  client.create('/a', 'x')
  client.call(OpCode.multiRead, multiReadRequestRecord, [
    { type: OpCode.getData, request: { path: '/a', watch: true } },
    { type: OpCode.getChildren, request: { path: '/', watch: true } },
  ])
  client.create('/b')
  client.delete('/a')
  expect(client.events).toEqual([])
})
