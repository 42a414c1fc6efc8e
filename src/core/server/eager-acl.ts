/**
 * What a member refuses by itself, so that the leader never hears of it: a reconfig that cannot be
 * read, of which ZooKeeper logs nothing, and with enableEagerACLCheck what its own tree does not
 * permit. The leader asks again: here it spares work, there it protects.
 */
import { ErrorCode } from '../jute/error-code.ts'
import { JuteError } from '../jute/jute-error.ts'
import { OpCode } from '../jute/op-code.ts'
import { Perms } from '../jute/perms.ts'
import {
  createRequestRecord,
  deleteRequestRecord,
  setACLRequestRecord,
  setDataRequestRecord,
} from '../jute/proto-records.ts'
import { reconfigRequestRecord } from '../jute/session-records.ts'
import { permits } from '../tree/acl.ts'
import type { DataTree } from '../tree/data-tree.ts'
import { parentOf } from '../tree/path.ts'
import { hasParent } from './prep-state.ts'
import { body, createRequest, type Request } from './request.ts'
import type { ServerConfig } from './server-config.ts'

interface Asked {
  readonly path: string
  readonly perms: number
}

/** The request, or its refusal. What is not there yet may be on its way: the leader knows. */
export function judgedEarly(
  { checksAclEagerly = false, skipsAcl = false }: ServerConfig,
  tree: DataTree,
  request: Request,
): Request {
  if (request.type === OpCode.reconfig && !isReadable(request)) {
    return createRequest(request, ErrorCode.MARSHALLINGERROR)
  }
  if (!checksAclEagerly || skipsAcl) return request
  const asked = permissionOf(request)
  const node = asked === null ? undefined : tree.node(asked.path)
  if (asked === null || node === undefined) return request
  if (permits(node.acl.list, asked.perms, request.authInfo)) return request
  return createRequest(request, ErrorCode.NOAUTH)
}

function isReadable(request: Request): boolean {
  try {
    body(request, reconfigRequestRecord)
    return true
  } catch (error) {
    if (error instanceof JuteError) return false
    throw error
  }
}

/** null: none, or none that one path tells (a multi). */
function permissionOf(request: Request): Asked | null {
  try {
    switch (request.type) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL:
        // Times to live stand behind what is read here.
        return ofParent(body(request, createRequestRecord).path, Perms.CREATE)
      case OpCode.delete:
        return ofParent(body(request, deleteRequestRecord).path, Perms.DELETE)
      case OpCode.setData:
        return { path: body(request, setDataRequestRecord).path, perms: Perms.WRITE }
      case OpCode.setACL:
        return { path: body(request, setACLRequestRecord).path, perms: Perms.ADMIN }
      default:
        return null
    }
  } catch (error) {
    // The leader answers what cannot be read.
    if (error instanceof JuteError) return null
    throw error
  }
}

function ofParent(path: string, perms: number): Asked | null {
  return hasParent(path) ? { path: parentOf(path), perms } : null
}
