import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import { OPEN_ACL_UNSAFE } from '../../../src/core/jute/perms.ts'
import { auditLine, type AuditEntry } from '../../../src/edge/admin/audit-log.ts'
import { createLog } from '../../../src/edge/admin/log.ts'
import { administeredMember, type AdministeredMember } from './administered-member.ts'

function audited(): { server: AdministeredMember; lines: () => string[] } {
  const entries: AuditEntry[] = []
  const log = createLog({
    write: (line) => {
      const said = JSON.parse(line) as AuditEntry & { event: string }
      if (said.event === 'audit') entries.push(said)
    },
    isTerminal: false,
    level: 'info',
    wallNow: () => 0,
  })
  const server = administeredMember({ auditEnabled: true }, {}, log)
  return { server, lines: () => entries.splice(0).map(auditLine) }
}

describe('the audit log (A18)', () => {
  it('has a line per write, with who, from where, what, and how it ended; none per read', () => {
    const { server, lines } = audited()
    using _server = server
    const client = server.client().connect()
    const who = `session=0x${client.session.toString(16)}\tuser=127.0.0.1\tip=127.0.0.1`
    client.create('/a', '')
    client.create('/b-', '', 3)
    client.getData('/a')
    client.exists('/a')
    client.setData('/a', 'x')
    client.setAcl('/a', OPEN_ACL_UNSAFE)
    client.delete('/a')
    client.delete('/a')
    expect(lines()).toEqual([
      `${who}\toperation=create\tznode=/a\tznode_type=persistent\tresult=success`,
      `${who}\toperation=create\tznode=/b-0000000001\tznode_type=ephemeral_sequential\t` +
        'result=success',
      `${who}\toperation=setData\tznode=/a\tresult=success`,
      `${who}\toperation=setAcl\tznode=/a\tacl=world:anyone:cdrwa\tresult=success`,
      `${who}\toperation=delete\tznode=/a\tresult=success`,
      `${who}\toperation=delete\tznode=/a\tresult=failure`,
    ])
  })

  it('names whom the client authenticated as, without the password', () => {
    const { server, lines } = audited()
    using _server = server
    const client = server.client().connect()
    client.addAuth('digest', 'bob:secret')
    client.create('/a')
    const [line = ''] = lines()
    expect(line).toContain('\tuser=bob\t')
    expect(line).not.toContain('secret')
  })

  it('takes a multi apart when it happened, and not when it did not', () => {
    const { server, lines } = audited()
    using _server = server
    const client = server.client().connect()
    const create = {
      type: OpCode.create,
      request: { path: '/m', data: null, acl: OPEN_ACL_UNSAFE, flags: 0 },
    } as const
    client.multi([create, { type: OpCode.delete, request: { path: '/m', version: -1 } }])
    client.multi([create, { type: OpCode.delete, request: { path: '/no', version: -1 } }])
    expect(lines().map((line) => line.split('\t').slice(3).join(' '))).toEqual([
      'operation=create znode=/m znode_type=persistent result=success',
      'operation=delete znode=/m result=success',
      'operation=multiOperation result=failure',
    ])
  })

  it('a body that cannot be read is a failure of somebody', () => {
    const { server, lines } = audited()
    using _server = server
    server.client().connect().send(OpCode.create, null)
    expect(lines()).toEqual([expect.stringMatching(/operation=create\tresult=failure$/)])
  })
})
