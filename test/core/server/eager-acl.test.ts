/** enableEagerACLCheck: a member refuses what its own tree does not permit (O32). */
import { describe, expect, test } from 'vitest'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { Perms } from '../../../src/core/jute/perms.ts'
import {
  createRequestRecord,
  deleteRequestRecord,
  setACLRequestRecord,
  setDataRequestRecord,
} from '../../../src/core/jute/proto-records.ts'
import { FakeEnsemble, type FakeOptions } from './fake-ensemble.ts'
import { createRequest, type TestClient } from './test-client.ts'

const READ_ONLY = [{ perms: Perms.READ, id: { scheme: 'world', id: 'anyone' } }]

/** A follower's client, and the node /locked that it may only read. */
function locked(options: FakeOptions): { ensemble: FakeEnsemble; client: TestClient } {
  const ensemble = new FakeEnsemble({ followers: 1, ...options })
  const client = ensemble.session(1)
  const request = { ...createRequest('/locked'), acl: READ_ONLY }
  client.reply(client.send(OpCode.create, createRequestRecord, request))
  return { ensemble, client }
}

/** What the client is answered, and how many transactions the leader made of it. */
function refused(options: FakeOptions): { readonly errors: number[]; readonly txns: number } {
  const { ensemble, client } = locked(options)
  const before = ensemble.log.length
  const version = -1
  const path = '/locked'
  const xids = [
    client.send(OpCode.create, createRequestRecord, createRequest('/locked/child')),
    client.send(OpCode.delete, deleteRequestRecord, { path: '/locked/child', version }),
    client.send(OpCode.setData, setDataRequestRecord, { path, data: null, version }),
    client.send(OpCode.setACL, setACLRequestRecord, { path, acl: READ_ONLY, version }),
  ]
  const errors = xids.map((xid) => client.reply(xid).err)
  return { errors, txns: ensemble.log.length - before }
}

describe('enableEagerACLCheck', () => {
  const all = Array.from({ length: 4 }, () => ErrorCode.NOAUTH)

  test('off, the leader refuses, in a transaction each', () => {
    expect(refused({})).toEqual({ errors: all, txns: 4 })
  })

  test('on, it never hears of them', () => {
    expect(refused({ checksAclEagerly: true })).toEqual({ errors: all, txns: 0 })
  })

  test('what is not there yet may be on its way: the leader decides', () => {
    const { ensemble, client } = locked({ checksAclEagerly: true })
    ensemble.autoCommit = false
    const parent = client.send(OpCode.create, createRequestRecord, createRequest('/new'))
    const child = client.send(OpCode.create, createRequestRecord, createRequest('/new/child'))
    ensemble.commit()
    expect([client.reply(parent).err, client.reply(child).err]).toEqual([
      ErrorCode.OK,
      ErrorCode.OK,
    ])
  })

  test('a refusal waits for its turn behind what the session asked before', () => {
    const { ensemble, client } = locked({ checksAclEagerly: true })
    ensemble.autoCommit = false
    const write = client.send(OpCode.create, createRequestRecord, createRequest('/first'))
    const data = { path: '/locked', data: null, version: -1 }
    const late = client.send(OpCode.setData, setDataRequestRecord, data)
    expect(client.hasReply(late)).toBe(false)
    ensemble.commit()
    const order = client.replies.map(({ xid }) => xid).slice(-2)
    expect(order).toEqual([write, late])
  })

  test('skipACL skips this check, too', () => {
    const { errors } = refused({ checksAclEagerly: true, skipsAcl: true })
    expect(errors).not.toContain(ErrorCode.NOAUTH)
  })
})
