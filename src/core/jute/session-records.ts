/**
 * Bodies of requests and responses about watches, authentication, reconfig and queries (W33–W43).
 */

import { clientInfoRecord, type ClientInfo } from './data-records.ts'
import { readUstring, type JuteReader } from './reader.ts'
import type { JuteRecord } from './record.ts'
import { writeUstring, type JuteWriter } from './writer.ts'

/** CheckWatchesRequest, RemoveWatchesRequest. */
export interface WatchesRequest {
  readonly path: string
  /** A WatcherType, unchecked (W69). */
  readonly type: number
}

export type CheckWatchesRequest = WatchesRequest
export type RemoveWatchesRequest = WatchesRequest

export interface AddWatchRequest {
  readonly path: string
  /** An AddWatchMode, unchecked (W69). */
  readonly mode: number
}

export interface SetWatches {
  readonly relativeZxid: bigint
  readonly dataWatches: readonly string[]
  readonly existWatches: readonly string[]
  readonly childWatches: readonly string[]
}

export interface SetWatches2 extends SetWatches {
  readonly persistentWatches: readonly string[]
  readonly persistentRecursiveWatches: readonly string[]
}

export interface AuthPacket {
  /** Always 0. */
  readonly type: number
  readonly scheme: string
  readonly auth: Uint8Array | null
}

/** GetSASLRequest, SetSASLResponse. */
export interface SaslToken {
  readonly token: Uint8Array | null
}

export type GetSASLRequest = SaslToken
export type SetSASLResponse = SaslToken

export interface ReconfigRequest {
  readonly joiningServers: string | null
  readonly leavingServers: string | null
  readonly newMembers: string | null
  readonly curConfigId: bigint
}

export interface GetEphemeralsRequest {
  /** null asks for all, as '' and '/' do. */
  readonly prefixPath: string | null
}

export interface GetEphemeralsResponse {
  readonly ephemerals: readonly string[]
}

export interface GetAllChildrenNumberResponse {
  readonly totalNumber: number
}

export interface WhoAmIResponse {
  readonly clientInfo: readonly ClientInfo[]
}

/** The body of an answer to addWatch (err 0), and of an error inside a multi (W48). */
export interface ErrorResponse {
  readonly err: number
}

export const checkWatchesRequestRecord: JuteRecord<CheckWatchesRequest> =
  watchesRecord('CheckWatchesRequest')
export const removeWatchesRequestRecord: JuteRecord<RemoveWatchesRequest> =
  watchesRecord('RemoveWatchesRequest')

export const addWatchRequestRecord: JuteRecord<AddWatchRequest> = {
  name: 'AddWatchRequest',
  write(w: JuteWriter, v: AddWatchRequest): void {
    w.ustring(v.path)
    w.int(v.mode)
  },
  read(r: JuteReader): AddWatchRequest {
    const path = r.string('path')
    const mode = r.int()
    return { path, mode }
  },
}

export const setWatchesRecord: JuteRecord<SetWatches> = {
  name: 'SetWatches',
  write(w: JuteWriter, v: SetWatches): void {
    w.long(v.relativeZxid)
    w.vector(v.dataWatches, writeUstring)
    w.vector(v.existWatches, writeUstring)
    w.vector(v.childWatches, writeUstring)
  },
  read(r: JuteReader): SetWatches {
    const relativeZxid = r.long()
    const dataWatches = r.list('dataWatches', readUstring)
    const existWatches = r.list('existWatches', readUstring)
    const childWatches = r.list('childWatches', readUstring)
    return { relativeZxid, dataWatches, existWatches, childWatches }
  },
}

export const setWatches2Record: JuteRecord<SetWatches2> = {
  name: 'SetWatches2',
  write(w: JuteWriter, v: SetWatches2): void {
    setWatchesRecord.write(w, v)
    w.vector(v.persistentWatches, writeUstring)
    w.vector(v.persistentRecursiveWatches, writeUstring)
  },
  read(r: JuteReader): SetWatches2 {
    const oneTime = setWatchesRecord.read(r)
    const persistentWatches = r.list('persistentWatches', readUstring)
    const persistentRecursiveWatches = r.list('persistentRecursiveWatches', readUstring)
    return { ...oneTime, persistentWatches, persistentRecursiveWatches }
  },
}

