/**
 * Bodies of requests and responses that touch znodes (W19–W38). Headers are in connect-records,
 * watches, authentication and queries in session-records.
 *
 * A null path is malformed here: ZooKeeper fails on it with MARSHALLINGERROR as well (W51).
 */

import { readAcl, readStat, writeAcl, writeStat, type Acl, type Stat } from './data-records.ts'
import { readUstring, type JuteReader } from './reader.ts'
import type { JuteRecord } from './record.ts'
import { writeUstring, type JuteWriter } from './writer.ts'

export interface CreateRequest {
  readonly path: string
  readonly data: Uint8Array | null
  /** null or empty: INVALIDACL (A8). */
  readonly acl: readonly Acl[] | null
  /** A CreateMode's flag, unchecked (W51). */
  readonly flags: number
}

export interface CreateTTLRequest extends CreateRequest {
  /** ms, unchecked (D8). */
  readonly ttl: bigint
}

export interface CreateResponse {
  /** With the suffix of a sequential node. */
  readonly path: string
}

export interface Create2Response {
  readonly path: string
  readonly stat: Stat
}

/** DeleteRequest, CheckVersionRequest: version −1 matches any. */
export interface PathVersionRequest {
  readonly path: string
  readonly version: number
}

export type DeleteRequest = PathVersionRequest
export type CheckVersionRequest = PathVersionRequest

/** ExistsRequest, GetDataRequest, GetChildrenRequest, GetChildren2Request. */
export interface PathWatchRequest {
  readonly path: string
  readonly watch: boolean
}

export type ExistsRequest = PathWatchRequest
export type GetDataRequest = PathWatchRequest
export type GetChildrenRequest = PathWatchRequest
export type GetChildren2Request = PathWatchRequest

/** GetACLRequest, SyncRequest, DeleteContainerRequest, GetAllChildrenNumberRequest. */
export interface PathRequest {
  readonly path: string
}

export type GetACLRequest = PathRequest
export type SyncRequest = PathRequest
export type SyncResponse = PathRequest
export type DeleteContainerRequest = PathRequest
export type GetAllChildrenNumberRequest = PathRequest

export interface SetDataRequest {
  readonly path: string
  readonly data: Uint8Array | null
  readonly version: number
}

export interface SetACLRequest {
  readonly path: string
  readonly acl: readonly Acl[] | null
  readonly version: number
}

/** ExistsResponse, SetDataResponse, SetACLResponse. */
export interface StatResponse {
  readonly stat: Stat
}

export type ExistsResponse = StatResponse
export type SetDataResponse = StatResponse
export type SetACLResponse = StatResponse

export interface GetDataResponse {
  readonly data: Uint8Array | null
  readonly stat: Stat
}

export interface GetACLResponse {
  readonly acl: readonly Acl[]
  readonly stat: Stat
}

export interface GetChildrenResponse {
  readonly children: readonly string[]
}

export interface GetChildren2Response {
  readonly children: readonly string[]
  readonly stat: Stat
}

export const createRequestRecord: JuteRecord<CreateRequest> = {
  name: 'CreateRequest',
  write: writeCreateRequest,
  read: readCreateRequest,
}

export function writeCreateRequest(w: JuteWriter, v: CreateRequest): void {
  w.ustring(v.path)
  w.buffer(v.data)
  w.vector(v.acl, writeAcl)
  w.int(v.flags)
}

export function readCreateRequest(r: JuteReader): CreateRequest {
  const path = r.string('path')
  const data = r.buffer()
  const acl = r.vector(readAcl)
  const flags = r.int()
  return { path, data, acl, flags }
}

export const createTTLRequestRecord: JuteRecord<CreateTTLRequest> = {
  name: 'CreateTTLRequest',
  write: writeCreateTTLRequest,
  read: readCreateTTLRequest,
}

export function writeCreateTTLRequest(w: JuteWriter, v: CreateTTLRequest): void {
  writeCreateRequest(w, v)
  w.long(v.ttl)
}

export function readCreateTTLRequest(r: JuteReader): CreateTTLRequest {
  const path = r.string('path')
  const data = r.buffer()
  const acl = r.vector(readAcl)
  const flags = r.int()
  const ttl = r.long()
  return { path, data, acl, flags, ttl }
}

export const createResponseRecord: JuteRecord<CreateResponse> = pathRecord('CreateResponse')

export const create2ResponseRecord: JuteRecord<Create2Response> = {
  name: 'Create2Response',
  write: writeCreate2Response,
  read: readCreate2Response,
}

export function writeCreate2Response(w: JuteWriter, v: Create2Response): void {
  w.ustring(v.path)
  writeStat(w, v.stat)
}

export function readCreate2Response(r: JuteReader): Create2Response {
  const path = r.string('path')
  const stat = readStat(r)
  return { path, stat }
}

export const deleteRequestRecord: JuteRecord<DeleteRequest> = pathVersionRecord('DeleteRequest')
export const checkVersionRequestRecord: JuteRecord<CheckVersionRequest> =
  pathVersionRecord('CheckVersionRequest')

export const existsRequestRecord: JuteRecord<ExistsRequest> = pathWatchRecord('ExistsRequest')
export const getDataRequestRecord: JuteRecord<GetDataRequest> = pathWatchRecord('GetDataRequest')
export const getChildrenRequestRecord: JuteRecord<GetChildrenRequest> =
  pathWatchRecord('GetChildrenRequest')
export const getChildren2RequestRecord: JuteRecord<GetChildren2Request> =
  pathWatchRecord('GetChildren2Request')

