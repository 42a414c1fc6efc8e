/** Reads without a leader (S37–S43, W12, W54). */
import { describe, expect, test } from 'vitest'
import { toServerId } from '../../../src/core/base/zxid.ts'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { multiReadRequestRecord } from '../../../src/core/jute/multi.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { OPEN_ACL_UNSAFE } from '../../../src/core/jute/perms.ts'
import * as proto from '../../../src/core/jute/proto-records.ts'
import type { MemberConfig } from '../../../src/core/server/member-machine.ts'
import { FakeEnsemble } from './fake-ensemble.ts'
import { createSingleMember, type SingleMember } from './single-member.ts'
import { bytesOf, textOf, type TestClient } from './test-client.ts'

/** Served alone with /a in its tree, and finds itself one of three that are not there. */
function alone(isOn = true): { member: SingleMember; before: TestClient } {
  const config: { -readonly [K in keyof MemberConfig]?: MemberConfig[K] } = {
    readOnlyModeEnabled: isOn,
  }
  const member = createSingleMember({ config })
  const before = member.session(40_000)
  before.create('/a', 'x')
  config.voters = [1, 2, 3].map(toServerId)
  member.reboot()
  return { member, before }
}

function readOnlyClient(member: SingleMember): TestClient {
  return member.client().connect({ readOnly: true })
}

describe('a member without a leader', () => {
  test('serves reads after two seconds, and not before (S37)', () => {
    const { member } = alone()
    member.advance(1_900)
    expect(readOnlyClient(member).closedBecause).toBe('not_serving')
    expect(member.status()).toMatchObject({ serving: false, readOnly: false })
    member.advance(200)
    expect(member.status()).toMatchObject({ serving: false, readOnly: true, role: 'looking' })
    const client = readOnlyClient(member)
    expect(client.connected).toMatchObject({ readOnly: true, timeOut: 10_000 })
    expect(client.getData('/a')).toMatchObject({ data: 'x' })
  })

  test('does not, unless it is told to', () => {
    const { member } = alone(false)
    member.advance(10_000)
    expect(readOnlyClient(member).closedBecause).toBe('not_serving')
  })

  test('takes only clients that asked for no more, and have seen no more (S38, W54)', () => {
    const { member } = alone()
    member.advance(2_100)
    const closed = (fields: object) => member.client().connect(fields).closedBecause
    expect(closed({ readOnly: false })).toBe('not_read_only_client')
    expect(closed({ readOnly: undefined })).toBe('not_read_only_client')
    expect(closed({ readOnly: true, lastZxidSeen: 1n << 40n })).toBe('client_zxid_ahead')
  })

  test('opens sessions of its own and takes over none of the ensemble (S40)', () => {
    const { member, before } = alone()
    member.advance(2_100)
    const client = readOnlyClient(member)
    expect(member.client().resume(before, { readOnly: true }).closedBecause).toBe(
      'renew_global_session_in_ro_mode',
    )
    const again = member.client().resume(client, { readOnly: true })
    expect(again.session).toBe(client.session)
    expect(member.machine.tree.sessions.has(client.session)).toBe(false)
    expect(again.call(OpCode.closeSession, null).err).toBe(ErrorCode.OK)
    expect(again.closedBecause).toBe('client_closed_session')
    const third = member.client().resume(client, { readOnly: true })
    expect(third.connected).toMatchObject({ timeOut: 0 })
  })

  test('answers every read and watch operation (S39)', () => {
    const { member } = alone()
    member.advance(2_100)
    const client = readOnlyClient(member)
    expect(client.exists('/b', true)).toBe(ErrorCode.NONODE)
    expect(client.getChildren('/')).toContain('a')
    expect(client.getAcl('/a')).toEqual(OPEN_ACL_UNSAFE)
    const reads = [{ type: OpCode.getData, request: { path: '/a', watch: false } }] as const
    expect(client.call(OpCode.multiRead, multiReadRequestRecord, reads).err).toBe(0)
    expect(client.call(OpCode.ping, null).err).toBe(0)
    expect(client.call(OpCode.whoAmI, null).err).toBe(0)
    expect(client.addAuth('digest', 'bob:secret')).toBe(0)
  })

  test('refuses every write and sync with NOTREADONLY, in its turn (S39)', () => {
    const { member } = alone()
    member.advance(2_100)
    const client = readOnlyClient(member)
    const no = ErrorCode.NOTREADONLY
    expect(client.create('/b')).toBe(no)
    expect(client.create('/e', '', 1)).toBe(no)
    expect(client.create2('/b')).toBe(no)
    expect(client.delete('/a')).toBe(no)
    expect(client.setData('/a', 'y')).toBe(no)
    expect(client.setAcl('/a', OPEN_ACL_UNSAFE)).toBe(no)
    expect(client.multi([])).toBe(no)
    expect(client.call(OpCode.sync, proto.syncRequestRecord, { path: '/' }).err).toBe(no)
    expect(client.call(OpCode.reconfig, null).err).toBe(no)
    expect(client.replies.every(({ zxid }) => zxid === member.machine.tree.lastProcessed)).toBe(
      true,
    )
    expect(client.closedBecause).toBe(null)
  })

  test('expires its own sessions, and forgets them with the mode', () => {
    const { member } = alone()
    member.advance(2_100)
    const client = readOnlyClient(member)
    member.advance(9_000)
    client.send(OpCode.ping, null)
    member.advance(9_000)
    expect(client.closedBecause).toBe(null)
    member.advance(5_000)
    expect(client.closedBecause).toBe('session_closed')
  })

  test('begins anew after a sleep (Q85)', () => {
    const { member } = alone()
    member.advance(2_100)
    const client = readOnlyClient(member)
    member.jump(60_000)
    member.input({ kind: 'tick', oldestAppendAgeMs: 0 })
    expect(client.closedBecause).toBe('server_shutdown')
    expect(member.status().readOnly).toBe(false)
    member.advance(2_100)
    expect(member.status().readOnly).toBe(true)
  })

  test('takes no local snapshot: what it has may be cut again', () => {
    const { member } = alone()
    const before = member.disk.recoverSync().snapshot?.zxid
    member.advance(120_000)
    expect(member.disk.recoverSync().snapshot?.zxid).toBe(before)
  })
})

