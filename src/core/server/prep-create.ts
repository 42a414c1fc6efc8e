/** Preparation of create, create2, createContainer and createTTL, alone or in a multi (D6–D19). */
import { ErrorCode } from '../jute/error-code.ts'
import { createModeFromFlag } from '../jute/create-mode.ts'
import { OpCode } from '../jute/op-code.ts'
import { Perms } from '../jute/perms.ts'
import type { CreateTTLRequest } from '../jute/proto-records.ts'
import { permits } from '../tree/acl.ts'
import { OBSERVERS_PATH } from '../tree/data-tree.ts'
import { parentOf, sequentialName, validatePath } from '../tree/path.ts'
import { CONTAINER_OWNER } from '../tree/stat.ts'
import type { NodeView } from './change-records.ts'
import {
  checkSession,
  hasParent,
  storedAcl,
  type Operation,
  type Prepared,
  type PrepState,
} from './prep-state.ts'

/** `r.ttl` is −1 where the request has no such field. */
export function prepareCreate(state: PrepState, op: Operation, r: CreateTTLRequest): Prepared {
  const mode = createModeFromFlag(r.flags)
  if (mode === undefined) return ErrorCode.BADARGUMENTS
  // Extended types are off, as they are by default: session ids with top byte 0xFF stay possible
  // (D7).
  if (mode.isTTL || op.type === OpCode.createTTL) return ErrorCode.UNIMPLEMENTED
  if (r.ttl >= 0n) return ErrorCode.BADARGUMENTS
  const expired = checkSession(state, op.request)
  if (expired) return expired
  if (!hasParent(r.path)) return ErrorCode.BADARGUMENTS
  const acl = storedAcl(r.acl, op.request.authInfo)
  if (acl === null) return ErrorCode.INVALIDACL
  const parentPath = parentOf(r.path)
  const parent = state.records.find(parentPath)
  if (parent === undefined) return ErrorCode.NONODE
  if (!permits(parent.acl, Perms.CREATE, op.request.authInfo)) return ErrorCode.NOAUTH
  // The counter of creates names the node, so it never gives a name twice (D14).
  const path = mode.isSequential ? sequentialName(r.path, parent.cversion) : r.path
  if (validatePath(path) !== null) return ErrorCode.BADARGUMENTS
  // The leader alone makes it: whoever did could give session ids a second time.
  if (path === OBSERVERS_PATH) return ErrorCode.NOAUTH
  if (state.records.find(path) !== undefined) return ErrorCode.NODEEXISTS
  if (isOrdinaryEphemeral(parent)) return ErrorCode.NOCHILDRENFOREPHEMERALS

  const parentCVersion = (parent.cversion + 1) | 0
  const isContainer = op.type === OpCode.createContainer
  const owner = mode.isEphemeral ? op.request.session : 0n
  const ephemeralOwner = isContainer ? CONTAINER_OWNER : owner
  state.records.add({
    zxid: op.zxid,
    path: parentPath,
    exists: true,
    version: parent.version,
    cversion: parentCVersion,
    aversion: parent.aversion,
    ephemeralOwner: parent.ephemeralOwner,
    childCount: parent.childCount + 1,
    acl: parent.acl,
  })
  state.records.add({
    zxid: op.zxid,
    path,
    exists: true,
    version: 0,
    cversion: 0,
    aversion: 0,
    ephemeralOwner,
    childCount: 0,
    acl,
  })
  const { data } = r
  // The request's type decides the kind of node, not its flags: create with flags 4 makes a plain
  // one.
  if (isContainer) return { kind: 'createContainer', path, data, acl, parentCVersion }
  const ephemeral = mode.isEphemeral
  if (op.type === OpCode.create) {
    return { kind: 'create', path, data, acl, ephemeral, parentCVersion }
  }
  return { kind: 'create', type: OpCode.create2, path, data, acl, ephemeral, parentCVersion }
}

/** Containers may have children (D17). */
function isOrdinaryEphemeral(node: NodeView): boolean {
  return node.ephemeralOwner !== 0n && node.ephemeralOwner !== CONTAINER_OWNER
}
