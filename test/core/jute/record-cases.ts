/** Every record with values for it, so that the laws of records.test.ts hold for all of them. */

import fc from 'fast-check'
import {
  aclRecord,
  clientInfoRecord,
  idRecord,
  statPersistedRecord,
  statRecord,
} from '../../../src/core/jute/data-records.ts'
import {
  connectRequestRecord,
  connectResponseRecord,
  replyHeaderRecord,
  requestHeaderRecord,
  watcherEventRecord,
} from '../../../src/core/jute/connect-records.ts'
import {
  initialMessageRecord,
  notificationRecord,
} from '../../../src/core/jute/election-records.ts'
import {
  multiHeaderRecord,
  multiReadRequestRecord,
  multiRequestRecord,
  multiResponseRecord,
  type MultiOp,
  type MultiReadOp,
  type MultiResult,
} from '../../../src/core/jute/multi.ts'
import { OpCode } from '../../../src/core/jute/op-code.ts'
import * as proto from '../../../src/core/jute/proto-records.ts'
import * as quorum from '../../../src/core/jute/quorum-records.ts'
import { decode, encode, type JuteRecord } from '../../../src/core/jute/record.ts'
import * as session from '../../../src/core/jute/session-records.ts'
import * as txn from '../../../src/core/jute/txn-records.ts'

export interface RecordCase {
  readonly name: string
  /** A value of the record, and what decoding its bytes gives. */
  readonly samples: fc.Arbitrary<{ bytes: Uint8Array; value: unknown; again: () => unknown }>
  readonly decode: (bytes: Uint8Array) => unknown
  readonly encodeDecoded: (bytes: Uint8Array) => Uint8Array
}

export const int = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })
export const long = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })
export const time = fc.maxSafeInteger()
export const text = fc.string({ unit: 'binary', maxLength: 12 })
export const data = fc.option(fc.uint8Array({ maxLength: 12 }))
const someBytes = fc.uint8Array({ maxLength: 12 })
const flag = fc.boolean()
const texts = fc.array(text, { maxLength: 4 })
const id = fc.record({ scheme: text, id: text })
const acl = fc.record({ perms: int, id })
export const acls = fc.array(acl, { maxLength: 3 })
const persisted = {
  czxid: long,
  mzxid: long,
  ctime: time,
  mtime: time,
  version: int,
  cversion: int,
  aversion: int,
  ephemeralOwner: long,
  pzxid: long,
}
const stat = fc.record({ ...persisted, dataLength: int, numChildren: int })
const readOnly = fc.option(flag, { nil: undefined })
const path = fc.record({ path: text })
const pathWatch = fc.record({ path: text, watch: flag })
const pathVersion = fc.record({ path: text, version: int })
const create = { path: text, data, acl: fc.option(acls), flags: int }
const createTxn = { path: text, data, acl: acls, parentCVersion: int }
const children = fc.record({ children: texts })
const getData = fc.record({ data, stat })
const setWatches = {
  relativeZxid: long,
  dataWatches: texts,
  existWatches: texts,
  childWatches: texts,
}
const sessionTimeout = fc.record({ sessionId: long, timeout: int })

const multiOp: fc.Arbitrary<MultiOp> = fc.oneof(
  fc.record({
    type: fc.constantFrom(OpCode.create, OpCode.create2, OpCode.createContainer),
    request: fc.record(create),
  }),
  fc.record({
    type: fc.constant(OpCode.createTTL),
    request: fc.record({ ...create, ttl: long }),
  }),
  fc.record({ type: fc.constant(OpCode.delete), request: pathVersion }),
  fc.record({
    type: fc.constant(OpCode.setData),
    request: fc.record({ path: text, data, version: int }),
  }),
  fc.record({ type: fc.constant(OpCode.check), request: pathVersion }),
)

const multiReadOp: fc.Arbitrary<MultiReadOp> = fc.oneof(
  fc.record({ type: fc.constant(OpCode.getData), request: pathWatch }),
  fc.record({ type: fc.constant(OpCode.getChildren), request: pathWatch }),
)

