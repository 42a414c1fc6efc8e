/** Who may give the commands that change something (O17): `Authorization: SCHEME [AUTH]`. */
import type { Id } from '../../core/jute/data-records.ts'
import { Perms } from '../../core/jute/perms.ts'
import { digestIds, permits } from '../../core/tree/acl.ts'
import type { Serving } from './command.ts'
import type { HttpRequest } from './http-listener.ts'
import type { ServerView } from './server-view.ts'
import type { CommandAnswer } from './command.ts'

const ROOT = '/'
const ALL: readonly number[] = [Perms.READ, Perms.WRITE, Perms.CREATE, Perms.DELETE, Perms.ADMIN]

/** Null: they may. */
export function refusal(
  request: HttpRequest,
  view: ServerView,
  { server }: Serving,
): CommandAnswer | null {
  if (request.authorization === null) {
    return { status: 401, error: 'Auth info is missing for the command' }
  }
  const ids = idsOf(request.authorization, request.address, view)
  if (ids.length === 0) return { status: 401, error: 'Not authenticated' }
  if (view.settings.skipsAcl) return null
  const acl = server.tree.node(ROOT)?.acl.list ?? []
  if (ALL.every((perm) => permits(acl, perm, ids))) return null
  return { status: 403, error: 'Not authorized' }
}

/** Empty: they are nobody. */
function idsOf(text: string, address: string, { settings }: ServerView): readonly Id[] {
  const [scheme, auth, ...more] = text.split(' ')
  if (more.length > 0) return []
  if (scheme === 'ip') return [{ scheme, id: address }]
  if (scheme !== 'digest' || auth === undefined || !settings.digestAuthEnabled) return []
  if (!auth.includes(':')) return []
  return digestIds(new TextEncoder().encode(auth), settings.superDigest)
}
