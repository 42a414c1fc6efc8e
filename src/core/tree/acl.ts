/** Who may do what: permission checks, and putting a requested ACL right (A1–A4, A6, A8–A10). */

import { sha1 } from '../base/sha1.ts'
import { toBase64 } from '../base/bytes.ts'
import { decodeUtf8, encodeUtf8 } from '../base/utf8.ts'
import type { Acl, Id } from '../jute/data-records.ts'
import { ANYONE_ID_UNSAFE } from '../jute/perms.ts'
import { aclKey } from './acl-cache.ts'
import { isIpExpression, matchesIp } from './ip-acl.ts'

/** Bypasses every check (A6). */
export const SUPER_ID: Id = { scheme: 'super', id: '' }

/**
 * True when an entry grants one of the bits in `perms` to one of `ids` (A9, A10). An empty list
 * grants everything, as after skipACL.
 */
export function permits(acl: readonly Acl[], perms: number, ids: readonly Id[]): boolean {
  if (acl.length === 0) return true
  for (const entry of acl) {
    if ((entry.perms & perms) !== 0 && matchesAny(entry.id, ids)) return true
  }
  for (const id of ids) if (id.scheme === SUPER_ID.scheme) return true
  return false
}

/**
 * The list to store for a requested one, or null for INVALIDACL (A3, A8). Duplicates go; `auth`
 * becomes one entry per authenticated id of the connection.
 */
export function fixupAcl(
  requested: readonly Acl[] | null,
  ids: readonly Id[],
): readonly Acl[] | null {
  if (requested === null || requested.length === 0) return null
  const fixed: Acl[] = []
  const seen = new Set<string>()
  for (const entry of requested) {
    const key = aclKey([entry])
    if (seen.has(key)) continue
    seen.add(key)
    if (entry.id.scheme === 'auth') {
      const authenticated = ids.filter(({ scheme }) => scheme === 'digest' || scheme === 'x509')
      if (authenticated.length === 0) return null
      for (const id of authenticated) fixed.push({ perms: entry.perms, id })
    } else if (isValidId(entry.id)) {
      fixed.push(entry)
    } else {
      return null
    }
  }
  return fixed
}

/** 'user:password' → 'user:' + base64(SHA-1('user:password')) (A4). */
export function digestId(userAndPassword: string): string {
  return `${digestUser(userAndPassword)}:${toBase64(sha1(encodeUtf8(userAndPassword)))}`
}

/**
 * The ids that an auth packet of scheme `digest` brings; `superDigest` is the configured
 * 'super:hash', if any (A6).
 */
export function digestIds(auth: Uint8Array, superDigest: string | null): Id[] {
  const id = digestId(decodeUtf8(auth))
  const digest: Id = { scheme: 'digest', id }
  return id === superDigest ? [SUPER_ID, digest] : [digest]
}

/** What getACL shows to someone without ADMIN: password hashes become 'x' (D61). */
export function maskDigests(acl: readonly Acl[]): readonly Acl[] {
  return acl.map(({ perms, id }) => {
    if (id.scheme !== 'digest' || !id.id.includes(':')) return { perms, id }
    return { perms, id: { scheme: id.scheme, id: `${digestUser(id.id)}:x` } }
  })
}

/** The part of an id that whoAmI shows (D63). */
export function userOf(id: Id): string {
  return id.scheme === 'digest' ? digestUser(id.id) : id.id
}

function matchesAny(wanted: Id, ids: readonly Id[]): boolean {
  if (isAnyone(wanted)) return true
  for (const id of ids) {
    if (id.scheme !== wanted.scheme) continue
    if (wanted.scheme === 'digest' && id.id === wanted.id) return true
    if (wanted.scheme === 'x509' && id.id === wanted.id) return true
    if (wanted.scheme === 'ip' && matchesIp(id.id, wanted.id)) return true
  }
  return false
}

/** An unknown scheme is refused: nobody could ever match it (A8). */
function isValidId(id: Id): boolean {
  switch (id.scheme) {
    case 'world':
      return isAnyone(id)
    case 'digest':
      return isDigestId(id.id)
    case 'ip':
      return isIpExpression(id.id)
    case 'x509':
      // A distinguished name: of attributes with values.
      return id.id.includes('=')
    default:
      return false
  }
}

function isAnyone(id: Id): boolean {
  return id.scheme === ANYONE_ID_UNSAFE.scheme && id.id === ANYONE_ID_UNSAFE.id
}

/** Two parts around a colon; colons at the end do not count, the way Java splits. */
function isDigestId(id: string): boolean {
  return id.replace(/:+$/, '').split(':').length === 2
}

function digestUser(id: string): string {
  const colon = id.indexOf(':')
  return colon === -1 ? id : id.slice(0, colon)
}
