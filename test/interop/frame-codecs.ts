/** Decodes a recorded frame as what it is, and encodes the result again. */

import { concat } from '../../src/core/base/bytes.ts'
import { adler32 } from '../../src/core/base/adler32.ts'
import { decodeUtf8, encodeUtf8 } from '../../src/core/base/utf8.ts'
import {
  connectRequestRecord,
  connectResponseRecord,
  replyHeaderRecord,
  requestHeaderRecord,
  watcherEventRecord,
} from '../../src/core/jute/connect-records.ts'
import { initialMessageRecord, notificationRecord } from '../../src/core/jute/election-records.ts'
import { frame as framed, splitFrames } from '../../src/core/jute/framing.ts'
import { JuteError } from '../../src/core/jute/jute-error.ts'
import {
  multiReadRequestRecord,
  multiRequestRecord,
  multiResponseRecord,
} from '../../src/core/jute/multi.ts'
import { opName } from '../../src/core/jute/op-code.ts'
import * as proto from '../../src/core/jute/proto-records.ts'
import * as quorum from '../../src/core/jute/quorum-records.ts'
import { JuteReader } from '../../src/core/jute/reader.ts'
import { decode, encode, type JuteRecord } from '../../src/core/jute/record.ts'
import * as session from '../../src/core/jute/session-records.ts'
import { decodeTxn, encodeTxn } from '../../src/core/jute/txn.ts'
import { createSessionTxnRecord } from '../../src/core/jute/txn-records.ts'
import { JuteWriter } from '../../src/core/jute/writer.ts'
import type { Frame } from './frame-file.ts'
import {
  readSnapshot,
  readSnapshotBody,
  writeSnapshot,
  writeSnapshotBody,
} from './snapshot-layout.ts'

export interface Recoded {
  readonly value: unknown
  readonly bytes: Uint8Array
}

/** A codec whose value's type nobody outside needs to know. */
type Recode = (bytes: Uint8Array) => Recoded

const nothing: Recode = (bytes) => {
  if (bytes.length !== 0) throw new JuteError(`${bytes.length} bytes where none belong`)
  return { value: undefined, bytes }
}

const requests: Readonly<Record<string, Recode>> = {
  create: by(proto.createRequestRecord),
  delete: by(proto.deleteRequestRecord),
  exists: by(proto.existsRequestRecord),
  getData: by(proto.getDataRequestRecord),
  setData: by(proto.setDataRequestRecord),
  getACL: by(proto.getACLRequestRecord),
  setACL: by(proto.setACLRequestRecord),
  getChildren: by(proto.getChildrenRequestRecord),
  sync: by(proto.syncRequestRecord),
  ping: nothing,
  getChildren2: by(proto.getChildren2RequestRecord),
  multi: by(multiRequestRecord),
  create2: by(proto.createRequestRecord),
  reconfig: by(session.reconfigRequestRecord),
  checkWatches: by(session.checkWatchesRequestRecord),
  removeWatches: by(session.removeWatchesRequestRecord),
  createContainer: by(proto.createRequestRecord),
  deleteContainer: by(proto.deleteContainerRequestRecord),
  createTTL: by(proto.createTTLRequestRecord),
  multiRead: by(multiReadRequestRecord),
  auth: by(session.authPacketRecord),
  sasl: by(session.getSASLRequestRecord),
  getEphemerals: by(session.getEphemeralsRequestRecord),
  getAllChildrenNumber: by(proto.getAllChildrenNumberRequestRecord),
  setWatches2: by(session.setWatches2Record),
  addWatch: by(session.addWatchRequestRecord),
  whoAmI: nothing,
  closeSession: nothing,
  // Only as a REQUEST of a learner: the body is the time-out that it negotiated.
  createSession: by(createSessionTxnRecord),
  'unknown 888': nothing,
}

const replies: Readonly<Record<string, Recode>> = {
  notification: by(watcherEventRecord),
  create: by(proto.createResponseRecord),
  delete: nothing,
  exists: by(proto.existsResponseRecord),
  getData: by(proto.getDataResponseRecord),
  setData: by(proto.setDataResponseRecord),
  getACL: by(proto.getACLResponseRecord),
  setACL: by(proto.setACLResponseRecord),
  getChildren: by(proto.getChildrenResponseRecord),
  sync: by(proto.syncResponseRecord),
  ping: nothing,
  getChildren2: by(proto.getChildren2ResponseRecord),
  multi: by(multiResponseRecord),
  create2: by(proto.create2ResponseRecord),
  reconfig: by(proto.getDataResponseRecord),
  checkWatches: nothing,
  removeWatches: nothing,
  createContainer: by(proto.create2ResponseRecord),
  createTTL: by(proto.create2ResponseRecord),
  multiRead: by(multiResponseRecord),
  auth: nothing,
  sasl: by(session.setSASLResponseRecord),
  getEphemerals: by(session.getEphemeralsResponseRecord),
  getAllChildrenNumber: by(session.getAllChildrenNumberResponseRecord),
  setWatches2: nothing,
  addWatch: by(session.errorResponseRecord),
  whoAmI: by(session.whoAmIResponseRecord),
  closeSession: nothing,
}

