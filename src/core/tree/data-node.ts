/**
 * One znode. Plain fields: DataTree is the only writer, snapshots and digests the only other
 * readers.
 */

import type { AclEntry } from './acl-cache.ts'

export class DataNode {
  readonly path: string
  /** Order of insertion into the tree. Invariant: a parent's is smaller than its children's. */
  readonly seq: number
  /** Never changed in place, so readers may keep it. null and empty differ (D46). */
  data: Uint8Array | null
  acl: AclEntry
  czxid: bigint
  mzxid: bigint
  pzxid: bigint
  ctime: number
  mtime: number
  version = 0
  /** Stored: the number of creates ever under this node (D14, D20). */
  cversion = 0
  aversion = 0
  /** Stored: session id, or the marks of container and TTL nodes (D44). */
  ephemeralOwner: bigint
  /** Names, not paths. null until the first child. */
  children: Set<string> | null = null
  /** This node's share in the tree digest's sum; 0 while it has none. */
  digest = 0
  /** True while `digest` is out of date and the node waits in the digest's list. */
  digestStale = false

  constructor(
    path: string,
    seq: number,
    data: Uint8Array | null,
    acl: AclEntry,
    owner: bigint,
    zxid: bigint,
    time: number,
  ) {
    this.path = path
    this.seq = seq
    this.data = data
    this.acl = acl
    this.ephemeralOwner = owner
    this.czxid = zxid
    this.mzxid = zxid
    this.pzxid = zxid
    this.ctime = time
    this.mtime = time
  }
}
