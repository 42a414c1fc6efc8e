/** Preparation of create, create2, createContainer and createTTL, alone or in a multi (D6–D19). */
import { znodePathProblem } from '../base/znode-path.ts'
import { ErrorCode } from '../jute/error-code.ts'
import { createModeFromFlag, type CreateMode } from '../jute/create-mode.ts'
import { OpCode } from '../jute/op-code.ts'
import { Perms } from '../jute/perms.ts'
import type { CreateTTLRequest } from '../jute/proto-records.ts'
import { OBSERVERS_PATH } from '../tree/data-tree.ts'
import { parentOf, sequentialName } from '../tree/path.ts'
import { CONTAINER_OWNER, isValidTtl, ownerKind, ttlOwner } from '../tree/stat.ts'
import { changeOf, FRESH, type NodeView } from './change-records.ts'
import {
  checkGlobalSession,
  checkSession,
  exceedsQuota,
  hasParent,
  isAllowed,
  storedAcl,
  type Operation,
  type Prepared,
  type PrepState,
} from './prep-state.ts'

/** `r.ttl` is −1 where the request has no such field. */
export function prepareCreate(state: PrepState, op: Operation, r: CreateTTLRequest): Prepared {
  const mode = createModeFromFlag(r.flags)
  if (mode === undefined) return ErrorCode.BADARGUMENTS
  if (mode.isTTL && !state.extendedTypesEnabled) return ErrorCode.UNIMPLEMENTED
  if (!isTtlOf(mode, op, r.ttl)) return ErrorCode.BADARGUMENTS
  const check = mode.isEphemeral ? checkGlobalSession : checkSession
  const expired = check(state, op.request)
  if (expired) return expired
  if (!hasParent(r.path)) return ErrorCode.BADARGUMENTS
  const acl = storedAcl(r.acl, op.request.authInfo)
  if (acl === null) return ErrorCode.INVALIDACL
  const parentPath = parentOf(r.path)
  const parent = state.records.find(parentPath)
  if (parent === undefined) return ErrorCode.NONODE
  if (!isAllowed(state, op, parent, Perms.CREATE)) return ErrorCode.NOAUTH
  // The counter of creates names the node, so it never gives a name twice (D14).
  const path = mode.isSequential ? sequentialName(r.path, parent.cversion) : r.path
  if (znodePathProblem(path) !== null) return ErrorCode.BADARGUMENTS
  // The leader alone makes it: whoever did could give session ids a second time.
  if (path === OBSERVERS_PATH) return ErrorCode.NOAUTH
  if (state.records.find(path) !== undefined) return ErrorCode.NODEEXISTS
  if (isOrdinaryEphemeral(parent)) return ErrorCode.NOCHILDRENFOREPHEMERALS
  const dataLength = r.data?.length ?? 0
  if (exceedsQuota(state, path, dataLength, 1)) return ErrorCode.QUOTAEXCEEDED

  const parentCVersion = (parent.cversion + 1) | 0
  const isContainer = op.type === OpCode.createContainer
  const isTtl = op.type === OpCode.createTTL
  const owner = mode.isEphemeral ? op.request.session : isTtl ? ttlOwner(Number(r.ttl)) : 0n
  const ephemeralOwner = isContainer ? CONTAINER_OWNER : owner
  const changed = changeOf(parent, op.zxid, parentPath)
  changed.cversion = parentCVersion
  changed.childCount++
  state.records.add(changed)
  const created = changeOf(FRESH, op.zxid, path)
  created.ephemeralOwner = ephemeralOwner
  created.dataLength = dataLength
  created.acl = acl
  state.records.add(created)
  const { data } = r
  // The request's type decides the kind of node, not its flags: create with flags 4 makes a plain
  // one.
  if (isContainer) return { kind: 'createContainer', path, data, acl, parentCVersion }
  if (isTtl) return { kind: 'createTTL', path, data, acl, parentCVersion, ttl: r.ttl }
  const ephemeral = mode.isEphemeral
  if (op.type === OpCode.create) {
    return { kind: 'create', path, data, acl, ephemeral, parentCVersion }
  }
  return { kind: 'create', type: OpCode.create2, path, data, acl, ephemeral, parentCVersion }
}

/**
 * D8. ZooKeeper's own createTTL with a plain mode and no time passes its check and ends the server
 * when it is applied; here it is refused.
 */
function isTtlOf(mode: CreateMode, op: Operation, ttl: bigint): boolean {
  if (mode.isTTL) return isValidTtl(Number(ttl))
  return ttl < 0n && op.type !== OpCode.createTTL
}

/** Containers and nodes with a time to live may have children (D17). */
function isOrdinaryEphemeral(node: NodeView): boolean {
  return ownerKind(node.ephemeralOwner) === 'session'
}
