/** Who clients are, and what a server may be told about that (A3–A13, A19, A21, D61, D63). */
import { describe, expect, test } from 'vitest'
import { ErrorCode } from '../../../src/core/jute/error-code.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { CREATOR_ALL_ACL, Perms } from '../../../src/core/jute/perms.ts'
import { decode } from '../../../src/core/jute/record.ts'
import { whoAmIResponseRecord } from '../../../src/core/jute/session-records.ts'
import { digestId } from '../../../src/core/tree/acl.ts'
import { FakeEnsemble } from './fake-ensemble.ts'
import type { TestClient } from './test-client.ts'

const BOB = { perms: Perms.ALL, id: { scheme: 'digest', id: digestId('bob:secret') } }
const LOCAL = { perms: Perms.READ, id: { scheme: 'ip', id: '10.0.0.0/8' } }

function whoAmI(client: TestClient): readonly string[] {
  const { clientInfo } = decode(whoAmIResponseRecord, client.call(OpCode.whoAmI, null).body)
  return clientInfo.map(({ authScheme, user }) => `${authScheme}:${user}`)
}

test('several ids add up, the same one counts once; the address is one (A5, A12, A19, D63)', () => {
  const ensemble = new FakeEnsemble()
  const client = ensemble.client(0, '10.1.2.3').connect()
  for (const auth of ['bob:secret', 'ann:other', 'bob:secret']) client.addAuth('digest', auth)
  expect(client.addAuth('ip', '1.2.3.4')).toBe(ErrorCode.OK)
  expect(whoAmI(client)).toEqual(['ip:10.1.2.3', 'digest:bob', 'digest:ann'])
  client.create('/mine', '', 0, CREATOR_ALL_ACL)
  expect(client.getAcl('/mine')).toHaveLength(2)
  const stranger = ensemble.client(0, '11.1.2.3').connect()
  client.create('/near', 'x', 0, [LOCAL])
  expect(client.getData('/near')).toMatchObject({ data: 'x' })
  expect(stranger.getData('/near')).toBe(ErrorCode.NOAUTH)
  expect(client.setData('/near', 'y')).toBe(ErrorCode.NOAUTH)
})

test('a locked parent hides no child that may be read, and names are no secret (A11)', () => {
  const ensemble = new FakeEnsemble()
  const [bob, other] = [ensemble.session(), ensemble.session()]
  bob.addAuth('digest', 'bob:secret')
  bob.create('/p', '', 0, [BOB])
  bob.create('/p/open', 'x')
  bob.create('/q')
  bob.create('/q/locked', '', 0, [BOB])
  expect(other.getChildren('/p')).toBe(ErrorCode.NOAUTH)
  expect(other.getData('/p/open')).toMatchObject({ data: 'x' })
  expect(other.getChildren('/q')).toEqual(['locked'])
})

test('the id of a session is no authentication: it comes back with no ids (A20)', () => {
  const ensemble = new FakeEnsemble()
  const client = ensemble.session()
  client.addAuth('digest', 'bob:secret')
  client.create('/a', 'x', 0, [BOB])
  const again = ensemble.client().resume(client)
  expect(again.session).toBe(client.session)
  expect(again.getData('/a')).toBe(ErrorCode.NOAUTH)
})

describe('skipsAcl (A9, A21)', () => {
  test('asks nobody for a permission, and masks nothing', () => {
    const ensemble = new FakeEnsemble({ skipsAcl: true })
    const client = ensemble.session()
    expect(client.create('/a', 'x', 0, [BOB])).toBe('/a')
    expect(client.create('/a/b')).toBe('/a/b')
    expect(client.getAcl('/a')).toEqual([BOB])
    expect(client.setAcl('/a', [BOB])).toMatchObject({ aversion: 1 })
    expect(client.setData('/a', 'y')).toMatchObject({ version: 1 })
    expect(client.getData('/a', true)).toMatchObject({ data: 'y' })
    expect(client.multi([{ type: OpCode.check, request: { path: '/a', version: 1 } }])).toEqual([
      { type: OpCode.check },
    ])
    expect(client.delete('/a/b')).toBe(ErrorCode.OK)
    client.setData('/a', 'z')
    expect(client.events).toMatchObject([{ path: '/a' }])
    expect(whoAmI(client)).toEqual([])
    // `auth` still means the ids of the connection, and there are none.
    expect(client.create('/mine', '', 0, CREATOR_ALL_ACL)).toBe(ErrorCode.INVALIDACL)
  })
})

describe('enforcedAuthSchemes (A13)', () => {
  test('sends away who has no id of them at the first request', () => {
    const ensemble = new FakeEnsemble({ enforcedAuthSchemes: ['digest'] })
    const client = ensemble.session()
    const xid = client.send(OpCode.getChildren, null)
    expect(client.reply(xid).err).toBe(ErrorCode.SESSIONCLOSEDREQUIRESASLAUTH)
    expect(client.closedBecause).toBe('sasl_auth_failure')
    const known = ensemble.session()
    known.addAuth('digest', 'bob:secret')
    expect(known.create('/a')).toBe('/a')
  })
})

describe('schemes', () => {
  test('digest can be turned off (A4)', () => {
    const client = new FakeEnsemble({ digestAuthEnabled: false }).session()
    expect(client.addAuth('digest', 'bob:secret')).toBe(ErrorCode.AUTHFAILED)
    expect(client.closedBecause).toBe('auth_failure')
  })

  test('ensemble: another name than ours closes without an answer (A7)', () => {
    const ensemble = new FakeEnsemble({ ensembleAuthNames: ['blue', 'green'] })
    const client = ensemble.session()
    expect(client.addAuth('ensemble', 'green')).toBe(ErrorCode.OK)
    expect(client.addAuth('ensemble', '')).toBe(ErrorCode.OK)
    expect(whoAmI(client)).toEqual([])
    const count = client.replies.length
    client.addAuth('ensemble', 'red')
    expect(client.replies).toHaveLength(count)
    expect(client.closedBecause).toBe('failed_handshake')
    const other = new FakeEnsemble().session()
    expect(other.addAuth('ensemble', 'red')).toBe(ErrorCode.AUTHFAILED)
  })

  test.each(['world', 'super', 'auth', 'x509', 'sasl', ''])('%j is none for clients', (scheme) => {
    const client = new FakeEnsemble().session()
    expect(client.addAuth(scheme, 'anyone')).toBe(ErrorCode.AUTHFAILED)
    expect(client.closedBecause).toBe('auth_failure')
  })
})

test('with treeDigestEnabled off no digest is kept (P20)', () => {
  const ensemble = new FakeEnsemble({ treeDigestEnabled: false })
  ensemble.session().create('/a')
  expect(ensemble.leader.tree.digest).toBe(null)
})
