/** Permission bits, their letters, and ZooKeeper's ready-made ACLs (W68, W70). */

import type { Acl, Id } from './data-records.ts'

export const Perms = {
  READ: 1,
  WRITE: 2,
  CREATE: 4,
  DELETE: 8,
  ADMIN: 16,
  ALL: 31,
} as const

/** In the order in which ZooKeeper prints them. */
const LETTERS: readonly (readonly [string, number])[] = /* @__PURE__ */ lettersInOrder()

/** 31 → 'cdrwa'. */
export function permsToLetters(perms: number): string {
  return LETTERS.map(([letter, bit]) => ((perms & bit) === 0 ? '' : letter)).join('')
}

/** Letters in any order → bits; null when one is unknown. */
export function permsFromLetters(letters: string): number | null {
  let perms = 0
  for (const wanted of letters) {
    const found = LETTERS.find(([letter]) => letter === wanted)
    if (found === undefined) return null
    perms |= found[1]
  }
  return perms
}

function lettersInOrder(): (readonly [string, number])[] {
  const { CREATE, DELETE, READ, WRITE, ADMIN } = Perms
  return [
    ['c', CREATE],
    ['d', DELETE],
    ['r', READ],
    ['w', WRITE],
    ['a', ADMIN],
  ]
}

export const ANYONE_ID_UNSAFE: Id = { scheme: 'world', id: 'anyone' }
/** Stands for the ids of the connection that creates (A3). */
export const AUTH_IDS: Id = { scheme: 'auth', id: '' }

export const OPEN_ACL_UNSAFE: readonly Acl[] = [{ perms: Perms.ALL, id: ANYONE_ID_UNSAFE }]
export const CREATOR_ALL_ACL: readonly Acl[] = [{ perms: Perms.ALL, id: AUTH_IDS }]
export const READ_ACL_UNSAFE: readonly Acl[] = [{ perms: Perms.READ, id: ANYONE_ID_UNSAFE }]
