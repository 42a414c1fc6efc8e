import type { Acl } from '../../src/core/jute/data-records.ts'

export const PERMS_ALL = 31
export const OPEN_ACL: readonly Acl[] = [
  { perms: PERMS_ALL, id: { scheme: 'world', id: 'anyone' } },
]