export const getACLRequestRecord: JuteRecord<GetACLRequest> = pathRecord('GetACLRequest')
export const syncRequestRecord: JuteRecord<SyncRequest> = pathRecord('SyncRequest')
export const syncResponseRecord: JuteRecord<SyncResponse> = pathRecord('SyncResponse')
export const deleteContainerRequestRecord: JuteRecord<DeleteContainerRequest> =
  pathRecord('DeleteContainerRequest')
export const getAllChildrenNumberRequestRecord: JuteRecord<GetAllChildrenNumberRequest> =
  pathRecord('GetAllChildrenNumberRequest')

export const setDataRequestRecord: JuteRecord<SetDataRequest> = {
  name: 'SetDataRequest',
  write: writeSetDataRequest,
  read: readSetDataRequest,
}

export function writeSetDataRequest(w: JuteWriter, v: SetDataRequest): void {
  w.ustring(v.path)
  w.buffer(v.data)
  w.int(v.version)
}

export function readSetDataRequest(r: JuteReader): SetDataRequest {
  const path = r.string('path')
  const data = r.buffer()
  const version = r.int()
  return { path, data, version }
}

export const setACLRequestRecord: JuteRecord<SetACLRequest> = {
  name: 'SetACLRequest',
  write: writeSetACLRequest,
  read: readSetACLRequest,
}

export function writeSetACLRequest(w: JuteWriter, v: SetACLRequest): void {
  w.ustring(v.path)
  w.vector(v.acl, writeAcl)
  w.int(v.version)
}

export function readSetACLRequest(r: JuteReader): SetACLRequest {
  const path = r.string('path')
  const acl = r.vector(readAcl)
  const version = r.int()
  return { path, acl, version }
}

export const existsResponseRecord: JuteRecord<ExistsResponse> = statResponseRecord('ExistsResponse')
export const setDataResponseRecord: JuteRecord<SetDataResponse> =
  statResponseRecord('SetDataResponse')
export const setACLResponseRecord: JuteRecord<SetACLResponse> = statResponseRecord('SetACLResponse')

export const getDataResponseRecord: JuteRecord<GetDataResponse> = {
  name: 'GetDataResponse',
  write: writeGetDataResponse,
  read: readGetDataResponse,
}

export function writeGetDataResponse(w: JuteWriter, v: GetDataResponse): void {
  w.buffer(v.data)
  writeStat(w, v.stat)
}

export function readGetDataResponse(r: JuteReader): GetDataResponse {
  const data = r.buffer()
  const stat = readStat(r)
  return { data, stat }
}

export const getACLResponseRecord: JuteRecord<GetACLResponse> = {
  name: 'GetACLResponse',
  write: writeGetACLResponse,
  read: readGetACLResponse,
}

export function writeGetACLResponse(w: JuteWriter, v: GetACLResponse): void {
  w.vector(v.acl, writeAcl)
  writeStat(w, v.stat)
}

export function readGetACLResponse(r: JuteReader): GetACLResponse {
  const acl = r.list('acl', readAcl)
  const stat = readStat(r)
  return { acl, stat }
}

export const getChildrenResponseRecord: JuteRecord<GetChildrenResponse> = {
  name: 'GetChildrenResponse',
  write: writeGetChildrenResponse,
  read: readGetChildrenResponse,
}

export function writeGetChildrenResponse(w: JuteWriter, v: GetChildrenResponse): void {
  w.vector(v.children, writeUstring)
}

export function readGetChildrenResponse(r: JuteReader): GetChildrenResponse {
  return { children: r.list('children', readUstring) }
}

export const getChildren2ResponseRecord: JuteRecord<GetChildren2Response> = {
  name: 'GetChildren2Response',
  write: writeGetChildren2Response,
  read: readGetChildren2Response,
}

export function writeGetChildren2Response(w: JuteWriter, v: GetChildren2Response): void {
  w.vector(v.children, writeUstring)
  writeStat(w, v.stat)
}

export function readGetChildren2Response(r: JuteReader): GetChildren2Response {
  const children = r.list('children', readUstring)
  const stat = readStat(r)
  return { children, stat }
}

function pathRecord(name: string): JuteRecord<PathRequest> {
  return {
    name,
    write: writePath,
    read: readPath,
  }
}

export function writePath(w: JuteWriter, v: PathRequest): void {
  w.ustring(v.path)
}

export function readPath(r: JuteReader): PathRequest {
  return { path: r.string('path') }
}

function pathWatchRecord(name: string): JuteRecord<PathWatchRequest> {
  return {
    name,
    write: writePathWatch,
    read: readPathWatch,
  }
}

export function writePathWatch(w: JuteWriter, v: PathWatchRequest): void {
  w.ustring(v.path)
  w.bool(v.watch)
}

export function readPathWatch(r: JuteReader): PathWatchRequest {
  const path = r.string('path')
  const watch = r.bool()
  return { path, watch }
}

function pathVersionRecord(name: string): JuteRecord<PathVersionRequest> {
  return {
    name,
    write: writePathVersion,
    read: readPathVersion,
  }
}

export function writePathVersion(w: JuteWriter, v: PathVersionRequest): void {
  w.ustring(v.path)
  w.int(v.version)
}

export function readPathVersion(r: JuteReader): PathVersionRequest {
  const path = r.string('path')
  const version = r.int()
  return { path, version }
}

function statResponseRecord(name: string): JuteRecord<StatResponse> {
  return {
    name,
    write: writeStatResponse,
    read: readStatResponse,
  }
}

export function writeStatResponse(w: JuteWriter, v: StatResponse): void {
  writeStat(w, v.stat)
}

export function readStatResponse(r: JuteReader): StatResponse {
  return { stat: readStat(r) }
}