const multiResult: fc.Arbitrary<MultiResult> = fc.oneof(
  fc.record({ type: fc.constant(OpCode.create), path: text }),
  fc.record({ type: fc.constant(OpCode.create2), path: text, stat }),
  fc.record({ type: fc.constant(OpCode.setData), stat }),
  fc.record({ type: fc.constantFrom(OpCode.delete, OpCode.check) }),
  fc.record({ type: fc.constant(OpCode.getData), data, stat }),
  fc.record({ type: fc.constant(OpCode.getChildren), children: texts }),
  fc.record({ type: fc.constant(OpCode.error), err: int }),
)

const vote = { state: int, leader: long, zxid: long, electionEpoch: long, peerEpoch: long }

export const RECORD_CASES: readonly RecordCase[] = [
  of(idRecord, id),
  of(aclRecord, acl),
  of(clientInfoRecord, fc.record({ authScheme: text, user: text })),
  of(statRecord, stat),
  of(statPersistedRecord, fc.record(persisted)),
  of(
    connectRequestRecord,
    fc.record({
      protocolVersion: int,
      lastZxidSeen: long,
      timeOut: int,
      sessionId: long,
      passwd: data,
      readOnly,
    }),
  ),
  of(
    connectResponseRecord,
    fc.record({ protocolVersion: int, timeOut: int, sessionId: long, passwd: data, readOnly }),
  ),
  of(requestHeaderRecord, fc.record({ xid: int, type: int })),
  of(replyHeaderRecord, fc.record({ xid: int, zxid: long, err: int })),
  of(watcherEventRecord, fc.record({ type: int, state: int, path: text })),
  of(proto.createRequestRecord, fc.record(create)),
  of(proto.createTTLRequestRecord, fc.record({ ...create, ttl: long })),
  of(proto.createResponseRecord, path),
  of(proto.create2ResponseRecord, fc.record({ path: text, stat })),
  of(proto.deleteRequestRecord, pathVersion),
  of(proto.checkVersionRequestRecord, pathVersion),
  of(proto.existsRequestRecord, pathWatch),
  of(proto.getDataRequestRecord, pathWatch),
  of(proto.getChildrenRequestRecord, pathWatch),
  of(proto.getChildren2RequestRecord, pathWatch),
  of(proto.getACLRequestRecord, path),
  of(proto.syncRequestRecord, path),
  of(proto.syncResponseRecord, path),
  of(proto.deleteContainerRequestRecord, path),
  of(proto.getAllChildrenNumberRequestRecord, path),
  of(proto.setDataRequestRecord, fc.record({ path: text, data, version: int })),
  of(proto.setACLRequestRecord, fc.record({ path: text, acl: fc.option(acls), version: int })),
  of(proto.existsResponseRecord, fc.record({ stat })),
  of(proto.setDataResponseRecord, fc.record({ stat })),
  of(proto.setACLResponseRecord, fc.record({ stat })),
  of(proto.getDataResponseRecord, getData),
  of(proto.getACLResponseRecord, fc.record({ acl: acls, stat })),
  of(proto.getChildrenResponseRecord, children),
  of(proto.getChildren2ResponseRecord, fc.record({ children: texts, stat })),
  of(session.checkWatchesRequestRecord, fc.record({ path: text, type: int })),
  of(session.removeWatchesRequestRecord, fc.record({ path: text, type: int })),
  of(session.addWatchRequestRecord, fc.record({ path: text, mode: int })),
  of(session.setWatchesRecord, fc.record(setWatches)),
  of(
    session.setWatches2Record,
    fc.record({ ...setWatches, persistentWatches: texts, persistentRecursiveWatches: texts }),
  ),
  of(session.authPacketRecord, fc.record({ type: int, scheme: text, auth: data })),
  of(session.getSASLRequestRecord, fc.record({ token: data })),
  of(session.setSASLResponseRecord, fc.record({ token: data })),
  of(
    session.reconfigRequestRecord,
    fc.record({
      joiningServers: fc.option(text),
      leavingServers: fc.option(text),
      newMembers: fc.option(text),
      curConfigId: long,
    }),
  ),
  of(session.getEphemeralsRequestRecord, fc.record({ prefixPath: fc.option(text) })),
  of(session.getEphemeralsResponseRecord, fc.record({ ephemerals: texts })),
  of(session.getAllChildrenNumberResponseRecord, fc.record({ totalNumber: int })),
  of(
    session.whoAmIResponseRecord,
    fc.record({ clientInfo: fc.array(fc.record({ authScheme: text, user: text })) }),
  ),
  of(session.errorResponseRecord, fc.record({ err: int })),
  of(multiHeaderRecord, fc.record({ type: int, done: flag, err: int })),
  of(multiRequestRecord, fc.array(multiOp, { maxLength: 5 })),
  of(multiReadRequestRecord, fc.array(multiReadOp, { maxLength: 5 })),
  of(multiResponseRecord, fc.array(multiResult, { maxLength: 5 })),
  of(txn.txnHeaderRecord, fc.record({ clientId: long, cxid: int, zxid: long, time, type: int })),
  of(txn.createTxnRecord, fc.record({ ...createTxn, ephemeral: flag })),
  of(txn.createTxnV0Record, fc.record({ path: text, data, acl: acls, ephemeral: flag })),
  of(txn.createContainerTxnRecord, fc.record(createTxn)),
  of(txn.createTTLTxnRecord, fc.record({ ...createTxn, ttl: long })),
  of(txn.deleteTxnRecord, path),
  of(txn.setDataTxnRecord, fc.record({ path: text, data, version: int })),
  of(txn.setACLTxnRecord, fc.record({ path: text, acl: acls, version: int })),
  of(txn.checkVersionTxnRecord, pathVersion),
  of(txn.createSessionTxnRecord, fc.record({ timeOut: int })),
  of(txn.closeSessionTxnRecord, fc.record({ paths: fc.option(texts) })),
  of(txn.errorTxnRecord, fc.record({ err: int })),
  of(txn.txnDigestRecord, fc.record({ version: int, treeDigest: long })),
  of(
    quorum.quorumPacketRecord,
    fc.record({ type: int, zxid: long, data, authinfo: fc.option(fc.array(id, { maxLength: 3 })) }),
  ),
  of(
    quorum.learnerInfoRecord,
    fc.record({ serverid: long, protocolVersion: int, configVersion: long }),
  ),
  of(
    quorum.forwardedRequestRecord,
    fc.record({ sessionId: long, cxid: int, type: int, request: someBytes }),
  ),
  of(quorum.revalidateRequestRecord, sessionTimeout),
  of(quorum.revalidateResponseRecord, fc.record({ sessionId: long, valid: flag })),
  of(quorum.touchedSessionsRecord, fc.array(sessionTimeout, { maxLength: 4 })),
  of(quorum.leaderInfoRecord, fc.record({ protocolVersion: int })),
  of(quorum.ackEpochRecord, fc.record({ currentEpoch: int, truncFloor: long })),
  of(quorum.commitAndActivateRecord, fc.record({ designatedLeader: long })),
  of(quorum.informAndActivateRecord, fc.record({ designatedLeader: long, txn: someBytes })),
  of(
    notificationRecord,
    fc.oneof(
      fc.record({ ...vote, version: fc.integer({ min: 2, max: 9 }), config: someBytes }),
      fc.record({ ...vote, version: fc.constant(2), config: fc.constant(new Uint8Array(0)) }),
    ),
  ),
  of(
    initialMessageRecord,
    fc.record({
      sid: long,
      protocolVersion: fc.constantFrom(-65536n, -65535n),
      addresses: fc.array(
        text.filter((address) => address !== '' && !address.includes('|')),
        { minLength: 1, maxLength: 3 },
      ),
    }),
  ),
]

/** Closes over the value's type, so that records of different types share a list. */
function of<T>(record: JuteRecord<T>, values: fc.Arbitrary<T>): RecordCase {
  return {
    name: record.name,
    samples: values.map((value) => {
      const bytes = encode(record, value)
      return { bytes, value, again: () => decode(record, bytes) }
    }),
    decode: (bytes) => decode(record, bytes),
    encodeDecoded: (bytes) => encode(record, decode(record, bytes)),
  }
}
