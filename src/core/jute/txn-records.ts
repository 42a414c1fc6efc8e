/**
 * Records of `org.apache.zookeeper.txn` (P8). They are state changes, not requests: final paths,
 * resulting versions, absolute values (P9). How they go into a log entry is in txn.ts.
 */

import { readAcl, writeAcl, type Acl } from './data-records.ts'
import { readUstring, type JuteReader } from './reader.ts'
import type { JuteRecord } from './record.ts'
import { writeUstring, type JuteWriter } from './writer.ts'

export interface TxnHeader {
  /** Session that caused it. */
  readonly clientId: bigint
  /** xid of its request, 0 for the server's own. */
  readonly cxid: number
  readonly zxid: bigint
  /** Leader's wall clock in ms at preparation (D34). */
  readonly time: number
  /** An OpCode; `error` when the request failed (D31). */
  readonly type: number
}

export interface CreateTxn {
  readonly path: string
  readonly data: Uint8Array | null
  /** Empty grants everything (A9). */
  readonly acl: readonly Acl[]
  readonly ephemeral: boolean
  /**
   * The parent's stored cversion after this create; −1 when it was written without (CreateTxnV0).
   */
  readonly parentCVersion: number
}

export type CreateTxnV0 = Omit<CreateTxn, 'parentCVersion'>
export type CreateContainerTxn = Omit<CreateTxn, 'ephemeral'>

export interface CreateTTLTxn extends CreateContainerTxn {
  /** ms. */
  readonly ttl: bigint
}

export interface DeleteTxn {
  readonly path: string
}

export interface SetDataTxn {
  readonly path: string
  readonly data: Uint8Array | null
  /** The resulting version. */
  readonly version: number
}

export interface SetACLTxn {
  readonly path: string
  readonly acl: readonly Acl[]
  /** The resulting aversion. */
  readonly version: number
}

export interface CheckVersionTxn {
  readonly path: string
  readonly version: number
}

export interface CreateSessionTxn {
  /** ms. */
  readonly timeOut: number
}

export interface CloseSessionTxn {
  /** Ephemerals to delete; null in logs from before 3.6, where replay looks them up itself. */
  readonly paths: readonly string[] | null
}

export interface ErrorTxn {
  readonly err: number
}

/** The expected digest of the tree after the transaction (P21). */
export interface TxnDigest {
  readonly version: number
  readonly treeDigest: bigint
}

export const txnHeaderRecord: JuteRecord<TxnHeader> = {
  name: 'TxnHeader',
  write(w: JuteWriter, v: TxnHeader): void {
    w.long(v.clientId)
    w.int(v.cxid)
    w.long(v.zxid)
    w.longNumber(v.time)
    w.int(v.type)
  },
  read(r: JuteReader): TxnHeader {
    const clientId = r.long()
    const cxid = r.int()
    const zxid = r.long()
    const time = r.longNumber()
    const type = r.int()
    return { clientId, cxid, zxid, time, type }
  },
}

export const createTxnRecord: JuteRecord<CreateTxn> = {
  name: 'CreateTxn',
  write(w: JuteWriter, v: CreateTxn): void {
    createTxnV0Record.write(w, v)
    w.int(v.parentCVersion)
  },
  read(r: JuteReader): CreateTxn {
    const path = r.string('path')
    const data = r.buffer()
    const acl = readAclList(r)
    const ephemeral = r.bool()
    const parentCVersion = r.int()
    return { path, data, acl, ephemeral, parentCVersion }
  },
}

export const createTxnV0Record: JuteRecord<CreateTxnV0> = {
  name: 'CreateTxnV0',
  write(w: JuteWriter, v: CreateTxnV0): void {
    w.ustring(v.path)
    w.buffer(v.data)
    w.vector(v.acl, writeAcl)
    w.bool(v.ephemeral)
  },
  read(r: JuteReader): CreateTxnV0 {
    const path = r.string('path')
    const data = r.buffer()
    const acl = readAclList(r)
    const ephemeral = r.bool()
    return { path, data, acl, ephemeral }
  },
}