export const authPacketRecord: JuteRecord<AuthPacket> = {
  name: 'AuthPacket',
  write(w: JuteWriter, v: AuthPacket): void {
    w.int(v.type)
    w.ustring(v.scheme)
    w.buffer(v.auth)
  },
  read(r: JuteReader): AuthPacket {
    const type = r.int()
    const scheme = r.string('scheme')
    const auth = r.buffer()
    return { type, scheme, auth }
  },
}

export const getSASLRequestRecord: JuteRecord<GetSASLRequest> = tokenRecord('GetSASLRequest')
export const setSASLResponseRecord: JuteRecord<SetSASLResponse> = tokenRecord('SetSASLResponse')

export const reconfigRequestRecord: JuteRecord<ReconfigRequest> = {
  name: 'ReconfigRequest',
  write(w: JuteWriter, v: ReconfigRequest): void {
    w.ustring(v.joiningServers)
    w.ustring(v.leavingServers)
    w.ustring(v.newMembers)
    w.long(v.curConfigId)
  },
  read(r: JuteReader): ReconfigRequest {
    const joiningServers = r.ustring()
    const leavingServers = r.ustring()
    const newMembers = r.ustring()
    const curConfigId = r.long()
    return { joiningServers, leavingServers, newMembers, curConfigId }
  },
}

export const getEphemeralsRequestRecord: JuteRecord<GetEphemeralsRequest> = {
  name: 'GetEphemeralsRequest',
  write(w: JuteWriter, v: GetEphemeralsRequest): void {
    w.ustring(v.prefixPath)
  },
  read(r: JuteReader): GetEphemeralsRequest {
    return { prefixPath: r.ustring() }
  },
}

export const getEphemeralsResponseRecord: JuteRecord<GetEphemeralsResponse> = {
  name: 'GetEphemeralsResponse',
  write(w: JuteWriter, v: GetEphemeralsResponse): void {
    w.vector(v.ephemerals, writeUstring)
  },
  read(r: JuteReader): GetEphemeralsResponse {
    return { ephemerals: r.list('ephemerals', readUstring) }
  },
}

export const getAllChildrenNumberResponseRecord: JuteRecord<GetAllChildrenNumberResponse> = {
  name: 'GetAllChildrenNumberResponse',
  write(w: JuteWriter, v: GetAllChildrenNumberResponse): void {
    w.int(v.totalNumber)
  },
  read(r: JuteReader): GetAllChildrenNumberResponse {
    return { totalNumber: r.int() }
  },
}

export const whoAmIResponseRecord: JuteRecord<WhoAmIResponse> = {
  name: 'WhoAmIResponse',
  write(w: JuteWriter, v: WhoAmIResponse): void {
    w.vector(v.clientInfo, clientInfoRecord.write)
  },
  read(r: JuteReader): WhoAmIResponse {
    return { clientInfo: r.list('clientInfo', clientInfoRecord.read) }
  },
}

export const errorResponseRecord: JuteRecord<ErrorResponse> = {
  name: 'ErrorResponse',
  write(w: JuteWriter, v: ErrorResponse): void {
    w.int(v.err)
  },
  read(r: JuteReader): ErrorResponse {
    return { err: r.int() }
  },
}

function watchesRecord(name: string): JuteRecord<WatchesRequest> {
  return {
    name,
    write(w: JuteWriter, v: WatchesRequest): void {
      w.ustring(v.path)
      w.int(v.type)
    },
    read(r: JuteReader): WatchesRequest {
      const path = r.string('path')
      const type = r.int()
      return { path, type }
    },
  }
}

function tokenRecord(name: string): JuteRecord<SaslToken> {
  return {
    name,
    write(w: JuteWriter, v: SaslToken): void {
      w.buffer(v.token)
    },
    read(r: JuteReader): SaslToken {
      return { token: r.buffer() }
    },
  }
}
