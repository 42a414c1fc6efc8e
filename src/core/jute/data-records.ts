/** The records of `org.apache.zookeeper.data` (W8–W10). */

import type { JuteReader } from './reader.ts'
import type { JuteRecord } from './record.ts'
import type { JuteWriter } from './writer.ts'

export interface Id {
  readonly scheme: string
  readonly id: string
}

export interface Acl {
  /** `Perms` bits. */
  readonly perms: number
  readonly id: Id
}

export interface ClientInfo {
  readonly authScheme: string
  readonly user: string
}

/** zxids and the session id are raw 64-bit longs; times are ms since 1970 by the leader's clock. */
export interface Stat {
  readonly czxid: bigint
  readonly mzxid: bigint
  readonly ctime: number
  readonly mtime: number
  readonly version: number
  readonly cversion: number
  readonly aversion: number
  readonly ephemeralOwner: bigint
  readonly dataLength: number
  readonly numChildren: number
  readonly pzxid: bigint
}

/** Stat as kept in a snapshot: stored cversion and owner (D20, D21), nothing that is derived. */
export interface StatPersisted {
  readonly czxid: bigint
  readonly mzxid: bigint
  readonly ctime: number
  readonly mtime: number
  readonly version: number
  readonly cversion: number
  readonly aversion: number
  readonly ephemeralOwner: bigint
  readonly pzxid: bigint
}

/**
 * Null strings read as '': no scheme is called '', so such an ACL is refused as INVALIDACL (A8).
 */
export const idRecord: JuteRecord<Id> = {
  name: 'Id',
  write: writeId,
  read: readId,
}

export function writeId(w: JuteWriter, v: Id): void {
  w.ustring(v.scheme)
  w.ustring(v.id)
}

export function readId(r: JuteReader): Id {
  const scheme = r.ustring() ?? ''
  const id = r.ustring() ?? ''
  return { scheme, id }
}

export const aclRecord: JuteRecord<Acl> = {
  name: 'ACL',
  write: writeAcl,
  read: readAcl,
}

/** Item writer for a vector of ACL. */
export function writeAcl(w: JuteWriter, v: Acl): void {
  w.int(v.perms)
  writeId(w, v.id)
}

/** Item reader for a vector of ACL. */
export function readAcl(r: JuteReader): Acl {
  const perms = r.int()
  const id = readId(r)
  return { perms, id }
}

export const clientInfoRecord: JuteRecord<ClientInfo> = {
  name: 'ClientInfo',
  write: writeClientInfo,
  read: readClientInfo,
}

export function writeClientInfo(w: JuteWriter, v: ClientInfo): void {
  w.ustring(v.authScheme)
  w.ustring(v.user)
}

export function readClientInfo(r: JuteReader): ClientInfo {
  const authScheme = r.ustring() ?? ''
  const user = r.ustring() ?? ''
  return { authScheme, user }
}

/** 68 bytes; pzxid is the last field (W9). */
export const statRecord: JuteRecord<Stat> = {
  name: 'Stat',
  write: writeStat,
  read: readStat,
}

export function writeStat(w: JuteWriter, v: Stat): void {
  w.long(v.czxid)
  w.long(v.mzxid)
  w.longNumber(v.ctime)
  w.longNumber(v.mtime)
  w.int(v.version)
  w.int(v.cversion)
  w.int(v.aversion)
  w.long(v.ephemeralOwner)
  w.int(v.dataLength)
  w.int(v.numChildren)
  w.long(v.pzxid)
}

export function readStat(r: JuteReader): Stat {
  const czxid = r.long()
  const mzxid = r.long()
  const ctime = r.longNumber()
  const mtime = r.longNumber()
  const version = r.int()
  const cversion = r.int()
  const aversion = r.int()
  const ephemeralOwner = r.long()
  const dataLength = r.int()
  const numChildren = r.int()
  const pzxid = r.long()
  return {
    czxid,
    mzxid,
    ctime,
    mtime,
    version,
    cversion,
    aversion,
    ephemeralOwner,
    dataLength,
    numChildren,
    pzxid,
  }
}

/** 60 bytes (W10). */
export const statPersistedRecord: JuteRecord<StatPersisted> = {
  name: 'StatPersisted',
  write: writeStatPersisted,
  read: readStatPersisted,
}

export function writeStatPersisted(w: JuteWriter, v: StatPersisted): void {
  w.long(v.czxid)
  w.long(v.mzxid)
  w.longNumber(v.ctime)
  w.longNumber(v.mtime)
  w.int(v.version)
  w.int(v.cversion)
  w.int(v.aversion)
  w.long(v.ephemeralOwner)
  w.long(v.pzxid)
}

export function readStatPersisted(r: JuteReader): StatPersisted {
  const czxid = r.long()
  const mzxid = r.long()
  const ctime = r.longNumber()
  const mtime = r.longNumber()
  const version = r.int()
  const cversion = r.int()
  const aversion = r.int()
  const ephemeralOwner = r.long()
  const pzxid = r.long()
  return { czxid, mzxid, ctime, mtime, version, cversion, aversion, ephemeralOwner, pzxid }
}