export const createContainerTxnRecord: JuteRecord<CreateContainerTxn> = {
  name: 'CreateContainerTxn',
  write(w: JuteWriter, v: CreateContainerTxn): void {
    w.ustring(v.path)
    w.buffer(v.data)
    w.vector(v.acl, writeAcl)
    w.int(v.parentCVersion)
  },
  read(r: JuteReader): CreateContainerTxn {
    const path = r.string('path')
    const data = r.buffer()
    const acl = readAclList(r)
    const parentCVersion = r.int()
    return { path, data, acl, parentCVersion }
  },
}

export const createTTLTxnRecord: JuteRecord<CreateTTLTxn> = {
  name: 'CreateTTLTxn',
  write(w: JuteWriter, v: CreateTTLTxn): void {
    createContainerTxnRecord.write(w, v)
    w.long(v.ttl)
  },
  read(r: JuteReader): CreateTTLTxn {
    const path = r.string('path')
    const data = r.buffer()
    const acl = readAclList(r)
    const parentCVersion = r.int()
    const ttl = r.long()
    return { path, data, acl, parentCVersion, ttl }
  },
}

export const deleteTxnRecord: JuteRecord<DeleteTxn> = {
  name: 'DeleteTxn',
  write(w: JuteWriter, v: DeleteTxn): void {
    w.ustring(v.path)
  },
  read(r: JuteReader): DeleteTxn {
    return { path: r.string('path') }
  },
}

export const setDataTxnRecord: JuteRecord<SetDataTxn> = {
  name: 'SetDataTxn',
  write(w: JuteWriter, v: SetDataTxn): void {
    w.ustring(v.path)
    w.buffer(v.data)
    w.int(v.version)
  },
  read(r: JuteReader): SetDataTxn {
    const path = r.string('path')
    const data = r.buffer()
    const version = r.int()
    return { path, data, version }
  },
}

export const setACLTxnRecord: JuteRecord<SetACLTxn> = {
  name: 'SetACLTxn',
  write(w: JuteWriter, v: SetACLTxn): void {
    w.ustring(v.path)
    w.vector(v.acl, writeAcl)
    w.int(v.version)
  },
  read(r: JuteReader): SetACLTxn {
    const path = r.string('path')
    const acl = readAclList(r)
    const version = r.int()
    return { path, acl, version }
  },
}

export const checkVersionTxnRecord: JuteRecord<CheckVersionTxn> = {
  name: 'CheckVersionTxn',
  write(w: JuteWriter, v: CheckVersionTxn): void {
    w.ustring(v.path)
    w.int(v.version)
  },
  read(r: JuteReader): CheckVersionTxn {
    const path = r.string('path')
    const version = r.int()
    return { path, version }
  },
}

export const createSessionTxnRecord: JuteRecord<CreateSessionTxn> = {
  name: 'CreateSessionTxn',
  write(w: JuteWriter, v: CreateSessionTxn): void {
    w.int(v.timeOut)
  },
  read(r: JuteReader): CreateSessionTxn {
    return { timeOut: r.int() }
  },
}

export const closeSessionTxnRecord: JuteRecord<CloseSessionTxn> = {
  name: 'CloseSessionTxn',
  write(w: JuteWriter, v: CloseSessionTxn): void {
    if (v.paths !== null) w.vector(v.paths, writeUstring)
  },
  read(r: JuteReader): CloseSessionTxn {
    return { paths: r.atEnd ? null : r.list('paths', readUstring) }
  },
}

export const errorTxnRecord: JuteRecord<ErrorTxn> = {
  name: 'ErrorTxn',
  write(w: JuteWriter, v: ErrorTxn): void {
    w.int(v.err)
  },
  read(r: JuteReader): ErrorTxn {
    return { err: r.int() }
  },
}

export const txnDigestRecord: JuteRecord<TxnDigest> = {
  name: 'TxnDigest',
  write(w: JuteWriter, v: TxnDigest): void {
    w.int(v.version)
    w.long(v.treeDigest)
  },
  read(r: JuteReader): TxnDigest {
    const version = r.int()
    const treeDigest = r.long()
    return { version, treeDigest }
  },
}

/** Old servers with skipACL logged a null list; it grants as much as an empty one (A9). */
function readAclList(r: JuteReader): Acl[] {
  return r.vector(readAcl) ?? []
}