const txn: Recode = (bytes) => {
  const value = decodeTxn(bytes)
  return { value, bytes: encodeTxn(value.header, value.txn, value.digest) }
}

const text: Recode = (bytes) => {
  const value = decodeUtf8(bytes)
  return { value, bytes: encodeUtf8(value) }
}

/** Data of a packet; a packet that is not here has none. */
const packetData: Readonly<Record<string, Recode>> = {
  'learner FOLLOWERINFO': by(quorum.learnerInfoRecord),
  'learner OBSERVERINFO': by(quorum.learnerInfoRecord),
  'leader LEADERINFO': by(quorum.leaderInfoRecord),
  'learner ACKEPOCH': by(quorum.ackEpochRecord),
  'leader NEWLEADER': text,
  'leader PROPOSAL': txn,
  'leader INFORM': txn,
  'leader COMMITANDACTIVATE': by(quorum.commitAndActivateRecord),
  'leader INFORMANDACTIVATE': nested(quorum.informAndActivateRecord, (v) => txn(v.txn)),
  'learner PING': by(quorum.touchedSessionsRecord),
  'learner REVALIDATE': by(quorum.revalidateRequestRecord),
  'leader REVALIDATE': by(quorum.revalidateResponseRecord),
  'learner REQUEST': nested(quorum.forwardedRequestRecord, (v) =>
    (requests[opName(v.type)] ?? missing(opName(v.type)))(v.request),
  ),
}

export function recodeClientFrame({ from, what, bytes }: Frame): Recoded {
  if (what === 'connect') {
    return from === 'client' ? by(connectRequestRecord)(bytes) : by(connectResponseRecord)(bytes)
  }
  const r = new JuteReader(bytes)
  const w = new JuteWriter()
  if (from === 'client') {
    const header = requestHeaderRecord.read(r)
    requestHeaderRecord.write(w, header)
    const body = (requests[what] ?? missing(what))(r.raw(r.remaining))
    w.raw(body.bytes)
    return { value: { header, body: body.value }, bytes: w.finish() }
  }
  const header = replyHeaderRecord.read(r)
  replyHeaderRecord.write(w, header)
  // An error has no body (W13).
  const body = (header.err === 0 ? (replies[what] ?? missing(what)) : nothing)(r.raw(r.remaining))
  w.raw(body.bytes)
  return { value: { header, body: body.value }, bytes: w.finish() }
}

export function recodeQuorumFrame({ from, what, bytes }: Frame): Recoded {
  if (what === 'snapshot-stream') {
    const value = readSnapshotBody(new JuteReader(bytes), 'BenWasHere')
    return { value, bytes: writeSnapshotBody(value, 'BenWasHere') }
  }
  const packet = decode(quorum.quorumPacketRecord, bytes)
  if (quorum.packetName(packet.type) !== what) throw new Error(`a ${what} of type ${packet.type}`)
  if (packet.data === null)
    return { value: packet, bytes: encode(quorum.quorumPacketRecord, packet) }
  const data = (packetData[`${from} ${what}`] ?? nothing)(packet.data)
  return {
    value: { ...packet, data: data.value },
    bytes: encode(quorum.quorumPacketRecord, { ...packet, data: data.bytes }),
  }
}

export function recodeElectionFrame({ what, bytes }: Frame): Recoded {
  if (what === 'InitialMessage') return by(initialMessageRecord)(bytes)
  const [message = new Uint8Array(0)] = splitFrames(bytes)
  const recoded = by(notificationRecord)(message)
  return { value: recoded.value, bytes: framed(recoded.bytes) }
}

export function recodeFileFrame({ what, bytes }: Frame): Recoded {
  if (what === 'snapshot') {
    const value = readSnapshot(bytes)
    return { value, bytes: writeSnapshot(value) }
  }
  const r = new JuteReader(bytes)
  const w = new JuteWriter()
  if (what === 'log-header') {
    const value = { magic: r.int(), version: r.int(), dbid: r.long() }
    w.int(value.magic)
    w.int(value.version)
    w.long(value.dbid)
    return { value, bytes: w.finish() }
  }
  // long checksum, int length, payload, 0x42 (P3).
  const checksum = r.longNumber()
  const recoded = txn(r.buffer() ?? new Uint8Array(0))
  if (r.byte() !== 0x42 || !r.atEnd) throw new Error('no end of entry')
  w.longNumber(adler32(recoded.bytes))
  w.buffer(recoded.bytes)
  w.byte(0x42)
  return { value: { checksum, ...(recoded.value as object) }, bytes: w.finish() }
}

function by<T>(record: JuteRecord<T>): Recode {
  return (bytes) => {
    const value = decode(record, bytes)
    return { value, bytes: encode(record, value) }
  }
}

/** A record that ends in bytes which are a record themselves, without a length. */
function nested<T>(record: JuteRecord<T>, inner: (v: T) => Recoded): Recode {
  return (bytes) => {
    const value = decode(record, bytes)
    const last = inner(value)
    const again = encode(record, value)
    const head = again.subarray(0, again.length - last.bytes.length)
    return { value: { ...value, inner: last.value }, bytes: concat([head, last.bytes]) }
  }
}

function missing(what: string): never {
  throw new Error(`no codec for ${what}`)
}
