/**
 * Bodies of requests and responses about watches, authentication, reconfig and queries (W33–W43).
 */

import { readClientInfo, writeClientInfo, type ClientInfo } from './data-records.ts'
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
  write: writeAddWatchRequest,
  read: readAddWatchRequest,
}

export function writeAddWatchRequest(w: JuteWriter, v: AddWatchRequest): void {
  w.ustring(v.path)
  w.int(v.mode)
}

export function readAddWatchRequest(r: JuteReader): AddWatchRequest {
  const path = r.string('path')
  const mode = r.int()
  return { path, mode }
}

export const setWatchesRecord: JuteRecord<SetWatches> = {
  name: 'SetWatches',
  write: writeSetWatches,
  read: readSetWatches,
}

export function writeSetWatches(w: JuteWriter, v: SetWatches): void {
  w.long(v.relativeZxid)
  w.vector(v.dataWatches, writeUstring)
  w.vector(v.existWatches, writeUstring)
  w.vector(v.childWatches, writeUstring)
}

export function readSetWatches(r: JuteReader): SetWatches {
  const relativeZxid = r.long()
  const dataWatches = r.list('dataWatches', readUstring)
  const existWatches = r.list('existWatches', readUstring)
  const childWatches = r.list('childWatches', readUstring)
  return { relativeZxid, dataWatches, existWatches, childWatches }
}

export const setWatches2Record: JuteRecord<SetWatches2> = {
  name: 'SetWatches2',
  write: writeSetWatches2,
  read: readSetWatches2,
}

export function writeSetWatches2(w: JuteWriter, v: SetWatches2): void {
  writeSetWatches(w, v)
  w.vector(v.persistentWatches, writeUstring)
  w.vector(v.persistentRecursiveWatches, writeUstring)
}

export function readSetWatches2(r: JuteReader): SetWatches2 {
  const oneTime = readSetWatches(r)
  const persistentWatches = r.list('persistentWatches', readUstring)
  const persistentRecursiveWatches = r.list('persistentRecursiveWatches', readUstring)
  return { ...oneTime, persistentWatches, persistentRecursiveWatches }
}

export const authPacketRecord: JuteRecord<AuthPacket> = {
  name: 'AuthPacket',
  write: writeAuthPacket,
  read: readAuthPacket,
}

export function writeAuthPacket(w: JuteWriter, v: AuthPacket): void {
  w.int(v.type)
  w.ustring(v.scheme)
  w.buffer(v.auth)
}

export function readAuthPacket(r: JuteReader): AuthPacket {
  const type = r.int()
  const scheme = r.string('scheme')
  const auth = r.buffer()
  return { type, scheme, auth }
}

export const getSASLRequestRecord: JuteRecord<GetSASLRequest> = tokenRecord('GetSASLRequest')
export const setSASLResponseRecord: JuteRecord<SetSASLResponse> = tokenRecord('SetSASLResponse')

export const reconfigRequestRecord: JuteRecord<ReconfigRequest> = {
  name: 'ReconfigRequest',
  write: writeReconfigRequest,
  read: readReconfigRequest,
}

export function writeReconfigRequest(w: JuteWriter, v: ReconfigRequest): void {
  w.ustring(v.joiningServers)
  w.ustring(v.leavingServers)
  w.ustring(v.newMembers)
  w.long(v.curConfigId)
}

export function readReconfigRequest(r: JuteReader): ReconfigRequest {
  const joiningServers = r.ustring()
  const leavingServers = r.ustring()
  const newMembers = r.ustring()
  const curConfigId = r.long()
  return { joiningServers, leavingServers, newMembers, curConfigId }
}

export const getEphemeralsRequestRecord: JuteRecord<GetEphemeralsRequest> = {
  name: 'GetEphemeralsRequest',
  write: writeGetEphemeralsRequest,
  read: readGetEphemeralsRequest,
}

export function writeGetEphemeralsRequest(w: JuteWriter, v: GetEphemeralsRequest): void {
  w.ustring(v.prefixPath)
}

export function readGetEphemeralsRequest(r: JuteReader): GetEphemeralsRequest {
  return { prefixPath: r.ustring() }
}

export const getEphemeralsResponseRecord: JuteRecord<GetEphemeralsResponse> = {
  name: 'GetEphemeralsResponse',
  write: writeGetEphemeralsResponse,
  read: readGetEphemeralsResponse,
}

export function writeGetEphemeralsResponse(w: JuteWriter, v: GetEphemeralsResponse): void {
  w.vector(v.ephemerals, writeUstring)
}

export function readGetEphemeralsResponse(r: JuteReader): GetEphemeralsResponse {
  return { ephemerals: r.list('ephemerals', readUstring) }
}

export const getAllChildrenNumberResponseRecord: JuteRecord<GetAllChildrenNumberResponse> = {
  name: 'GetAllChildrenNumberResponse',
  write: writeGetAllChildrenNumberResponse,
  read: readGetAllChildrenNumberResponse,
}

export function writeGetAllChildrenNumberResponse(
  w: JuteWriter,
  v: GetAllChildrenNumberResponse,
): void {
  w.int(v.totalNumber)
}

export function readGetAllChildrenNumberResponse(r: JuteReader): GetAllChildrenNumberResponse {
  return { totalNumber: r.int() }
}

export const whoAmIResponseRecord: JuteRecord<WhoAmIResponse> = {
  name: 'WhoAmIResponse',
  write: writeWhoAmIResponse,
  read: readWhoAmIResponse,
}

export function writeWhoAmIResponse(w: JuteWriter, v: WhoAmIResponse): void {
  w.vector(v.clientInfo, writeClientInfo)
}

export function readWhoAmIResponse(r: JuteReader): WhoAmIResponse {
  return { clientInfo: r.list('clientInfo', readClientInfo) }
}

export const errorResponseRecord: JuteRecord<ErrorResponse> = {
  name: 'ErrorResponse',
  write: writeErrorResponse,
  read: readErrorResponse,
}

export function writeErrorResponse(w: JuteWriter, v: ErrorResponse): void {
  w.int(v.err)
}

export function readErrorResponse(r: JuteReader): ErrorResponse {
  return { err: r.int() }
}

function watchesRecord(name: string): JuteRecord<WatchesRequest> {
  return {
    name,
    write: writeWatches,
    read: readWatches,
  }
}

export function writeWatches(w: JuteWriter, v: WatchesRequest): void {
  w.ustring(v.path)
  w.int(v.type)
}

export function readWatches(r: JuteReader): WatchesRequest {
  const path = r.string('path')
  const type = r.int()
  return { path, type }
}

function tokenRecord(name: string): JuteRecord<SaslToken> {
  return {
    name,
    write: writeToken,
    read: readToken,
  }
}

export function writeToken(w: JuteWriter, v: SaslToken): void {
  w.buffer(v.token)
}

export function readToken(r: JuteReader): SaslToken {
  return { token: r.buffer() }
}
