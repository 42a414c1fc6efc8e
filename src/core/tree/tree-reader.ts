/**
 * The reads of a server (D59–D61): the answer, or the ErrorCode of the reply. They change nothing
 * and register no watch; whether one is registered after a failure depends on the operation (N2,
 * N3).
 *
 * `ids` are those of the connection (A10).
 */

import type { Acl, Id, Stat } from '../jute/data-records.ts'
import { ErrorCode } from '../jute/error-code.ts'
import { Perms } from '../jute/perms.ts'
import { maskDigests, permits } from './acl.ts'
import type { DataNode } from './data-node.ts'
import type { DataTree } from './data-tree.ts'
import { joinPath } from './path.ts'
import { visibleStat } from './stat.ts'

export interface DataAndStat {
  readonly data: Uint8Array | null
  readonly stat: Stat
}

export interface ChildrenAndStat {
  readonly children: readonly string[]
  readonly stat: Stat
}

export interface AclAndStat {
  readonly acl: readonly Acl[]
  readonly stat: Stat
}

/** Tells an ErrorCode from an answer. */
export function isErrorCode(answer: object | ErrorCode): answer is ErrorCode {
  return typeof answer === 'number'
}

/** An object, because a bare number would look like an ErrorCode. */
export interface TotalNumber {
  readonly totalNumber: number
}

const NO_NAMES: readonly string[] = []

export function getData(tree: DataTree, path: string, ids: readonly Id[]): DataAndStat | ErrorCode {
  const node = readable(tree, path, ids)
  return typeof node === 'number' ? node : { data: node.data, stat: visibleStat(node) }
}

/** D60. After NONODE the watch is registered all the same (N2). */
export function exists(tree: DataTree, path: string, ids: readonly Id[]): Stat | ErrorCode {
  if (path.includes('\0')) return ErrorCode.BADARGUMENTS
  const node = readable(tree, path, ids)
  return typeof node === 'number' ? node : visibleStat(node)
}

/** Order is that of creation; clients must not rely on it (D43). */
export function getChildren(
  tree: DataTree,
  path: string,
  ids: readonly Id[],
): readonly string[] | ErrorCode {
  const node = readable(tree, path, ids)
  return typeof node === 'number' ? node : namesOf(node)
}

export function getChildren2(
  tree: DataTree,
  path: string,
  ids: readonly Id[],
): ChildrenAndStat | ErrorCode {
  const node = readable(tree, path, ids)
  return typeof node === 'number' ? node : { children: namesOf(node), stat: visibleStat(node) }
}

/** D61. */
export function getAcl(tree: DataTree, path: string, ids: readonly Id[]): AclAndStat | ErrorCode {
  const node = tree.node(path)
  if (node === undefined) return ErrorCode.NONODE
  const acl = node.acl.list
  if (!permits(acl, Perms.READ | Perms.ADMIN, ids)) return ErrorCode.NOAUTH
  const isAdmin = permits(acl, Perms.ADMIN, ids)
  return { acl: isAdmin ? acl : maskDigests(acl), stat: visibleStat(node) }
}

/** D59: null, blank and '/' mean all; otherwise a plain prefix of the text. */
export function getEphemerals(tree: DataTree, session: bigint, prefix: string | null): string[] {
  const paths = [...tree.store.ephemerals.of(session)]
  const trimmed = (prefix ?? '').trim()
  if (prefix === null || trimmed === '' || trimmed === '/') return paths
  return paths.filter((path) => path.startsWith(prefix))
}

/** D5: all nodes below, at any depth, whatever their ACLs. */
export function getAllChildrenNumber(
  tree: DataTree,
  path: string,
  ids: readonly Id[],
): TotalNumber | ErrorCode {
  const node = readable(tree, path, ids)
  if (typeof node === 'number') return node
  // The empty path finds the root, too, and then its other name is below it.
  const own = path === '/' ? 2 : 1
  if (node.path === '/') return { totalNumber: tree.store.nodeCount - own }
  let totalNumber = 0
  const waiting = [node]
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const name of at.children ?? NO_NAMES) {
      totalNumber++
      const child = tree.node(joinPath(at.path, name))
      if (child !== undefined && child.children !== null) waiting.push(child)
    }
  }
  return { totalNumber }
}

function readable(tree: DataTree, path: string, ids: readonly Id[]): DataNode | ErrorCode {
  const node = tree.node(path)
  if (node === undefined) return ErrorCode.NONODE
  return permits(node.acl.list, Perms.READ, ids) ? node : ErrorCode.NOAUTH
}

function namesOf(node: DataNode): readonly string[] {
  return node.children === null ? NO_NAMES : [...node.children]
}
