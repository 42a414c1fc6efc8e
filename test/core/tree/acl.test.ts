import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../../src/core/base/utf8.ts'
import type { Acl, Id } from '../../../src/core/jute/data-records.ts'
import { OPEN_ACL_UNSAFE, Perms } from '../../../src/core/jute/perms.ts'
import {
  digestId,
  digestIds,
  fixupAcl,
  maskDigests,
  permits,
  SUPER_ID,
  userOf,
} from '../../../src/core/tree/acl.ts'

const entry = (perms: number, scheme: string, id: string): Acl => ({ perms, id: { scheme, id } })
const bob: Id = { scheme: 'digest', id: digestId('bob:secret') }
const ip: Id = { scheme: 'ip', id: '10.1.2.3' }

describe('permission check (A1, A2, A9)', () => {
  it('an empty list passes everyone', () => {
    expect(permits([], Perms.ADMIN, [])).toBe(true)
  })

  it('any entry with one of the bits and a matching id grants', () => {
    const acl = [entry(Perms.READ, 'world', 'anyone'), { perms: Perms.WRITE, id: bob }]
    expect(permits(acl, Perms.READ, [])).toBe(true)
    expect(permits(acl, Perms.WRITE, [])).toBe(false)
    expect(permits(acl, Perms.WRITE, [ip, bob])).toBe(true)
    expect(permits(acl, Perms.READ | Perms.ADMIN, [])).toBe(true)
    expect(permits(acl, Perms.DELETE, [ip, bob])).toBe(false)
  })

  it('needs the scheme to match as well as the id', () => {
    const acl = [entry(Perms.ALL, 'digest', bob.id)]
    expect(permits(acl, Perms.READ, [{ scheme: 'ip', id: bob.id }])).toBe(false)
    expect(permits([entry(Perms.ALL, 'sasl', 'x')], 1, [{ scheme: 'sasl', id: 'x' }])).toBe(false)
  })

  it('super passes what grants nobody (A6)', () => {
    const acl = [entry(0, 'world', 'anyone')]
    expect(permits(acl, Perms.WRITE, [bob])).toBe(false)
    expect(permits(acl, Perms.WRITE, [bob, SUPER_ID])).toBe(true)
  })

  const ranges: [string, string, boolean][] = [
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['10.1.2.3', '10.1.0.0/16', true],
    ['10.2.2.3', '10.1.0.0/16', false],
    ['10.1.2.3', '10.1.2.0/31', false],
    ['10.1.2.1', '10.1.2.0/31', true],
    ['200.1.2.1', '0.0.0.0/0', true],
    ['::1', '0.0.0.0/0', false],
    ['fe80::1:2', 'fe80::/10', true],
    ['2001:db8::1', 'fe80::/10', false],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1', true],
    ['tab-1', '0.0.0.0/0', false],
  ]
  it.each(ranges)('address %s in %s: %s (A5)', (address, range, inside) => {
    const ids = [{ scheme: 'ip', id: address }]
    expect(permits([entry(Perms.READ, 'ip', range)], Perms.READ, ids)).toBe(inside)
  })
})

describe('ACL fix-up (A3, A8)', () => {
  it('drops duplicates and keeps order', () => {
    const acl = [
      entry(1, 'world', 'anyone'),
      entry(31, 'ip', '1.2.3.4'),
      entry(1, 'world', 'anyone'),
    ]
    expect(fixupAcl(acl, [])).toEqual(acl.slice(0, 2))
  })

  it('auth becomes the authenticated ids; ip is none', () => {
    const acl = [entry(31, 'auth', 'zs:123')]
    expect(fixupAcl(acl, [ip, bob])).toEqual([{ perms: 31, id: bob }])
    expect(fixupAcl(acl, [ip])).toBeNull()
    expect(fixupAcl(acl, [SUPER_ID])).toBeNull()
  })

  const refused: [string, Acl[] | null][] = [
    ['null', null],
    ['empty', []],
    ['an unknown scheme', [entry(31, 'kerberos', 'x')]],
    ['super', [entry(31, 'super', '')]],
    ['world with another id', [entry(31, 'world', 'everyone')]],
    ['digest without a hash', [entry(31, 'digest', 'bob')]],
    ['digest with an empty hash', [entry(31, 'digest', 'bob:')]],
    ['digest with two colons', [entry(31, 'digest', 'a:b:c')]],
    ['ip of three parts', [entry(31, 'ip', '1.2.3')]],
    ['ip with a part too large', [entry(31, 'ip', '1.2.3.256')]],
    ['ip with too many bits', [entry(31, 'ip', '1.2.3.4/33')]],
    ['ip with no bits', [entry(31, 'ip', '1.2.3.4/')]],
    ['ipv6 with two gaps', [entry(31, 'ip', '1::2::3')]],
    ['ipv6 with too few groups', [entry(31, 'ip', '1:2:3')]],
    ['a good and a bad one', [entry(31, 'world', 'anyone'), entry(31, 'nope', 'x')]],
  ]
  it.each(refused)('refuses %s', (_name, acl) => {
    expect(fixupAcl(acl, [bob])).toBeNull()
  })

  it('is quick on a long hostile list', () => {
    const acl = Array.from({ length: 40_000 }, (_, i) => entry(i, 'world', 'anyone'))
    expect(fixupAcl(acl, [])).toHaveLength(40_000)
  })
})

describe('digest scheme (A4, D61, D63)', () => {
  it('hashes as ZooKeeper does', () => {
    expect(digestId('super:test')).toBe('super:D/InIHSb7yEEbrWz8b9l71RjZJU=')
    expect(digestId('bob:a:b').startsWith('bob:')).toBe(true)
  })

  it('gives super beside digest when the hash is the configured one (A6)', () => {
    const auth = encodeUtf8('super:test')
    const digest = { scheme: 'digest', id: digestId('super:test') }
    expect(digestIds(auth, null)).toEqual([digest])
    expect(digestIds(auth, digest.id)).toEqual([SUPER_ID, digest])
    expect(digestIds(encodeUtf8('super:guess'), digest.id)).toHaveLength(1)
  })

  it('masks hashes, and only those', () => {
    const acl = [{ perms: 31, id: bob }, entry(1, 'ip', '1.2.3.4')]
    expect(maskDigests(acl)).toEqual([entry(31, 'digest', 'bob:x'), entry(1, 'ip', '1.2.3.4')])
    expect(maskDigests(OPEN_ACL_UNSAFE)).toEqual(OPEN_ACL_UNSAFE)
  })

  it('whoAmI shows the user only', () => {
    expect([userOf(bob), userOf(ip)]).toEqual(['bob', '10.1.2.3'])
  })
})
