/** The rules of versions and owners: what is stored and what a client sees of it. */

import type { Stat } from '../jute/data-records.ts'
import type { DataNode } from './data-node.ts'

/** ephemeralOwner of a container node (D44): Long.MIN_VALUE. */
export const CONTAINER_OWNER: bigint = -(2n ** 63n)
/** Longest time to live, in ms: 40 bits (D8). */
export const TTL_MAX_MS: number = 2 ** 40 - 1

/** What the ephemeralOwner field says about a node. */
export type OwnerKind = 'none' | 'session' | 'container' | 'ttl'

/**
 * D44. A top byte of 0xFF with two zero bytes behind it means TTL, so no server may have id 255:
 * its session ids would read as TTLs.
 */
export function ownerKind(owner: bigint): OwnerKind {
  if (owner === 0n) return 'none'
  if (owner === CONTAINER_OWNER) return 'container'
  return owner < 0n && owner >> 40n === TTL_PREFIX ? 'ttl' : 'session'
}

/** 0xFF and two reserved zero bytes, as the sign-extended upper 24 bits. */
const TTL_PREFIX = -0x1_0000n

export function isValidTtl(ttlMs: number): boolean {
  return Number.isInteger(ttlMs) && ttlMs > 0 && ttlMs <= TTL_MAX_MS
}

export function ttlOwner(ttlMs: number): bigint {
  return (TTL_PREFIX << 40n) | BigInt(ttlMs)
}

export function ttlOf(owner: bigint): number {
  return Number(BigInt.asUintN(40, owner))
}

/** The Stat a client sees (D20–D22). */
export function visibleStat(node: DataNode): Stat {
  const numChildren = node.children === null ? 0 : node.children.size
  const owner = node.ephemeralOwner
  return {
    czxid: node.czxid,
    mzxid: node.mzxid,
    ctime: node.ctime,
    mtime: node.mtime,
    version: node.version,
    cversion: visibleCversion(node.cversion, numChildren),
    aversion: node.aversion,
    ephemeralOwner: owner === 0n || ownerKind(owner) !== 'session' ? 0n : owner,
    dataLength: node.data === null ? 0 : node.data.length,
    numChildren,
    pzxid: node.pzxid,
  }
}

/** The stored cversion counts creates; creates + deletes is what clients have always seen (D20). */
export function visibleCversion(stored: number, numChildren: number): number {
  return (2 * stored - numChildren) | 0
}

/**
 * True when a stored cversion moves on from `current` to `next`, as ints that wrap (D14): comparing
 * them plainly would freeze the counter at its maximum and hand out one name for ever.
 */
export function isLaterCversion(next: number, current: number): boolean {
  return ((next - current) | 0) > 0
}

/** D25: an expected version of −1 matches anything. */
export function matchesVersion(expected: number, current: number): boolean {
  return expected === -1 || expected === current
}

/** D25, ZOOKEEPER-4743: versions wrap, but −1 would match anything and is skipped. */
export function nextVersion(current: number): number {
  const next = (current + 1) | 0
  return next === -1 ? 0 : next
}