describe('a leader is found', () => {
  test('the mode ends before anything moves, and service begins (S43)', () => {
    const ensemble = new FakeEnsemble({ followers: 1, readOnlyModeEnabled: true })
    const { server } = ensemble.member(1)
    ensemble.session(1).create('/a')
    ensemble.stop()
    for (const member of ensemble.members) member.server.onLooking(true, ensemble.at)
    ensemble.jump(2_000)
    server.tick(ensemble.at)
    const client = ensemble.client(1).connect({ readOnly: true })
    expect(client.exists('/a', true)).toMatchObject({ version: 0 })
    for (const member of ensemble.members) member.server.onLooking(false, ensemble.at)
    ensemble.serve()
    ensemble.pass(50)
    expect(client.closedBecause).toBe('server_shutdown')
    const again = ensemble.client(1).connect({ readOnly: true })
    expect(again.connected).toMatchObject({ readOnly: false })
    expect(again.delete('/a')).toBe(ErrorCode.OK)
    expect(client.events).toEqual([])
  })
})

describe('the word isro, where no listener answers it (S41)', () => {
  test.each([
    ['ro', () => alone().member],
    ['rw', () => createSingleMember()],
  ])('is answered with %s, then the connection goes', (answer, start) => {
    const member = start()
    member.advance(2_100)
    const said: string[] = []
    const wire = member.connect({
      onBytes: (bytes) => said.push(textOf(bytes)),
      onClosed: (reason) => said.push(reason),
    })
    wire.send(encodeUtf8('isro'))
    expect(said).toEqual([answer, 'info_probe'])
  })

  test('is nothing to who has connected', () => {
    const client = createSingleMember().session()
    client.raw(bytesOf('isro') ?? new Uint8Array())
    expect(client.closedBecause).toBe('io_exception')
  })
})
